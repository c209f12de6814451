#!/bin/sh
# What CI runs after ./run test: both compilers with warnings as errors, sanitizers, lint, and programs built against
# an installed copy. Called by ./run check, which has installed what it needs and built build/release.
set -eu
cd "$(dirname -- "$0")/.."
jobs=$(nproc 2>/dev/null || echo 2)
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
trap 'exit 1' HUP INT TERM

started=$(date +%s)

step()
{
    printf '== %s s: %s\n' "$(($(date +%s) - started))" "$*"
}

# configure PRESET DIRECTORY [cmake arguments]
configure()
{
    preset=$1
    directory=$2
    shift 2
    cmake --preset "$preset" -B "$directory" "$@" >"$directory.log" || { cat "$directory.log"; exit 1; }
}

# Did these very settings make build/release?
release_is_strict()
{
    grep -qx 'OPENSSPI_WERROR:BOOL=ON' build/release/CMakeCache.txt &&
        grep -qx 'BUILD_TESTING:BOOL=ON' build/release/CMakeCache.txt &&
        grep -q 'set(CMAKE_C_COMPILER_ID "GNU")' build/release/CMakeFiles/*/CMakeCCompiler.cmake &&
        grep -q 'set(CMAKE_CXX_COMPILER_ID "GNU")' build/release/CMakeFiles/*/CMakeCXXCompiler.cmake
}

gcc_warnings()
{
    step 'gcc: all warnings as errors'
    if release_is_strict; then
        cmake --build build/release --parallel "$jobs"
        echo 'build/release is built so'
        return
    fi
    CC=gcc CXX=g++ configure release build/werror-gcc -DOPENSSPI_WERROR=ON
    cmake --build build/werror-gcc --parallel "$jobs"
}

# All that is shipped is built; of the tests, which its warnings need no code of, the syntax is looked at.
clang_warnings()
{
    step 'clang: all warnings as errors'
    CC=clang CXX=clang++ configure release build/werror-clang -DOPENSSPI_WERROR=ON -DBUILD_TESTING=OFF
    cmake --build build/werror-clang --parallel "$jobs"
    configure release build/werror-clang -DBUILD_TESTING=ON
    python3 tools/check_syntax.py build/werror-clang
}

# What the tests of PRESET whose names match REGEX need to be built: daemon.X runs the program of unit.X.
targets_of()
{
    ctest --test-dir "build/$1" -N -R "$2" | sed -n 's/^ *Test *#[0-9]*: //p' | sed 's/^daemon\./unit./
s/^replay\./fuzz_/
/^headers\.layout/ s/[.-]/_/g
s/^headers\.exports$/opensspi\nopensspi_win32/' | LC_ALL=C sort -u
}

# sanitized PRESET REGEX: builds what the tests whose names match need, and runs them.
sanitized()
{
    step "$1: tests named $2"
    configure "$1" "build/$1"
    # shellcheck disable=SC2046 # names without blanks
    cmake --build "build/$1" --parallel "$jobs" --target opensspi-lsad $(targets_of "$1" "$2")
    ctest --test-dir "build/$1" -R "$2" -j "$jobs" --output-on-failure --no-tests=error
    tools/no_skips.sh "build/$1"
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
# First what is refused most often, and soonest found.
step lint
./run lint

gcc_warnings
clang_warnings

step 'without the optional packages'
tools/check_options.sh build/options

UBSAN_OPTIONS=print_stacktrace=1
export UBSAN_OPTIONS
# Of the tests of headers those whose programs are built here: the others run compilers, and have.
sanitized asan '^(unit|replay)\.|^headers\.(layout|exports)'
sanitized tsan '^unit\..*threads|^daemon\.'

step 'installed copy'
./run install "$prefix"
python3 tools/check_links.py "$prefix/share/doc/opensspi"
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
