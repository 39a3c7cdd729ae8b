#!/bin/sh
# Builds the image with whichever engine the machine has.
set -eu
cd "$(dirname "$0")/.."
if command -v docker >/dev/null 2>&1 && docker version >/dev/null 2>&1; then
    exec docker build --tag tallyman:latest .
fi
for engine in podman buildah; do
    if command -v "$engine" >/dev/null 2>&1; then
        # Their own default format has no health check.
        exec "$engine" build --format docker --tag tallyman:latest .
    fi
done
echo "tallyman: building the image needs docker, podman or buildah" >&2
exit 2
