"""Whether the books are right, checked from their record; and the books made again from it."""
