"""The hub's side of updates: registry, rollouts, and the door where boxes ask."""
