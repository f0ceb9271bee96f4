#!/bin/sh
# releases.sh - runs README's two commands in fresh roots of Debian releases: releases.sh [bookworm] [trixie]
# Needs root, network and mmdebstrap. Tests the committed state. EPOCHS=1 shortens the first command.
set -eu
cd "$(dirname "$0")/.."
command -v mmdebstrap >/dev/null || {
    echo "releases.sh needs mmdebstrap: apt-get install mmdebstrap" >&2
    exit 1
}
[ $# -gt 0 ] || set -- bookworm trixie
work=$(mktemp -d)
mounted=
cleanup() {
    for place in $mounted; do umount -l "$place" || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
failed=
for release; do
    root=$work/$release
    echo "=== $release"
    mmdebstrap --variant=apt --include=ca-certificates "$release" "$root" >"$work/$release.log" 2>&1 || {
        tail -n 20 "$work/$release.log"
        failed="$failed $release"
        continue
    }
    for place in proc dev; do
        mount --bind "/$place" "$root/$place"
        mounted="$root/$place $mounted"
    done
    mkdir -p "$root/src/libhirl"
    git archive HEAD | tar -x -C "$root/src/libhirl"
    [ ! -d ../shared ] || cp -r ../shared "$root/src/shared"
    for command in "sh examples/quickstart.sh" "sh tests/run.sh"; do
        echo "--- $release: $command"
        chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LC_ALL=C.UTF-8 "EPOCHS=${EPOCHS:-20}" \
            sh -c "cd /src/libhirl && $command" >"$work/$release.log" 2>&1 && ended=0 || ended=$?
        tail -n 25 "$work/$release.log"
        [ $ended = 0 ] || failed="$failed $release:'$command'"
    done
done
[ -z "$failed" ] || {
    echo "failed:$failed" >&2
    exit 1
}
echo "all passed"
