"""The accounts' SQLite file and its tables."""

from __future__ import annotations

from pathlib import Path

from appliance.small_db import SmallDb

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
  name TEXT PRIMARY KEY, display_name TEXT NOT NULL, password TEXT NOT NULL, roles TEXT NOT NULL,
  disabled INTEGER NOT NULL, version INTEGER NOT NULL, created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS first_link (
  only INTEGER PRIMARY KEY CHECK (only = 1), sha256 TEXT NOT NULL, expires_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS revoked (session TEXT PRIMARY KEY, until TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS api_tokens (
  token_id TEXT PRIMARY KEY, name TEXT NOT NULL, scopes TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS phones_out (phone TEXT PRIMARY KEY) STRICT;
"""


def open_accounts(path: Path) -> SmallDb:
    """The file, made at the first call."""
    return SmallDb(path, _SCHEMA)
