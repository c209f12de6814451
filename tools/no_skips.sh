#!/bin/sh
# no_skips.sh BUILD: fails when the last run of ctest in that tree skipped anything. What cannot run is not tested.
# Who is not root is told of them alone: some tests become somebody else.
set -eu
log=$1/Testing/Temporary/LastTest.log
if [ ! -s "$log" ]; then
    echo "$log: no test was run" >&2
    exit 1
fi
if grep -nE '\[ +SKIPPED +\]|[1-9][0-9]* skipped|\*\*\*(Skipped|Not Run)' "$log" >&2; then
    echo "tests were skipped in $1" >&2
    [ "$(id -u)" != 0 ] && [ -z "${CI:-}" ] || exit 1
fi
