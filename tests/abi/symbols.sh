#!/bin/sh
# symbols.sh - what libhirl.so gives (exactly lib/libhirl.map), what it takes (nothing that would take
# the host down), and which libraries it needs.
#
# usage: symbols.sh libhirl.so libhirl.map
library=$1
map=$2
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

# ---- gives: the names of the map, under their version ----
awk '/^HIRL_[0-9.]+ *\{/ { node = $1 }
     /^ +hirl_[a-z0-9_]+;/ { sub(/;/, "", $1); print $1 "@@" node }' "$map" | sort >"$work/wanted"
nm -D --defined-only --with-symbol-versions "$library" | awk '$2 != "A" { print $3 }' | sort >"$work/given"
if ! diff "$work/wanted" "$work/given" >"$work/difference"; then
    echo "exported symbols differ from libhirl.map (< wanted, > given):"
    cat "$work/difference"
    failed=1
fi

# ---- takes: no way out, no output, no state of the process ----
nm -D --undefined-only "$library" | awk '{ print $2 }' | sed 's/@.*//' | sort -u >"$work/taken"
for name in exit _exit _Exit quick_exit abort atexit printf __printf_chk vprintf __vprintf_chk puts \
    putchar perror gets rand srand random srandom drand48 lrand48 rand_r setenv putenv unsetenv \
    signal sigaction raise kill system popen fork vfork execve setlocale chdir umask setrlimit \
    pthread_atfork dlclose strtok strcpy strcat sprintf stdout stderr stdin atoi atof; do
    if grep -qx "$name" "$work/taken"; then
        echo "libhirl.so uses $name"
        failed=1
    fi
done

# ---- needs: these and no others (decision 7 of the design: no C++, no OpenMP, no CUDA) ----
readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$work/needed"
for name in $(cat "$work/needed"); do
    case $name in
    libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | ld-linux*.so.*) ;;
    libopenblas.so.0 | libturbojpeg.so.0 | libpng16.so.16 | libz.so.1) ;;
    libyaml-0.so.2 | libjansson.so.4 | libwebp.so.7) ;;
    *)
        echo "libhirl.so needs $name"
        failed=1
        ;;
    esac
done

# ---- is: soname, no run path, no writable code ----
readelf -d "$library" | grep -q 'SONAME.*\[libhirl\.so\.' || { echo "no soname libhirl.so.N"; failed=1; }
readelf -d "$library" | grep -qE '(TEXTREL)' && { echo "text relocations"; failed=1; }
exit $failed
