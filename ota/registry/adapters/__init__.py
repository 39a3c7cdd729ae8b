"""The registry's stores: in memory, on disk, in SQLite, in a bucket."""
