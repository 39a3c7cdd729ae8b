"""The books in memory: the same rules as the database's, without a database."""
