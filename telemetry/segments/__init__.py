"""Append-only files that a reading is in before anybody hears that it was taken (I2).

`writer` appends groups and syncs them, `reading` follows what is synced, `retention` gives space
back. A group is one CRC; a position is the place after a group and is totally ordered.
"""

from telemetry.segments.files import DurableMark, Position
from telemetry.segments.groups import BadSegmentError, Group, Quarantined
from telemetry.segments.reading import Damage, SegmentFollower, read_groups, read_quarantine
from telemetry.segments.retention import Retention
from telemetry.segments.writer import SegmentWriter

__all__ = [
    "BadSegmentError",
    "Damage",
    "DurableMark",
    "Group",
    "Position",
    "Quarantined",
    "Retention",
    "SegmentFollower",
    "SegmentWriter",
    "read_groups",
    "read_quarantine",
]
