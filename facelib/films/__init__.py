"""Films: opened and decoded in `media`, then indexed (shots, faces, tracks), named, settled, and presented."""
