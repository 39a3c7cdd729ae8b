#!/bin/sh
# Makes build/extras/NAME, the environment of an optional extra, and prints its Python.
#   openvino  what is in .venv, and OpenVINO on top of it
#   paddle    PaddleOCR alone: it brings another OpenCV
#   tryton    the ERP that tests and the bench talk to, in a process of its own
#   yolo      Ultralytics for training detectors, on the PyTorch that pip finds first
# The stamp is written last: an interrupted run is redone, a finished one costs nothing.
set -eu
cd "$(dirname "$0")/.."

name=$1
lock=requirements/$name.lock
here=build/extras/$name
[ -f "$lock" ] || { echo "there is no extra '$name' (no $lock)" >&2; exit 2; }
stamp=$(printf '%s\n' "$PWD" | cat - "$lock" scripts/extra.sh | cksum)

if ! [ -f "$here/.stamp" ] || [ "$(cat "$here/.stamp")" != "$stamp" ]; then
    echo "installing the packages of $lock (a minute or two, once)" >&2
    rm -rf "$here"
    .venv/bin/python -m venv "$here"
    if [ "$name" = openvino ]; then
        beside=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
        printf '%s\n%s\n' "$beside" "$PWD" >"$("$here/bin/python" -c \
            'import sysconfig; print(sysconfig.get_path("purelib"))')/tallyman.pth"
    fi
    "$here/bin/python" -m pip install -qq --no-input --disable-pip-version-check \
        --no-deps --require-hashes -r "$lock"
    if [ "$name" = yolo ]; then
        # All that it needs is there already but for the libraries of a graphics card.
        "$here/bin/python" -m pip install -qq --no-input --disable-pip-version-check \
            -r requirements/yolo-torch.txt
    fi
    printf '%s\n' "$stamp" >"$here/.stamp"
fi
printf '%s\n' "$PWD/$here/bin/python"
