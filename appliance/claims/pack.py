"""A delivery's claims pack: a zip with a page to read, the facts, the pictures and the signatures.

The same facts give the same bytes. `manifest.json` lists every other file with its SHA-256; a
picture's name is its own. What was signed stands as it was signed (`decisions.json`), so
`tallyman decision verify` checks it without the hub.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import IO, Any

import msgspec

from appliance.claims.exported import exported
from appliance.web.ports import PictureStore
from erp_link.service.quality.claims import Claim

_STYLE = Path(__file__).parent / "pack.css"
_STARTS = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG\r\n\x1a\n", "png"))
_FIXED = (1980, 1, 1, 0, 0, 0)
"""Zip's own times would make two packs of the same facts differ."""
README = """Claims pack of delivery {asn}, session {session}

index.html      the page to read
report.json     announced against counted, line by line, in base units
cartons.json    every carton: device, time, reading, verdict's reasons, journal entry
tickets.json    findings with score, threshold, model sets, regions
decisions.json  usage decisions; check with: tallyman decision verify decisions.json
journal.json    each device's last journal entry here (number and hash)
pictures/       the pictures as judged; each file's name is the SHA-256 of its bytes
manifest.json   SHA-256 of every file above
"""


def pack(claim: Claim, pictures: PictureStore, *, page: str, out: IO[bytes]) -> None:
    """Write the zip to `out`, one picture in memory at a time. `page` is the readable page; it finds
    pictures at `picture_names`.
    """
    files: dict[str, bytes] = {
        "README.txt": README.format(asn=claim.report.asn, session=claim.report.session).encode(),
        "index.html": page.encode(),
        "pack.css": _STYLE.read_bytes(),
        "report.json": _json(claim.report),
        "cartons.json": _json(claim.cartons),
        "tickets.json": _json(claim.tickets),
        "decisions.json": _json([exported(made) for made in claim.decisions]),
        "journal.json": _json(
            {device: {"seq": seq, "hash": digest} for device, (seq, digest) in claim.heads.items()}
        ),
    }
    hashes: dict[str, str] = {}
    missing: list[str] = []
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in sorted(files.items()):
            _add(archive, name, data, hashes)
        for sha256 in claim.pictures:
            picture = pictures.get(sha256)
            if picture is None:
                missing.append(sha256)
            else:
                _add(archive, _name_of(sha256, picture), picture, hashes)
        told = {
            "session": claim.report.session,
            "files": dict(sorted(hashes.items())),
            "missing_pictures": missing,
        }
        _add(archive, "manifest.json", _json(told), hashes)


def picture_names(claim: Claim, pictures: PictureStore) -> dict[str, str]:
    """The path in the pack of each picture that is here, by its SHA-256."""
    found: dict[str, str] = {}
    for sha256 in claim.pictures:
        picture = pictures.get(sha256)
        if picture is not None:
            found[sha256] = _name_of(sha256, picture)
    return found


def _name_of(sha256: str, picture: bytes) -> str:
    ending = next((end for start, end in _STARTS if picture.startswith(start)), "bin")
    return f"pictures/{sha256}.{ending}"


def _add(archive: zipfile.ZipFile, name: str, data: bytes, hashes: dict[str, str]) -> None:
    hashes[name] = hashlib.sha256(data).hexdigest()
    entry = zipfile.ZipInfo(name, _FIXED)
    entry.external_attr = 0o644 << 16
    # Pictures are compressed already.
    stored = name.startswith("pictures/")
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(_plain(value)), indent=2)


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _plain(asdict(value))
        case _:
            return value
