#!/bin/sh
# build-mingw.sh [FOLDER]: builds both programs for Windows with mingw-w64. CC and CFLAGS may be set.
set -eu

source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:-.}

for side in client server; do
    # shellcheck disable=SC2086 # CFLAGS is a list
    "${CC:-x86_64-w64-mingw32-gcc}" -std=c11 -Wall -Wextra ${CFLAGS:--O2} -o "$out/sockauth_$side.exe" "$source/$side.c" \
        "$source/comm.c" "$source/security.c" "$source/identity.c" "$source/collect.c" "$source/show.c" "$source/options.c" \
        "$source/tls.c" "$source/certificates.c" -lsecur32 -ladvapi32 -lcrypt32 -lws2_32
done
