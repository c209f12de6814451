#!/bin/sh
# Compiles every public header alone, the way a program would include it: as C11 and as C++17, with gcc and with
# clang, with and without -fshort-wchar, with and without UNICODE, any warning being an error.
#
# usage: compile_alone.sh include-dir        (the directory that holds sspi.h)
# CC_LIST names other C compilers; each NAME must have a C++ mode (-x c++).
set -u

if [ $# -ne 1 ] || [ ! -f "$1/sspi.h" ]; then
    echo "usage: $0 include-dir (the directory that holds sspi.h)" >&2
    exit 2
fi
include=$1
compilers=${CC_LIST:-"gcc clang"}
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

headers=$(cd "$include" && find . -name '*.h' | sed 's|^\./||' | LC_ALL=C sort)
tried=0
failed=0

# try COMPILER LANGUAGE FLAGS... compiles the headers one by one and says which failed.
try() {
    compiler=$1
    language=$2
    shift 2
    for header in $headers; do
        tried=$((tried + 1))
        # Twice: the include guard has to hold.
        printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$work/probe"
        # opensspi-win32's users have it from pkg-config.
        case $header in
        win32/*) define=-D_DEFAULT_SOURCE ;;
        *) define= ;;
        esac
        # shellcheck disable=SC2086
        if ! $compiler -x "$language" "$@" $define $warnings -I"$include" -fsyntax-only "$work/probe" >"$work/log" 2>&1; then
            failed=$((failed + 1))
            echo "FAIL: <$header> with $compiler -x $language $*"
            sed 's/^/    /' "$work/log" | head -n 20
        fi
    done
}

for compiler in $compilers; do
    if ! command -v "$compiler" >/dev/null 2>&1; then
        echo "no $compiler here; CC_LIST names the compilers that are" >&2
        exit 2
    fi
    for wide in "" -fshort-wchar; do
        for unicode in "" -DUNICODE; do
            # shellcheck disable=SC2086
            try "$compiler" c -std=c11 $wide $unicode
            # shellcheck disable=SC2086
            try "$compiler" c++ -std=c++17 $wide $unicode
        done
    done
done

echo "$tried compilations, $failed failed"
[ "$failed" -eq 0 ]
