"""Run by the interpreter of Tryton's environment: the server, loaded once, forked for each test.

`tryton_server.py -c CONFIG -d DATABASE` with `path = /proc/self/cwd` in the configuration: the
folder in which a child stands is the one whose database it serves. One line of JSON on standard input asks for a
child, `["serve", FOLDER, PORT]` or `["end", PID]`; one line answers, a number. It ends with its
standard input, and its children with it.
"""

import json
import os
import runpy
import signal
import sys
from typing import Any

import werkzeug.serving

_serve = werkzeug.serving.run_simple


def _fork(folder: str, port: int, app: Any, how: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.chdir(folder)
        log = os.open("trytond.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for new, old in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(new, old)
        _serve("127.0.0.1", port, app, **how)
    finally:
        os._exit(1)


def _end(child: int) -> int:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return child


def _serve_copies(_host: str, _port: int, app: Any, **how: Any) -> None:
    """In place of the server: everything is loaded, and nobody is served yet."""
    children = set()
    for line in sys.stdin:
        asked, *values = json.loads(line)
        if asked == "serve":
            folder, port = values
            answer = _fork(folder, port, app, how)
            children.add(answer)
        else:
            answer = _end(*values)
            children.discard(answer)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for child in children:
        _end(child)


if __name__ == "__main__":
    werkzeug.serving.run_simple = _serve_copies
    sys.argv[0] = "trytond"
    runpy.run_module("trytond.cli", run_name="__main__")
