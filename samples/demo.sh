#!/bin/sh
# demo.sh BUILD_DIR [PACKAGE]: a client and a server, two processes, authenticate over TCP and exchange sealed and signed
# messages; then a wrong password is refused. Without PACKAGE, each package that can be shown. Leaves nothing behind.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: demo.sh BUILD_DIR [PACKAGE]" >&2
    exit 2
fi
build=$(CDPATH='' cd -- "$1" && pwd)
packages=${2:-NTLM}
programs=$build/samples/sockauth
server=

for program in "$build/sspi" "$programs/sockauth_server" "$programs/sockauth_client"; do
    [ -x "$program" ] || {
        echo "demo: $program is not built" >&2
        exit 1
    }
done

place=$(mktemp -d "${TMPDIR:-/tmp}/opensspi-demo.XXXXXX")

cleanup()
{
    status=$?
    trap - EXIT
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || :
        wait "$server" 2>/dev/null || :
    fi
    rm -rf "$place"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

fail()
{
    echo "demo: $*" >&2
    for log in "$place"/*.log; do
        [ ! -f "$log" ] || sed 's/^/    /' "$log" >&2
    done
    exit 1
}

# start_server PACKAGE NAME: the output goes to NAME.log; sets $server and $port.
start_server()
{
    log=$place/$2.log
    "$programs/sockauth_server" -p "$1" -n 1 -a 30 127.0.0.1 0 >"$log" 2>&1 &
    server=$!
    port=
    tries=0
    while [ -z "$port" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
            fail "the server does not start"
        fi
        sleep 0.1
        port=$(sed -n 's/^server: listens .* port \([0-9]*\)$/\1/p' "$log")
    done
}

# Waits for the server to end; its exit status is left in $?.
end_server()
{
    ended=0
    wait "$server" || ended=$?
    server=
    return "$ended"
}

show()
{
    sed 's/^/    /' "$@"
}

demo_ntlm()
{
    password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
    cat >"$place/opensspi.conf" <<END
[names]
computer = SERVER
domain = EXAMPLE
dns_computer = server.example.test
dns_domain = example.test
[accounts]
stores = sqlite:$place/accounts/accounts.db
END
    OPENSSPI_CONFIG=$place/opensspi.conf
    export OPENSSPI_CONFIG
    unset OPENSSPI_NTLM_USER_FILE NTLM_USER_FILE SSPI_TRACE

    echo "NTLM: alice of EXAMPLE gets an account with a random password, in a private SQLite store."
    printf '%s\n' "$password" | "$build/sspi" account add --domain EXAMPLE --full-name "Alice Example" alice \
        >"$place/account.log" 2>&1 || fail "cannot make the account"

    start_server NTLM server
    SOCKAUTH_PASSWORD=$password "$programs/sockauth_client" -p NTLM -t host/server.example.test -u 'EXAMPLE\alice' \
        127.0.0.1 "$port" >"$place/client.log" 2>&1 || fail "the client did not succeed"
    end_server || fail "the server did not succeed"
    grep -q '^server: user  *EXAMPLE\\alice$' "$place/server.log" || fail "the server saw somebody else"
    echo "The server, which saw who came and opened what was sealed:"
    show "$place/server.log"
    echo "The client:"
    show "$place/client.log"

    echo "The same with a wrong password:"
    start_server NTLM refusing
    if SOCKAUTH_PASSWORD="not $password" "$programs/sockauth_client" -p NTLM -u 'EXAMPLE\alice' 127.0.0.1 "$port" \
        >"$place/refused.log" 2>&1; then
        fail "a wrong password was accepted"
    fi
    if end_server; then
        fail "the server says that it served somebody"
    fi
    grep -q 'refused: SEC_E_LOGON_DENIED$' "$place/refused.log" || fail "refused, but not for the password"
    grep '^server: [Ad]' "$place/refusing.log" | show
    grep 'refused' "$place/refused.log" | show
}

for package in $packages; do
    case $package in
    [Nn][Tt][Ll][Mm]) demo_ntlm ;;
    *)
        echo "demo: nothing to show for the package $package here; there is: NTLM" >&2
        exit 2
        ;;
    esac
done
echo "Done: authenticated, sealed and signed in both directions; the wrong password was refused."
