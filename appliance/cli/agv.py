"""`tallyman fleet`, and the group of `tallyman agv`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appliance.cli.recordings import check, replay

if TYPE_CHECKING:
    from agv_bridge.virtual.faults import Faults
    from appliance.vehicles.fleet import Seat

_VERSIONS = ("2.1.0", "3.0.0")


agv = typer.Typer(help="Vehicles: recorded sessions, dialects, credentials.", no_args_is_help=True)
agv.command()(replay)
agv.command()(check)


def fleet(
    *,
    broker: Annotated[
        str, typer.Option(help="mqtt://[user:password@]host:port; else broker.url is taken.")
    ] = "",
    credentials: Annotated[
        Path | None,
        typer.Option(help="JSON file of passwords by MANUFACTURER/SERIAL: these vehicles drive."),
    ] = None,
    vehicles: Annotated[int, typer.Option(min=1, max=1000, help="Without such a file.")] = 2,
    step: Annotated[float, typer.Option(min=0.0, help="Seconds for a drive or an action.")] = 0.3,
    speed: Annotated[
        float, typer.Option(min=0.0, help="Metres a second of every drive; 0: by --step.")
    ] = 0.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="SERIAL=FAULT, such as agv-2=noisy; repeatable. `list` names them all."),
    ] = None,
    station: Annotated[
        str, typer.Option(help="Also a check station of that name (dialect module-factory).")
    ] = "",
    bad: Annotated[
        list[str] | None, typer.Option(help="A load that fails at that station; repeatable.")
    ] = None,
    manufacturer: Annotated[str, typer.Option(help="As in the topics.")] = "tallyman",
    config: Annotated[Path | None, typer.Option("--config", help="Configuration file.")] = None,
) -> None:
    """Virtual AGVs of both VDA 5050 versions, until SIGTERM or Ctrl-C; then they say OFFLINE.

    With --credentials each signs in under its own name, as real vehicles do; else as the URL says.
    """
    if fault == ["list"]:
        from agv_bridge.virtual.faults import ASKED_FOR

        typer.echo("\n".join(sorted(ASKED_FOR)))
        return
    from appliance.config import load_config
    from appliance.vehicles.fleet import Seat, seats_in

    section = load_config(config).broker
    url = broker or section.url
    if not url:
        raise typer.BadParameter("Name a broker: --broker mqtt://host:1883, or broker.url")
    seats = (
        seats_in(credentials, url)
        if credentials is not None
        else [Seat(manufacturer, f"agv-{n}", url) for n in range(1, vehicles + 1)]
    )
    crew = Crew(
        seats,
        step,
        speed,
        _faults_of(fault or (), seats),
        station=station,
        bad=frozenset(bad or ()),
        authority=section.authority,
        url=url,
        credentials=credentials,
    )
    asyncio.run(_run_fleet(crew))


@dataclass(frozen=True, slots=True)
class Crew:
    """Who drives, how, and what goes wrong."""

    seats: Sequence[Seat]
    step_s: float
    speed_m_s: float
    faults: Mapping[str, Faults]
    """By serial number."""
    station: str
    bad: frozenset[str]
    authority: str
    url: str
    credentials: Path | None


def _faults_of(asked: Sequence[str], seats: Sequence[Seat]) -> Mapping[str, Faults]:
    """Raises BadInputError for a vehicle or a fault that there is not."""
    from agv_bridge.virtual.faults import faults_named
    from contracts.errors import BadInputError

    words: dict[str, list[str]] = {seat.serial: [] for seat in seats}
    for one in asked:
        serial, equals, word = one.partition("=")
        if not equals or serial not in words:
            raise BadInputError(
                f"--fault {one}: there is no vehicle {serial!r}",
                mend=f"Write SERIAL=FAULT; the vehicles are {', '.join(words)}",
            )
        words[serial].append(word)
    return {serial: faults_named(*named) for serial, named in words.items()}


async def _run_fleet(crew: Crew) -> None:
    from agv_bridge.virtual.presence import birth_of, will_of
    from agv_bridge.virtual.station import CheckStation, prefix_of
    from agv_bridge.virtual.vehicle import VirtualAgv
    from appliance.services.mqtt import MqttBus, broker_trust
    from appliance.vehicles.fleet import station_url

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    async with AsyncExitStack() as buses:
        tasks = []
        for number, seat in enumerate(crew.seats):
            serial, manufacturer = seat.serial, seat.manufacturer
            version = _VERSIONS[number % len(_VERSIONS)]
            bus = await buses.enter_async_context(
                MqttBus(
                    seat.url,
                    client_id=f"{manufacturer}-{serial}",
                    will=will_of(serial, version=version, manufacturer=manufacturer),
                    birth=partial(birth_of, serial, version=version, manufacturer=manufacturer),
                    tls_context=broker_trust(crew.authority),
                )
            )
            vehicle = VirtualAgv(
                bus,
                serial,
                version=version,
                manufacturer=manufacturer,
                step_s=crew.step_s,
                speed_m_s=crew.speed_m_s or None,
                faults=crew.faults[serial],
                home=f"home-{number + 1}",
            )
            tasks.append(asyncio.create_task(vehicle.run()))
        if crew.station:
            url = station_url(crew.credentials, crew.url, prefix_of(crew.station))
            bus = await buses.enter_async_context(
                MqttBus(url, client_id=crew.station, tls_context=broker_trust(crew.authority))
            )
            station = CheckStation(bus, crew.station, bad=crew.bad, step_s=crew.step_s)
            tasks.append(asyncio.create_task(station.run()))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, *tasks):
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
