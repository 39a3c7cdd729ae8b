"""How a candidate comes to all boxes: waves, their gates, and the way back (I3, I7)."""
