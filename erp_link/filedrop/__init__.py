"""CSV files for systems that read nothing else: what moved, a file at a time."""
