"""From the device's journal to the hub's core, exactly once, over a network that comes and goes."""
