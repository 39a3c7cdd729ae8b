"""Golden frames in a process of their own: a set that crashes or hangs takes only that one along."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from contracts.errors import UnavailableError
from contracts.reason import Reason

DEADLINE_S = 240.0
_MOST_SAID = 64 << 10


def go_last() -> None:
    """The station judges meanwhile: this process waits for it, and is the first to die where a set
    takes more memory than there is (proc(5), oom_score_adj; elsewhere only the first).
    """
    os.nice(10)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


class ChildProver:
    """`command` is given the lane and the digest, and prints a Reason as JSON, or `null`."""

    def __init__(self, command: Sequence[str], *, deadline_s: float = DEADLINE_S) -> None:
        self._command = tuple(command)
        self._deadline_s = deadline_s
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = False

    @classmethod
    def of_this_software(cls, config_file: Path | None) -> ChildProver:
        more = ["--config", str(config_file)] if config_file else []
        return cls([sys.executable, "-m", "appliance", "agent", "prove", *more])

    def stop(self) -> None:
        """End the proof that is going on, and let none begin. From any thread."""
        self._stopped = True
        if (child := self._child) is not None:
            child.kill()

    def prove(self, lane: str, digest: str, folder: str) -> Reason | None:  # noqa: ARG002 -- the child finds the set by its digest, as the edge does
        with subprocess.Popen(  # noqa: S603 -- our own command; the digest was checked
            [*self._command, lane, digest],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        ) as child:
            self._child = child
            try:
                said, errors = child.communicate(timeout=self._deadline_s)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                return Reason("ota_golden_hung", {"seconds": round(self._deadline_s)})
            finally:
                self._child = None
        if self._stopped:
            raise UnavailableError("The proof was stopped", mend="It begins anew")
        if child.returncode:
            why = errors[-_MOST_SAID:].decode(errors="replace").strip().splitlines()
            told = why[-1][:200] if why else ""
            return Reason("ota_golden_crashed", {"exit": child.returncode, "why": told})
        try:
            return msgspec.json.decode(said[-_MOST_SAID:], type=Reason | None)
        except msgspec.MsgspecError:
            return Reason("ota_golden_crashed", {"exit": 0, "why": "said nothing readable"})
