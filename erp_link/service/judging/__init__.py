"""One batch, one judge, over the core's database (I3)."""
