"""Sets on their way to this box: signed files, fetching, differences, the shelf (I5)."""
