"""The sample delivery on disk: notice, label and inspect pictures, pictures to enrol, truth.

Idempotent: what is there from the same day, seed and version is left alone. Pictures to enrol do
not depend on the day, so that another day's start renders only the cartons.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from appliance.demo.goods import goods_frame
from appliance.demo.scene import Scenery, label_frame, scenery
from appliance.demo.story import PRODUCTS, Goods, SampleCarton, Story, tell
from appliance.demo.texture import jpeg
from appliance.durable import write_atomic
from contracts.asn import Asn

VERSION: Final = 3
"""Grows when the rendering changes, so that old pictures are not taken for new ones."""
ENROL_COUNT: Final = 64
"""Good pictures a product: with 59 or more a bound of 5 % can be stated with 95 % certainty."""
LABEL, INSPECT = "label", "inspect"
_ASN_COLUMNS = (
    "gtin", "batch", "expiry", "sku", "description", "quantity", "unit", "supplier", "order",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleTruth:
    """What is true of one carton. `expected` holds every verdict that is right for it."""

    stem: str
    gtin: str
    batch: str
    expiry: date
    asn_line: int | None
    expected: tuple[str, ...]
    tells: str
    freezes: bool
    damage: str
    damage_share: float
    defect: str


@dataclass(frozen=True, slots=True)
class SampleDelivery:
    """`cartons` is the folder to replay; `enrol` maps a GTIN to its good pictures."""

    folder: Path
    asn_csv: Path
    cartons: Path
    label_frames: tuple[Path, ...]
    inspect_frames: tuple[Path, ...]
    enrol: dict[str, tuple[Path, ...]]
    truth: tuple[SampleTruth, ...]


@dataclass(frozen=True, slots=True)
class _Stamp:
    version: int
    seed: int
    today: str = ""
    count: int = 0


def write_samples(
    folder: Path, *, today: date, seed: int = 7, enrol_count: int = ENROL_COUNT
) -> SampleDelivery:
    """Render the delivery of `today` into `folder`, or find it there.

    Layout: `DESADV-<day>-01.csv`, `cartons/<stem>.label.jpg`, `cartons/<stem>.inspect.jpg`,
    `enrol/<GTIN>/good-001.jpg`, `truth.json`. Raises OSError when the disk refuses.
    """
    story = tell(today)
    with ThreadPoolExecutor(max_workers=2) as pool:
        truth = _write_cartons(folder, story, today, seed, pool)
        enrol = _write_enrolment(folder / "enrol", seed, enrol_count, pool)
    cartons = folder / "cartons"
    return SampleDelivery(
        folder=folder,
        asn_csv=folder / f"{story.asn.number}.csv",
        cartons=cartons,
        label_frames=tuple(cartons / f"{each.stem}.{LABEL}.jpg" for each in story.cartons),
        inspect_frames=tuple(cartons / f"{each.stem}.{INSPECT}.jpg" for each in story.cartons),
        enrol=enrol,
        truth=truth,
    )


def asn_csv(asn: Asn) -> str:
    """The notice as a supplier's CSV file, UTF-8, one line a batch."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_ASN_COLUMNS)
    for line in asn.lines:
        writer.writerow(
            (
                line.gtin, line.batch, line.expiry.isoformat(), line.sku, line.description,
                line.quantity, line.unit, line.supplier, line.order,
            )
        )  # fmt: skip
    return out.getvalue()


def _write_cartons(
    folder: Path, story: Story, today: date, seed: int, pool: ThreadPoolExecutor
) -> tuple[SampleTruth, ...]:
    stamp = _Stamp(VERSION, seed, today=today.isoformat())
    truth_file = folder / "truth.json"
    if _is_stamped(folder / "cartons", stamp) and truth_file.is_file():
        return msgspec.json.decode(truth_file.read_bytes(), type=tuple[SampleTruth, ...])
    cartons = _fresh(folder / "cartons")
    for stale in folder.glob("DESADV-*.csv"):
        stale.unlink()

    around = scenery(np.random.default_rng((seed, 0)))

    def render(index: int) -> SampleTruth:
        return _write_carton(cartons, story.cartons[index], around, seed, index)

    truth = tuple(pool.map(render, range(len(story.cartons))))
    write_atomic(folder / f"{story.asn.number}.csv", asn_csv(story.asn).encode())
    write_atomic(truth_file, msgspec.json.format(msgspec.json.encode(truth), indent=1))
    _stamp(cartons, stamp)
    return truth


def _write_carton(
    folder: Path, carton: SampleCarton, around: Scenery, seed: int, index: int
) -> SampleTruth:
    label, gone = label_frame(carton, np.random.default_rng((seed, 1, index)), around)
    goods = goods_frame(
        carton.product.goods, np.random.default_rng((seed, 2, index)), carton.defect
    )
    (folder / f"{carton.stem}.{LABEL}.jpg").write_bytes(jpeg(label))
    (folder / f"{carton.stem}.{INSPECT}.jpg").write_bytes(jpeg(goods, 95))
    return SampleTruth(
        stem=carton.stem,
        gtin=carton.product.gtin,
        batch=carton.batch,
        expiry=carton.expiry,
        asn_line=carton.line,
        expected=tuple(sorted(carton.expected)),
        tells=carton.tells,
        freezes=carton.freezes,
        damage=carton.damage,
        damage_share=round(gone, 3),
        defect=carton.defect,
    )


def _write_enrolment(
    folder: Path, seed: int, count: int, pool: ThreadPoolExecutor
) -> dict[str, tuple[Path, ...]]:
    stamp = _Stamp(VERSION, seed, count=count)
    names = [f"good-{number:03d}.jpg" for number in range(1, count + 1)]
    if not _is_stamped(folder, stamp):
        _fresh(folder)
        for product in PRODUCTS:
            into = _fresh(folder / product.gtin)
            render = _render_good(into, product.goods, names, seed)
            list(pool.map(render, range(count)))
        _stamp(folder, stamp)
    return {
        product.gtin: tuple(folder / product.gtin / name for name in names) for product in PRODUCTS
    }


def _render_good(
    into: Path, goods: Goods, names: Sequence[str], seed: int
) -> Callable[[int], None]:
    def render(index: int) -> None:
        image = goods_frame(goods, np.random.default_rng((seed, 3, index)))
        (into / names[index]).write_bytes(jpeg(image, 95))

    return render


def _fresh(folder: Path) -> Path:
    """An empty folder: a half-written set of an interrupted run does not stay."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _is_stamped(folder: Path, stamp: _Stamp) -> bool:
    """The stamp is written last, so a set that has it is whole."""
    try:
        return msgspec.json.decode((folder / ".samples.json").read_bytes(), type=_Stamp) == stamp
    except (OSError, msgspec.MsgspecError):
        return False


def _stamp(folder: Path, stamp: _Stamp) -> None:
    write_atomic(folder / ".samples.json", msgspec.json.encode(stamp))
