"""Cartons: which picture belongs to which carton, and the lane each one takes (I7)."""
