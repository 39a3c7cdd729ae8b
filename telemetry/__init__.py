"""Bytes to readings: what sensors at the dock say, decoded by pure functions (I2)."""
