"""Rollouts at the hub: commands, reports, and the assignments that follow (I3, I5, I7)."""
