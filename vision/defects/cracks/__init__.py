"""Thin cracks, seen at native resolution by a small network of their own."""
