"""Bytes in memory, on disk and in a bucket: whole or not there, read from anywhere."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import (
    ArtefactRefusedError,
    BadInputError,
    NotFoundError,
    UnavailableError,
)
from ota.registry.adapters.bucket import BucketBlobs
from ota.registry.adapters.disk import DiskBlobs
from ota.registry.artefacts import Artefacts, DeltaName
from ota.registry.ports import Blobs, Delta

WEIGHTS = bytes(range(256)) * 4096  # 1 MiB: several parts


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def parts(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def test_what_was_put_is_read_whole_and_from_anywhere(blobs: Blobs) -> None:
    assert blobs.put("artefacts/a", parts(WEIGHTS)) == len(WEIGHTS)
    assert blobs.size("artefacts/a") == len(WEIGHTS)
    assert b"".join(blobs.read("artefacts/a")) == WEIGHTS
    assert b"".join(blobs.read("artefacts/a", start=300_001)) == WEIGHTS[300_001:]
    assert b"".join(blobs.read("artefacts/a", start=5, end=9)) == WEIGHTS[5:9]
    assert b"".join(blobs.read("artefacts/a", start=5, end=5)) == b""
    assert b"".join(blobs.read("artefacts/a", start=len(WEIGHTS))) == b""


def test_what_is_not_there_is_said_so_before_the_first_byte(blobs: Blobs) -> None:
    assert blobs.size("artefacts/a") is None
    with pytest.raises(NotFoundError):
        blobs.read("artefacts/a")
    blobs.remove("artefacts/a")


def test_a_transfer_that_breaks_off_leaves_what_stood_there(blobs: Blobs) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half of"
        raise ConnectionResetError("the line was cut")

    with pytest.raises(ConnectionResetError):
        blobs.put("artefacts/a", broken())
    assert blobs.size("artefacts/a") is None
    blobs.put("artefacts/a", [b"whole"])
    with pytest.raises(ConnectionResetError):
        blobs.put("artefacts/a", broken())
    assert b"".join(blobs.read("artefacts/a")) == b"whole"


def test_names_are_listed_by_folder(blobs: Blobs) -> None:
    for name in ("artefacts/b", "artefacts/a", "deltas/a/c"):
        blobs.put(name, [b"x"])
    assert blobs.names("artefacts/") == ["artefacts/a", "artefacts/b"]
    assert blobs.names("deltas/a/") == ["deltas/a/c"]
    assert blobs.names("nothing/") == []
    blobs.remove("artefacts/a")
    assert blobs.names("artefacts/") == ["artefacts/b"]


def test_wrong_bytes_are_not_kept_under_a_hash(blobs: Blobs) -> None:
    artefacts = Artefacts(blobs)
    with pytest.raises(ArtefactRefusedError, match="have the hash"):
        artefacts.put(sha256(WEIGHTS), parts(WEIGHTS[:-1]))
    assert artefacts.size(sha256(WEIGHTS)) is None
    artefacts.put(sha256(WEIGHTS), parts(WEIGHTS))
    with pytest.raises(ArtefactRefusedError):
        artefacts.put(sha256(WEIGHTS), [b"something else"])
    assert artefacts.get(sha256(WEIGHTS)) == WEIGHTS
    assert artefacts.names() == [sha256(WEIGHTS)]


def test_bytes_that_rotted_are_refused_and_put_right_by_the_next_publishing(
    blobs: Blobs, tmp_path: Path
) -> None:
    artefacts = Artefacts(blobs)
    blobs.put(f"artefacts/{sha256(WEIGHTS)}", [b"rotten"])
    assert not artefacts.holds(sha256(WEIGHTS))
    with pytest.raises(ArtefactRefusedError):
        artefacts.get(sha256(WEIGHTS))
    (tmp_path / "net.onnx").write_bytes(WEIGHTS)
    artefacts.put_file(sha256(WEIGHTS), tmp_path / "net.onnx")
    assert artefacts.get(sha256(WEIGHTS)) == WEIGHTS


def test_ways_to_a_file_are_listed_the_smallest_first(blobs: Blobs) -> None:
    artefacts = Artefacts(blobs)
    old, older, new = sha256(b"old"), sha256(b"older"), sha256(b"new")
    artefacts.put_delta(older, new, Delta("patch", b"long way"))
    artefacts.put_delta(old, new, Delta("planes", b"short"))
    ways = artefacts.deltas(new)
    assert ways == [DeltaName(old, new, "planes", 5), DeltaName(older, new, "patch", 8)]
    assert b"".join(artefacts.read_delta(DeltaName.of(str(ways[0])))) == b"short"
    assert artefacts.delta_size(ways[1]) == 8
    assert artefacts.deltas(old) == []


@pytest.mark.parametrize("name", ["", "../secret", "A" * 64, "a" * 63, "g" * 64])
def test_what_is_no_hash_names_no_artefact(blobs: Blobs, name: str) -> None:
    with pytest.raises(NotFoundError, match="names no artefact"):
        Artefacts(blobs).size(name)
    with pytest.raises(NotFoundError, match="names no delta"):
        DeltaName.of(f"{name}-{name}.patch")


_PUTTER = """
import sys
from pathlib import Path
from ota.registry.adapters.disk import DiskBlobs

def slow():
    yield b"x" * 100_000
    print("half", flush=True)
    sys.stdin.read()

DiskBlobs(Path(sys.argv[1])).put("artefacts/a", slow())
"""


def test_kill_9_in_a_transfer_leaves_what_stood_there(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path)
    blobs.put("artefacts/a", [b"whole"])
    process = subprocess.Popen(
        [sys.executable, "-c", _PUTTER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"half\n"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    process.stdin.close()
    process.stdout.close()
    assert b"".join(blobs.read("artefacts/a")) == b"whole"
    assert blobs.names("artefacts/") == ["artefacts/a"]
    assert blobs.sweep() == 1
    assert [path.name for path in (tmp_path / "artefacts").iterdir()] == ["a"]


def test_a_folder_that_takes_no_more_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "artefacts").mkdir()
    (tmp_path / "artefacts" / "a").mkdir()
    with pytest.raises(UnavailableError, match="takes no more"):
        DiskBlobs(tmp_path).put("artefacts/a", [b"x"])
    assert [path.name for path in (tmp_path / "artefacts").iterdir()] == ["a"]


def test_a_name_cannot_leave_its_folder(tmp_path: Path) -> None:
    for name in ("../a", "a/../../b", ".hidden", "", "a//b"):
        with pytest.raises(BadInputError):
            DiskBlobs(tmp_path).put(name, [b"x"])


def test_a_bucket_that_does_not_answer_is_unavailable(free_port: int) -> None:
    away = BucketBlobs(
        "s3://nowhere/x",
        settings={
            "endpoint": f"http://127.0.0.1:{free_port}",
            "access_key_id": "a",
            "secret_access_key": "b",
            "region": "us-east-1",
        },
    )
    with pytest.raises(UnavailableError, match="does not answer"):
        away.size("artefacts/a")
    with pytest.raises(UnavailableError):
        away.put("artefacts/a", [b"x"])


def test_a_url_that_is_no_store_is_refused_at_the_start() -> None:
    with pytest.raises(BadInputError, match="cannot be used"):
        BucketBlobs("gopher://somewhere/x")
