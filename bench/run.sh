#!/bin/sh
# Runs every implementation's benchmark in turn, several times, and prints one table with ratios: bench/run.sh BUILD_DIR
set -eu
exec python3 "$(dirname -- "$0")/compare.py" "$@"
