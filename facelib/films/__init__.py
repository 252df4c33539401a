"""Films: decode, index (shots, faces, tracks), name, settle, present."""
