"""Making a site's first keys for model sets, and the hub's further ones (I5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.ota.keys import HubKeys, Opened, make_key
from appliance.ota.registry.desk import RegistryDesk
from contracts.clock import Clock
from contracts.errors import BadInputError, ConflictError
from contracts.ota import LANES
from ota.registry.plane.founding import Founders, found
from ota.registry.ports import MetadataStore
from ota.registry.records import Deed, SetEvent

Passphrase = Callable[[str], str]
"""Asks a person, named by what the key is for; empty: the key stays open."""
_HOLDER = re.compile(r"[^\W_][\w .@-]{0,62}")


@dataclass(frozen=True, slots=True)
class Founding:
    """Who holds which keys. `threshold` of `holders` sign who may publish."""

    folder: Path
    """Where the root keys are written: best a stick that leaves this machine."""
    holders: Sequence[str]
    threshold: int
    publisher: str
    """Who knows the passphrase of the lanes' keys, which stay at the hub."""


def found_site(
    desk: RegistryDesk,
    metadata: MetadataStore,
    founding: Founding,
    *,
    passphrase: Passphrase,
    by: str,
    clock: Clock,
) -> Sequence[Opened]:
    """Make all keys and sign the first root; the root keys that were made.

    Raises ConflictError where the site has keys, BadInputError for names or passphrases that do
    not do. Nothing counts before the last file is written; keys of an attempt that was cut off are
    never used.
    """
    _check(desk, founding)
    people = [
        make_key(
            founding.folder, role="root", holder=holder, passphrase=passphrase(f"root {holder}")
        )
        for holder in founding.holders
    ]
    hub = desk.keys.folder
    secret = passphrase(f"lanes {founding.publisher}")
    lanes = {
        lane: make_key(hub, role=lane, holder=founding.publisher, passphrase=secret)
        for lane in LANES
    }
    snapshot, timestamp = (make_key(hub, role=role, holder="hub") for role in _ONLINE)
    found(
        metadata,
        Founders(
            people=[each.signer for each in people],
            threshold=founding.threshold,
            lanes={lane: each.signer for lane, each in lanes.items()},
            snapshot=snapshot.signer,
            timestamp=timestamp.signer,
        ),
        clock=clock,
    )
    note_keys(desk, by=by, clock=clock, why=f"founded: {founding.threshold} of {len(people)}")
    return people


def note_keys(desk: RegistryDesk, *, by: str, clock: Clock, why: str) -> None:
    """A line of the audit trail about keys."""
    at_us = int(clock.now().timestamp() * 1_000_000)
    desk.registry.catalogue.note(SetEvent(Deed.KEYS, "", by, at_us, why))


def online_keys(keys: HubKeys) -> tuple[Opened, Opened]:
    """New keys for snapshot and timestamp, not in force before a proposal names them."""
    snapshot, timestamp = (make_key(keys.folder, role=role, holder="hub") for role in _ONLINE)
    return snapshot, timestamp


def _check(desk: RegistryDesk, founding: Founding) -> None:
    if desk.ready():
        raise ConflictError(
            "This site has keys for model sets already", mend="Replace them: tallyman ota keys"
        )
    holders = founding.holders
    if len(set(holders)) != len(holders) or not all(map(_HOLDER.fullmatch, holders)):
        raise BadInputError(
            f"The holders {', '.join(holders)!r} cannot be told apart by name",
            mend="Name each once: letters, digits, dots and hyphens",
        )
    if not 1 <= founding.threshold <= len(holders):
        raise BadInputError(
            f"{founding.threshold} of {len(holders)} root keys cannot sign",
            mend="Name as many holders as must sign, better one more for the safe",
        )


_ONLINE = ("snapshot", "timestamp")
