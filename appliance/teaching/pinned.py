"""Profiles that pins name and that this station never had: another box judged first (I3, I5).

Rules: only what the quality lead signed for this station or for all, under a key that is trusted
here; it judges the batches that are pinned to it and no others; what does not come goes on being
asked for, and its cartons go to a person meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import msgspec
import structlog

from appliance.teaching.signing import ProfileSignature, check_profile
from appliance.teaching.trust import TrustedKeys
from appliance.teaching.wire import PINNED_PATH, PROFILES_PATH
from appliance.uplink.client import HubClient, HubRefusedError
from contracts.errors import ArtefactRefusedError
from vision.defects.profile import Profile

_AGAIN_S = 60.0
_AT_ONCE = 8
log = structlog.get_logger()

Wanted = tuple[str, str]
"""GTIN and the profile's digest."""


class PinnedProfiles:
    """`wanted` names what open batches are pinned to and is not here; `keep` puts it in its place."""

    def __init__(
        self,
        *,
        station: str,
        trust: TrustedKeys,
        wanted: Callable[[], Iterable[Wanted]],
        keep: Callable[[Profile], None],
    ) -> None:
        self._station = station
        self._trust = trust
        self._wanted = wanted
        self._keep = keep
        self._not_before: dict[str, float] = {}

    async def ask(self, hub: HubClient) -> None:
        """Raises UnavailableError; what is refused is told in the log and asked for again later."""
        now = time.monotonic()
        due = [each for each in self._wanted() if now >= self._not_before.get(each[1], 0.0)]
        for gtin, digest in due[:_AT_ONCE]:
            self._not_before[digest] = now + _AGAIN_S
            try:
                await self._fetch(hub, gtin, digest)
            except (HubRefusedError, ArtefactRefusedError, msgspec.MsgspecError, OSError) as error:
                log.warning("pinned profile not had", gtin=gtin, profile=digest, why=str(error))
            else:
                del self._not_before[digest]

    async def _fetch(self, hub: HubClient, gtin: str, digest: str) -> None:
        told = await hub.ask("GET", f"{PINNED_PATH}/{digest.rpartition(':')[2]}")
        signature = msgspec.json.decode(told.body, type=ProfileSignature)
        answer = await hub.ask("GET", f"{PROFILES_PATH}/{signature.file}")
        profile = await asyncio.to_thread(Profile.from_bytes, answer.body, name=gtin)
        check_profile(
            signature,
            gtin=gtin,
            data=answer.body,
            digest=profile.digest,
            station=self._station,
            keys=self._trust.keys(),
        )
        if profile.digest != digest:
            raise ArtefactRefusedError(
                f"The hub sent the profile {profile.digest} for {digest}", mend="Ask again"
            )
        await asyncio.to_thread(self._keep, profile)
        log.info("pinned profile fetched", gtin=gtin, profile=digest)
