"""`tallyman ota rollout|start|status|pause|resume|abort|retry|skip|stop|lift|rollback|history|boxes|
place`: who runs what, and how that changes, from a shell.
"""

from __future__ import annotations

from typing import Annotated

import typer

from appliance.cli.ota_fleet import boxes, history, place, status
from appliance.cli.ota_shell import AsJson, By, ConfigFile, person
from appliance.cli.ota_tell import desk_here, tell

Which = Annotated[str, typer.Argument(metavar="ROLLOUT", help="Its name, or how it begins.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the record.")]
Boxes = Annotated[
    list[str] | None, typer.Option("--box", help="Only these; default: all that failed.")
]


def register(ota: typer.Typer) -> None:
    """Add these commands."""
    for command in (rollout, start, cancel, pause, resume, abort, retry, skip, stop, lift):
        ota.command()(command)
    for question in (rollback, status, history, boxes, place):
        ota.command()(question)


def rollout(
    lane: Annotated[str, typer.Argument(help="What the set is used for: read, inspect, ...")],
    candidate: Annotated[str, typer.Argument(metavar="SET", help="Digest or NAME@VERSION.")],
    *,
    wave: Annotated[
        list[str] | None,
        typer.Option("--wave", help="5 (percent), cell:A,B, site:A, box:A,B, joined by +; repeat."),
    ] = None,
    by_unit: Annotated[str, typer.Option("--draw", help="By chance: box, cell or site.")] = "box",
    strata: Annotated[str, typer.Option(help="Draw from each value of this label alike.")] = "",
    shadow: Annotated[bool, typer.Option(help="Judge beside the running set first.")] = True,
    watch: Annotated[bool, typer.Option(help="The set before judges beside it afterwards.")] = True,
    certify: Annotated[bool, typer.Option(help="Each wave waits for its gate.")] = True,
    decide: Annotated[
        bool, typer.Option("--decide", help="A person says after shadow whether any box runs it.")
    ] = False,
    soak_minutes: Annotated[int, typer.Option(min=0, help="Between two waves.")] = 10,
    window: Annotated[
        list[str] | None, typer.Option("--window", help="Mon-Fri 22:00-05:00; repeat.")
    ] = None,
    begin_at: Annotated[str, typer.Option("--begin-at", help="Not before, ISO 8601.")] = "",
    seed: Annotated[int, typer.Option(help="Of the choice by chance; 0: drawn.")] = 0,
    why: Why = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the waves, draft nothing.")
    ] = False,
    by: By = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Draft a rollout and show who would be in which wave. `tallyman ota start` approves it."""
    from appliance.cli.ota_plan import moment_of, waves_of, window_of
    from appliance.cli.ota_tell import tell_waves
    from ota.rollout.choosing import drawn
    from ota.rollout.plan import Plan

    with desk_here(config) as here:
        zone = here.config.site.time_zone
        plan = Plan(
            lane,
            here.ota.registry.registry.find(candidate).digest,
            why=why,
            waves=waves_of(wave or ["5", "25", "100"], strata=strata, by=by_unit, certify=certify),
            seed=seed or drawn(),
            shadow=shadow,
            watch=watch,
            decide=decide,
            soak_s=soak_minutes * 60,
            not_before_us=moment_of(begin_at, zone) if begin_at else 0,
            windows=tuple(window_of(each) for each in window or ()),
            zone=zone,
        )
        members = here.ota.rollouts.preview(plan)
        if not as_json:
            tell_waves(plan, members)
        if not dry_run:
            tell(here, here.ota.rollouts.draft(plan, by=person(by)), as_json=as_json)


def start(which: Which, *, why: Why = "", by: By = "", config: ConfigFile = None) -> None:
    """Approve a drafted rollout: it begins at its time."""
    with desk_here(config) as here:
        tell(here, here.ota.rollouts.approve(here.find(which), by=person(by), note=why))


def cancel(which: Which, *, why: Why = "", by: By = "", config: ConfigFile = None) -> None:
    """Give up a rollout that has not begun."""
    with desk_here(config) as here:
        tell(here, here.ota.rollouts.cancel(here.find(which), by=person(by), why=why))


def pause(which: Which, *, why: Why = "", by: By = "", config: ConfigFile = None) -> None:
    """Nothing new begins; what runs goes on, and the gate goes on looking."""
    with desk_here(config) as here:
        tell(here, here.ota.rollouts.pause(here.find(which), by=person(by), why=why))


def resume(which: Which, *, why: Why = "", by: By = "", config: ConfigFile = None) -> None:
    """Go on after a pause."""
    with desk_here(config) as here:
        tell(here, here.ota.rollouts.resume(here.find(which), by=person(by), why=why))


def abort(which: Which, *, why: Why, by: By = "", config: ConfigFile = None) -> None:
    """Every box goes back to the set before; batches that the candidate judged are judged again."""
    with desk_here(config) as here:
        tell(here, here.ota.rollouts.abort(here.find(which), by=person(by), why=why))


def retry(which: Which, *, box: Boxes = None, by: By = "", config: ConfigFile = None) -> None:
    """Ask boxes that failed once more."""
    with desk_here(config) as here:
        tell(here, here.ota.rollouts.retry(here.find(which), box or (), by=person(by)))


def skip(
    which: Which,
    *,
    box: Annotated[list[str], typer.Option("--box", help="Go on without this one; repeat.")],
    why: Why,
    by: By = "",
    config: ConfigFile = None,
) -> None:
    """Go on without some boxes: they say review for batches that only the candidate may judge."""
    with desk_here(config) as here:
        tell(here, here.ota.rollouts.skip(here.find(which), box, by=person(by), why=why))


def rollback(which: Which, *, why: Why, by: By = "", config: ConfigFile = None) -> None:
    """Take back a rollout that is done: every box to the set before it."""
    with desk_here(config) as here:
        tell(here, here.ota.rollouts.roll_back(here.find(which), by=person(by), why=why))


def stop(*, why: Why, by: By = "", config: ConfigFile = None) -> None:
    """EMERGENCY: every rollout under way goes back at once, and none begins until `ota lift`."""
    with desk_here(config) as here:
        for each in here.ota.rollouts.stop_everything(by=person(by), why=why):
            tell(here, each)


def lift(*, why: Why, by: By = "", config: ConfigFile = None) -> None:
    """Let rollouts begin again after an emergency stop."""
    with desk_here(config) as here:
        here.ota.rollouts.lift(by=person(by), why=why)
