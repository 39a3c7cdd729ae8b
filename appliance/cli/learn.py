"""`tallyman learn`: what operators settled, what was made of it, and how to erase it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import BadInputError

if TYPE_CHECKING:
    from appliance.config import Config
    from appliance.learning.dataset import Dataset
    from appliance.learning.erasure import Erasure

learn = typer.Typer(
    help="The learning loop. Works on this machine's data folder, also while it runs.",
    no_args_is_help=True,
)

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@learn.command()
def status(*, as_json: _Json = False, config: ConfigFile = None) -> None:
    """Examples held here, doubtful lines, the last run, what the next waits for, and candidates."""
    from contextlib import closing

    import msgspec

    from appliance.config import load_config
    from appliance.learning.folders import environment_of, schedule_of, training_of
    from appliance.learning.labels.desk import label_book
    from appliance.learning.schedule import Every, next_slot
    from contracts.clock import SystemClock

    settings, clock = load_config(config), SystemClock()
    found: dict[str, object] = {"keep": settings.learning.keep}
    for side, dataset in _datasets(settings):
        held = dataset.held()
        found[side] = {"examples": held.examples, "bytes": held.bytes}
        if side == "hub":
            training = training_of(settings, dataset, clock)
            schedule = schedule_of(settings)
            planned = schedule.every is not Every.OFF
            found["new"] = training.new_examples()
            found["waits_for"] = str(training.waits())
            found["environment"] = environment_of(settings).missing or "ready"
            found["next"] = (
                next_slot(schedule, clock.now()).isoformat() if planned else schedule.every
            )
            found["state"] = msgspec.to_builtins(training.state())
            with closing(label_book(dataset.folder)) as book:
                lines = book.counts()
            found["lines"] = {"waiting": lines.waiting, "answered": dict(lines.answered)}
            found["candidates"] = [
                msgspec.json.decode(path.read_bytes())
                for path in sorted(training.candidates.glob("*/verdict.json"))
            ]
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        for name, value in found.items():
            typer.echo(
                f"{name}\t{value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
            )


@learn.command()
def run(config: ConfigFile = None) -> None:
    """Run the recipe now, at the hub, whatever the schedule says; returns when it has ended."""
    import asyncio

    from appliance.cli.main import Findings
    from appliance.config import load_config
    from appliance.learning.folders import hub_dataset, training_of
    from contracts.clock import SystemClock

    settings = load_config(config)
    training = training_of(settings, hub_dataset(settings), SystemClock())
    state = asyncio.run(training.run_now())
    typer.echo(f"{state.outcome}\t{state.detail}")
    if state.outcome == "failed":
        raise Findings


@learn.command()
def export(
    folder: Annotated[Path, typer.Argument(help="New folder for the examples.")],
    *,
    carton: Annotated[str, typer.Option(help="Only this carton.")] = "",
    config: ConfigFile = None,
) -> None:
    """Write examples as pictures and JSON: to look at them, or to hand them to whom they concern."""
    from appliance.config import load_config
    from appliance.learning.export import write_out

    if folder.exists():
        raise BadInputError(f"{folder} is there already", mend="Name a new folder")
    written = sum(
        write_out(dataset, folder / side, carton=carton)
        for side, dataset in _datasets(load_config(config))
    )
    typer.echo(f"{written} examples in {folder}")


@learn.command()
def erase(
    *,
    carton: Annotated[str, typer.Option(help="One carton, by its id.")] = "",
    since: Annotated[
        datetime | None, typer.Option("--from", help="Settled from this time on (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Settled before this time (UTC); default: now.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Erase examples, here and (when they are connected) on the other side. They do not come back."""
    from contextlib import closing

    from appliance.config import load_config
    from appliance.learning.labels.desk import LabelDesk, label_book
    from contracts.clock import SystemClock

    settings = load_config(config)
    erasures = _erasures(settings, carton, since, until)
    erased = 0
    for side, dataset in _datasets(settings):
        gone = dataset.erase(*erasures)
        erased += gone
        if side == "hub":
            # What people said of these cartons' lines goes with them.
            with closing(label_book(dataset.folder)) as book:
                LabelDesk(dataset, book, clock=SystemClock()).look(0)
        typer.echo(f"{side}\t{gone} erased")


def _datasets(config: Config) -> list[tuple[str, Dataset]]:
    """The datasets of this data folder: a hub's, an edge's, or both. Raises BadInputError."""
    from appliance.layout import Layout
    from appliance.learning.folders import edge_dataset, hub_dataset

    layout = Layout(config.data)
    found = []
    if layout.hub.is_dir():
        found.append(("hub", hub_dataset(config)))
    if layout.edge.is_dir():
        found.append(("edge", edge_dataset(config)))
    if not found:
        raise BadInputError(
            f"{config.data} is no data folder", mend="Name the configuration, or site.data"
        )
    return found


def _erasures(
    config: Config, carton: str, since: datetime | None, until: datetime | None
) -> list[Erasure]:
    from datetime import UTC

    from appliance.learning.erasure import Erasure
    from appliance.learning.example import carton_key, us_of
    from contracts.clock import SystemClock

    if bool(carton) == (since is not None):
        raise BadInputError("Say what to erase", mend="Use either --carton or --from (and --until)")
    if since is None:
        return [Erasure(carton=carton_key(device, carton)) for device in _devices(config)]
    end = until.replace(tzinfo=UTC) if until else SystemClock().now()
    return [Erasure(from_us=us_of(since.replace(tzinfo=UTC)), until_us=us_of(end))]


def _devices(config: Config) -> list[str]:
    """Whose carton may it be? This box's, or that of any device that the hub knows."""
    from appliance.hub.folder import open_registry
    from appliance.layout import Layout

    devices = [config.edge.device]
    if Layout(config.data).devices_db.exists():
        with open_registry(config) as (registry, _):
            devices += [each.device for each in registry.devices()]
    return list(dict.fromkeys(devices))
