"""Signed profiles on their way into a station: asked for, checked, put in force (I5, I6).

Rules: keys first, then signatures, then bytes, and each is checked before the next counts; what does
not hold changes nothing and is told on the page; what was told last is kept, so a station that
starts without its hub mends itself with what it has.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path

import structlog

from appliance.teaching.pinned import PinnedProfiles
from appliance.teaching.signing import (
    ProfileSignature,
    check_profile,
    check_word,
    read_signature,
    refused,
)
from appliance.teaching.teacher import Teacher
from appliance.teaching.trust import TrustedKeys
from appliance.teaching.wire import PROFILES_PATH, SignedProfiles
from appliance.uplink.client import HubClient
from appliance.uplink.known import Known
from contracts.errors import ArtefactRefusedError, JournalError, TallymanError
from vision.defects.profile import Profile

_GTIN = re.compile(r"\d{8,14}")
log = structlog.get_logger()


class ProfileInbox:
    """One for an uplink. `begin` needs no hub; `ask` is called while it answers."""

    def __init__(
        self, folder: Path, *, teacher: Teacher, trust: TrustedKeys, profiles: Path
    ) -> None:
        self._known = Known(folder / "profiles.json", SignedProfiles, SignedProfiles())
        self._teacher = teacher
        self._trust = trust
        self._profiles = profiles
        self._settled = False
        self.pinned: PinnedProfiles | None = None
        """Asks for what pins name (teaching.pinned)."""

    async def begin(self) -> None:
        """Put in force what the hub told last and a power cut kept from its place."""
        await self._take(self._known.value, None)

    async def ask(self, hub: HubClient) -> None:
        """Raises UnavailableError, HubRefusedError; what is refused here is told, not raised."""
        if self.pinned is not None:
            await self.pinned.ask(hub)
        answer = await hub.ask("GET", PROFILES_PATH, etag=self._known.etag)
        if answer.body:
            await asyncio.to_thread(self._known.replace, answer.body, answer.etag)
        elif self._settled:
            return
        await self._take(self._known.value, hub)

    async def _take(self, told: SignedProfiles, hub: HubClient | None) -> None:
        trouble, self._settled = "", False
        try:
            await asyncio.to_thread(self._trust.learn, told.keys)
        except ArtefactRefusedError as error:
            trouble = str(error)
        self._teacher.key = self._trust.pinned
        for signature in _newest(told, self._teacher.station):
            try:
                await self._take_one(signature, hub)
            except (ArtefactRefusedError, JournalError, OSError) as error:
                trouble = trouble or str(error)
        if trouble and trouble != self._teacher.trouble:
            log.warning("signed profile refused", why=trouble)
        self._teacher.trouble = trouble
        self._settled = hub is not None and not trouble

    async def _take_one(self, signature: ProfileSignature, hub: HubClient | None) -> None:
        if not _GTIN.fullmatch(signature.gtin):
            raise refused(signature.gtin[:40], "that is no GTIN")
        if await asyncio.to_thread(self._is_in_place, signature):
            return
        check_word(signature, self._trust.keys())
        data = await asyncio.to_thread(self._teacher.bytes_of, signature.digest, signature.file)
        if data is None:
            if hub is None:
                return
            answer = await hub.ask("GET", f"{PROFILES_PATH}/{signature.file}")
            data = answer.body
        digest = (await asyncio.to_thread(Profile.from_bytes, data, name=signature.gtin)).digest
        check_profile(
            signature,
            gtin=signature.gtin,
            data=data,
            digest=digest,
            station=self._teacher.station,
            keys=self._trust.keys(),
        )
        await self._teacher.take_signed(signature, data)

    def _is_in_place(self, signature: ProfileSignature) -> bool:
        """Whether it or a later one lies beside the file that it names."""
        path = self._profiles / f"{signature.gtin}.profile"
        try:
            there = read_signature(path)
            if there is None:
                return False
            if there.serial > signature.serial:
                return True
            whole = hashlib.sha256(path.read_bytes()).hexdigest() == there.file
        except (TallymanError, OSError):
            return False
        return whole and there == signature


def _newest(told: SignedProfiles, station: str) -> list[ProfileSignature]:
    """For each product the newest word that speaks of this station, by itself or for all."""
    newest: dict[str, ProfileSignature] = {}
    for each in sorted(told.profiles, key=lambda each: each.serial):
        if each.station in {"", station}:
            newest[each.gtin] = each
    return list(newest.values())
