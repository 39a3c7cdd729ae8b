"""`tallyman ota status|history|boxes|place`: what runs where, and what happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.cli.ota_shell import AsJson, By, ConfigFile, person
from appliance.cli.ota_tell import desk_here, tell

if TYPE_CHECKING:
    from appliance.cli.ota_tell import Here
    from appliance.ota.rollouts import BoxView
    from ota.rollout.ports import Ran

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def status(
    which: Annotated[str, typer.Argument(metavar="[ROLLOUT]", help="One; default: all.")] = "",
    *,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Rollouts, newest first: phase, wave, boxes, what each waits for."""
    with desk_here(config) as here:
        if stopped := here.ota.rollouts.stopped():
            typer.echo(f"STOPPED by {stopped}", err=as_json)
        names = [here.find(which)] if which else [r.rollout for r in here.ota.rollouts.rollouts()]
        for name in names:
            tell(here, here.ota.rollouts.rollout(name), as_json=as_json)


def history(
    which: Annotated[str, typer.Argument(metavar="ROLLOUT|BOX", help="Whose story.")],
    *,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Everything that happened in a rollout, or everything that a box ran, oldest first."""
    import msgspec

    from ota.rollout.codec import encode

    with desk_here(config) as here:
        if any(view.heard.box.device == which for view in here.ota.rollouts.boxes()):
            for ran in here.ota.rollouts.ran(which):
                typer.echo(msgspec.json.encode(ran).decode() if as_json else _ran(ran))
            return
        for each in here.ota.rollouts.history(here.find(which)):
            kind, body = encode(each.event)
            if as_json:
                line = {"at": _at(each.at_us), "who": each.who, "what": kind}
                typer.echo(msgspec.json.encode({**line, **msgspec.json.decode(body)}).decode())
            else:
                said = body.decode() if len(body) <= _LONGEST else body[:_LONGEST].decode() + "..."
                typer.echo(f"{each.number}\t{_at(each.at_us)}\t{each.who}\t{kind}\t{said}")


_LONGEST = 160


def boxes(*, as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Each box: where it stands, what it runs, and where that is not what it should run."""
    import msgspec

    with desk_here(config) as here:
        for view in here.ota.rollouts.boxes():
            if as_json:
                typer.echo(msgspec.json.encode(_facts(view)).decode())
            else:
                _line(here, view)


def place(
    box: Annotated[str, typer.Argument(help="The device's id.")],
    *,
    cell: Annotated[str, typer.Option(help="The dock or line whose boxes switch together.")],
    site: Annotated[str, typer.Option(help="Default: this site.")] = "",
    label: Annotated[
        list[str] | None, typer.Option("--label", help="hardware=n100 or the like; repeat.")
    ] = None,
    by: By = "",
    config: ConfigFile = None,
) -> None:
    """Say where a box stands."""
    from contracts.errors import BadInputError
    from ota.rollout.boxes import Box

    pairs = [each.partition("=") for each in label or ()]
    if any(not name or not value for name, _, value in pairs):
        raise BadInputError("A label is NAME=VALUE", mend="Write --label hardware=n100")
    with desk_here(config) as here:
        labels = {name: value for name, _, value in pairs}
        where = Box(box, cell, site or here.config.site.name, labels)
        here.ota.rollouts.place(where, by=person(by))


def _line(here: Here, view: BoxView) -> None:
    report = view.heard.report
    step = report.step.value if report else "never heard"
    # What it only fetches, or judges beside what it runs, it need not run.
    told = view.assignment.run if view.assignment else {}
    runs = " ".join(
        f"{lane}={digest.removeprefix('sha256:')[:12]}{'!' if lane in told and lane in view.drift else ''}"
        for lane, digest in sorted(report.running.items() if report else ())
    )
    typer.echo(
        f"{view.heard.box.device}\t{view.heard.box.cell or '-'}\t{_at(report.at_us) if report else '-'}\t{step}\t{runs}"
    )
    for what, reason in sorted(report.trouble.items() if report else ()):
        typer.echo(f"  {what[:19]}: {here.say.reason(reason)}")


def _facts(view: BoxView) -> dict[str, object]:
    report = view.heard.report
    return {
        "device": view.heard.box.device,
        "cell": view.heard.box.cell,
        "site": view.heard.box.site,
        "labels": view.heard.box.labels,
        "reported_at": _at(report.at_us) if report else "",
        "step": report.step.value if report else "",
        "version": report.version if report else "",
        "running": report.running if report else {},
        "variant": report.variant if report else {},
        "wanted": view.wanted,
        "drift": view.drift,
        "trouble": report.trouble if report else {},
    }


def _ran(ran: Ran) -> str:
    until = _at(ran.until_us) if ran.until_us is not None else "now"
    return f"{_at(ran.since_us)}\t{until}\t{ran.lane}\t{ran.model_set}\t{ran.variant}"


def _at(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="seconds")
