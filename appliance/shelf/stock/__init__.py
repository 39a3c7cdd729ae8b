"""What a phone at the shelf carries, as the hub tells it: whole, or what changed."""
