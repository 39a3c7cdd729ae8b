"""The desk of rollouts in a shell, and how a rollout is told there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from contracts.errors import NotFoundError

if TYPE_CHECKING:
    from appliance.config import Config
    from appliance.hub.ota import HubOta
    from appliance.words import Words
    from ota.rollout.events import Member
    from ota.rollout.plan import Plan
    from ota.rollout.state import Rollout

_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Here:
    """The hub's data folder, opened for one command."""

    config: Config
    ota: HubOta
    say: Words

    def find(self, start: str) -> str:
        """A rollout by its name or how that begins. Raises NotFoundError where none or several do."""
        names = [each.rollout for each in self.ota.rollouts.rollouts()]
        fitting = [start] if start in names else [n for n in names if n.startswith(start)]
        if len(fitting) != 1:
            raise NotFoundError(
                f"{len(fitting)} rollouts begin with {start[:80]!r}",
                mend="tallyman ota status lists them",
            )
        return fitting[0]


@contextmanager
def desk_here(config: Path | None) -> Iterator[Here]:
    """The desk over the data folder; a hub that runs takes over what is commanded within seconds."""
    from contextlib import closing
    from zoneinfo import ZoneInfo

    from appliance.config import load_config
    from appliance.hub.folder import open_registry
    from appliance.hub.ota import open_ota
    from appliance.words import words
    from contracts.clock import SystemClock
    from erp_link.service.core import Core

    settings, clock = load_config(config), SystemClock()
    (settings.data / "hub").mkdir(parents=True, exist_ok=True)
    core = Core(settings.database_url, clock=clock, zone=ZoneInfo(settings.site.time_zone))
    with (
        closing(core),
        open_registry(settings) as (devices, ca),
        open_ota(settings, core, devices, ca, None, clock) as ota,
    ):
        yield Here(settings, ota, words(settings.site.language))


def tell(here: Here, state: Rollout, *, as_json: bool = False) -> None:
    """One rollout in a line, and why it ended where it did not end well."""
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(told(here, state)).decode())
        return
    facts = told(here, state)
    wave = f"{facts['wave']}/{facts['waves']}" if state.members else f"-/{facts['waves']}"
    paused = " paused" if state.paused else ""
    line = (state.rollout, state.plan.lane, state.plan.candidate[:19], f"{state.phase}{paused}")
    boxes = f"{facts['running']} of {facts['boxes']} boxes"
    typer.echo("\t".join((*line, f"wave {wave}", boxes, f"{len(state.failed)} failed")))
    if state.why is not None:
        typer.echo(f"  {here.say.reason(state.why)}")
    for waiting in facts["waits"] if isinstance(facts["waits"], list) else ():
        names = ", ".join(waiting["boxes"][:_MOST_NAMES])
        typer.echo(f"  waits: {waiting['word']} {waiting['cell']} {names}".rstrip())


def told(here: Here, state: Rollout) -> dict[str, object]:
    """A rollout with stable keys, for programs."""
    running = [
        view
        for view in here.ota.rollouts.boxes()
        if view.heard.report is not None
        and view.heard.report.running.get(state.plan.lane) == state.plan.candidate
        and view.heard.box.device in state.members
    ]
    gate = here.ota.rollouts.gate(state.rollout)
    return {
        "rollout": state.rollout,
        "lane": state.plan.lane,
        "model_set": state.plan.candidate,
        "phase": state.phase.value,
        "paused": state.paused,
        "wave": state.wave + 1,
        "waves": len(state.plan.waves),
        "boxes": sum(member.wave >= 0 for member in state.members.values()),
        "running": len(running),
        "failed": sorted(state.failed),
        "why": here.say.reason(state.why) if state.why else "",
        "against": round(gate.decision.against, 4) if gate else None,
        "abort_at": gate.abort_at if gate else None,
        "certified": gate.decision.certified if gate else {},
        "drafted_by": state.drafted_by,
        "approved_by": state.approved_by,
        "may": here.ota.rollouts.may(state.rollout),
        "waits": [
            {"word": each.word, "cell": each.cell, "boxes": list(each.boxes)}
            for each in here.ota.rollouts.waiting(state.rollout)
        ],
    }


def tell_waves(plan: Plan, members: Sequence[Member]) -> None:
    """Who would be in which wave."""
    for number in range(len(plan.waves)):
        names = [member.device for member in members if member.wave == number]
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        typer.echo(f"wave {number + 1}: {len(names)}\t{', '.join(names[:_MOST_NAMES])}{more}")
