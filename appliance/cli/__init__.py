"""The `tallyman` command: one file for each group of commands."""
