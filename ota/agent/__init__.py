"""The box's side of an update: checked, proven, switched, and back again if need be (I5, I6)."""
