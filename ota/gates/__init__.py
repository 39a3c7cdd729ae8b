"""May a candidate go on, or must it stop? Evidence that may be looked at after every frame."""
