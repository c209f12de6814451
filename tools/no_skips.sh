#!/bin/sh
# no_skips.sh BUILD: fails when the last run of ctest in that tree skipped anything. What cannot run is not tested.
set -eu
if grep -nE '\[ +SKIPPED +\]|[1-9][0-9]* skipped|\*\*\*(Skipped|Not Run)' "$1/Testing/Temporary/LastTest.log"; then
    echo "tests were skipped in $1"
    exit 1
fi
