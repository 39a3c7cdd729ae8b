"""The hub of a fleet in virtual time: its real registry and rollouts, over stores in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from appliance.bench.rollout.world.agenda import Agenda
from appliance.bench.rollout.world.core import VirtualCore
from appliance.ota.desk.desk import Rollouts
from appliance.ota.desk.engine import Around, DeskPolicy, Engine
from contracts.errors import ForbiddenError, NotFoundError
from contracts.ota import BoxReport
from ota.agent.ports import Polled
from ota.agent.settings import Trust
from ota.director.dsse import Director
from ota.model_set import write_manifest
from ota.registry.decisions import PublishPolicy
from ota.registry.in_memory import registry_in_memory
from ota.registry.records import SetRecord
from ota.rollout.boxes import Box
from ota.rollout.evidence import MemoryEvidence
from ota.rollout.memory import MemoryRollouts

LANE = "inspect"
_KIND = "crack-network"
LANE_OF_SETS = "cracks"
_QUALITY = '[measured]\nright = 90.0\n\n[[gate]]\nfigure = "measured.right"\nbetter = "higher"\nlimit = 80.0\n'


class FleetHub:
    """Everything that boxes ask over the device port, without the port."""

    def __init__(
        self,
        cells: Mapping[str, Collection[str]],
        *,
        agenda: Agenda,
        core: VirtualCore,
        folder: Path,
    ) -> None:
        self.agenda, self._core, self._folder = agenda, core, folder
        self.registry, self._keys = registry_in_memory(
            agenda, policy=PublishPolicy(second_person=False)
        )
        self.evidence = MemoryEvidence()
        self.revoked: set[str] = set()
        self._names = frozenset(box for boxes in cells.values() for box in boxes)
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.engine = Engine(
            MemoryRollouts(),
            Director(key),
            self.evidence,
            Around(
                admitted=lambda: self._names - self.revoked,
                assignable=self.registry.assignable,
                snapshot=lambda: self.registry.snapshot_version,
                pinned=core.all_pinned_sets,
                reopen=self._reopen,
            ),
            clock=agenda,
            policy=DeskPolicy(second_person=False, live_s=1800, site="sim"),
        )
        self.desk = Rollouts(self.engine)
        self.trust = Trust(self.registry.plane.first_root(), {"director": public})
        self.served_bytes = 0
        for cell, boxes in cells.items():
            for box in sorted(boxes):
                self.desk.place(Box(box, cell, "sim"), by="bench")

    def publish(self, version: int) -> SetRecord:
        """Make, propose and sign a small set."""
        folder = self._folder / f"set-{version}"
        folder.mkdir(parents=True)
        weights = hashlib.shake_256(f"weights {version}".encode()).digest(4096)
        (folder / "net.onnx").write_bytes(weights)
        (folder / "MODEL_CARD.md").write_text(f"# Set {version}\n", encoding="utf-8")
        (folder / "quality.toml").write_text(_QUALITY, encoding="utf-8")
        write_manifest(
            folder,
            name="sim_set",
            version=f"1.{version}.0",
            kind=_KIND,
            licence="Apache-2.0",
            source="made for the bench",
            recipe="none",
        )
        record = self.registry.propose(folder, by="bench")
        return self.registry.publish(
            record.digest, by="bench", signer=self._keys.lanes[LANE_OF_SETS]
        )

    def keep_signed(self) -> None:
        """Now and then, as a hub does: signatures stay fresh."""
        self.registry.plane.refresh()

    def poll(self, box: str, etag: str) -> Polled:
        if box in self.revoked:
            raise ForbiddenError(f"{box} was revoked", mend="Enrol it anew")
        found = self.engine.envelope(box)
        if found is None or found.etag == etag:
            return Polled(None, etag)
        return Polled(found.body, found.etag)

    def report(self, report: BoxReport) -> None:
        self.engine.reported(report)

    def get(self, path: str, *, offset: int, most: int) -> bytes:
        """As the routes of `appliance.ota.registry.port`."""
        kind, _, name = path.partition("/")
        data: bytes | None = None
        if kind == "root":
            data = self.registry.plane.first_root()
        elif kind == "tuf":
            data = self.registry.plane.read(name)
        elif kind == "artefacts" and self.registry.artefacts.size(name) is not None:
            data = self.registry.artefacts.get(name)
        elif kind == "deltas" and "-" not in name:
            data = json.dumps([]).encode()
        if data is None:
            raise NotFoundError(f"There is no {path}")
        self.served_bytes += len(data[offset : offset + most])
        return data[offset : offset + most]

    def _reopen(self, bad: Mapping[str, str], _by: str, why: str) -> int:
        opened = 0
        for digest, instead in bad.items():
            opened += self._core.open_generations(digest, lambda _cell, to=instead: to, why=why)  # type: ignore[misc]  # bound now
        return opened
