"""Files that come in pieces over a connection that may break (tus 1.0), and are looked at before they are taken in."""
