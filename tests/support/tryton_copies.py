"""A Tryton of its own for each test, though its modules are loaded once."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.bench.core import tryton_peer
from appliance.bench.core.tryton_peer import Tryton
from tests.support.ports import free_port

_WHERE_IT_STANDS = Path("/proc/self/cwd")
_SERVER = Path(__file__).with_name("tryton_server.py")


class TrytonCopies:
    """Loading takes five seconds of processor time, a fork with its database a tenth of one."""

    def __init__(self, python: Path, provisioned: Path, folder: Path) -> None:
        self._python, self._provisioned = python, provisioned
        # The model of all copies reads a database as well; it is not the one that stays clean.
        self._put_database(folder)
        config = tryton_peer.write_config(folder, "127.0.0.1:0", data=_WHERE_IT_STANDS)
        with (folder / "trytond.log").open("ab") as log:
            self._process = subprocess.Popen(
                [python, _SERVER, "-c", config, "-d", tryton_peer.DATABASE],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    @contextmanager
    def one(self, folder: Path) -> Iterator[Tryton]:
        """A server over a fresh copy of the provisioned database, until the block ends."""
        self._put_database(folder)
        port = free_port()
        child = self._ask("serve", str(folder), port)
        try:
            tryton = Tryton(f"http://127.0.0.1:{port}", self._python, folder, self._process)
            tryton_peer.wait(tryton)
            yield tryton
        finally:
            self._ask("end", child)

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def _put_database(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        shutil.copy(self._provisioned / f"{tryton_peer.DATABASE}.sqlite", folder)

    def _ask(self, *words: object) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())
