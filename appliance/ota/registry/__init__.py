"""The hub's side of the registry of model sets: its folder, its keys, its port and its warnings."""
