"""The parts of `tallyman bench read`: measure frames, score them, set peers beside them."""
