"""A small state with three districts: generated, broken on purpose, repaired by the real services, and proved."""
