"""The hub's side of the phone at the shelf: what it carries, who holds it, what it asks."""
