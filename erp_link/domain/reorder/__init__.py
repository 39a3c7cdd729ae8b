"""When to order again, how much, and why: pure decisions over a forecast and a stock position."""
