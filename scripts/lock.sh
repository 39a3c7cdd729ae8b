#!/bin/sh
# Compiles requirements/*.lock for every platform and Python that we support, with hashes and
# without an index address. uv lives in a throw-away environment.
set -eu
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install -qq --disable-pip-version-check uv

compile() {
    output=$1
    shift
    "$tools/venv/bin/uv" pip compile -q --universal --python-version 3.11 --generate-hashes \
        --no-annotate --no-header --no-emit-index-url --output-file "$output" "$@"
}

compile requirements/runtime.lock "$@" pyproject.toml
compile requirements/dev.lock --constraint requirements/runtime.lock "$@" pyproject.toml requirements/dev.in
# Extras. OpenVINO goes on top of the runtime, without the package that counts its users.
compile requirements/openvino.lock --constraint requirements/runtime.lock --extra openvino \
    --no-emit-package openvino-telemetry "$@" pyproject.toml
# PaddleOCR brings another OpenCV: an environment of its own, which the appliance only talks to.
compile requirements/paddle.lock "$@" requirements/paddle.in
# Ultralytics trains in an environment of its own.
compile requirements/yolo.lock --override requirements/yolo-without.txt \
    --no-emit-package torch --no-emit-package opencv-python --no-emit-package nvidia-ml-py \
    --no-emit-package ultralytics-platform "$@" requirements/yolo.in
# Tryton, the ERP that the connector's tests and the bench run for real, in a process of its own.
compile requirements/tryton.lock "$@" requirements/tryton.in
