"""Pages of customer orders."""
