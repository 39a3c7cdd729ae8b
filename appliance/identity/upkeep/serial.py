"""The machine's own serial number: what stands on its sticker, or what its system was installed as.

It is no secret and proves nothing alone. With the device's key it tells a person at the hub whether
the box that asks to come back is the box that left.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_BOARD = (
    # Single-board computers; readable by everybody.
    "sys/firmware/devicetree/base/serial-number",
    # PCs; readable by root only on most systems.
    "sys/class/dmi/id/product_serial",
)
_SYSTEM = "etc/machine-id"
_NO_SERIALS = frozenset({"", "0", "none", "default string", "to be filled by o.e.m.", "system serial number"})  # fmt: skip
_APP = b"tallyman machine serial v1\0"
_LONGEST = 64


def machine_serial(root: Path = Path("/")) -> str:
    """The board's or PC's serial; else 24 hex digits made from the system's machine id, which
    machine-id(5) asks not to show itself; empty where there is neither. `root` is for tests.
    """
    for place in _BOARD:
        text = _read(root / place)
        if text.lower() not in _NO_SERIALS and text.isprintable():
            return text[:_LONGEST]
    system = _read(root / _SYSTEM)
    return hashlib.sha256(_APP + system.encode()).hexdigest()[:24] if system else ""


def _read(path: Path) -> str:
    try:
        return path.read_bytes().rstrip(b"\0").decode(errors="replace").strip()
    except OSError:
        return ""
