"""A registry's image plane in memory, with all keys at hand: what an honest one signs, and what a
thief could. Written from the TUF specification, apart from the code under test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

KINDS = {"read": "label-reader", "inspect": "defect", "cracks": "crack-network", "rules": "rules"}
_TOP = (Root.type, Targets.type, Snapshot.type, Timestamp.type)


def set_files(
    lane: str = "read",
    version: str = "1.0.0",
    files: Mapping[str, bytes] | None = None,
    **more: Any,
) -> dict[str, bytes]:
    """A small model set: its files with their manifest."""
    content = dict(files or {"model.onnx": f"weights of {lane} {version}".encode() * 200})
    manifest = {
        "name": f"{lane}_set",
        "version": version,
        "kind": KINDS[lane],
        "licence": "Apache-2.0",
        "source": "made for a test",
        "recipe": "none",
        "variants": ["onnxruntime-cpu"],
        "files": {
            path: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for path, data in content.items()
        },
        **more,
    }
    return {**content, "manifest.json": json.dumps(manifest, indent=1, sort_keys=True).encode()}


def digest_of(files: Mapping[str, bytes]) -> str:
    return "sha256:" + hashlib.sha256(files["manifest.json"]).hexdigest()


class Repository:
    """`files` are served by name, `artefacts` by hash; whoever holds it may change both."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        lanes: tuple[str, ...] = ("read", "inspect", "rules"),
        timestamp: timedelta = timedelta(days=1),
        long: timedelta = timedelta(days=365),
    ) -> None:
        self.now, self._short, self._long = now, timestamp, long
        self.files: dict[str, bytes] = {}
        self.artefacts: dict[str, bytes] = {}
        self.deltas: dict[str, bytes] = {}
        self.keys = {role: CryptoSigner.generate_ed25519() for role in (*_TOP[1:], *lanes)}
        self.root_keys = [CryptoSigner.generate_ed25519() for _ in range(3)]
        self.root = Metadata(Root(consistent_snapshot=True, expires=now() + long))
        for role in _TOP[1:]:
            self.root.signed.add_key(self.keys[role].public_key, role)
        for signer in self.root_keys:
            self.root.signed.add_key(signer.public_key, Root.type)
        self.root.signed.roles[Root.type].threshold = 2
        self.lanes = {lane: Metadata(Targets(expires=now() + long)) for lane in lanes}
        self.targets = Metadata(Targets(expires=now() + long))
        keys: dict[str, Key] = {
            self.keys[k].public_key.keyid: self.keys[k].public_key for k in lanes
        }
        roles = {
            lane: DelegatedRole(
                lane, [self.keys[lane].public_key.keyid], 1, True, paths=[f"{lane}/*/*/*"]
            )
            for lane in lanes
        }
        self.targets.signed.delegations = Delegations(keys, roles)
        self.snapshot = Metadata(Snapshot(expires=now() + long))
        self.timestamp = Metadata(Timestamp(expires=now() + timestamp))
        self.sign_root()
        self.sign_all()

    @property
    def first_root(self) -> bytes:
        return self.files["1.root.json"]

    def sign_root(self, signers: list[CryptoSigner] | None = None) -> bytes:
        """Serve the root as it stands, signed by two of three unless others are named."""
        self.root.signatures.clear()
        for signer in signers or self.root_keys[:2]:
            self.root.sign(signer, append=True)
        data = self.root.to_bytes()
        self.files[f"{self.root.signed.version}.root.json"] = data
        return data

    def next_root(self, signers: list[CryptoSigner] | None = None) -> bytes:
        self.root.signed.version += 1
        return self.sign_root(signers)

    def sign_all(self) -> None:
        for lane, metadata in self.lanes.items():
            self._put(metadata, lane)
        self._put(self.targets, Targets.type)
        self.sign_snapshot()

    def sign_snapshot(self) -> None:
        self._put(self.snapshot, Snapshot.type)
        self.sign_timestamp()

    def sign_timestamp(self, signer: CryptoSigner | None = None) -> None:
        """The timestamp anew; its file takes effect at once."""
        version = self.snapshot.signed.version
        data = self.files[f"{version}.snapshot.json"]
        signed = self.timestamp.signed
        signed.snapshot_meta = MetaFile.from_data(version, data, ["sha256"])
        signed.expires = self.now() + self._short
        self.timestamp.sign(signer or self.keys[Timestamp.type])
        self.files["timestamp.json"] = self.timestamp.to_bytes()

    def renew_timestamp(self) -> None:
        self.timestamp.signed.version += 1
        self.sign_timestamp()

    def publish(self, lane: str, files: Mapping[str, bytes], *, path: str = "") -> str:
        """A set's digest, after everything that names it was signed."""
        said = json.loads(files["manifest.json"])
        manifest = files["manifest.json"]
        for data in files.values():
            self.artefacts[hashlib.sha256(data).hexdigest()] = data
        name = path or f"{lane}/{said['name']}/{said['version']}/manifest.json"
        role = self.lanes[lane]
        role.signed.targets[name] = TargetFile.from_data(name, manifest, ["sha256"])
        self.change(lane)
        return digest_of(files)

    def withdraw(self, lane: str, digest: str) -> None:
        targets = self.lanes[lane].signed.targets
        for name in [k for k, v in targets.items() if f"sha256:{v.hashes['sha256']}" == digest]:
            del targets[name]
        self.change(lane)

    def change(self, role: str) -> None:
        """Sign a role's next version, and the snapshot and timestamp that name it."""
        metadata = self.targets if role == Targets.type else self.lanes[role]
        metadata.signed.version += 1
        self._put(metadata, role)
        self.snapshot.signed.version += 1
        self.timestamp.signed.version += 1
        self.sign_snapshot()

    def copy(self) -> Repository:
        """What a thief, or a mirror that stopped, serves from here on."""
        return deepcopy(self)

    def get(self, path: str) -> bytes | None:
        folder, _, name = path.partition("/")
        places = {"tuf": self.files, "artefacts": self.artefacts, "deltas": self.deltas}
        return self.first_root if path == "root" else places[folder].get(name)

    def _put(self, metadata: Metadata[Any], role: str) -> None:
        metadata.sign(self.keys[role])
        data = metadata.to_bytes()
        version = metadata.signed.version
        self.files[f"{version}.{role}.json"] = data
        if role != Snapshot.type:
            self.snapshot.signed.meta[f"{role}.json"] = MetaFile.from_data(
                version, data, ["sha256"]
            )
