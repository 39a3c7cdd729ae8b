"""The boxes as the hub knows them: places, reports, and whom it heard lately. Kept in memory beside
the store, since every poll touches it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from contracts.ota import BoxReport
from ota.rollout.boxes import Box, Heard
from ota.rollout.ports import RolloutStore

_US = 1_000_000
PLACES = "places"
"""Fact that changes whenever somebody says where a box stands."""


class FleetBook:
    """Not safe by itself: its owner holds a lock, but for `heard`, which may come from anywhere."""

    def __init__(
        self,
        store: RolloutStore,
        *,
        admitted: Callable[[], Collection[str]],
        site: str,
        live_s: int,
        now_us: int,
    ) -> None:
        self._store = store
        self._admitted = admitted
        self._site = site
        self._live_us = live_s * _US
        self._places = store.fact(PLACES)
        self._boxes = store.boxes()
        self.all: dict[str, Heard] = {}
        # Whoever reported before this hub began counts as live for a while: a barrier must not open
        # because nobody had the time to poll since.
        self._heard_us: dict[str, int] = {}
        for device, report in store.reports().items():
            self._heard_us[device] = now_us
            self.all[device] = Heard(self._place(device), report, live=True)
        self.sweep(now_us)

    def heard(self, device: str, now_us: int) -> bool:
        """A box asked or said something; whether it was away."""
        before = self._heard_us.get(device, 0)
        self._heard_us[device] = now_us
        return now_us - before > self._live_us

    def heard_us(self, device: str) -> int:
        return self._heard_us.get(device, 0)

    def report(self, report: BoxReport, now_us: int, *, current: bool) -> BoxReport | None:
        """Take a box's word; what it said before. It is kept on disk where it says anything new.
        `current`: it is about the box's newest assignment.
        """
        device = report.device
        self.heard(device, now_us)
        known = self.all.get(device)
        before = known.report if known else None
        if before is None or _lasting(before) != _lasting(report):
            self._store.keep_report(report)
        self.all[device] = Heard(self._place(device), report, live=True, current=current)
        return before

    def asked_anew(self, devices: Iterable[str]) -> None:
        """They have another assignment: what they reported is about an earlier one."""
        for device in devices:
            self.all[device] = replace(self.all[device], current=False)

    def place(self, box: Box) -> None:
        """Keep where a box stands."""
        self._store.set_box(box)
        self._boxes[box.device] = box
        self._store.set_fact(PLACES, str(int(self._places or 0) + 1))
        self._replaced()

    def sweep(self, now_us: int) -> set[str]:
        """Who is live now, and where each stands if somebody else wrote that down; the devices that
        changed.
        """
        changed = self._replaced() if self._store.fact(PLACES) != self._places else set()
        admitted = frozenset(self._admitted())
        for device in admitted - self.all.keys():
            self.all[device] = Heard(self._place(device))
            changed.add(device)
        for device, each in self.all.items():
            lately = now_us - self._heard_us.get(device, -self._live_us) < self._live_us
            inside = device in admitted
            live = lately and inside
            if (live, inside) != (each.live, each.admitted):
                self.all[device] = replace(each, live=live, admitted=inside)
                changed.add(device)
        return changed

    def _replaced(self) -> set[str]:
        self._places, self._boxes = self._store.fact(PLACES), self._store.boxes()
        changed = set()
        for device, each in self.all.items():
            box = self._place(device)
            if box != each.box:
                self.all[device] = replace(each, box=box)
                changed.add(device)
        return changed

    def _place(self, device: str) -> Box:
        """Nobody said where it stands: the whole site is one cell, the barrier waits for all."""
        return self._boxes.get(device) or Box(device, cell="", site=self._site)


def _lasting(report: BoxReport) -> BoxReport:
    """Without what changes at every word."""
    return replace(
        report, at_us=0, free_mb=0, progress_bytes=0, wanted_bytes=0, shadow=(), snapshot=0
    )
