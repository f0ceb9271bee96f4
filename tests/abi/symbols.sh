#!/bin/sh
# symbols.sh - libhirl.so exports exactly the names of lib/libhirl.map, imports nothing that could
# end the application or change its process-wide state, and needs only known libraries.
#
# usage: symbols.sh libhirl.so libhirl.map
library=$1
map=$2
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

# ---- exports: the names of the version script, with their version ----
awk '/^HIRL_[0-9.]+ *\{/ { node = $1 }
     /^ +hirl_[a-z0-9_]+;/ { sub(/;/, "", $1); print $1 "@@" node }' "$map" | sort >"$work/expected"
nm -D --defined-only --with-symbol-versions "$library" | awk '$2 != "A" { print $3 }' | sort >"$work/exported"
if ! diff "$work/expected" "$work/exported" >"$work/difference"; then
    echo "exported symbols differ from libhirl.map (< only in the map, > only in the library):"
    cat "$work/difference"
    failed=1
fi

# ---- imports: nothing that ends the process, prints, or changes state of the process ----
nm -D --undefined-only "$library" | awk '{ print $2 }' | sed 's/@.*//' | sort -u >"$work/imported"
for name in exit _exit _Exit quick_exit abort atexit printf __printf_chk vprintf __vprintf_chk puts \
    putchar perror gets rand srand random srandom drand48 lrand48 rand_r setenv putenv unsetenv \
    signal sigaction raise kill system popen fork vfork execve setlocale chdir umask setrlimit \
    pthread_atfork dlclose strtok strcpy strcat sprintf stdout stderr stdin atoi atof; do
    if grep -qx "$name" "$work/imported"; then
        echo "libhirl.so uses $name"
        failed=1
    fi
done

# ---- needed libraries: these and no others; above all no C++, OpenMP or CUDA runtime ----
readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$work/needed"
for name in $(cat "$work/needed"); do
    case $name in
    libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | ld-linux*.so.*) ;;
    libopenblas.so.0 | libjpeg.so.62 | libjpeg.so.8 | libpng16.so.16 | libz.so.1 | libzip.so.[45]) ;;
    libyaml-0.so.2 | libjansson.so.4 | libwebp.so.7) ;;
    *)
        echo "libhirl.so needs $name"
        failed=1
        ;;
    esac
done

# ---- the file itself: it has a soname and no text relocations (writable code) ----
readelf -d "$library" | grep -q 'SONAME.*\[libhirl\.so\.' || { echo "no soname libhirl.so.N"; failed=1; }
readelf -d "$library" | grep -qE '(TEXTREL)' && { echo "text relocations"; failed=1; }
exit $failed
