#!/bin/sh
# run.sh - builds and runs the tests; `tests/run.sh full` adds the slow suite, sanitizer builds and a clang build
# As root, it installs missing packages with apt-get. The last line is "N passed, N failed, N skipped"; the
# exit status is 0 when no test failed.
set -eu
cd "$(dirname "$0")/.."
. tests/packages.sh
mode=${1:-normal}
here=$PWD/build
builds=$here

# $1: build folder, then options of meson; an existing folder is reused, or made again if meson refuses it
setup() {
    folder=$1
    shift
    if [ -f "$folder/build.ninja" ]; then
        meson configure "$folder" "$@" >/dev/null || rm -rf "$folder"
    fi
    mkdir -p "$folder"
    [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" >"$folder/setup.log" 2>&1 || {
        cat "$folder/setup.log"
        exit 1
    }
    ninja -C "$folder" >"$folder/ninja.log" 2>&1 || {
        grep -v '^\[' "$folder/ninja.log" | tail -n 60
        echo "the build in $folder failed: see $folder/ninja.log"
        exit 1
    }
}

run_suites() {
    folder=$1
    shift
    rm -f "$folder/meson-logs/testlog.json" # left by an earlier call
    meson test -C "$folder" --no-rebuild --print-errorlogs "$@" || true
}

install_packages "$test_packages"
setup "$here" -Dwerror=true -Db_ndebug=false -Dcli=enabled -Dexamples=enabled
if [ "$mode" = full ]; then
    # The slow suite writes thousands of checkpoints, each flushed to the disk: memory is faster.
    [ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
    run_suites "$here" --timeout-multiplier 4
    setup "$PWD/build-asan" -Dwerror=true -Db_ndebug=false -Dcli=enabled -Dbuildtype=debugoptimized \
        -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fno-sanitize-recover=all
    ASAN_OPTIONS=detect_leaks=1 run_suites "$PWD/build-asan" --no-suite slow --timeout-multiplier 6
    # With clang, because its thread sanitizer takes a fifth of the time of gcc's.
    CC=clang setup "$PWD/build-tsan" -Dwerror=true -Db_ndebug=false -Dcli=enabled -Dbuildtype=debugoptimized \
        -Db_sanitize=thread -Db_lundef=false
    TSAN_OPTIONS=halt_on_error=1:die_after_fork=0 run_suites "$PWD/build-tsan" --suite unit --suite train \
        --suite golden --suite parity --suite cli --timeout-multiplier 10
    CC=clang setup "$PWD/build-clang" -Dwerror=true -Db_ndebug=false -Dcli=enabled -Dexamples=enabled
    run_suites "$PWD/build-clang" --suite unit --timeout-multiplier 4
    builds="$here $PWD/build-asan $PWD/build-tsan $PWD/build-clang"
else
    run_suites "$here" --no-suite slow
fi
# shellcheck disable=SC2086
exec python3 tests/count.py $builds
