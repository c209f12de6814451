#!/bin/sh
# Builds the library without its optional packages, in DIR: without all of them (there the command, too), then without
# each one alone. The smallest program has to list just those that are left. Called by tools/check.sh. One tree for all,
# so that each file is compiled once.
# usage: tools/check_options.sh DIR
set -eu
cd "$(dirname -- "$0")/.."
[ $# -eq 1 ] || { echo 'usage: tools/check_options.sh DIR' >&2; exit 2; }
tree=$1
jobs=$(nproc 2>/dev/null || echo 2)

# with NAMES: the options that build these packages and no others.
with()
{
    for name in NEGOTIATE KERBEROS NTLM CREDSSP DIGEST SCHANNEL; do
        case " $* " in
        *" $name "*) printf -- '-DOPENSSPI_WITH_%s=ON ' "$name" ;;
        *) printf -- '-DOPENSSPI_WITH_%s=OFF ' "$name" ;;
        esac
    done
}

# build NAMES -- TARGETS
build()
{
    names=
    while [ "$1" != -- ]; do
        names="$names $1"
        shift
    done
    shift
    # shellcheck disable=SC2046,SC2086 # words
    if ! cmake -S . -B "$tree" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG=-O0 -DBUILD_TESTING=OFF -DOPENSSPI_WERROR=ON \
        -DOPENSSPI_WITH_TCL=OFF -DOPENSSPI_WITH_DAEMON=OFF $(with $names) >"$tree.log" 2>&1 ||
        ! cmake --build "$tree" --parallel "$jobs" --target "$@" >>"$tree.log" 2>&1; then
        cat "$tree.log"
        exit 1
    fi
}

# lists NAMES: what the smallest program has to print, as Windows orders them.
lists()
{
    cc -Wall -Wextra -Werror -Iinclude/opensspi -o "$tree/hello" tests/install/hello.c -L"$tree" -lopensspi
    LD_LIBRARY_PATH=$tree "$tree/hello" >"$tree/listed" || [ "$1" = '' ] # it fails where it finds none
    found=$(sed 's/:.*/,/' "$tree/listed" | tr -d '\n')
    [ "$found" = "$1" ] || { printf 'the packages are "%s", not "%s"\n' "$found" "$1"; exit 1; }
}

tls='Schannel,Microsoft Unified Security Protocol Provider,Default TLS SSP,'
build -- opensspi sspi
lists ''
build KERBEROS NTLM DIGEST SCHANNEL -- opensspi # CREDSSP needs Negotiate
lists "Kerberos,NTLM,WDigest,$tls"
build NEGOTIATE NTLM CREDSSP DIGEST SCHANNEL -- opensspi
lists "Negotiate,NTLM,TSSSP,WDigest,${tls}CREDSSP,"
build NEGOTIATE KERBEROS CREDSSP DIGEST SCHANNEL -- opensspi
lists "Negotiate,Kerberos,TSSSP,WDigest,${tls}CREDSSP,"
build NEGOTIATE KERBEROS NTLM DIGEST SCHANNEL -- opensspi
lists "Negotiate,Kerberos,NTLM,WDigest,$tls"
build NEGOTIATE KERBEROS NTLM CREDSSP SCHANNEL -- opensspi
lists "Negotiate,Kerberos,NTLM,TSSSP,${tls}CREDSSP,"
build NEGOTIATE KERBEROS NTLM CREDSSP DIGEST -- opensspi # and CREDSSP Schannel
lists 'Negotiate,Kerberos,NTLM,WDigest,'
