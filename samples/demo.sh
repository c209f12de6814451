#!/bin/sh
# demo.sh BUILD_DIR [PACKAGE]: a client and a server, two processes, authenticate over TCP and exchange sealed and signed
# messages; then a wrong password, or for TLS another server, is refused. "delegation" instead of a package: three servers, each of which goes on to the
# next in the client's name. Without PACKAGE, all that can be shown. Leaves nothing behind.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: demo.sh BUILD_DIR [PACKAGE]" >&2
    exit 2
fi
build=$(CDPATH='' cd -- "$1" && pwd)
everything='NTLM Kerberos Negotiate Schannel'
[ "$(id -u)" != 0 ] || everything="$everything delegation" # without root only one's own files can be served
packages=${2:-$everything}
programs=$build/samples/sockauth
server=
servers=
kdc=

chain=$build/samples/delegation
for program in "$build/sspi" "$programs/sockauth_server" "$programs/sockauth_client" "$chain/delegation_server" "$chain/delegation_client"; do
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
    for process in $server $servers $kdc; do
        kill "$process" 2>/dev/null || :
        wait "$process" 2>/dev/null || :
    done
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

# start_server PACKAGE NAME [OPTION...]: the output goes to NAME.log; sets $server and $port.
start_server()
{
    log=$place/$2.log
    package=$1
    shift 2
    "$programs/sockauth_server" -p "$package" "$@" -n 1 -a 30 127.0.0.1 0 >"$log" 2>&1 &
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

# converse PACKAGE TARGET USER PASSWORD SEEN: client and server; the server must see SEEN.
converse()
{
    start_server "$1" "$1"
    SOCKAUTH_PASSWORD=$4 "$programs/sockauth_client" -p "$1" -t "$2" -u "$3" -f "$flags" 127.0.0.1 "$port" \
        >"$place/client.log" 2>&1 || fail "the client did not succeed"
    end_server || fail "the server did not succeed"
    sed -n 's/^server: user  *//p' "$place/$1.log" | grep -qxF "$5" || fail "the server saw somebody else"
    echo "The server, which saw who came and opened what was sealed:"
    show "$place/$1.log"
    echo "The client:"
    show "$place/client.log"
}

# converse_refused PACKAGE TARGET USER PASSWORD WHO: the password is wrong; a line with SEC_E_LOGON_DENIED says that WHO refused it.
converse_refused()
{
    echo "The same with a wrong password:"
    start_server "$1" refusing
    if SOCKAUTH_PASSWORD=$4 "$programs/sockauth_client" -p "$1" -t "$2" -u "$3" -f "$flags" 127.0.0.1 "$port" \
        >"$place/refused.log" 2>&1; then
        fail "a wrong password was accepted"
    fi
    if end_server; then
        fail "the server says that it served somebody"
    fi
    grep -q "$5: SEC_E_LOGON_DENIED" "$place/refused.log" || fail "refused, but not for the password"
    grep -E '^server: (Accept|the client|done)' "$place/refusing.log" | show
    grep 'SEC_E_LOGON_DENIED' "$place/refused.log" | show
}

random_password()
{
    od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}

# account_make PASSWORD: configures this side's names and a private store, and puts alice of EXAMPLE into it.
account_make()
{
    cat >"$OPENSSPI_CONFIG" <<END
[names]
computer = SERVER
domain = EXAMPLE
dns_computer = server.example.test
dns_domain = example.test
[accounts]
stores = sqlite:$place/accounts/accounts.db
END
    rm -rf "$place/accounts"
    printf '%s\n' "$1" | "$build/sspi" account add --domain EXAMPLE --full-name "Alice Example" alice \
        >"$place/account.log" 2>&1 || fail "cannot make the account"
}

demo_ntlm()
{
    password=$(random_password)
    echo "NTLM: alice of EXAMPLE gets an account with a random password, in a private SQLite store."
    account_make "$password"
    flags=$protection
    converse NTLM host/server.example.test 'EXAMPLE\alice' "$password" 'EXAMPLE\alice'
    converse_refused NTLM host/server.example.test 'EXAMPLE\alice' "not $password" 'refused'
}

# Files of a realm of its own: programs that get these variables see nothing else of this machine's Kerberos.
realm_configure()
{
    KRB5_CONFIG=$place/krb5.conf
    KRB5_KDC_PROFILE=$place/kdc.conf
    KRB5_KTNAME=FILE:$place/keytab
    KRB5CCNAME=FILE:$place/no-such-cache
    export KRB5_CONFIG KRB5_KDC_PROFILE KRB5_KTNAME KRB5CCNAME
    cat >"$KRB5_CONFIG" <<END
[libdefaults]
default_realm = EXAMPLE.TEST
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
EXAMPLE.TEST = {
  kdc = 127.0.0.1:$1
}
[domain_realm]
.example.test = EXAMPLE.TEST
END
    cat >"$KRB5_KDC_PROFILE" <<END
[kdcdefaults]
kdc_listen = 127.0.0.1:$1
kdc_tcp_listen = 127.0.0.1:$1
[realms]
EXAMPLE.TEST = {
  database_name = $place/principal
  key_stash_file = $place/stash
  acl_file = $place/acl
}
[logging]
default = FILE:$place/kdc.log
kdc = FILE:$place/kdc.log
END
}

# Tells whether the KDC runs on this port; it ends at once where the port is taken.
kdc_start()
{
    realm_configure "$1"
    rm -f "$place/kdc.log"
    krb5kdc -n >"$place/krb5kdc.log" 2>&1 &
    kdc=$!
    tries=0
    while kill -0 "$kdc" 2>/dev/null; do
        grep -qs 'commencing operation' "$place/kdc.log" && return
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || fail "the KDC does not start"
        sleep 0.1
    done
    kdc=
    return 1
}

# realm_start PASSWORD: principals alice and host/server.example.test, and the keytab of the latter. No password is on a command line.
realm_start()
{
    realm_configure 88
    master=$(random_password)
    {
        printf '%s\n%s\n' "$master" "$master" | kdb5_util create -s
        printf '%s\n%s\n' "$1" "$1" | kadmin.local -q 'addprinc +requires_preauth alice'
        kadmin.local -q 'addprinc -randkey host/server.example.test'
        kadmin.local -q "ktadd -k $place/keytab host/server.example.test"
    } >"$place/realm.log" 2>&1 || fail "cannot make the realm"
    for attempt in 1 2 3 4 5; do
        number=$(od -An -N2 -tu2 /dev/urandom)
        ! kdc_start $((20000 + number % 12000)) || return 0
        echo "demo: attempt $attempt: no KDC on this port, another may be free" >>"$place/realm.log"
    done
    fail "found no free port for the KDC"
}

kdc_programs()
{
    PATH=$PATH:/usr/sbin:/usr/local/sbin
    for program in krb5kdc kdb5_util kadmin.local; do
        command -v "$program" >/dev/null 2>&1 || {
            echo "demo: $program is missing; Debian has it in krb5-kdc or krb5-admin-server" >&2
            exit 2
        }
    done
}

kdc_stop()
{
    kill "$kdc"
    wait "$kdc" || :
    kdc=
    rm -f "$place/principal"* "$place/stash" "$place/keytab"
}

demo_kerberos()
{
    kdc_programs
    : >"$OPENSSPI_CONFIG"
    password=$(random_password)
    echo "Kerberos: alice and host/server.example.test get their keys from a private KDC of the realm EXAMPLE.TEST."
    realm_start "$password"
    flags=$protection,mutual_auth
    converse Kerberos host/server.example.test 'EXAMPLE.TEST\alice' "$password" "alice@EXAMPLE.TEST"
    converse_refused Kerberos host/server.example.test 'EXAMPLE.TEST\alice' "not $password" 'InitializeSecurityContext'
    kdc_stop
}

# chosen PACKAGE: what both sides of the last conversation say that Negotiate chose.
chosen()
{
    for log in "$place/Negotiate.log" "$place/client.log"; do
        grep -qE "^(server|client): chosen +$1\$" "$log" || fail "$1 was not chosen"
    done
}

# alice has two passwords: one in the realm EXAMPLE.TEST and one in the server's own domain EXAMPLE, which no KDC knows.
demo_negotiate()
{
    kdc_programs
    password=$(random_password)
    account_make "not $password"
    echo "Negotiate, with a KDC that knows alice and the service: Kerberos, in one round trip."
    realm_start "$password"
    flags=$protection,mutual_auth
    converse Negotiate host/server.example.test 'EXAMPLE.TEST\alice' "$password" "alice@EXAMPLE.TEST"
    chosen Kerberos
    kdc_stop
    echo "Negotiate, with an account of the server's own: no KDC knows it, and the client falls back to NTLM."
    flags=$protection
    converse Negotiate host/server.example.test 'EXAMPLE\alice' "not $password" 'EXAMPLE\alice'
    chosen NTLM
    converse_refused Negotiate host/server.example.test 'EXAMPLE\alice' "$password" 'refused'
}

# certificate_make NAME SUBJECT EXTENSION...: NAME.pfx, signed by the authority, under the password in SOCKAUTH_PASSWORD.
certificate_make()
{
    name=$place/$1
    subject=$2
    shift 2
    printf '%s\n' 'basicConstraints = critical,CA:FALSE' 'keyUsage = critical,digitalSignature' "$@" >"$name.ext"
    {
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$subject" &&
            openssl x509 -req -in "$name.csr" -CA "$place/ca.pem" -CAkey "$place/ca.key" -CAcreateserial -days 1 -extfile "$name.ext" \
                -out "$name.pem" &&
            openssl pkcs12 -export -in "$name.pem" -inkey "$name.key" -out "$name.pfx" -passout env:SOCKAUTH_PASSWORD
    } >>"$place/openssl.log" 2>&1 || fail "cannot make the certificate of $subject"
}

authority_make()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$place/ca.key" -out "$place/ca.pem" -days 1 \
        -subj '/CN=Example Authority' -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
        >"$place/openssl.log" 2>&1 || fail "cannot make the authority"
}

