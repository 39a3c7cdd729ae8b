"""A carton's outside against the reference sides of good cartons. Start with `inspector.py`."""
