"""Damaged linear codes against the stock list: what is left of the bars, and of the print below."""
