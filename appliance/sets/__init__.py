"""Several model sets on one station: which one runs, which are kept for batches that began (I3)."""
