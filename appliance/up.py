"""`tallyman up`: everything on one machine, from nothing.

Holds the data folder, starts Valkey and the broker (unless the configuration names yours), the hub,
virtual vehicles and an edge as supervised children, and introduces the edge to the hub with a
single-use claim. Children end with their supervisor, also when it is killed.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from appliance import pages_url
from appliance.accounts.store import Accounts
from appliance.config import Config, host_port
from appliance.demo.sensors import introduce_sensors
from appliance.gateway.doors import credentials_file
from appliance.hub.folder import introduce_here, site_ca
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.services.address import LOOPBACK, is_free, keep_port, write_private
from appliance.services.datalock import hold
from appliance.services.nats import Door, EmbeddedNats
from appliance.services.process import ChildProcess, ChildSpec
from appliance.services.valkey import EmbeddedValkey
from appliance.vehicles.fleet import introduce_fleet
from appliance.vehicles.registry import VehicleRegistry
from contracts.clock import SystemClock
from contracts.errors import BadInputError, UnavailableError

# What the demo does through the API, as an integrator's program would.
_DEMO_SCOPES = ("integrator", "viewer")
# Long: a slow machine that does other work needs more than a minute, and one that fell says so at once.
_READY_S = 180.0
_SPEAK = frozenset({"hub", "edge", "agent", "gateway", "fleet"})
"""Children that speak over the broker."""


@dataclass(frozen=True, slots=True)
class Running:
    """What is up. The edge is started last, when what it should expect is known."""

    start_edge: Callable[[], Awaitable[None]]
    pages_url: str
    """For people; `api_url` and `api_trust` are for programs on this machine."""
    api_url: str
    api_trust: ssl.SSLContext | None
    hub_url: str
    """The hub's device port."""
    edge_url: str
    sign_in_link: str | None
    api_token: str
    """The demo's; empty without it."""
    layout: Layout
    children: Mapping[str, ChildProcess]
    """By name: valkey and broker where they are ours, hub, fleet, edge once it was started."""


@asynccontextmanager
async def everything(
    config: Config,
    *,
    config_file: Path | None = None,
    replay: Path | None = None,
    demo_token: bool = True,
    sensors: bool = False,
    speed_m_s: float = 0.0,
) -> AsyncIterator[Running]:
    """Start all services; they end with the context, last started first.

    `replay` is the folder of carton pictures that the edge judges; None: its configured cameras.
    `demo_token` makes an API token for whoever sends deliveries through. `sensors` starts virtual
    ones, where the site has none of its own. `speed_m_s` of the virtual vehicles; 0: a drive takes a
    moment, whatever the way.
    Raises AlreadyRunningError, and UnavailableError for a child that does not come up.
    """
    layout = Layout(config.data)
    async with AsyncExitStack() as stack:
        stack.enter_context(hold(config.data))
        children: dict[str, ChildProcess] = {}
        link, token, ca = await asyncio.to_thread(_introduce, config, layout, demo_token=demo_token)
        # Before the broker starts, which asks who may sign in.
        crew = await asyncio.to_thread(_virtual_fleet, config, layout, speed_m_s)
        live_url, broker_url = await _engines(config, layout, ca, stack, children)
        settings = _settings(config, layout, live_url)
        if not config.broker.url and config.broker.listen:
            settings["TALLYMAN_BROKER_AUTHORITY"] = str(ca.device_ca_file)
        if config_file is not None:
            settings["TALLYMAN_CONFIG"] = str(config_file)
        if replay is not None:
            settings |= {
                "TALLYMAN_EDGE_TRIGGER": "replay",
                "TALLYMAN_EDGE_REPLAY": str(replay),
                # The samples' dates were made by this very clock, kept or not.
                "TALLYMAN_POLICY_CLOCK_SYNCHRONISED": "false",
            }
        people = pages_url.for_people(config)
        api_url, api_trust = pages_url.for_this_machine(config), pages_url.trust(config)
        edge_url = settings["TALLYMAN_HUB_EDGE_URL"]

        async def child(name: str, ready_url: str | None, *command: str) -> ChildProcess:
            env = dict(settings)
            if name in _SPEAK:
                # Vehicles sign in under names of their own; the updater hears as its edge does.
                role = {"fleet": "", "agent": "edge"}.get(name, name)
                env["TALLYMAN_BROKER_URL"] = broker_url(role)
            spec = ChildSpec(
                name=name,
                command=[sys.executable, "-m", "appliance", *(command or (name,))],
                log_file=layout.logs / f"{name}.log",
                ready=_answers(ready_url, api_trust),
                env=env,
                ready_within_s=_READY_S,
            )
            process = ChildProcess(spec)
            stack.push_async_callback(process.stop)
            await process.start()
            children[name] = process
            return process

        _check_free(config.hub.listen, "hub.listen")
        # Before the hub reads its sensor book.
        play = await asyncio.to_thread(_virtual_sensors, config, layout, settings, wanted=sensors)
        await child("hub", f"{api_url}/livez")
        starts = [child("fleet", None, *crew)] if crew else []
        if config.gateway.listen:
            gateway_url = settings["TALLYMAN_HUB_GATEWAY_URL"]
            starts.append(child("gateway", f"{gateway_url}/livez"))
        await asyncio.gather(*starts)
        if play:
            await child("sensors", None, *play)

        async def start_edge() -> None:
            await child("edge", f"{edge_url}/livez")
            if config.ota.agent:
                await child("agent", None)

        yield Running(
            start_edge=start_edge,
            pages_url=people,
            api_url=api_url,
            api_trust=api_trust,
            hub_url=settings["TALLYMAN_EDGE_HUB_URL"],
            edge_url=edge_url,
            sign_in_link=f"{people}/first-sign-in/{link}" if link else None,
            api_token=token,
            layout=layout,
            children=children,
        )


