"""Very many boxes that ask one hub each minute for nothing new, and what each answer costs."""
