"""A training environment that learns nothing, or never ends: the recipe's other side in tests.

Real training takes an hour and packages that the appliance does not have.
"""

from __future__ import annotations

from pathlib import Path

_LEARNS_NOTHING = """#!/bin/sh
script=$1
while [ $# -gt 0 ]; do
    if [ "$1" = --out ]; then out=$2; fi
    if [ "$1" = --extra ]; then cp "$2/lines.jsonl" "{seen}"; fi
    shift
done
mkdir -p "$out"
case $script in
*train.py) echo weights > "$out/checkpoint.pt" ;;
*export.py) cp "{model_set}/rec.onnx" "{model_set}/charset.txt" "$out" ;;
esac
"""
_NEVER_ENDS = """#!/bin/sh
echo $$ > "{pid}"
exec sleep 600
"""
_FAILS = """#!/bin/sh
echo "no fonts in the kit" >&2
exit 3
"""


def learns_nothing(path: Path, *, model_set: Path, seen: Path) -> Path:
    """Gives the network in force back; `seen` gets what it was to learn from."""
    return _write(path, _LEARNS_NOTHING.format(model_set=model_set, seen=seen))


def never_ends(path: Path, *, pid: Path) -> Path:
    return _write(path, _NEVER_ENDS.format(pid=pid))


def fails(path: Path) -> Path:
    return _write(path, _FAILS)


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path
