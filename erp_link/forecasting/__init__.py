"""Numerics of demand: arrays in, arrays out. What follows from them is decided in the domain."""
