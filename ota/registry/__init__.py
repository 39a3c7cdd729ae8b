"""What may run at all: published model sets, in the image plane of TUF and by SHA-256 (I5)."""
