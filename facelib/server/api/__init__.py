"""The endpoints, a module for each kind of thing; each has a `router` that `app.py` includes."""
