"""Updates of a site in memory for the console's tests: real decisions over a desk of plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter

from appliance.identity.admission.records import Deed as MembershipDeed
from appliance.identity.admission.records import Device, DeviceState, WaitKind
from appliance.identity.admission.records import Waiting as Asking
from appliance.identity.keys import public_pem
from appliance.ota.console.acceptance import BoxFigures, Sides, figures, sides
from appliance.ota.console.curves import Curves
from appliance.ota.console.fleet import FleetConsole
from appliance.ota.console.rollouts import RolloutConsole
from appliance.ota.console.stories import set_told
from appliance.ota.rollouts import BoxView, GateView
from appliance.teaching.locking import WrongPassphraseError
from appliance.web.ota import updates_router
from appliance.web.ota.rows import Point, SetPage
from appliance.web.ports import Gate as WebGate
from contracts.clock import Clock, SystemClock
from contracts.errors import ConflictError, ForbiddenError, NotFoundError
from contracts.ota import Assignment, BoxReport, BoxStep
from contracts.reason import Reason
from erp_link.service.judging.compared import BoxWords, Compared, Disagreement
from ota.gates.evidence import Counts
from ota.gates.gate import Signal
from ota.publishing import LicenceDecision
from ota.registry import decisions
from ota.registry.decisions import PublishPolicy
from ota.registry.records import (
    Approval,
    Deed,
    GoldenResult,
    Lineage,
    SetEvent,
    SetFile,
    SetRecord,
    SetState,
)
from ota.rollout import commanding
from ota.rollout import events as e
from ota.rollout.boxes import Box, Heard
from ota.rollout.choosing import choose
from ota.rollout.gating import counts_of, look, policy_of
from ota.rollout.plan import Plan, Wave
from ota.rollout.ports import Deed as FleetDeed
from ota.rollout.ports import Ran
from ota.rollout.state import Rollout, fold
from ota.rollout.waiting import Waiting
from tests.support.pages import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def digest(name: str) -> str:
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def us(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


READER, READER_NEW = digest("label_reader 1.1.0"), digest("label_reader 1.2.0")
READER_NEXT, READER_BAD = digest("label_reader 1.3.0"), digest("label_reader 1.2.1")
BACKBONE, CRACKS = digest("defect_backbone 1.1.0"), digest("crack_network 1.0.0")
BACKBONE_NEW = digest("defect_backbone 1.2.0")
QUALITY = """# What was measured with this reader, and how.
[rules]
licence_and_source = { status = "done" }
real_photos = { status = "todo", comment = "text on real cartons has no truth yet" }

[measured.damaged_dev]
frames = 180
p50_ms = 164.7
[measured.damaged_dev.with_list]
right_percent = { all = 88.33, label = 93.64, inkjet = 80.0 }
accepted_percent = { all = 61.11 }
wrong_percent = 0.0
calibration_error_percent = 3.29

[[gate]]
figure = "measured.damaged_dev.with_list.right_percent.all"
better = "higher"
may_lose = 0.5
limit = 80.0

[[gate]]
figure = "measured.damaged_dev.with_list.wrong_percent"
better = "lower"
limit = 0.5
"""
CARD = """# Label reader 1.2.0

**What it is.** Finds the lines of a label and reads them: detector, recogniser and a second
recogniser for dot print.

**From.** PP-OCRv6 tiny (PaddleOCR, Apache-2.0), fine-tuned on rendered labels and on what this
site's operators settled.

