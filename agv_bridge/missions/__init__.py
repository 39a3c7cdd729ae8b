"""What orders, states and silence mean: pure decisions of the bridge."""
