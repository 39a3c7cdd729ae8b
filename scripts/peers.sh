#!/bin/sh
# Installs the peers that `tallyman bench ingest` measures beside ours into build/peers/NAME, from
# their lock, and prints that folder. Packages run no scripts of theirs while they are installed.
set -eu
cd "$(dirname "$0")/.."

name=${1:-ingest}
from=appliance/bench/$name/peers
here=build/peers/$name
[ -f "$from/package-lock.json" ] || { echo "there are no peers for '$name'" >&2; exit 2; }
stamp=$(cksum <"$from/package-lock.json")
if ! [ -f "$here/.stamp" ] || [ "$(cat "$here/.stamp")" != "$stamp" ]; then
    echo "installing the peers of $name (a minute, once)" >&2
    rm -rf "$here"
    mkdir -p "$here"
    cp "$from/package.json" "$from/package-lock.json" "$here/"
    sh scripts/npm.sh ci --prefix "$here" --omit=dev --ignore-scripts --no-audit --no-fund \
        --loglevel=error >&2
    printf '%s\n' "$stamp" >"$here/.stamp"
fi
printf '%s\n' "$PWD/$here"
