"""The launcher between us and a child: ties the child's life to its parent's, then becomes it.

Run by path with `python -I -S child.py PARENT_PID COMMAND...`, so it imports nothing of ours and
starts in a few milliseconds. A hook between fork and exec in the parent (preexec_fn) could
dead-lock in a process with threads; this runs after exec, in a process of its own.

Linux only: PR_SET_PDEATHSIG outlives the exec that follows. Elsewhere a child of a parent that
was killed -9 stays until its next start finds it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>."""
LAUNCH_FAILED = 127


def launch(parent: int, command: list[str]) -> None:
    """Become `command`, to be killed when the process `parent` ends. Does not return."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have died before the request above was in force.
    if os.getppid() != parent:
        raise ProcessLookupError(f"the parent process {parent} is gone")
    os.execvp(command[0], command)  # noqa: S606 -- becoming the child is this program's purpose


if __name__ == "__main__":
    try:
        launch(int(sys.argv[1]), sys.argv[2:])
    except OSError as error:
        sys.stderr.write(f"tallyman: {sys.argv[2]} was not started: {error}\n")
        raise SystemExit(LAUNCH_FAILED) from error