**Measured.** `quality.toml`.
"""


def a_set(
    name: str,
    version: str,
    lane: str,
    kind: str,
    *,
    base: str = "",
    days: float = 9,
    **more: object,
) -> SetRecord:
    files = (
        SetFile("det.onnx", digest(f"{name}{version}det")[7:], 1_780_590),
        SetFile("rec.onnx", digest(f"{name}{version}rec")[7:], 2_671_221),
    )
    at = us(NOW - days * DAY)
    record = SetRecord(
        digest(f"{name} {version}"),
        lane,
        name,
        version,
        kind,
        "Apache-2.0",
        files,
        1_240,
        variants=("onnxruntime-cpu", "openvino-cpu"),
        parity={"openvino-cpu": {"pictures": 600, "alike": 600, "auroc_cost": 0.0}},
        card=CARD,
        quality=QUALITY,
        lineage=Lineage(base, f"models/recipes/{name}", "PP-OCRv6 tiny", "", "recipe"),
        golden=(GoldenResult("onnxruntime-cpu", 600, 600, at, "hub"),),
        state=SetState.PUBLISHED,
        proposed_by="learning",
        proposed_at_us=at,
        approvals=(Approval("ida", at + 10**9, "figures hold"),),
        published_by="mara",
        published_at_us=at + 2 * 10**9,
    )
    return replace(record, **more)


def some_sets() -> list[SetRecord]:
    """A line of readers, two of networks, one that waits for a second person, one withdrawn."""
    proposed = {
        "state": SetState.PROPOSED,
        "approvals": (),
        "published_by": "",
        "published_at_us": 0,
    }
    return [
        a_set(
            "label_reader", "1.3.0", "read", "label-reader", base=READER_NEW, days=0.2, **proposed
        ),
        a_set(
            "label_reader",
            "1.2.1",
            "read",
            "label-reader",
            base=READER_NEW,
            days=1,
            state=SetState.WITHDRAWN,
            withdrawn_by="ida",
            withdrawn_at_us=us(NOW - HOUR),
            withdrawn_why="reads 8 for B on thermal labels",
        ),
        a_set("label_reader", "1.2.0", "read", "label-reader", base=READER, days=2),
        a_set("label_reader", "1.1.0", "read", "label-reader"),
        a_set(
            "defect_backbone",
            "1.2.0",
            "inspect",
            "defect",
            base=BACKBONE,
            days=0.1,
            licence="AGPL-3.0",
            variants=("onnxruntime-cpu",),
            unproven=("openvino-cpu",),
            findings=(
                Reason("set_engine_unproven", {"engines": "openvino-cpu"}),
                Reason(
                    "set_figure_worse",
                    {
                        "figure": "cookies.auroc_5.mean",
                        "now": 0.97,
                        "before": 0.992,
                        "may_lose": 0.01,
                    },
                ),
            ),
            golden=(GoldenResult("onnxruntime-cpu", 600, 594, us(NOW - 0.1 * DAY), "hub"),),
            **proposed,
        ),
        a_set("defect_backbone", "1.1.0", "inspect", "defect"),
        a_set("crack_network", "1.0.0", "cracks", "cracks"),
    ]


def report(device: str, running: str = READER, **more: object) -> BoxReport:
    said = BoxReport(
        device,
        us(NOW - timedelta(seconds=20)),
        "0.8.0",
        epoch=1,
        sequence=7,
        running={"read": running, "inspect": BACKBONE, "cracks": CRACKS},
        variant={"read": "onnxruntime-cpu", "inspect": "openvino-cpu", "cracks": "onnxruntime-cpu"},
        held=(READER, READER_NEW, BACKBONE, CRACKS),
        staged=(READER_NEW,),
        snapshot=12,
        free_mb=11_800,
        open_pins=(BACKBONE,),
    )
    return replace(said, **more)


def view(
    device: str,
    cell: str = "dock-1",
    said: BoxReport | None = None,
    *,
    wanted: str = READER,
    live: bool = True,
    ago: timedelta = timedelta(seconds=20),
) -> BoxView:
    heard = Heard(Box(device, cell, "Bremen", {"hardware": "n100"}), said, live=live, current=True)
    desired = {"read": wanted, "inspect": BACKBONE, "cracks": CRACKS}
    running = said.running if said else {}
    return BoxView(
        heard,
        desired if said else {},
        tuple(lane for lane, each in desired.items() if running.get(lane, each) != each),
        Assignment(device, cell, 1, 7, 12, us(NOW + 14 * DAY), run=desired, rollout="R-7"),
        us(NOW - ago) if said else 0,
    )


def some_views() -> list[BoxView]:
    """Every condition once, and a few more boxes that are as they should be."""
    golden = Reason("ota_golden_misread", {"frame": "oats-0041", "read": "LOT L2611A0?"})
    errors = Reason("ota_probation_errors", {"errors": 4, "cartons": 31})
    return [
        view("box-01", said=report("box-01")),
        view("box-02", said=report("box-02", READER_NEW), wanted=READER_NEW),
        view("box-03", said=report("box-03"), wanted=READER_NEW),
        view(
            "box-04",
            said=report(
                "box-04",
                step=BoxStep.FETCHING,
                progress_bytes=2_100_000,
                wanted_bytes=6_700_000,
                staged=(),
            ),
            wanted=READER_NEW,
        ),
        view(
            "box-05",
            "line-2",
            report("box-05", step=BoxStep.FAILED, trouble={READER_NEW: golden}, staged=()),
            wanted=READER_NEW,
        ),
        view(
            "box-06",
            "line-2",
            report("box-06", step=BoxStep.RETURNED, trouble={READER_NEW: errors}),
        ),
        view("box-07", "line-2", report("box-07"), live=False, ago=3 * HOUR),
        view("box-08", "line-2", report("box-08")),
        view("box-09", "line-2", report("box-09"), live=False, ago=40 * DAY),
        *(view(f"box-{n}", f"dock-{n % 4 + 1}", report(f"box-{n}")) for n in range(11, 21)),
    ]


def many_views(count: int = 1000) -> list[BoxView]:
    """A site of many, one in a hundred drifting."""
    return [
        view(
            f"box-{n:04}",
            f"cell-{n % 40 + 1:02}",
            report(f"box-{n:04}", READER if n % 100 == 7 else READER_NEW),
            wanted=READER_NEW,
        )
        for n in range(count)
    ]


@dataclass
class FakeDesk:
    """appliance.ota.rollouts.RolloutDesk over lists: its decisions are the real ones."""

    views: list[BoxView] = field(default_factory=some_views)
    kept: dict[str, list[e.Recorded]] = field(default_factory=dict)
    shown: dict[str, dict[e.Role, dict[str, dict[Signal, Counts]]]] = field(default_factory=dict)
    waits: dict[str, list[Waiting]] = field(default_factory=dict)
    why_stopped: str = ""
    done: list[FleetDeed] = field(default_factory=list)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def add(self, rollout: str, who: str, event: e.Event, at: datetime = NOW) -> Rollout:
        history = self.kept.setdefault(rollout, [])
        history.append(e.Recorded(rollout, len(history) + 1, us(at), who, event))
        return fold(history)

    def draft(self, plan: Plan, *, by: str, at: datetime = NOW) -> Rollout:
        return self.add(f"R-{len(self.kept) + 7}", by, e.Drafted(plan), at)

    def approve(self, rollout: str, *, by: str, note: str = "") -> Rollout:
        if self.rollout(rollout).drafted_by == by:
            raise ForbiddenError(f"{by} drafted {rollout}", mend="Somebody else approves it")
        return self.add(rollout, by, e.Approved(note))

    def pause(self, rollout: str, *, by: str, why: str = "") -> Rollout:
        return self.add(rollout, by, e.Paused(why))

    def resume(self, rollout: str, *, by: str, why: str = "") -> Rollout:
        return self.add(rollout, by, e.Resumed(why))

    def abort(self, rollout: str, *, by: str, why: str) -> Rollout:
        if not self.rollout(rollout).under_way:
            raise ConflictError(f"{rollout} is not under way", mend="Nothing is left to abort")
        return self.add(rollout, by, e.Aborted(Reason("ota_aborted", {"by": by, "why": why})))

    def cancel(self, rollout: str, *, by: str, why: str = "") -> Rollout:
        return self.add(rollout, by, e.Cancelled(why))

    def retry(self, rollout: str, boxes: Sequence[str] = (), *, by: str) -> Rollout:
        return self.add(rollout, by, e.Retried(tuple(boxes or self.rollout(rollout).failed)))

    def skip(self, rollout: str, boxes: Sequence[str], *, by: str, why: str) -> Rollout:
        return self.add(rollout, by, e.Skipped(tuple(boxes), why))

    def roll_back(self, rollout: str, *, by: str, why: str) -> Rollout:
        return self.add(rollout, by, e.RolledBack(why))

    def stop_everything(self, *, by: str, why: str) -> list[Rollout]:
        self.why_stopped = f"{by}: {why}"
        self.done.append(FleetDeed(us(NOW), by, "stopped", "", why))
        self.asked.append(("stop", by, why))
        return []

    def deeds(self) -> list[FleetDeed]:
        return self.done

    def lift(self, *, by: str, why: str) -> None:
        self.done.append(FleetDeed(us(NOW), by, "lifted", "", why))
        self.why_stopped = ""
        self.asked.append(("lift", by, why))

    def stopped(self) -> str:
        return self.why_stopped

    def rollouts(self) -> list[Rollout]:
        return [fold(each) for each in reversed(self.kept.values())]

    def rollout(self, rollout: str) -> Rollout:
        if rollout not in self.kept:
            raise NotFoundError(f"There is no rollout {rollout}", mend="Choose one from the list")
        return fold(self.kept[rollout])

    def history(self, rollout: str) -> list[e.Recorded]:
        return self.kept[rollout]

    def gate(self, rollout: str) -> GateView | None:
        state, shown = self.rollout(rollout), self.shown.get(rollout, {})
        decision = look(state, shown)
        if state.gate is None or decision is None:
            return None
        found = counts_of(state, state.gate, shown)
        return GateView(
            state.gate.wave,
            state.gate.role,
            state.gate.number,
            policy_of(state, state.gate).abort_at,
            decision,
            {
                box: {str(signal): (each.frames, each.events) for signal, each in counts.items()}
                for box, counts in found.items()
            },
        )

    def may(self, rollout: str) -> tuple[str, ...]:
        return commanding.may(self.rollout(rollout), newest=True)

    def waiting(self, rollout: str) -> list[Waiting]:
        return self.waits.get(rollout, [])

    def preview(self, plan: Plan) -> list[e.Member]:
        fleet = {each.heard.box.device: each.heard for each in self.views}
        return list(choose(plan, fleet, seed=plan.seed or 1))

    def boxes(self) -> list[BoxView]:
        return self.views

    def box(self, device: str) -> BoxView:
        return next(each for each in self.views if each.heard.box.device == device)

    def place(self, box: Box, *, by: str) -> None:
        self.asked.append(("place", box.device, box.cell, box.site, by))

    def ran(self, device: str = "") -> list[Ran]:
        begun, changed = us(NOW - 9 * DAY), us(NOW - DAY)
        return [
            Ran(device, "inspect", BACKBONE, "openvino-cpu", begun),
            Ran(device, "cracks", CRACKS, "onnxruntime-cpu", begun),
            Ran(device, "read", READER, "onnxruntime-cpu", begun, changed),
            Ran(device, "read", READER_NEW, "onnxruntime-cpu", changed),
        ]


@dataclass
class FakeSets:
    """ota.registry.registry.Registry, its list and its audit trail."""

    records: list[SetRecord] = field(default_factory=some_sets)

    def sets(self) -> Sequence[SetRecord]:
        return self.records

    def events(self, *, digest: str = "", most: int = 1000) -> Sequence[SetEvent]:
        found: list[SetEvent] = []
        for each in self.records:
            if digest not in ("", each.digest):
                continue
            found.append(
                SetEvent(Deed.PROPOSED, each.digest, each.proposed_by, each.proposed_at_us)
            )
            found += [
                SetEvent(Deed.APPROVED, each.digest, one.by, one.at_us, one.reason)
                for one in each.approvals
            ]
        return sorted(found, key=lambda each: each.at_us, reverse=True)[:most]


@dataclass
class FakeSetDesk:
    """appliance.web.ota.ports.Sets over a list, with the registry's own decisions."""

    sets: FakeSets
    policy: PublishPolicy
    key: str = "locked"
    told: tuple[Reason, ...] = ()

    def listed(self) -> Sequence[SetRecord]:
        return self.sets.records

    def get(self, digest: str) -> SetRecord:
        for each in self.sets.records:
            if each.digest == digest:
                return each
        raise NotFoundError("No such model set is known here", mend="Choose one from the list")

    def one(self, digest: str) -> SetPage:
        record = self.get(digest)
        base = next((x for x in self.sets.records if x.digest == record.lineage.base), None)
        waits = record.state is SetState.PROPOSED
        return SetPage(
            record,
            base,
            decisions.objections(record, self.policy) if waits else (),
            self.key,
            tuple(set_told(self.sets.events(digest=digest))),
            self.policy.second_person,
        )

    def change(self, digest: str, record: SetRecord) -> None:
        self.sets.records = [
            record if each.digest == digest else each for each in self.sets.records
        ]

    def approve(self, digest: str, *, by: str, why: str) -> None:
        yes = Approval(by, us(NOW), decisions.check_reason(why))
        self.change(digest, decisions.approved(self.get(digest), yes))

    def publish(self, digest: str, *, by: str, why: str, passphrase: str) -> None:
        if self.key == "locked" and passphrase != "correct horse":  # noqa: S105 -- of a test
            raise WrongPassphraseError("The passphrase does not open the key", mend="Type it again")
        record = self.get(digest)
        self.change(digest, decisions.published(record, self.policy, by=by, at_us=us(NOW)))

    def withdraw(self, digest: str, *, by: str, why: str, passphrase: str) -> None:
        record, why = self.get(digest), decisions.check_reason(why)
        gone = decisions.withdrawn(record, by=by, at_us=us(NOW), why=why, named=not passphrase)
        self.change(digest, gone)

    def decide_licence(self, digest: str, *, by: str, why: str) -> None:
        record = self.get(digest)
        decision = LicenceDecision(digest, record.licence, by, why, NOW.isoformat())
        self.change(digest, decisions.licence_decided(record, decision))

    def warnings(self) -> Sequence[Reason]:
        return self.told


