"""The hub's sensor book: kept whole, changed one entry or one sheet at a time, checked before."""
