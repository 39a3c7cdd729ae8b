"""A film of a shelf with its truth: real codes, known motion, a number in every frame."""
