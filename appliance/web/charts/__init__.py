"""Charts of what sensors said: the page of one sensor, the data below it, what history is kept."""
