"""A setting that is not understood is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.config import Config, SiteConfig, host_port, load_config, show_config
from contracts.errors import BadInputError


def test_defaults_bind_to_loopback_only() -> None:
    config = load_config(environ={})
    for listen in (config.hub.listen, config.hub.device_listen, config.edge.listen):
        assert listen.startswith("127.0.0.1:")


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text('[edge]\nstation = "dock-2"\nthreads = 1\n[hub]\nslots = ["A", "B"]\n')
    config = load_config(file, {"TALLYMAN_EDGE_STATION": "dock-3", "TALLYMAN_EDGE_THREADS": "4"})
    assert config.edge.station == "dock-3"
    assert config.edge.threads == 4
    assert config.hub.slots == ("A", "B")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[edge]\nstaton = 'x'\n", "edge.staton"),
        ("[egde]\n", "egde"),
        ("[edge]\nthreads = 'two'\n", "edge.threads"),
        ("[edge\n", "not TOML"),
        ("[site]\ntime_zone = 'Mars/Base'\n", "site.time_zone"),
        ("[policy]\ninspection_required = 3\n", "policy.inspection_required"),
        ("[learning]\nkeep = 'faces'\n", "learning.keep"),
        ("[learning]\nhour = 24\n", "learning.hour"),
        ("[learning]\nedge_mb = 0\n", "learning.edge_mb"),
        ("[policy]\nfreeze_percent = 50\n", "policy.freeze_percent"),
        ("[policy]\ncondition = 'ignore'\n", "policy.condition"),
        ("[edge]\ninspect_mm_per_px = -0.2\n", "edge.inspect_mm_per_px"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "t.toml"
    file.write_text(text)
    with pytest.raises(BadInputError, match=place) as caught:
        load_config(file, {})
    assert caught.value.mend


def test_a_mistyped_variable_is_refused() -> None:
    with pytest.raises(BadInputError, match="TALLYMAN_EDEG_STATION"):
        load_config(environ={"TALLYMAN_EDEG_STATION": "x"})


@given(st.text().filter(lambda s: s.isprintable() and "://" not in s))
def test_what_is_shown_can_be_read_back(name: str) -> None:
    config = Config(site=SiteConfig(name=name))
    import tomllib

    assert tomllib.loads(show_config(config))["site"]["name"] == name


def test_the_data_folder_is_absolute_for_children_with_folders_of_their_own() -> None:
    config = load_config(environ={"TALLYMAN_SITE_DATA": "var"})
    assert config.data == Path.cwd() / "var"
    assert str(config.data) in config.database_url


def test_a_password_is_never_shown() -> None:
    config = load_config(environ={"TALLYMAN_BROKER_URL": "mqtt://edge:s3cret@127.0.0.1:1883"})
    assert config.broker.url.startswith("mqtt://edge:s3cret@")
    shown = show_config(config)
    assert "s3cret" not in shown
    assert "mqtt://edge:***@127.0.0.1:1883" in shown


@pytest.mark.parametrize("bad", ["8080", ":8080", "host:", "host:99999", "host:x"])
def test_an_address_needs_host_and_port(bad: str) -> None:
    with pytest.raises(BadInputError, match=r"hub\.listen"):
        host_port(bad, "hub.listen")
