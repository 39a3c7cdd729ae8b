"""Which cartons that went by show a product's goods, from the station's own journal."""

from __future__ import annotations

from appliance.enrolling.recent import Recent, cartons_of
from contracts.events import CameraChanged, CartonJudged
from contracts.stock import BatchKey, Evidence
from contracts.verdict import Decision, Verdict
from tests.support.enrolling import AT, GTIN, Station

TEA = "06901234567892"


def carton(number: int, gtin: str, *kinds: str) -> CartonJudged:
    return CartonJudged(
        carton_id=f"C-{number}",
        station="dock-1",
        session=None,
        opened_at=AT,
        opened_by="trigger",
        verdict=Verdict(Decision.REVIEW, (), batch=BatchKey("Nordfeld", gtin, "L1")),
        reading=None,
        inspection=None,
        evidence=tuple(Evidence(kind, f"{number:063d}{kind[0]}", camera=kind) for kind in kinds),
        model_sets={},
        variant="cpu",
    )


async def test_only_goods_of_the_product_newest_first(station: Station) -> None:
    append = station.journal.append
    await append(carton(1, GTIN, "label", "inspect"))
    await append(carton(2, TEA, "inspect"))
    await append(CameraChanged("dock-1", "inspect", "ok", f"about {GTIN}"))
    await append(carton(3, GTIN, "label"))
    await append(carton(4, GTIN, "inspect", "heatmap"))
    found = cartons_of(station.journal, GTIN)
    assert [(one.carton_id, one.camera) for one in found] == [
        ("C-4", "inspect"),
        ("C-1", "inspect"),
    ]
    assert len(cartons_of(station.journal, GTIN, most=1)) == 1


async def test_new_cartons_come_and_pictures_that_are_gone_go(station: Station) -> None:
    gone: set[str] = set()
    recent = Recent(station.journal, has=lambda sha256: sha256 not in gone)
    await station.journal.append(carton(1, GTIN, "inspect"))
    assert [one.carton_id for one in recent(GTIN)] == ["C-1"]
    await station.journal.append(carton(2, GTIN, "inspect"))
    first = recent(GTIN)
    assert [one.carton_id for one in first] == ["C-2", "C-1"]
    gone.add(first[0].sha256)
    assert [one.carton_id for one in recent(GTIN)] == ["C-1"]
    assert recent(TEA) == []
