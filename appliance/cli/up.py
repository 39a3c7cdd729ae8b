"""`tallyman up`, `hub`, `edge`: the roles."""

from __future__ import annotations

import asyncio
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from contracts.errors import UnavailableError

if TYPE_CHECKING:
    from rich.console import Console

    from appliance.config import Config
    from appliance.demo.run import HubApi
    from appliance.demo.samples import SampleDelivery
    from appliance.layout import Layout
    from appliance.up import Running

_SPEED_M_S = 6.0
"""Of the virtual vehicles: faster than real ones, or a look at the demo would take all day."""

ConfigFile = Annotated[
    Path | None, typer.Option("--config", resolve_path=True, help="Configuration file (TOML).")
]


def up(
    config: ConfigFile = None,
    *,
    once: Annotated[bool, typer.Option(help="End after the sample cartons.")] = False,
    demo: Annotated[bool, typer.Option(help="Send the sample delivery through.")] = True,
) -> None:
    """Start everything on this machine and send the sample delivery through the station."""
    from appliance.config import load_config

    raise typer.Exit(asyncio.run(_up(load_config(config), config, once=once, demo=demo)))


def hub(config: ConfigFile = None) -> None:
    """Central services: stock core, pages, device port, AGV bridge."""
    from appliance.config import load_config
    from appliance.hub.run import run_hub
    from appliance.logs import set_up_logs

    set_up_logs()
    asyncio.run(run_hub(load_config(config)))


def edge(config: ConfigFile = None) -> None:
    """An edge box: cameras, engines, journal, uplink, station page."""
    from appliance.config import load_config
    from appliance.edge.run import run_edge
    from appliance.logs import set_up_logs

    set_up_logs()
    asyncio.run(run_edge(load_config(config)))


async def _up(config: Config, file: Path | None, *, once: bool, demo: bool) -> int:
    from rich.console import Console

    from appliance.layout import Layout
    from appliance.serving import stop_signal
    from appliance.up import everything
    from appliance.words import words

    # A pipe or a log has no width of its own; 160 columns keep a row on one line.
    console = Console(width=None if sys.stdout.isatty() else 160)
    say = words(config.site.language)
    stopping = stop_signal()
    delivery = None
    if demo:
        with console.status(say("demo.preparing")):
            delivery = await _prepare(config, Layout(config.data))
    with console.status(say("demo.starting")) as status:
        replay = delivery.cartons if delivery else None
        async with everything(
            config,
            config_file=file,
            replay=replay,
            demo_token=demo,
            sensors=demo,
            # To be looked at, vehicles drive; where nobody stays to look, they need not.
            speed_m_s=0.0 if once else _SPEED_M_S,
        ) as running:
            status.stop()
            console.print(say("demo.pages", url=running.pages_url))
            if running.sign_in_link:
                console.print(say("demo.sign_in", link=running.sign_in_link), soft_wrap=True)
            work = asyncio.create_task(_work(config, running, delivery, console, stays=not once))
            ended = asyncio.create_task(stopping.wait())
            await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                return 130
            surprises = work.result()
            if not once:
                await ended
            ended.cancel()
    return 1 if surprises else 0


async def _prepare(config: Config, layout: Layout) -> SampleDelivery:
    """In a process of its own: the engines' memory goes with it."""
    from appliance.demo.prepare import delivery_day
    from appliance.demo.samples import write_samples

    folder, today = layout.demo, datetime.now(ZoneInfo(config.site.time_zone)).date().isoformat()
    command = ["demo", "prepare", str(folder), "--today", today]
    command += ["--profiles", str(layout.profiles), "--trust", str(layout.trust)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance", *command, stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait():
        raise UnavailableError(
            "The sample delivery could not be prepared", mend="The lines above say why"
        )
    return await asyncio.to_thread(
        write_samples, folder, today=delivery_day(folder, date.fromisoformat(today))
    )


async def _work(
    config: Config,
    running: Running,
    delivery: SampleDelivery | None,
    console: Console,
    *,
    stays: bool,
) -> int:
    """Start the edge and follow the sample delivery; answers how many verdicts surprised.

    stays: somebody goes on looking, so that a machine too slow for the samples ends nothing.
    """
    from rich.text import Text

    from appliance.demo.run import HubApi, follow, last_seq, next_run, print_table, watch

    if delivery is None:
        await running.start_edge()
        return 0
    language, journal = config.site.language, running.layout.journal
    api = HubApi(running.api_url, running.api_token, trust=running.api_trust)
    try:
        after = await asyncio.to_thread(last_seq, journal)
        run = await asyncio.to_thread(next_run, running.layout.demo)
        number = f"{delivery.asn_csv.stem.rpartition('-')[0]}-{run:02d}"
        await api.close_open_sessions()
        await api.announce(
            number, await asyncio.to_thread(delivery.asn_csv.read_bytes), dock=config.edge.station
        )
        await running.start_edge()
        if stays:
            await _stock_shelves(api, config, running.layout, console)
        try:
            outcome = await watch(
                journal, delivery, after=after, console=console, language=language
            )
        except UnavailableError as error:
            if not stays:
                raise
            console.print(Text(str(error), style="red"))
            return 1
        await follow(api, outcome)
    finally:
        await api.close()
    print_table(outcome, delivery, console=console, language=language)
    return len(outcome.surprises)


async def _stock_shelves(api: HubApi, config: Config, layout: Layout, console: Console) -> None:
    """So that a phone has something to look at; a site with other slots goes without."""
    from rich.text import Text

    from appliance.demo.shelf import first_day, stock_shelves

    today = datetime.now(ZoneInfo(config.site.time_zone)).date()
    day = await asyncio.to_thread(first_day, layout.demo, today)
    try:
        await stock_shelves(api, day, language=config.site.language)
    except UnavailableError as error:
        console.print(Text(str(error), style="red"))
