"""A box asks who judges a batch, over the device port: everybody hears the same (I3)."""

from __future__ import annotations

import msgspec
import pytest

from appliance.ota import pins_port
from appliance.ota.pins_port import PINS_PATH, Asked, AskPins, TellPins
from contracts.judging import SessionPin, judge_digest
from contracts.stock import BatchKey
from ota.judging.memory import MemoryPins
from tests.support.device_site import Site

WATER, JUICE = BatchKey("ACME", "06933132577789", "L1"), BatchKey("", "08809609245438", "L1")
OLD, NEW = {"inspect": "sha256:" + "0" * 64}, {"inspect": "sha256:" + "1" * 64}
READER = "sha256:" + "e" * 64


@pytest.fixture
def pins(site: Site) -> MemoryPins:
    made = MemoryPins()
    site.app.include_router(pins_port.router(made, registry=site.registry, clock=site.clock))
    return made


def asking(*batches: Asked, session: str = "", reads: str = "") -> bytes:
    return msgspec.json.encode(AskPins(batches, session, reads))


async def test_two_boxes_hear_of_the_same_judge(site: Site, pins: MemoryPins) -> None:
    one, two = site.enrolled("edge-1"), site.enrolled("edge-2", serial="BOX-2")
    first = await site.ask(one, "POST", PINS_PATH, asking(Asked(WATER, OLD)))
    second = await site.ask(
        two, "POST", PINS_PATH, asking(Asked(JUICE, NEW), Asked(WATER, NEW), session="RS-1", reads=READER)
    )  # fmt: skip
    told = msgspec.json.decode(first.content, type=TellPins)
    assert [pin.judge for pin in told.pins] == [judge_digest(OLD)]
    heard = msgspec.json.decode(second.content, type=TellPins)
    assert heard.pins == (pins.find(JUICE), pins.find(WATER))
    assert heard.pins[1] == told.pins[0]
    assert heard.reads == SessionPin("RS-1", READER)


async def test_a_box_that_is_not_trusted_pins_nothing(site: Site, pins: MemoryPins) -> None:
    box = site.enrolled()
    site.registry.quarantine(box.device, "two journals", kept_sha256="0" * 64)
    answer = await site.ask(box, "POST", PINS_PATH, asking(Asked(WATER, OLD)))
    assert answer.status_code == 403
    site.registry.revoke(box.device, "lost")
    answer = await site.ask(box, "POST", PINS_PATH, asking(Asked(WATER, OLD)))
    assert answer.status_code == 403
    assert pins.find(WATER) is None


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        asking(Asked(WATER, {})),
        asking(Asked(WATER, {"read": READER})),
        asking(Asked(WATER, {"inspect": "newest"})),
        asking(Asked(BatchKey("ACME", "069", ""), OLD)),
        asking(Asked(BatchKey("A" * 300, "069", "L"), OLD)),
        asking(*[Asked(WATER, OLD)] * 65),
        asking(session="RS-1"),
    ],
)
async def test_a_question_that_names_no_batch_or_judge_is_refused(
    site: Site, pins: MemoryPins, body: bytes
) -> None:
    answer = await site.ask(site.enrolled(), "POST", PINS_PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert pins.find(WATER) is None
