"""One batch, one judge: what stations, cells and the books decide, without any I/O (I3, I6)."""
