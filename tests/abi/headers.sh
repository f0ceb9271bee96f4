#!/bin/sh
# headers.sh - each public header compiles alone, without a warning, in C99 to C23 and C++98 to C++17,
# and defines only macros that begin with HIRL_.
#
# usage: headers.sh "CC" "CXX or nothing" INCLUDE_DIRS (separated by :) HEADER...
cc=$1
cxx=$2
include=$(printf '%s' "-I$3" | sed 's/:/ -I/g')
shift 3
failed=0

try() { # compiler and standard, language, header
    if ! printf '#include <hirl/%s>\nint hirl_header_test;\n' "$3" |
        $1 -x "$2" $include -Wall -Wextra -Wpedantic -Werror -fsyntax-only -; then
        echo "hirl/$3 fails: $1 -x $2"
        failed=1
    fi
}

macros() {
    $cc -x c $include -dM -E - | cut -d' ' -f2 | cut -d'(' -f1 | sort
}

for path in "$@"; do
    header=$(basename "$path")
    for standard in c99 c11 c2x; do
        try "$cc -std=$standard" c "$header"
    done
    for standard in c++98 c++11 c++17; do
        [ -n "$cxx" ] && try "$cxx -std=$standard" c++ "$header"
    done
    printf '#include <stddef.h>\n#include <stdint.h>\n' | macros >"${TMPDIR:-/tmp}/hirl-macros.$$"
    leaked=$(printf '#include <stddef.h>\n#include <stdint.h>\n#include <hirl/%s>\n' "$header" | macros |
        comm -13 "${TMPDIR:-/tmp}/hirl-macros.$$" - | grep -v '^HIRL_')
    rm -f "${TMPDIR:-/tmp}/hirl-macros.$$"
    if [ -n "$leaked" ]; then
        echo "hirl/$header defines $leaked"
        failed=1
    fi
done
exit $failed
