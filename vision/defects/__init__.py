"""Seeing defects: a product's good look is enrolled from pictures, new ones are judged by it."""
