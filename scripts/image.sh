#!/bin/sh
# Builds the image with whichever engine the machine has.
set -eu
cd "$(dirname "$0")/.."
for engine in docker podman buildah; do
    if command -v "$engine" >/dev/null 2>&1; then
        exec "$engine" build --tag tallyman:latest .
    fi
done
echo "tallyman: building the image needs docker, podman or buildah" >&2
exit 2