def key_pem() -> str:
    return public_pem(Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key())


def at_the_door() -> list[Asking]:
    """A new box, and one that was away for longer than its certificate, on another machine."""
    return [
        Asking("box-21", WaitKind.NEW, key_pem(), "SN-7781", "", NOW - HOUR, "10.4.0.21"),
        Asking(
            "box-10", WaitKind.RECOVERY, key_pem(), "SN-9001", "SN-1142", NOW - HOUR, "10.4.0.10"
        ),
    ]


@dataclass
class FakeDevices:
    """appliance.identity.registry.DeviceRegistry, as far as the console asks it."""

    states: Mapping[str, DeviceState] = field(
        default_factory=lambda: {
            "box-08": DeviceState.QUARANTINED,
            "box-09": DeviceState.REVOKED,
            "box-10": DeviceState.ACTIVE,
        }
    )
    asked: list[tuple[str, ...]] = field(default_factory=list)
    at_the_door: list[Asking] = field(default_factory=at_the_door)

    def device(self, device: str) -> Device | None:
        return next((each for each in self.devices() if each.device == device), None)

    def devices(self) -> list[Device]:
        notes = {
            DeviceState.QUARANTINED: "its log forked at entry 4 127",
            DeviceState.REVOKED: "ida: stolen from the yard",
        }
        return [
            Device(name, "", "", state, notes.get(state, ""), "", NOW - 2 * DAY)
            for name, state in self.states.items()
        ]

    def heard_at(self, device: str) -> datetime | None:
        return None

    def readmit(self, device: str, why: str, *, by: str) -> None:
        self.asked.append(("readmit", device, why, by))

    def revoke(self, device: str, why: str, *, by: str) -> None:
        self.asked.append(("revoke", device, why, by))

    def waiting(self) -> Sequence[Asking]:
        return self.at_the_door

    def approve(self, device: str, key_id: str, *, by: str, new_machine: bool) -> None:
        self.asked.append(("approve", device, key_id, by, str(new_machine)))
        self.at_the_door = [each for each in self.at_the_door if each.device != device]

    def refuse(self, device: str, key_id: str, *, by: str, why: str) -> None:
        self.asked.append(("refuse", device, key_id, by, why))

    def story(self, device: str = "") -> Sequence[MembershipDeed]:
        told = [
            MembershipDeed(NOW - 2 * DAY, "box-09", "revoked", "ida", "stolen from the yard"),
            MembershipDeed(NOW - 9 * DAY, "box-03", "enrolled"),
        ]
        return [each for each in told if device in ("", each.device)]


