"""The image plane: TUF metadata, who signs it, and how that changes (I5)."""
