"""What the lines of a fleet or a module station mean: described in a file, without code."""