@dataclass
class FakeAcceptance:
    """appliance.web.ota.ports.Acceptance over lists, with the real sums."""

    rows: list[Compared] = field(default_factory=list)
    words: list[BoxWords] = field(default_factory=list)
    cartons: list[Disagreement] = field(default_factory=list)
    picture: str = ""

    def sides(self, rollout: str, candidate: str) -> Sides:
        return sides(self.rows, candidate)

    def boxes(self) -> Sequence[BoxFigures]:
        return figures(self.words)

    def disagreements(
        self, rollout: str, *, device: str, said: str, stood: str, skip: int, most: int
    ) -> tuple[int, Sequence[tuple[Disagreement, str]]]:
        found = [
            each
            for each in self.cartons
            if device in ("", each.device) and said in ("", each.said) and stood in ("", each.stood)
        ]
        return len(found), [(each, self.picture) for each in found[skip : skip + most]]


def side_by_side(updates: Updates, picture: str = "") -> None:
    """Two boxes on which a new reader reads more, misses some, and once reads another batch."""
    seen = (("accept", "accept", 391), ("review", "accept", 21), ("accept", "review", 7))
    for device in ("box-04", "box-18"):
        for stood, said, frames in seen:
            harm = frames if (stood, said) == ("accept", "review") else 0
            updates.acceptance.rows.append(
                Compared(device, READER_NEW, READER, said, stood, frames, harm, 2, 0, 151.5)
            )
        for n, (stood, said, _) in enumerate(seen[1:]):
            updates.acceptance.cartons.append(
                Disagreement(
                    device,
                    40 + n,
                    NOW - HOUR,
                    "dock-1",
                    f"c-{device}-{n}",
                    READER_NEW,
                    READER,
                    said,
                    stood,
                    stood == "accept",
                    False,
                    "",
                    149.0 + n,
                    (picture,) if picture else (),
                    "keyed" if n == 0 else "",
                )
            )
        updates.acceptance.words += [
            BoxWords(device, "pass", 402),
            BoxWords(device, "review", 17),
            BoxWords(device, "defect", 4),
        ]
    updates.acceptance.picture = picture


