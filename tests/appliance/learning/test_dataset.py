"""A folder that is never larger, older or less whole than it may be."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.learning.dataset import Dataset
from appliance.learning.erasure import Erasure
from appliance.learning.example import (
    ExampleName,
    carton_key,
    decode_example,
    device_key,
    encode_example,
    us_of,
)
from appliance.learning.export import write_out
from appliance.learning.retention import Limits, Stored, to_remove
from contracts.errors import BadInputError
from tests.appliance.learning.cartons import NOW, TRUTH, example, later

ROOT = Path(__file__).resolve().parents[3]
WRITER = Path(__file__).with_name("writer_process.py")
ROOMY = Limits(1 << 30, 90)


def add(dataset: Dataset, carton: str, **facts) -> ExampleName | None:
    return dataset.add(example(carton, **facts), now_us=us_of(NOW))


def cartons(dataset: Dataset) -> list[str]:
    return [decode_example(dataset.read(name)).carton_id for name in dataset.names()]


def test_what_was_added_is_there_by_age_and_once(tmp_path):
    dataset = Dataset(tmp_path, ROOMY)
    add(dataset, "younger", at=later(hours=-1))
    add(dataset, "older", at=later(hours=-2))
    add(dataset, "older", at=later(hours=-2))
    assert cartons(dataset) == ["older", "younger"]
    again = Dataset(tmp_path, ROOMY)
    assert cartons(again) == ["older", "younger"]
    assert again.held().examples == 2


def test_a_carton_has_one_example_even_when_settings_changed_in_between(tmp_path):
    dataset = Dataset(tmp_path, ROOMY)
    first = add(dataset, "c-1", size=10)
    assert add(dataset, "c-1", size=20) == first
    assert cartons(dataset) == ["c-1"]


def test_what_others_add_and_erase_is_seen_at_once(tmp_path):
    hub, command = Dataset(tmp_path, ROOMY), Dataset(tmp_path, ROOMY)
    for number in range(20):
        add(hub, f"c-{number}")
        assert command.held().examples == hub.held().examples == number + 1
    for number in range(20):
        command.erase(Erasure(carton=carton_key("edge-01", f"c-{number}")))
        assert hub.held().examples == 19 - number
    assert hub.held().bytes == 0


def test_ten_thousands_of_examples_are_listed_once_not_with_every_new_one(tmp_path, monkeypatch):
    dataset = Dataset(tmp_path, ROOMY)
    add(dataset, "c-1")

    def listed(_folder):
        pytest.fail("the folder was listed again")

    monkeypatch.setattr("appliance.learning.dataset.os.scandir", listed)
    add(dataset, "c-2", at=later(hours=-1))
    assert cartons(dataset) == ["c-2", "c-1"]
    dataset.remove(dataset.names()[:1])
    assert cartons(dataset) == ["c-1"]
    assert dataset.held().examples == 1


def test_the_oldest_give_way(tmp_path):
    size = len(encode_example(example("c-0", size=1000)))
    dataset = Dataset(tmp_path, Limits(3 * size, 90))
    for hour in range(6):
        add(dataset, f"c-{hour}", at=later(hours=hour - 6), size=1000)
    assert cartons(dataset) == ["c-3", "c-4", "c-5"]
    assert add(dataset, "huge", size=10_000) is None
    assert cartons(dataset) == ["c-3", "c-4", "c-5"], "nothing gave way for nothing"


def test_what_is_too_old_goes_and_does_not_come_back(tmp_path):
    dataset = Dataset(tmp_path, Limits(1 << 30, 7))
    add(dataset, "c-1", at=later(days=-6))
    assert dataset.thin_out(now_us=us_of(later(days=2))) == 1
    assert add(dataset, "c-2", at=later(days=-8)) is None
    assert cartons(dataset) == []


names = st.builds(
    ExampleName,
    st.integers(0, 100 * 86_400_000_000),
    st.just(device_key("edge-01")),
    st.integers(0, 2**64 - 1).map(lambda n: f"{n:016x}"),
    st.integers(0, 2**64 - 1).map(lambda n: f"{n:064x}"),
)


@given(
    st.lists(st.builds(Stored, names, st.integers(1, 1000)), unique_by=lambda each: each.name),
    st.integers(0, 5000),
    st.integers(0, 90),
    st.integers(0, 120),
)
def test_what_is_left_is_always_within_its_limits_and_the_youngest(stored, most, days, today):
    limits, now_us = Limits(most, days), today * 86_400_000_000
    gone = set(to_remove(stored, limits, now_us=now_us))
    left = [each for each in stored if each.name not in gone]
    assert sum(each.size for each in left) <= most
    assert all(now_us - each.name.at_us <= days * 86_400_000_000 for each in left)
    if gone and left:
        assert max(gone) < min(each.name for each in left)
    freed = [each for each in stored if each.name in gone]
    for last in [max(freed, key=lambda each: each.name)] if freed else []:
        too_old = now_us - last.name.at_us > days * 86_400_000_000
        assert too_old or sum(e.size for e in left) + last.size > most, "nothing goes without need"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 3000), st.integers(0, 40))))
def test_a_folder_is_within_its_quota_after_every_single_addition(tmp_path_factory, story):
    dataset = Dataset(tmp_path_factory.mktemp("quota"), Limits(6000, 30))
    for carton, size, days in story:
        dataset.add(example(f"c-{carton}", size=size, at=later(days=-days)), now_us=us_of(NOW))
        held = dataset.held()
        assert held.bytes <= 6000
        assert held.bytes == sum(
            path.stat().st_size for path in tmp_files(dataset) if path.suffix == ".example"
        )


def tmp_files(dataset: Dataset) -> list[Path]:
    return [path for path in dataset.folder.rglob("*") if path.is_file()]


def test_an_erased_carton_is_gone_and_stays_gone(tmp_path):
    dataset = Dataset(tmp_path, ROOMY)
    add(dataset, "c-1")
    add(dataset, "c-2")
    gone = dataset.erase(Erasure(carton=carton_key("edge-01", "c-1")))
    assert (gone, cartons(dataset)) == (1, ["c-2"])
    assert add(Dataset(tmp_path, ROOMY), "c-1") is None, "a crash makes it anew from the journal"


def test_a_span_of_time_is_erased_for_all_or_for_one_device(tmp_path):
    dataset = Dataset(tmp_path, ROOMY)
    for hour in range(4):
        add(dataset, f"c-{hour}", at=later(hours=-hour))
        add(dataset, f"d-{hour}", at=later(hours=-hour), device="edge-02")
    span = Erasure(from_us=us_of(later(hours=-2)), until_us=us_of(NOW))
    assert dataset.erase(replace(span, device=device_key("edge-02"))) == 2
    assert dataset.erase(span) == 2
    assert sorted(cartons(dataset)) == ["c-0", "c-3", "d-0", "d-3"]
    with pytest.raises(BadInputError, match="nothing is named"):
        dataset.erase(Erasure())


def test_a_list_of_erasures_that_is_damaged_lets_nothing_in(tmp_path):
    dataset = Dataset(tmp_path, ROOMY)
    dataset.erase(Erasure(carton=carton_key("edge-01", "c-1")))
    (tmp_path / "erasures.json").write_text("{")
    with pytest.raises(BadInputError, match="damaged"):
        add(dataset, "c-1")


def test_a_damaged_example_is_not_given_out(tmp_path):
    dataset = Dataset(tmp_path, ROOMY)
    name = add(dataset, "c-1")
    path = tmp_path / "examples" / str(name)
    path.write_bytes(path.read_bytes().replace(b"A18B07", b"A18B08"))
    assert dataset.read(name) is None
    path.write_bytes(b"")
    assert dataset.read(name) is None


@pytest.mark.parametrize("after", [1, 7, 30])
def test_kill_9_in_the_middle_of_writing_leaves_whole_examples_only(tmp_path, after):
    """A station keeps one example after the other and is killed."""
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    ) as writer:
        assert writer.stdout is not None
        told = [next(writer.stdout).strip() for _ in range(after)]
        writer.kill()
        told += [line.strip() for line in writer.stdout if line.endswith("\n")]
    dataset = Dataset(tmp_path, ROOMY)
    dataset.thin_out(now_us=us_of(NOW))
    kept = dataset.names()
    assert {str(name) for name in kept} >= set(told), "what was acknowledged is there"
    assert all(dataset.read(name) is not None for name in kept), "and what is there is whole"
    assert not [path for path in tmp_files(dataset) if path.name.endswith(".part")]
    assert add(dataset, "next") is not None


def test_examples_are_written_out_for_people(tmp_path):
    dataset = Dataset(tmp_path / "set", ROOMY)
    add(dataset, "c-1")
    add(dataset, "c-2")
    assert write_out(dataset, tmp_path / "out", carton="c-2") == 1
    (folder,) = (tmp_path / "out").iterdir()
    assert (folder / "line-0.png").is_file()
    assert TRUTH.batch in (folder / "example.json").read_text()
