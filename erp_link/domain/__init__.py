"""The rules of stock, holds and tickets: pure, no I/O, no framework (I1, I2)."""