@dataclass
class Updates:
    """A site with its console."""

    desk: FakeDesk
    sets: FakeSets
    devices: FakeDevices
    fleet: FleetConsole
    rollouts: RolloutConsole
    set_desk: FakeSetDesk
    acceptance: FakeAcceptance
    curves: Curves
    clock: Clock

    def router(self, gate: WebGate) -> APIRouter:
        return updates_router(
            self.fleet, self.rollouts, self.set_desk, self.acceptance, gate, clock=self.clock
        )


def site(folder: Path, *, clock: Clock | None = None, second_person: bool = True) -> Updates:
    """A site of twenty boxes, without a rollout."""
    clock = clock or SystemClock()
    desk, sets, devices = FakeDesk(), FakeSets(), FakeDevices()
    curves = Curves(folder / "curves.db")
    fleet = FleetConsole(desk, sets, devices, clock=clock)
    rollouts = RolloutConsole(desk, curves, clock=clock, second_person=second_person)
    set_desk = FakeSetDesk(sets, PublishPolicy(second_person=second_person))
    return Updates(desk, sets, devices, fleet, rollouts, set_desk, FakeAcceptance(), curves, clock)


def rolling(updates: Updates, *, harm: int = 3, frames: int = 260) -> str:
    """A rollout whose first wave judges in shadow; one box shows `harm` harmful ones of `frames`."""
    desk = updates.desk
    plan = Plan(
        "read",
        READER_NEW,
        why="reads faded thermal labels better",
        waves=(Wave(15.0, strata="cell"), Wave(50.0, strata="cell"), Wave(100.0)),
    )
    at = NOW - 2 * HOUR
    rollout = desk.draft(plan, by="ida", at=at - HOUR).rollout
    desk.add(rollout, "mara", e.Approved("figures hold"), at)
    members = tuple(
        replace(each, before=READER) for each in desk.preview(plan) if each.device != "box-09"
    )
    desk.add(rollout, e.SYSTEM, e.Started(members, 918_273), at)
    desk.add(rollout, e.SYSTEM, e.StagingBegan(0), at)
    first = tuple(each.device for each in members if each.wave == 0)
    desk.add(rollout, e.SYSTEM, e.GateOpened(0, e.Role.SHADOW, first), at + HOUR / 4)
    for done in range(20, frames + 1, 12):
        show(updates, rollout, first, frames=done, harm=harm * done // frames)
    desk.waits[rollout] = [Waiting("gate", first[-1:])]
    return rollout


def show(updates: Updates, rollout: str, boxes: Sequence[str], *, frames: int, harm: int) -> None:
    """What the boxes of a shadow gate have counted; all the harm is the first one's."""
    updates.desk.shown[rollout] = {
        e.Role.SHADOW: {
            box: {
                Signal.HARM: Counts(frames - 7 * n, harm if n == 0 else 0),
                Signal.LATENCY: Counts(frames - 7 * n, frames // 90),
                Signal.ERROR: Counts(frames - 7 * n, 0),
                Signal.OVERRIDE: Counts(frames // 9, 0),
            }
            for n, box in enumerate(boxes)
        }
    }
    updates.rollouts.look()


def point(frames: int, against: float = 1.0, good: float = 1.0) -> Point:
    return Point(us(NOW), 0, frames, against, good)
