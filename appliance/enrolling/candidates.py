"""Enrolled profiles as candidates: recorded with the pictures they were made from (I4, I5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from appliance.evidence import EvidenceStore
from appliance.profiles import ProfileFolder
from contracts.events import ProfileEnrolled
from contracts.stock import Evidence
from vision.defects.profile import Profile

PROFILE = "profile"
"""The kind of a profile's file among a record's evidence."""
MEDIA_TYPE = "application/octet-stream"


class EnrolledCandidates:
    """Implements enrolling.ports.Candidates over the station's profile folder. `record` writes the
    journal's entry and then makes the profile the candidate (Teacher.take_enrolled).
    """

    def __init__(
        self,
        folder: ProfileFolder,
        evidence: EvidenceStore,
        *,
        station: str,
        record: Callable[[ProfileEnrolled, bytes], Awaitable[None]],
    ) -> None:
        self._folder = folder
        self._evidence = evidence
        self._station = station
        self._record = record

    def signed(self, gtin: str) -> Profile | None:
        return self._folder.get(gtin)

    def candidate(self, gtin: str) -> Profile | None:
        return self._folder.candidate(gtin)

    def refused(self, gtin: str) -> str:
        self._folder.get(gtin)
        return self._folder.trouble(gtin)

    def gtins(self) -> Sequence[str]:
        return self._folder.gtins()

    async def enrolled(
        self, gtin: str, profile: Profile, *, operator: str, shown: Sequence[Evidence]
    ) -> None:
        """See enrolling.ports.Candidates."""
        data = await asyncio.to_thread(profile.to_bytes)
        file = await asyncio.to_thread(self._evidence.put, data)
        entry = ProfileEnrolled(
            station=self._station,
            gtin=gtin,
            product=profile.product,
            digest=profile.digest,
            candidate=file,
            good_items=profile.good_items,
            operator=operator,
            evidence=(Evidence(PROFILE, file, MEDIA_TYPE), *shown),
        )
        await self._record(entry, data)