async def _engines(
    config: Config,
    layout: Layout,
    ca: SiteCa,
    stack: AsyncExitStack,
    children: dict[str, ChildProcess],
) -> tuple[str, Callable[[str], str]]:
    """Valkey's URL, and the broker's URL for each role ("": without a user); embedded where none is
    configured.
    """
    live_url, broker_url = config.live.url, config.broker.url
    valkey = EmbeddedValkey(layout.valkey)
    nats = EmbeddedNats(
        layout.broker,
        members=VehicleRegistry(layout.vehicles).members,
        door=_vehicles_door(config, ca),
    )
    starts = []
    if not live_url:
        stack.push_async_callback(valkey.stop)
        starts.append(valkey.start())
    if not broker_url:
        stack.push_async_callback(nats.stop)
        starts.append(nats.start())
    await asyncio.gather(*starts)
    for name, engine in (("valkey", valkey), ("broker", nats)):
        if engine.child is not None:
            children[name] = engine.child

    def url(role: str) -> str:
        return broker_url or (nats.url(role) if role else nats.bare_url)

    return live_url or valkey.url, url


def _vehicles_door(config: Config, ca: SiteCa) -> Door | None:
    """Where the broker lets vehicles in that are not on this machine."""
    if not config.broker.listen:
        return None
    if config.broker.url:
        raise BadInputError(
            "broker.listen is for the broker that up starts, and broker.url names another",
            mend="Take one of the two out; vehicles sign in at that other broker's own address",
        )
    host, port = host_port(config.broker.listen, "broker.listen")
    files = ca.broker_files()
    return Door(host, port, files.certificate, files.key, ca.device_ca_file)


def _virtual_fleet(config: Config, layout: Layout, speed_m_s: float) -> tuple[str, ...]:
    """The command that drives it; at a broker of the site's own it signs in as the URL says."""
    if config.broker.url:
        return ("fleet", "--speed", str(speed_m_s))
    file = introduce_fleet(VehicleRegistry(layout.vehicles), layout.demo / "fleet.json")
    return ("fleet", "--speed", str(speed_m_s), "--credentials", str(file)) if file else ()


