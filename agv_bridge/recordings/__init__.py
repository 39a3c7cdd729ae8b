"""Recorded sessions and logs of fleets, read for the stock moves that they prove."""
