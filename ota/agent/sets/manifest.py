"""What a manifest says, before anything of it is believed: bounded, and with names that stay inside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.errors import ArtefactRefusedError, BadInputError
from ota.agent.files import check_name
from ota.model_set import MANIFEST
from ota.registry.lanes import lane_of

MOST_BYTES = 1 << 20
_MOST_FILES = 2000
_HEX = frozenset("0123456789abcdef")
_DIGITS = 64


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """`sha256` is 64 hex digits; `size` in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A set's own word about itself; `total` is what its files weigh, in bytes."""

    digest: str
    name: str
    version: str
    lane: str
    files: Mapping[str, ManifestFile]

    @property
    def total(self) -> int:
        return sum(each.size for each in self.files.values())


def read_manifest(raw: bytes) -> Manifest:
    """Raises ArtefactRefusedError for what no box could keep: no manifest, of no lane, too much, or
    naming a file outside its folder.
    """
    try:
        said = json.loads(raw)
        files = {
            str(path): ManifestFile(str(facts["sha256"]), int(facts["bytes"]))
            for path, facts in said["files"].items()
        }
        lane = lane_of(str(said["kind"]))
        for path, file in files.items():
            _check(path, file)
        name, version = str(said["name"]), str(said["version"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArtefactRefusedError(f"A manifest cannot be read: {error!r}") from error
    except BadInputError as error:
        raise ArtefactRefusedError(f"A manifest is refused: {error.message}") from error
    if len(files) > _MOST_FILES:
        raise ArtefactRefusedError(f"A manifest names {len(files)} files, at most {_MOST_FILES}")
    digest = "sha256:" + hashlib.sha256(raw).hexdigest()
    return Manifest(digest, name, version, lane, files)


def _check(path: str, file: ManifestFile) -> None:
    check_name(path)
    if not path or path.split("/", maxsplit=1)[0] == MANIFEST:
        raise BadInputError(f"{path!r} is no name for a file of a set")
    if len(file.sha256) != _DIGITS or set(file.sha256) - _HEX or file.size < 0:
        raise BadInputError(f"{path!r} has no SHA-256 and length")
