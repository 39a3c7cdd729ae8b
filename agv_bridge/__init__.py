"""VDA 5050 both ways: orders out, states in and from them stock moves (I1, I2)."""
