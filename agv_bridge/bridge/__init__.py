"""The bridge itself: it listens to the broker, asks the core and speaks to the vehicles."""
