"""Who judges a batch, as this station knows it: pins told, asked for, and begun without (I3, I6)."""
