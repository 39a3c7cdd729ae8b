#!/usr/bin/env bash
# Builds the image for real and runs the dock demo in it, with every capability dropped and a
# read-only root, on a Debian machine without a Docker engine (root; buildah, podman, runc).
#
# The base is Debian's own Python 3.11 from debootstrap, standing in for python:3.11-slim-bookworm:
# same Debian release, same Python series. IMAGE_TEST=build stops after the build.
set -euo pipefail
cd "$(dirname "$0")/.."

base=docker.io/library/python:3.11-slim-bookworm
image=localhost/tallyman:test
work=build/image-test
name=tallyman-image-test-$$
host_ca=/etc/ssl/certs/ca-certificates.crt
mkdir -p "$work"
work=$(realpath "$work")

say() { printf '== %3d s  %s\n' "$SECONDS" "$*"; }
fail() { printf 'image-test: %s\n' "$*" >&2; exit 1; }

[[ $(id -u) == 0 ]] || fail "needs root (it makes a Debian base with debootstrap)"

install_tools() {
    local wanted=(buildah podman runc conmon catatonit debootstrap netavark aardvark-dns iptables)
    local missing=() tool
    for tool in "${wanted[@]}"; do
        dpkg-query -W -f '${Status}' "$tool" 2>/dev/null | grep -q 'ok installed' || missing+=("$tool")
    done
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

make_base() {
    podman image exists "$base" && return
    say "making the Debian base"
    local mirror
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -1)
    rm -rf "$work/rootfs"
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
        bookworm "$work/rootfs" "$mirror" >"$work/debootstrap.log"
    tar -C "$work/rootfs" --numeric-owner -c . | podman import -c CMD=python3 - "$base" >/dev/null
    rm -rf "$work/rootfs"
}

cat >"$work/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
export CONTAINERS_CONF=$work/containers.conf

install_tools
make_base

# The machine's own certificate authorities, for the build only; the Dockerfile knows nothing of it.
printf '[global]\ncert = /run/host-ca.crt\n' >"$work/pip.conf"
printf 'cafile=/run/host-ca.crt\n' >"$work/npmrc"

say "building"
buildah bud --quiet --isolation chroot --layers --network host --pull-never --format docker \
    -v "$host_ca:/run/host-ca.crt:ro" -v "$work/pip.conf:/etc/pip.conf:ro" \
    -v "$work/npmrc:/build/.npmrc:ro" --tag "$image" . >"$work/build.log" 2>&1 ||
    { tail -30 "$work/build.log" >&2; fail "the build failed, see $work/build.log"; }
say "built: $(podman image inspect --format '{{.Size}}' "$image" | awk '{ printf "%.0f MB", $1 / 1e6 }')"

guarded=(--read-only --tmpfs "/tmp:size=64m" --cap-drop=all --security-opt no-new-privileges
    --pids-limit 256 --memory 2g)

podman run --rm "${guarded[@]}" --network none "$image" --help >"$work/help.log"
grep -q dock "$work/help.log" || fail "tallyman --help says nothing of the dock"
user=$(podman run --rm "${guarded[@]}" --network none --entrypoint id "$image" -u)
[[ $user == 10001 ]] || fail "runs as user $user"
say "the command answers, as user $user"
[[ ${IMAGE_TEST:-} != build ]] || exit 0

cleanup() {
    podman rm -f "$name" >/dev/null 2>&1 || true
    podman volume rm -f "$name" >/dev/null 2>&1 || true
}
trap cleanup EXIT
podman volume create "$name" >/dev/null

say "the dock demo, once, without a network"
podman run --rm --name "$name" "${guarded[@]}" --network none -v "$name:/var/lib/tallyman" \
    "$image" up --once | tee "$work/demo.log" || fail "the dock demo failed"

say "up again on the same data, healthy, and down on SIGTERM"
podman run -d --name "$name" "${guarded[@]}" --network none -v "$name:/var/lib/tallyman" \
    "$image" up --no-demo >/dev/null
from=$SECONDS
until podman healthcheck run "$name" >/dev/null 2>&1; do
    ((SECONDS - from < 120)) || { podman logs "$name" >&2; fail "not healthy after 120 s"; }
    [[ $(podman inspect --format '{{.State.Running}}' "$name") == true ]] ||
        { podman logs "$name" >&2; fail "it ended before it was healthy"; }
    sleep 0.5
done
say "healthy $((SECONDS - from)) s after its start; memory: $(podman stats --no-stream --format '{{.MemUsage}}' "$name")"
if podman exec "$name" python -c "open('/opt/tallyman/x', 'w')" 2>/dev/null; then
    fail "the root file system can be written"
fi
from=$SECONDS
podman stop --time 30 "$name" >/dev/null
code=$(podman inspect --format '{{.State.ExitCode}}' "$name")
((SECONDS - from < 30)) || fail "SIGTERM was not obeyed within 30 s"
[[ $code == 0 || $code == 130 || $code == 143 ]] || { podman logs --tail 20 "$name" >&2; fail "exit code $code after SIGTERM"; }
say "ended $((SECONDS - from)) s after SIGTERM, exit code $code"
say "passed"