# tls_client TARGET: alice shows her certificate to the server that calls itself TARGET.
tls_client()
{
    "$programs/sockauth_client" -p Schannel -t "$1" -c "$place/alice.pfx" -r "$place/ca.pem" 127.0.0.1 "$port"
}

demo_schannel()
{
    command -v openssl >/dev/null 2>&1 || {
        echo "demo: openssl is missing" >&2
        exit 2
    }
    : >"$OPENSSPI_CONFIG"
    SOCKAUTH_PASSWORD=$(random_password)
    export SOCKAUTH_PASSWORD
    echo "Schannel: server.example.test and alice get certificates from a private authority; both sides check the other's."
    authority_make
    certificate_make server server.example.test 'extendedKeyUsage = serverAuth' 'subjectAltName = DNS:server.example.test'
    certificate_make alice alice 'extendedKeyUsage = clientAuth' 'subjectAltName = email:alice@example.test'
    start_server Schannel Schannel -c "$place/server.pfx" -r "$place/ca.pem"
    tls_client server.example.test >"$place/client.log" 2>&1 || fail "the client did not succeed"
    end_server || fail "the server did not succeed"
    grep -qx 'server: peer       alice' "$place/Schannel.log" || fail "the server saw somebody else"
    echo "The server, which saw who came and opened what was sealed:"
    show "$place/Schannel.log"
    echo "The client:"
    show "$place/client.log"
    echo "The same where the client wants another server:"
    start_server Schannel refusing -c "$place/server.pfx" -r "$place/ca.pem"
    if tls_client other.example.test >"$place/refused.log" 2>&1; then
        fail "a wrong server was accepted"
    fi
    if end_server; then
        fail "the server says that it served somebody"
    fi
    grep -q 'refused: CERT_E_CN_NO_MATCH' "$place/refused.log" || fail "refused, but not for the name"
    grep -E '^server: (DecryptMessage|done)' "$place/refusing.log" | show
    grep 'CERT_E_CN_NO_MATCH' "$place/refused.log" | show
    unset SOCKAUTH_PASSWORD
}

