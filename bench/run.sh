#!/bin/sh
# Runs every implementation's benchmark in turn, several times, and prints a table with ratios for each package:
# bench/run.sh BUILD_DIR [ntlm|kerberos|together|negotiate|schannel|digest|lsad|threads]
set -eu
exec python3 -B "$(dirname -- "$0")/compare.py" "$@"
