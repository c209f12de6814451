#!/bin/sh
# build-mingw.sh [FOLDER]: builds both programs for Windows with mingw-w64. CC and CFLAGS may be set.
set -eu

source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:-.}

for side in client server; do
    # shellcheck disable=SC2086 # CFLAGS is a list
    "${CC:-x86_64-w64-mingw32-gcc}" -std=c11 -Wall -Wextra ${CFLAGS:--O2} -o "$out/delegation_$side.exe" "$source/$side.c" \
        "$source/session.c" "$source/../sockauth/comm.c" "$source/../sockauth/show.c" -lsecur32 -ladvapi32 -lws2_32
done
