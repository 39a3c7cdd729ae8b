"""The outside of the core: SQL tables, guards, migrations."""
