"""A model set is a folder whose manifest names every file by SHA-256; its digest is the
manifest's (I3). A set whose files do not match their manifest never runs (I5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ArtefactRefusedError
from ota.proof import proven

MANIFEST = "manifest.json"
_PROOF_IS_ASKED_OF = frozenset({"defect", "defect-detector"})
# Words about a set, not parts of it: they may be mended without a new digest.
_NOT_COVERED = frozenset({MANIFEST, "MODEL_CARD.md", "quality.toml", "README.md"})


@dataclass(frozen=True, slots=True)
class ModelSet:
    """An opened and verified set. `digest` is `sha256:` and 64 hex digits of the manifest;
    `variants` are the engines that it was proven on, with the same decisions on golden frames;
    `unproven` those that its manifest names without a proof that holds (ota.proof).
    """

    digest: str
    name: str
    version: str
    kind: str
    folder: Path
    files: tuple[str, ...]
    variants: tuple[str, ...]
    licence: str = ""
    unproven: tuple[str, ...] = ()


def write_manifest(
    folder: Path,
    *,
    name: str,
    version: str,
    kind: str,
    licence: str,
    source: str,
    recipe: str,
    variants: Sequence[str] = ("onnxruntime-cpu",),
    parity: Mapping[str, Mapping[str, object]] | None = None,
    succeeds: Mapping[str, Mapping[str, object]] | None = None,
) -> ModelSet:
    """Name every file of `folder` in its manifest; cards and quality records stay outside it.

    `variants` names the engines that the set is proven on, `parity` the proof for each
    (ota.proof.Proof); `succeeds` names, by digest, sets whose profiles it may judge, each with a
    proof that it judges golden pictures as they did.
    """
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": _sha256(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() not in _NOT_COVERED
    }
    manifest = {
        "name": name,
        "version": version,
        "kind": kind,
        "licence": licence,
        "source": source,
        "recipe": recipe,
        "variants": list(variants),
        "files": files,
        **({"parity": parity} if parity else {}),
        **({"succeeds": succeeds} if succeeds else {}),
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return open_model_set(folder)


def open_model_set(folder: Path) -> ModelSet:
    """Open a set after checking every file.

    Raises ArtefactRefusedError naming the file that is missing, changed or not in the manifest.
    """
    path = folder / MANIFEST
    mend = "Fetch the model set again; the previous one goes on running"
    try:
        raw = path.read_bytes()
        manifest = json.loads(raw)
        files: dict[str, dict[str, object]] = manifest["files"]
        name, version, kind = manifest["name"], manifest["version"], manifest["kind"]
        named = tuple(str(each) for each in manifest["variants"])
        parity = dict(manifest.get("parity", {}))
    except FileNotFoundError:
        raise ArtefactRefusedError(f"{path} does not exist", mend=mend) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactRefusedError(f"{path} is not a manifest: {error!r}", mend=mend) from error
    root = folder.resolve()
    for file, facts in files.items():
        target = (folder / file).resolve()
        if not target.is_relative_to(root):
            raise ArtefactRefusedError(f"{path} names {file}, outside its folder", mend=mend)
        if not target.is_file():
            raise ArtefactRefusedError(f"{target} is missing", mend=mend)
        if _sha256(target) != facts["sha256"]:
            raise ArtefactRefusedError(f"{target} does not have the manifest's hash", mend=mend)
    for found in sorted(each for each in folder.rglob("*") if each.is_file()):
        name_here = found.relative_to(folder).as_posix()
        if name_here not in files and name_here not in _NOT_COVERED:
            raise ArtefactRefusedError(f"{found} is not in the manifest", mend=mend)
    variants = proven(named, parity) if kind in _PROOF_IS_ASKED_OF else named
    return ModelSet(
        digest="sha256:" + hashlib.sha256(raw).hexdigest(),
        name=str(name),
        version=str(version),
        kind=str(kind),
        folder=folder,
        files=tuple(sorted(files)),
        variants=variants,
        licence=str(manifest.get("licence", "")),
        unproven=tuple(each for each in named if each not in variants),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
