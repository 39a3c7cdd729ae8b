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
