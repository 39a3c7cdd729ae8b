"""Usage decisions: what is signed, who may decide, what a decision reaches."""
