"""What goods went through while a place was out of range, and whether they may still be sold."""
