"""A hub's fence office with people who sign, without a core behind it."""

import atexit
import shutil
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from appliance.fences.office import FenceOffice
from appliance.fences.statement import PURPOSE
from appliance.fences.store import FenceStore
from appliance.teaching.office import QualityOffice
from contracts.telemetry import AlarmEffect
from erp_link.service.quality.keys import SigningKey
from telemetry.watching.fences import Fence
from tests.support.signing import Pen

WORDS = "seven cold rooms and one door"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@cache
def _set_up_once():
    """(folder, Mei's pen) of a hub whose lead let her sign."""
    folder, pen, people = Path(tempfile.mkdtemp(prefix="tallyman-hub-")), Pen("mei"), People()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    people.register(pen)
    clock = StandingClock()
    lead = QualityOffice(folder / "quality.db", clock=clock)
    store = FenceStore(folder / "sensors" / "fences.db")
    lead.make_key(WORDS, holder="Lin")
    FenceOffice(store, lead, people, clock).delegate("mei", pen.key_id, by="Lin", passphrase=WORDS)
    lead.close()
    store.close()
    return folder, pen


class StandingClock:
    def __init__(self, at=NOW):
        self.at = at

    def now(self):
        return self.at


class People:
    """Who has registered which key: erp_link.service.quality.desk.Quality, as far as it is asked."""

    def __init__(self):
        self.registered = {}

    def keys(self, person=None):
        every = [key for keys in self.registered.values() for key in keys]
        return every if person is None else self.registered.get(person, [])

    def register(self, pen):
        key = SigningKey(pen.key_id, pen.person, "a browser", pen.pem, NOW, pen.person)
        self.registered.setdefault(pen.person, []).append(key)


class Hub:
    """Office, store and people. `mei` is of quality and may sign fences from the beginning.

    A passphrase is stretched for long on purpose; who wants the usual one gets a copy of a hub that
    was set up once.
    """

    def __init__(self, folder, *, passphrase=WORDS):
        self.clock = StandingClock()
        self.people = People()
        if passphrase == WORDS:
            made, self.mei = _set_up_once()
            shutil.copytree(made, folder, dirs_exist_ok=True)
        else:
            self.mei = Pen("mei")
        self.people.register(self.mei)
        self.lead = QualityOffice(folder / "quality.db", clock=self.clock)
        self.store = FenceStore(folder / "sensors" / "fences.db")
        self.office = FenceOffice(self.store, self.lead, self.people, self.clock)
        if passphrase != WORDS:
            self.lead.make_key(passphrase, holder="Lin")
            self.office.delegate("mei", self.mei.key_id, by="Lin", passphrase=passphrase)

    def close(self):
        self.lead.close()
        self.store.close()

    def signs(self, fence, state="active", *, pen=None, reason="looked at last week"):
        pen = pen or self.mei
        text = self.office.statement(fence, state, signer=pen.person, key=pen.key_id, reason=reason)
        return self.office.activate(text, pen.sign(PURPOSE + text.encode()), by=pen.person)

    def puts_in_force(self, fence):
        self.office.save(fence, by="mei")
        return self.signs(fence.fence)


def cold_room(**other):
    said = {
        "fence": "cold-room",
        "version": 1,
        "title": "Cold room above 8 °C",
        "quantity": "temperature",
        "unit": "Cel",
        "above": 8.0,
        "hysteresis": 0.5,
        "for_s": 600,
        "tell_s": 600,
        "effect": AlarmEffect.EXCURSION,
    }
    return Fence(**{**said, **other})
