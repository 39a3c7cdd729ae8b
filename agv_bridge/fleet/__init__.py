"""What people see of the fleet: where vehicles are and were, where they go, what a journey went through. Pure."""
