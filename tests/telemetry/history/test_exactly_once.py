"""What was acknowledged stands in history once, whenever the tailer dies (I2)."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.telemetry import Calibration, SeriesKey
from telemetry.history.levels import Keeping
from tests.telemetry.history.site import DAY, NOON_US, PROBE, SECOND, Site, SiteCatalogue, says


def test_every_reading_of_every_group_is_in_history_with_its_own_time(a_site):
    site = a_site()
    site.hear(("s/probe-1", says(4.5, h=60)), ("s/probe-2", says(5.0)))
    site.hear(("s/probe-1", says(4.6, at=NOON_US + 7)))
    site.take_in()
    assert site.measured(NOON_US, NOON_US + SECOND) == [(NOON_US, 4.5), (NOON_US + 7, 4.6)]
    humidity = SeriesKey("probe-1", "humidity")
    assert site.measured(NOON_US, NOON_US + SECOND, humidity) == [(NOON_US, 60)]
    assert site.writer.manifest.counts()["readings"] == 4


def test_what_was_taken_but_not_stored_is_taken_again_after_a_kill(a_site):
    site = a_site()
    site.hear(("s/probe-1", says(4.5)))
    site.take_in()
    site.hear(("s/probe-1", says(4.6, at=NOON_US + 1)))
    site.writer.take(site.catalogue, site.groups[-1])  # and dies here
    site.end()
    site.start()
    site.take_in()
    assert [value for _, value in site.measured(NOON_US, NOON_US + SECOND)] == [4.5, 4.6]


def test_a_file_that_no_commit_named_is_removed_and_its_readings_are_written_again(a_site):
    site = a_site()
    site.hear(("s/probe-1", says(4.5)))
    site.writer.take(site.catalogue, site.groups[0])
    batch = site.writer.seal()
    made = []
    site.writer._write(batch.columns[0], batch.left, made)  # on disk, and dies before the commit
    site.end()
    site.start()
    assert list(site.folder.glob("raw/*.parquet")) == []
    site.take_in()
    assert [value for _, value in site.measured(NOON_US, NOON_US + SECOND)] == [4.5]


def test_a_disk_that_refuses_leaves_the_batch_to_be_stored_later(a_site):
    site = a_site()
    site.hear(("s/probe-1", says(4.5)))
    site.writer.take(site.catalogue, site.groups[0])
    batch = site.writer.seal()
    (site.folder / "raw").write_text("something else stands here")
    with pytest.raises(OSError, match="raw"):
        site.writer.store(batch)
    assert site.writer.position is None
    (site.folder / "raw").unlink()
    assert site.writer.store(batch) == 1
    assert site.writer.position == site.groups[0].position


def test_what_no_template_reads_any_more_waits_for_one_that_does(a_site):
    site = a_site()
    site.hear(("s/probe-9", says(4.5)), ("s/probe-1", says(4.4)))
    site.take_in()
    counts = site.writer.manifest.counts()
    assert counts["undecoded.unknown_address"] == 1
    assert counts["readings"] == 1
    mended = SiteCatalogue({"probe-9": "COLD-1"}, version="2")
    assert site.writer.read_again(mended) == 1
    assert site.writer.read_again(mended) == 0
    assert site.measured(NOON_US, NOON_US + 1, SeriesKey("probe-9", "temperature")) == [
        (NOON_US, 4.5)
    ]
    assert site.writer.manifest.counts()["undecoded.unknown_address"] == 0


def test_a_value_that_is_no_number_is_no_reading(a_site):
    site = a_site()
    site.hear(("s/probe-1", b'{"t": 1e308}'), ("s/probe-1", b"{}"), ("s/probe-1", says(4.4)))
    site.take_in()
    assert site.measured(NOON_US, NOON_US + 1) == [(NOON_US, 4.4)]


def test_the_newest_value_is_the_newest_in_time_not_the_last_that_came(a_site):
    site = a_site()
    site.hear(("s/probe-1", says(5.0, at=NOON_US)))
    site.take_in()
    site.hear(("s/probe-1", says(3.0, at=NOON_US - 60 * SECOND)))
    site.take_in()
    [known] = [each for each in site.history.known() if each.line.key == PROBE]
    assert (known.last.value, known.last.at_us) == (5.0, NOON_US)


def test_another_unit_is_another_line_and_the_newest_one_is_shown(a_site):
    site = a_site()
    site.hear(("s/probe-1", says(4.0)))
    site.take_in()
    site.catalogue = SiteCatalogue({"probe-1": ""}, version="2", unit="K")
    site.hear(("s/probe-1", says(277.0)))
    site.take_in()
    found = site.history.history(PROBE, NOON_US, NOON_US + 1, 10)
    assert (found.unit, found.mean) == ("K", (277.0,))


def test_a_probe_counts_for_a_place_while_it_stood_there(a_site):
    site = a_site()
    old = Calibration(certificate="A-1", due_on="2026-01-01")
    site.catalogue = SiteCatalogue({"probe-1": "COLD-1"}, calibration=old)
    site.hear(("s/probe-1", says(4.0)), received_us=NOON_US)
    site.hear(("s/probe-1", says(4.5)), received_us=NOON_US + 60 * SECOND)
    site.take_in()
    site.catalogue = SiteCatalogue({"probe-1": "DOCK"}, version="2")
    site.hear(("s/probe-1", says(19.0)), received_us=NOON_US + 120 * SECOND)
    site.take_in()
    site.end()
    site.start()
    [cold] = site.history.readings("COLD-1", "temperature", NOON_US, NOON_US + DAY)
    assert [(point.mean, point.count) for point in cold.points] == [(4.0, 1), (4.5, 1)]
    assert cold.calibration == old
    [dock] = site.history.readings("DOCK", "temperature", NOON_US, NOON_US + DAY)
    assert [point.most for point in dock.points] == [19.0]
    assert site.history.readings("COLD-2", "temperature", NOON_US, NOON_US + DAY) == []


@dataclass(frozen=True)
class Event:
    """What happens next at the site."""

    kind: str
    value: float = 0.0
    behind_s: int = 0


events = st.lists(
    st.one_of(
        st.builds(
            Event,
            st.just("say"),
            st.integers(-40, 40).map(float),
            # Late by up to three days, and out of order.
            st.sampled_from([0, 1, 2, 61, 3_700, 90_000, 250_000]),
        ),
        st.sampled_from([Event("flush"), Event("kill"), Event("tend"), Event("day passes")]),
    ),
    max_size=25,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events)
def test_whatever_happens_when_every_level_tells_what_was_said(happened):
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "history", Keeping(raw_days=1, second_days=0))
        said: list[tuple[int, float]] = []
        for event in happened:
            _happen(site, event, said)
        site.take_in()
        if said:
            _check(site, said)
        site.end()


def _check(site: Site, said: list[tuple[int, float]]) -> None:
    since, until = NOON_US - 4 * DAY, site.now_us() + DAY
    for step in (3600 * SECOND, 60 * SECOND):
        found = site.history.history(PROBE, since, until, (until - since) // step)
        assert found.step_us == step
        wanted: dict[int, list[float]] = {}
        for at, value in said:
            wanted.setdefault(at // step * step, []).append(value)
        assert dict(zip(found.at_us, found.count, strict=True)) == {
            at: len(values) for at, values in wanted.items()
        }
        assert list(found.least) == [min(wanted[at]) for at in found.at_us]
        assert list(found.most) == [max(wanted[at]) for at in found.at_us]
        assert list(found.mean) == pytest.approx(
            [sum(wanted[at]) / len(wanted[at]) for at in found.at_us]
        )
    assert sum(row[4] for row in site.history.rows(PROBE, since, until)[2]) == len(said)


def _happen(site: Site, event: Event, said: list[tuple[int, float]]) -> None:
    match event.kind:
        case "say":
            at = site.now_us() - event.behind_s * SECOND
            site.hear(("s/probe-1", says(event.value, at=at)))
            said.append((at, event.value))
        case "flush":
            site.take_in(flush_every=2)
        case "kill":
            for group in site.groups:
                if site.writer.position is None or group.position > site.writer.position:
                    site.writer.take(site.catalogue, group)
            site.end()
            site.start()
        case "tend":
            site.take_in()
            site.tend()
        case _:
            site.clock.at += timedelta(days=1)


def test_a_last_value_of_a_future_that_was_taken_back_gives_way(a_site):
    site = a_site()
    site.hear(("s/probe-1", says(4.0)), received_us=NOON_US + 36_000 * SECOND)
    site.take_in()
    site.hear(("s/probe-1", says(5.0)), received_us=NOON_US)
    site.take_in()
    assert [(each.value, each.at_us) for each in site.writer.manifest.last()] == [(5.0, NOON_US)]
    site.hear(("s/probe-1", says(3.0, at=NOON_US - SECOND)), received_us=NOON_US + SECOND)
    site.take_in()
    assert [each.value for each in site.writer.manifest.last()] == [5.0]


def test_a_device_whose_newest_reading_came_hours_late_is_named(a_site):
    site, hour = a_site(), 3_600 * SECOND
    site.hear(("s/probe-1", says(4.0, at=NOON_US - 8 * hour)), ("s/probe-2", says(4.0)))
    site.take_in()
    late = site.writer.manifest.late
    assert late(1_800 * SECOND, 20) == {"probe-1": 8 * hour}
    assert late(9 * hour, 20) == {}
    # A logger that was away tells old readings first, and then what is so now.
    site.hear(("s/probe-1", says(4.0)), received_us=NOON_US + SECOND)
    site.take_in()
    assert late(1_800 * SECOND, 20) == {}
