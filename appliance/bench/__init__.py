"""Measured figures: each bench prints its machine, commit, input and peers."""
