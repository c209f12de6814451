#!/bin/sh
# Builds the Debian packages of this tree into build/deb, and with --check looks at them: lintian, and in a private root installs them, builds
# and runs programs against them, and removes them again.
set -eu
cd "$(dirname -- "$0")/.."
root=$PWD/build/deb
jobs=$(nproc 2>/dev/null || echo 2)

step()
{
    printf '== %s\n' "$*"
}

rm -rf "$root"
mkdir -p "$root/source"
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$root/source"
step 'dpkg-buildpackage'
(cd "$root/source" && DEB_BUILD_OPTIONS="nocheck parallel=$jobs" dpkg-buildpackage -b -us -uc) >"$root/build.log" 2>&1 ||
    { tail -n 60 "$root/build.log"; exit 1; }
rm -rf "$root/source"
ls "$root"/*.deb
[ "${1:-}" = --check ] || exit 0

# lintian leaves files where temporary ones belong.
step 'lintian'
mkdir "$root/temporary"
TMPDIR=$root/temporary lintian --fail-on error --tag-display-limit 0 "$root"/*.changes

step 'installed in a root of its own'
place=$root/place
mkdir -p "$place/etc" "$place/var/lib/dpkg/updates" "$place/var/lib/dpkg/info" "$place/var/log"
: >"$place/var/lib/dpkg/status"
package()
{
    dpkg --root="$place" --force-not-root --force-depends --force-script-chrootless --log="$place/var/log/dpkg.log" "$@" >"$root/dpkg.log" 2>&1 ||
        { cat "$root/dpkg.log"; exit 1; }
}
package --install "$root"/libopensspi0_*.deb "$root"/libopensspi-win32-0_*.deb "$root"/libopensspi-dev_*.deb "$root"/opensspi-tools_*.deb "$root"/opensspi-lsad_*.deb "$root"/tcl-opensspi_*.deb
libraries=$place/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
PKG_CONFIG_PATH=$libraries/pkgconfig
LD_LIBRARY_PATH=$libraries
export PKG_CONFIG_PATH LD_LIBRARY_PATH

step 'the first program of the README, and the smallest'
# shellcheck disable=SC2016 # no commands, Markdown's quotes
sed -n '/^```c$/,/^```$/{/^```/!p}' README.md >"$root/first.c"
for program in "$root/first.c" tests/install/hello.c; do
    # shellcheck disable=SC2046 # flags
    cc -Wall -Werror -o "$root/program" "$program" $(pkg-config --cflags --libs opensspi)
    "$root/program"
done

step 'a program for Windows, narrow and wide, and one that is linked with -lsecur32'
for form in -DANSI_BUILD '-DUNICODE -D_UNICODE'; do
    # shellcheck disable=SC2046,SC2086 # flags
    cc -Wall -Werror $form -o "$root/program" tests/install/hello_win32.c $(pkg-config --cflags --libs opensspi-win32)
    "$root/program"
done
# shellcheck disable=SC2046
cc -Wall -Werror -o "$root/program" tests/install/hello_win32.c $(pkg-config --cflags --libs --static opensspi-win32 | sed 's/-lopensspi\(-win32\)*\b/-l:libopensspi\1.a/g')
LD_LIBRARY_PATH='' "$root/program"
# shellcheck disable=SC2046
cc -Wall -Werror -o "$root/program" tests/install/hello.c $(pkg-config --cflags opensspi) -L"$libraries" -lsecur32
"$root/program"

step 'the command, its manual, its completion'
"$place/usr/bin/sspi" --version
"$place/usr/bin/sspi" error 0x80090308
for page in man1/sspi.1 man3/sspi.3 man3/EncryptMessage.3 man5/opensspi.conf.5 man7/opensspi.7 man7/opensspi-accounts.7 man7/opensspi-win32.7 man3/win32_modules.3 man3/GetProcAddress.3; do
    test -e "$place/usr/share/man/$page.gz"
done
bash -n "$place/usr/share/bash-completion/completions/sspi"

step 'the Tcl package'
echo 'puts "twapi_crypto [package require twapi_crypto]: [twapi::sspi_enumerate_packages]"' |
    TCLLIBPATH=$libraries/tcltk/opensspi tclsh

step 'the daemon: its user, its units, and a logon session that ends with it'
grep '^opensspi:' "$place/etc/passwd"
for file in lib/systemd/system/opensspi-lsad.service lib/systemd/system/opensspi-lsad.socket usr/share/man/man8/opensspi-lsad.8.gz; do
    test -e "$place/$file"
done
grep -x 'ExecStart=/usr/sbin/opensspi-lsad --user opensspi' "$place/lib/systemd/system/opensspi-lsad.service"
printf '[lsa]\nmode = daemon\nsocket = %s\n' "$root/lsa.sock" >"$root/lsa.conf"
OPENSSPI_CONFIG=$root/lsa.conf "$place/usr/sbin/opensspi-lsad" 2>"$root/lsad.log" &
daemon=$!
trap 'kill "$daemon" 2>/dev/null || :' EXIT
trap 'exit 1' HUP INT TERM
for _ in $(seq 600); do
    [ ! -S "$root/lsa.sock" ] || break
    sleep 0.1
done
echo 'any password' | OPENSSPI_CONFIG=$root/lsa.conf "$place/usr/bin/sspi" logon --new-credentials 'ELSEWHERE\carol'
OPENSSPI_CONFIG=$root/lsa.conf "$place/usr/bin/sspi" sessions | grep 'ELSEWHERE\\carol'
kill "$daemon"
wait "$daemon"
trap - EXIT HUP INT TERM
rm "$root/lsa.conf" "$root/lsad.log"

step 'removed'
package --purge opensspi-lsad tcl-opensspi opensspi-tools libopensspi-dev libopensspi-win32-0 libopensspi0
# The user stays, as Debian's policy has it for files that may be its own.
left=$(find "$place" \( -path "$place/var" -o -path "$place/etc/passwd*" -o -path "$place/etc/group*" -o -path "$place/etc/*shadow*" -o -path "$place/etc/.pwd.lock" \) -prune -o \( -type f -o -type l \) -print)
if [ -n "$left" ]; then
    printf 'removal left:\n%s\n' "$left"
    exit 1
fi
rm -rf "$place" "$root/program" "$root/first.c" "$root/dpkg.log"