def _settings(config: Config, layout: Layout, live_url: str) -> dict[str, str]:
    """The children's environment. The ports that no person types move aside when taken."""
    edge = _or_another(config.edge.listen, layout.edge / "port")
    device = _or_another(config.hub.device_listen, layout.hub / "device-port")
    gateway, doors = config.gateway.listen, {}
    if gateway:
        gateway = _or_another(gateway, layout.gateway / "port")
    if config.gateway.mqtt_listen:
        doors["TALLYMAN_GATEWAY_MQTT_LISTEN"] = _or_another(
            config.gateway.mqtt_listen, layout.gateway / "port.mqtt"
        )
    if config.gateway.coap_listen:
        doors["TALLYMAN_GATEWAY_COAP_LISTEN"] = _or_another(
            config.gateway.coap_listen, layout.gateway / "port.coap", datagrams=True
        )
    return doors | {
        "TALLYMAN_SITE_DATA": str(config.data),
        "TALLYMAN_LIVE_URL": live_url,
        "TALLYMAN_HUB_LISTEN": config.hub.listen,
        "TALLYMAN_HUB_EDGE_URL": f"http://{edge}",
        "TALLYMAN_HUB_DEVICE_LISTEN": device,
        "TALLYMAN_EDGE_LISTEN": edge,
        "TALLYMAN_EDGE_HUB_URL": f"https://{device}",
        "TALLYMAN_HUB_FIRST_LINK": "false",
        "TALLYMAN_EDGE_PAGES_URL": pages_url.for_people(config),
        "TALLYMAN_EDGE_ENROLMENT": str(layout.enrolment),
        "TALLYMAN_HUB_GATEWAY_URL": f"http://{gateway}" if gateway else "",
        "TALLYMAN_GATEWAY_LISTEN": gateway,
        "TALLYMAN_GATEWAY_HUB_URL": f"https://{device}",
        "TALLYMAN_GATEWAY_ENROLMENT": str(layout.gateway / "enrolment.json"),
    }


def _or_another(listen: str, port_file: Path, *, datagrams: bool = False) -> str:
    host, port = host_port(listen, "listen")
    if host != LOOPBACK or is_free(port, datagrams=datagrams):
        return listen
    port_file.parent.mkdir(parents=True, exist_ok=True)
    return f"{LOOPBACK}:{keep_port(port_file)}"


def _check_free(listen: str, setting: str) -> None:
    host, port = host_port(listen, setting)
    if host == LOOPBACK and not is_free(port):
        raise UnavailableError(
            f"Port {port} is in use by another program",
            mend=f"Stop it, or choose another: TALLYMAN_{setting.replace('.', '_').upper()}="
            f"{LOOPBACK}:{port + 10}",
        )


def _introduce(
    config: Config, layout: Layout, *, demo_token: bool
) -> tuple[str | None, str, SiteCa]:
    """Make the site's authority, claims for a new edge and a new gateway, the first sign-in link, and
    the token that the demo uses. Answers link, token and authority.
    """
    clock = SystemClock()
    ca = site_ca(config)
    introduce_here(config, ca, layout.identity, config.edge.device, layout.enrolment)
    gateway = layout.gateway
    introduce_here(
        config, ca, gateway / "identity", config.gateway.device, gateway / "enrolment.json"
    )
    accounts = Accounts.open(layout.accounts_db, clock=clock, session_key=ca.session_key)
    try:
        token = _demo_token(accounts, layout.demo / "token") if demo_token else ""
        return accounts.first_sign_in_token(), token, ca
    finally:
        accounts.close()


def _virtual_sensors(
    config: Config, layout: Layout, settings: Mapping[str, str], *, wanted: bool
) -> tuple[str, ...]:
    """The command that plays them; empty where they are not wanted or have no doors."""
    doors = {
        name: settings.get(f"TALLYMAN_GATEWAY_{name.upper()}_LISTEN", "")
        for name in ("mqtt", "coap")
    }
    if not (wanted and config.gateway.listen and all(doors.values())):
        return ()
    passwords = introduce_sensors(layout, credentials_file(config))
    if passwords is None:
        return ()
    return (
        "demo", "sensors", str(passwords), "--mqtt", doors["mqtt"], "--coap", doors["coap"],
    )  # fmt: skip


def _demo_token(accounts: Accounts, file: Path) -> str:
    known = file.read_text(encoding="ascii").strip() if file.exists() else ""
    if known and accounts.api_token(known) is not None:
        return known
    token = accounts.new_token("demo", _DEMO_SCOPES)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, token)
    return token


def _answers(url: str | None, trust: ssl.SSLContext | None) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        if url is None:
            return True
        async with httpx.AsyncClient(timeout=2.0, verify=trust or True) as client:
            try:
                answer = await client.get(url)
            except httpx.TransportError:
                return False
            return answer.status_code == httpx.codes.OK

    return ready
