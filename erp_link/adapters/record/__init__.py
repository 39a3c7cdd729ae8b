"""The append-only record: every change of every table, written by the database itself (I2, I4)."""
