#!/bin/sh
# What CI runs after ./run test: both compilers with warnings as errors, sanitizers, lint, and programs built against
# an installed copy. Called by ./run check, which has installed what it needs and built build/release.
set -eu
cd "$(dirname -- "$0")/.."
jobs=$(nproc 2>/dev/null || echo 2)
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
trap 'exit 1' HUP INT TERM

step()
{
    printf '== %s\n' "$*"
}

# warnings CC CXX
warnings()
{
    step "$1: all warnings as errors"
    CC=$1 CXX=$2 cmake --preset release -B "build/werror-$1" -DOPENSSPI_WERROR=ON >"build/werror-$1.log" ||
        { cat "build/werror-$1.log"; exit 1; }
    cmake --build "build/werror-$1" --parallel "$jobs"
}

# no_skips PRESET
no_skips()
{
    if grep -nE '\[ +SKIPPED +\]|[1-9][0-9]* skipped|\*\*\*(Skipped|Not Run)' "build/$1/Testing/Temporary/LastTest.log"; then
        echo "tests were skipped in build/$1"
        exit 1
    fi
}

# sanitized PRESET REGEX: builds and runs the tests whose names match.
sanitized()
{
    step "$1: tests named $2"
    cmake --preset "$1" >"build/$1.log" || { cat "build/$1.log"; exit 1; }
    cmake --build "build/$1" --parallel "$jobs"
    ctest --test-dir "build/$1" -R "$2" -j2 --output-on-failure --no-tests=error
    no_skips "$1"
}

# hello NAME FLAGS...: compiles the sample with these flags, runs it.
hello()
{
    name=$1
    shift
    cc -Wall -Wextra -Werror -o "$prefix/$name" tests/install/hello.c "$@"
    step "$name program"
    LD_LIBRARY_PATH=$prefix/lib "$prefix/$name"
}

mkdir -p build
warnings gcc g++
warnings clang clang++

step 'without the optional packages'
tools/check_options.sh build/options

UBSAN_OPTIONS=print_stacktrace=1
export UBSAN_OPTIONS
sanitized asan '^(unit|replay|headers)\.'
sanitized tsan 'threads|^daemon\.'

step lint
./run lint

step 'installed copy'
./run install "$prefix"
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # flags
hello shared $(pkg-config --cflags --libs opensspi)
# shellcheck disable=SC2046
hello static $(pkg-config --cflags --libs --static opensspi | sed 's/-lopensspi\b/-l:libopensspi.a/')
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror -DUNICODE -D_UNICODE -o "$prefix/win32" tests/install/hello_win32.c $(pkg-config --cflags --libs opensspi-win32)
step 'program for Windows'
LD_LIBRARY_PATH=$prefix/lib "$prefix/win32"
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror -o "$prefix/win32_static" tests/install/hello_win32.c $(pkg-config --cflags --libs --static opensspi-win32 | sed 's/-lopensspi\(-win32\)*\b/-l:libopensspi\1.a/g')
"$prefix/win32_static"
if ldd "$prefix/static" "$prefix/win32_static" | grep libopensspi; then
    echo 'a static program needs the shared library'
    exit 1
fi
cmake -S tests/install -B "$prefix/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$prefix/build" >/dev/null
step 'programs of the CMake package'
"$prefix/build/hello_shared"
"$prefix/build/hello_static"
"$prefix/build/hello_win32_shared"
"$prefix/build/hello_win32_static"
rm -rf "$prefix/shared" "$prefix/static" "$prefix/win32" "$prefix/win32_static" "$prefix/build"
"$prefix/bin/sspi" --version
./run uninstall "$prefix"
left=$(find "$prefix" ! -type d -o -path '*opensspi*')
if [ -n "$left" ]; then
    printf 'uninstall left:\n%s\n' "$left"
    exit 1
fi

step 'Debian packages'
tools/deb.sh --check
