#!/bin/sh
# tap.sh - TAP output for shell tests, to be sourced. HIRL is the path of the program; tests run in an empty folder $T.
set -u
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 99
tests=0

# ok NAME COMMAND...: passes if the command succeeds; otherwise prints its output
ok() {
    tests=$((tests + 1))
    name=$1
    shift
    if "$@" >ok.log 2>&1; then
        echo "ok $tests - $name"
    else
        echo "not ok $tests - $name"
        sed 's/^/# /' ok.log
        for file in out err; do
            [ ! -s $file ] || tail -n 20 $file | sed "s/^/# $file: /"
        done
    fi
}

skip() {
    tests=$((tests + 1))
    echo "ok $tests - $1 # SKIP $2"
}

# hirl ARGUMENTS...: stdout in out, stderr in err, exit status in $code
hirl() {
    "$HIRL" "$@" >out 2>err </dev/null
    code=$?
}

says() { # says FILE TEXT: the file contains the text
    grep -q -e "$2" "$1"
}

silent() { # the file is empty
    [ ! -s "$1" ]
}

exits() { # exits STATUS: the last hirl command exited with this status
    echo "exit status $code, expected $1"
    [ "$code" = "$1" ]
}

json_lines() { # every line of the file is a JSON object
    python3 -c 'import json, sys
lines = open(sys.argv[1]).read().splitlines()
assert lines, "no line"
assert all(isinstance(json.loads(line), dict) for line in lines)' "$1"
}

# json FILE EXPRESSION: a Python expression is true; r is the last JSON object of the file, lines are all
json() {
    python3 -c 'import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
r = lines[-1]
assert eval(sys.argv[2]), r' "$1" "$2"
}

finish() {
    echo "1..$tests"
    exit 0
}
