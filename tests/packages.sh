#!/bin/sh
# packages.sh - installs missing Debian packages; sourced by tests/run.sh and examples/quickstart.sh
build_packages="gcc meson ninja-build pkg-config libc6-dev libopenblas-dev libjpeg-dev
    libpng-dev zlib1g-dev libyaml-dev libjansson-dev libzip-dev"
# shellcheck disable=SC2034
test_packages="$build_packages check g++"

# $1: package names separated by spaces; reports what it cannot install, and goes on
install_packages() {
    missing=
    for package in $1; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "missing packages; as root: apt-get install$missing" >&2
        return 0
    fi
    echo "installing$missing"
    # shellcheck disable=SC2086
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $missing; } >/dev/null 2>&1 ||
        echo "apt-get could not install$missing" >&2
}