# chain_server NAME [NEXT]: runs NAME in front of NEXT; sets $port. Its keys are its own, and so is its configuration.
chain_server()
{
    name=$1
    set -- "$name" "$place/files" 127.0.0.1 0 ${2:+"host/$2.example.test"} ${2:+127.0.0.1} ${2:+"$port"}
    {
        printf '[kerberos]\nkeytab = FILE:%s/%s.keytab\n' "$place" "$name"
        printf '[access]\nname_domains = EXAMPLE.TEST\n'
    } >"$place/$name.conf"
    log=$place/$name.log
    OPENSSPI_CONFIG=$place/$name.conf "$chain/delegation_server" -a 60 "$@" >"$log" 2>&1 &
    servers="$servers $!"
    port=
    tries=0
    while [ -z "$port" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ] || ! kill -0 $! 2>/dev/null; then
            fail "the server $name does not start"
        fi
        sleep 0.1
        port=$(sed -n 's/^.*: listens .*port \([0-9]*\)$/\1/p' "$log")
    done
}

# chain_client USER [OPTION] HOPS FILE: USER asks the first server.
chain_client()
{
    printf '[kerberos]\nclient_keytab = FILE:%s/%s.user.keytab\n' "$place" "$1" >"$place/$1.conf"
    conf=$place/$1.conf
    shift
    option=
    if [ "$1" = -k ]; then
        option=-k
        shift
    fi
    # shellcheck disable=SC2086 # it may be none
    OPENSSPI_CONFIG=$conf "$chain/delegation_client" $option host/first.example.test 127.0.0.1 "$port" "$@" >"$place/client.log" 2>&1
}

