"""The stock core measured, with its peers beside it."""
