"""The live view: last values and fan-out for pages. Losing it loses nothing."""