# chain_file USER: a file that only USER can read.
chain_file()
{
    echo "what only $1 may read" >"$place/files/$1.txt"
    chmod 600 "$place/files/$1.txt"
    [ "$(id -u)" != 0 ] || chown "$1" "$place/files/$1.txt"
}

chain_asks()
{
    grep -q "answer *$2" "$place/client.log" || fail "not what was expected: $1"
    echo "$1"
    show "$place/client.log"
}

chain_principals()
{
    for name in first second third; do
        trusted=
        [ "$name" = third ] || trusted=+ok_as_delegate
        kadmin.local -q "addprinc -randkey $trusted host/$name.example.test"
        kadmin.local -q "ktadd -k $place/$name.keytab host/$name.example.test"
    done
    for user in "$@"; do
        kadmin.local -q "addprinc -randkey $user"
        kadmin.local -q "ktadd -k $place/$user.user.keytab $user"
    done
}

# As root two users of this machine are clients, and each gets its own files; else whoever runs this is, and nobody else can be impersonated.
demo_delegation()
{
    kdc_programs
    me=$(id -un)
    others=
    if [ "$(id -u)" = 0 ]; then
        me=games
        others=daemon
    fi
    : >"$OPENSSPI_CONFIG"
    realm_start "$(random_password)"
    # shellcheck disable=SC2086 # a list
    chain_principals "$me" $others >>"$place/realm.log" 2>&1 || fail "cannot make the principals"
    chmod 711 "$place" # impersonated clients must come to the files
    [ -z "$others" ] || runuser -u "$me" -- test -x "$place" || fail "the user $me cannot come to $place: set TMPDIR to a folder that everybody may pass"
    mkdir -m 755 "$place/files"
    for user in "$me" $others; do
        chain_file "$user"
    done
    chain_server third
    chain_server second third
    chain_server first second
    echo "Delegation: $me asks the first server for a file that the third has, and only $me may read."
    chain_client "$me" 2 "$me.txt" || fail "the client did not succeed"
    chain_asks "The client, whose ticket the first and the second server got to go on with:" "OK third: what only $me may read"
    for name in first second third; do
        grep -qF "$name: client     $me@EXAMPLE.TEST" "$place/$name.log" || fail "$name saw somebody else"
        show "$place/$name.log"
    done
    for user in $others; do
        ! chain_client "$user" 2 "$me.txt" || fail "$user got the file of $me"
        chain_asks "$user asks for the same file, and the third server's system refuses:" "NO third"
        chain_client "$user" 1 "$user.txt" || fail "the client did not succeed"
        chain_asks "$user asks the second server for its own:" "OK second: what only $user may read"
    done
    ! chain_client "$me" -k 2 "$me.txt" || fail "nothing was delegated, and the server went on"
    chain_asks "$me keeps its credentials, and the first server has nothing to go on with:" "NO first"
    for process in $servers; do
        kill "$process"
        wait "$process" 2>/dev/null || :
    done
    servers=
    kdc_stop
    rm -f "$place/"*.keytab
}

OPENSSPI_CONFIG=$place/opensspi.conf
export OPENSSPI_CONFIG
unset OPENSSPI_NTLM_USER_FILE NTLM_USER_FILE SSPI_TRACE
protection=replay_detect,sequence_detect,confidentiality,integrity,connection

for package in $packages; do
    case $package in
    [Nn][Tt][Ll][Mm]) demo_ntlm ;;
    [Kk][Ee][Rr][Bb][Ee][Rr][Oo][Ss]) demo_kerberos ;;
    [Nn][Ee][Gg][Oo][Tt][Ii][Aa][Tt][Ee]) demo_negotiate ;;
    [Ss][Cc][Hh][Aa][Nn][Nn][Ee][Ll]) demo_schannel ;;
    [Dd][Ee][Ll][Ee][Gg][Aa][Tt][Ii][Oo][Nn]) demo_delegation ;;
    *)
        echo "demo: nothing to show for the package $package here; there are: NTLM Kerberos Negotiate Schannel delegation" >&2
        exit 2
        ;;
    esac
done
echo "Done: authenticated, sealed and signed in both directions; who was wrong was refused."
