"""A lost device is out by its next request: on every route, whoever revoked it, at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.routing import APIRoute

import appliance
from appliance.gateway import port as sensors_port
from appliance.gateway.bundle import SensorBundle
from appliance.identity import api
from appliance.learning import intake as learning_intake
from appliance.ota import director_port, pins_port
from appliance.ota.registry import port as registry_port
from appliance.teaching import port as teaching_port
from appliance.uplink import intake

OPEN = {"/device/v1/ca", "/device/v1/claim"}
"""What a device without a certificate may ask: nothing there is a device's."""


class Untouched:
    """Stands for what lies behind a route: whoever is refused reaches none of it."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"a revoked device reached {name}")


def gated(site) -> dict[str, list[APIRoute]]:
    """The routers of the device port by the module that makes them."""
    behind = Untouched()
    common = {"registry": site.registry, "clock": site.clock}
    routers = {
        "identity/api.py": api.router(site.registry, site.ca, clock=site.clock),
        "uplink/intake.py": intake.router(behind, evidence=behind, ca=site.ca, **common),
        "learning/intake.py": learning_intake.router(behind, takes=True, **common),
        "teaching/port.py": teaching_port.router(behind, evidence=behind, **common),
        "gateway/port.py": sensors_port.router(SensorBundle, key=site.ca.head_signer, **common),
        "ota/director_port.py": director_port.router(behind, director_pem="", **common),
        "ota/registry/port.py": registry_port.router(behind, **common),
        "ota/pins_port.py": pins_port.router(behind, **common),
    }
    return {name: leaves(each) for name, each in routers.items()}


def leaves(router) -> list[APIRoute]:
    found = [each for each in router.routes if isinstance(each, APIRoute)]
    for each in router.routes:
        found += leaves(each.original_router) if hasattr(each, "original_router") else []
    return found


def asked(route: APIRoute) -> str:
    path = route.path
    for name in route.param_convertors:
        path = path.replace(f"{{{name}}}", "a" * 64).replace(f"{{{name}:path}}", "a")
    return path


def mount(site, routes: list[APIRoute]) -> None:
    site.app.router.routes.extend(routes)


def test_no_door_of_the_device_port_is_forgotten_here(site):
    """Whoever adds a router to the device port adds it above."""
    root = Path(appliance.__file__).parent
    gates = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if "DeviceGate(" in file.read_text()
    }
    assert gates == set(gated(site)), "add its router to gated()"


async def test_a_revoked_device_is_refused_on_every_route_and_reaches_nothing(site):
    box = site.enrolled()
    routes = [route for each in gated(site).values() for route in each]
    mount(site, routes)
    site.registry.revoke("dock-1", "stolen from dock 2")
    tried = []
    for route in routes:
        for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
            path = asked(route)
            if path in OPEN:
                continue
            answer = await site.ask(box, method, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "revoked"), path
            tried.append(path)
    assert len(tried) >= 19


async def test_nobody_gets_through_a_route_without_a_signature(site):
    import httpx

    routes = [route for each in gated(site).values() for route in each]
    mount(site, routes)
    transport = httpx.ASGITransport(app=site.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        for route in routes:
            for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
                if (path := asked(route)) not in OPEN:
                    answer = await http.request(method, path)
                    assert (answer.status_code, answer.json()["code"]) == (401, "not_enrolled")


async def test_a_command_in_a_shell_shuts_it_out_while_the_hub_runs(site, other_process):
    box = site.enrolled()
    assert (await site.ask(box, "GET", "/device/v1/site")).status_code == 200
    other_process().revoke("dock-1", "stolen", by="mara (shell)")
    answer = await site.ask(box, "GET", "/device/v1/site")
    assert answer.json()["code"] == "revoked"
    assert site.registry.story("dock-1")[0].by == "mara (shell)"


async def test_and_a_new_one_is_known_at_once(site, other_process):
    from appliance.identity.device import DeviceIdentity

    shell = other_process()
    box = site.box("dock-9")
    assert (await site.ask(box, "GET", "/device/v1/site")).json()["code"] == "not_enrolled"
    box.keep(shell.claim("dock-9", shell.new_claim("dock-9"), box.csr_pem()))
    assert isinstance(box, DeviceIdentity)
    assert (await site.ask(box, "GET", "/device/v1/site")).status_code == 200
    shell.quarantine("dock-9", "its journal contradicts itself")
    assert site.registry.device("dock-9").state == "quarantined"


async def test_what_others_write_does_not_make_the_hub_forget_its_devices(site, other_process):
    """Heads are countersigned all day: devices are read from the file when they change only."""
    from appliance.journal.heads import Countersigned

    site.enrolled()
    before = site.registry.device("dock-1")
    other_process().keep_head(Countersigned("dock-1", 1, "ab", 1, "cd"))
    assert site.registry.device("dock-1") is before
    site.registry.readmit("dock-1", "looked at")
    assert site.registry.device("dock-1") is not before


@pytest.mark.parametrize("path", ["/device/v1/site", "/device/v1/renew"])
async def test_a_request_that_was_seen_before_is_refused(site, path):
    import httpx

    from appliance.identity.requests import sign_request
    from appliance.journal.stamp import to_us

    box = site.enrolled()
    method = "GET" if path.endswith("site") else "POST"
    headers = sign_request(
        box.sign, device="dock-1", method=method, target=path, body=b"",
        at_us=to_us(site.clock.now()),
    )  # fmt: skip
    transport = httpx.ASGITransport(app=site.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        assert (await http.request(method, path, headers=headers)).status_code == 200
        again = await http.request(method, path, headers=headers)
        assert again.json()["code"] == "bad_signature"
        for other in (path + "?x=1", "/device/v1/recover"):
            moved = await http.request(method, other, headers=headers)
            assert moved.status_code in {401, 405}


async def test_a_request_signed_long_ago_is_refused_and_told_the_time(site):
    box = site.enrolled()
    for late_us in (130_000_000, -130_000_000):
        answer = await site.ask(box, "GET", "/device/v1/site", late_us=late_us)
        assert answer.json()["code"] == "clock_skew"
        assert answer.json()["now_us"] > 0
