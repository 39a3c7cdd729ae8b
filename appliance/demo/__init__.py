"""The sample delivery: cartons, goods and paper, all of our own rendering, same for same seed."""
