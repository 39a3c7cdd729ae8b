"""The tables of the hub's device registry. Tables are added, never changed: a hub's file of an
older edition opens as it is.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
  device TEXT PRIMARY KEY, sha256 TEXT NOT NULL, expires_at TEXT NOT NULL,
  used_by TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS claim_terms (
  device TEXT PRIMARY KEY, serial TEXT NOT NULL, approve INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS devices (
  device TEXT PRIMARY KEY, public_key TEXT NOT NULL, certificate TEXT NOT NULL,
  state TEXT NOT NULL, note TEXT NOT NULL, kept_sha256 TEXT NOT NULL, changed_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS machines (
  device TEXT PRIMARY KEY, serial TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS waiting (
  device TEXT PRIMARY KEY, kind TEXT NOT NULL, public_key TEXT NOT NULL, serial TEXT NOT NULL,
  asked_at TEXT NOT NULL, address TEXT NOT NULL, state TEXT NOT NULL, by TEXT NOT NULL,
  why TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS deeds (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, device TEXT NOT NULL, what TEXT NOT NULL,
  by TEXT NOT NULL, why TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS deeds_of_device ON deeds (device, id);
CREATE TABLE IF NOT EXISTS heads (
  device TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL, at_us INTEGER NOT NULL,
  signature TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS edition (
  only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO edition VALUES (1, 0);
CREATE TRIGGER IF NOT EXISTS device_added AFTER INSERT ON devices
  BEGIN UPDATE edition SET number = number + 1; END;
CREATE TRIGGER IF NOT EXISTS device_changed AFTER UPDATE ON devices
  BEGIN UPDATE edition SET number = number + 1; END;
"""

DEVICES = "SELECT devices.*, coalesce(serial, '') FROM devices LEFT JOIN machines USING (device)"
