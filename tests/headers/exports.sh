#!/bin/sh
# Compares what the shared libraries export with what the public headers declare: every function declared is exported by one of them,
# and nothing else is; and with the lists of symbols of the Debian packages. libopensspi-win32's symbols begin with "opensspi_", whatever the function's
# name.
#
# usage: exports.sh libopensspi.so include-dir [libopensspi-win32.so]        (the directory that holds sspi.h)
set -u
LC_ALL=C
export LC_ALL

if [ $# -lt 2 ] || [ ! -f "$1" ] || [ ! -f "$2/sspi.h" ]; then
    echo "usage: $0 libopensspi.so include-dir [libopensspi-win32.so]" >&2
    exit 2
fi
here=$(dirname "$0")
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# Type A is the version node itself; @ begins the version of a symbol.
exports() {
    ${NM:-nm} -D --defined-only "$1" | awk '$(NF - 1) != "A" { sub(/@.*/, "", $NF); print $NF }'
}
exports "$1" >"$work/first" || exit 2
: >"$work/second"
[ $# -lt 3 ] || exports "$3" | sed 's/^opensspi_//' >"$work/second"
sort -u "$work/first" "$work/second" >"$work/exported"
${PYTHON:-python3} "$here/prototypes.py" "$2" >"$work/names" || exit 2
sed 's/^opensspi_//' "$work/names" | grep -v '^wmain_any$' | sort -u >"$work/declared"
if [ ! -s "$work/declared" ] || [ ! -s "$work/exported" ]; then
    echo "nothing to compare: $(wc -l <"$work/declared") declared, $(wc -l <"$work/exported") exported" >&2
    exit 2
fi

failed=0
comm -23 "$work/declared" "$work/exported" >"$work/missing"
comm -13 "$work/declared" "$work/exported" >"$work/extra"
if [ -s "$work/missing" ]; then
    failed=1
    echo "declared in the headers, not exported:"
    sed 's/^/    /' "$work/missing"
fi
if [ -s "$work/extra" ]; then
    failed=1
    echo "exported, not declared in the headers:"
    sed 's/^/    /' "$work/extra"
fi
for list in "$here"/../../debian/*.symbols; do
    library=first
    case $list in *win32*) library=second ;; esac
    [ -s "$work/$library" ] || continue
    sed -n 's/^ \([A-Za-z]\w*\)@.*/\1/p' "$list" | grep -v '^OPENSSPI_' | sed 's/^opensspi_//' | sort -u >"$work/packaged"
    sort -u "$work/$library" >"$work/library"
    if ! cmp -s "$work/packaged" "$work/library"; then
        failed=1
        echo "$(basename "$list") is not what the library exports (< the list, > the library):"
        diff "$work/packaged" "$work/library" | grep '^[<>]' | sed 's/^/    /'
    fi
done
echo "$(wc -l <"$work/declared") declared, $(wc -l <"$work/exported") exported"
exit $failed
