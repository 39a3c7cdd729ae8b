"""A real S3 server in a process of its own, and what a program needs to speak to it."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import ports

BUCKET = "tallyman-sets"


@contextmanager
def bucket_server() -> Iterator[dict[str, str]]:
    """The store's settings while it runs; BUCKET is there and empty."""
    port = ports.free_port()
    command = Path(sys.executable).with_name("moto_server")
    process = subprocess.Popen(
        [str(command), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        assert any(b"Running on" in line for line in process.stdout), "it ended at its start"
        endpoint = f"http://127.0.0.1:{port}"
        made = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")  # noqa: S310 -- our own server
        with urllib.request.urlopen(made) as answer:  # noqa: S310 -- our own server
            assert answer.status == 200
        yield {
            "endpoint": endpoint,
            "access_key_id": "test",
            "secret_access_key": "test",
            "region": "us-east-1",
        }
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()
