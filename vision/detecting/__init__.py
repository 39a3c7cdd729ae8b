"""Defects by name: a detector that was taught from a labelled folder."""
