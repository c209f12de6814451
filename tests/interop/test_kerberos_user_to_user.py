"""Kerberos beyond one service and its key: user-to-user, forwarded tickets, datagram contexts."""
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from krb_peers import (ALL_FLAGS, HOST, Der, KerberosWorld, Mit, Ours, establish, flip, record_fields)  # noqa: E402
from peers import Helper, handshake, hex_of  # noqa: E402
from realm import Realm  # noqa: E402

DELEGATE, USE_SESSION_KEY, DATAGRAM = 0x1, 0x20, 0x400
FORWARDED, FIELD_DELEGATED = 1, 13
LOGON_DENIED = "0x8009030c"
TARGET_UNKNOWN, INVALID_TOKEN, WRONG_PRINCIPAL = "0x80090303", "0x80090308", "0x80090322"
NO_CREDENTIALS, OUT_OF_SEQUENCE = "0x8009030e", "0x80090310"
TRUSTED, UNTRUSTED = HOST, "untrusted.example.test"
OID_USER = bytes.fromhex("060a2a864886f71201020203")


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm(libdefaults="forwardable = true") as realm:
        realm.addprinc("alice", "Password1!")
        realm.addprinc("bob", "Other2?")
        realm.addprinc(f"HTTP/{TRUSTED}", None, "+ok_as_delegate")
        realm.addprinc(f"HTTP/{UNTRUSTED}")
        for host in (TRUSTED, UNTRUSTED):
            realm.keytab(f"HTTP/{host}")
        realm.kinit("bob", "Other2?", cache="bobs")
        realm.kinit("alice", "Password1!")
        yield realm


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with KerberosWorld.opened(realm) as world:
        yield world


def bob(world, realm, side=Ours):
    """A helper that has bob's tickets, and no keytab."""
    world.krb5["KRB5CCNAME"] = f"FILE:{realm.directory}/bobs"
    keytab, world.krb5["KRB5_KTNAME"] = world.krb5["KRB5_KTNAME"], f"FILE:{world.directory}/none"
    helper = side(world)
    world.krb5.update(KRB5CCNAME=realm.env["KRB5CCNAME"], KRB5_KTNAME=keytab)
    return helper


# Forwarded tickets


@pytest.mark.parametrize("flags", (ALL_FLAGS, "integrity", "dce," + ALL_FLAGS), ids=("mutual", "one-way", "dce"))
@pytest.mark.parametrize("client,server", ((Ours, Ours), (Ours, Mit), (Mit, Ours)), ids=("ours-ours", "ours-mit", "mit-ours"))
def test_delegation(world, client, server, flags):
    both = client(world), server(world)
    establish(*both, flags="deleg," + flags)
    if client is Ours:
        assert both[0].granted() & DELEGATE
    if server is Mit and "dce" not in flags:  # MIT's mechanism glue loses what comes with the first of three legs
        assert both[1].say("delegated", f"HTTP@{UNTRUSTED}") == "alice@EXAMPLE.TEST"
    if server is Ours:
        assert both[1].granted() & DELEGATE
        held = record_fields(both[1].data("export"))[FIELD_DELEGATED]
        assert held[0] == FORWARDED and b"krbtgt" in held and b"alice" in held


@pytest.mark.parametrize("lines,host,good", (("", UNTRUSTED, False), ("delegate = always\n", UNTRUSTED, True),
                                             ("delegate = never\n", TRUSTED, False),
                                             ("delegate = ok_as_delegate\n", TRUSTED, True)))
def test_policy(world, lines, host, good):
    """What policy forbids is not granted, and the handshake goes on."""
    world.configure(lines)
    client, server = Ours(world), Ours(world)
    establish(client, server, flags="deleg," + ALL_FLAGS, target=f"HTTP/{host}")
    for side in (client, server):
        assert bool(side.granted() & DELEGATE) == good
    assert (FIELD_DELEGATED in record_fields(server.data("export"))) == good


def test_tickets_that_may_not_be_forwarded(world, realm):
    world.krb5["KRB5CCNAME"] = cache = f"FILE:{world.directory}/fixed"
    realm.run("kinit", "-c", cache, "-F", "alice", text="Password1!\n")
    client, server = Ours(world), Ours(world)
    establish(client, server, flags="deleg," + ALL_FLAGS)
    assert not client.granted() & DELEGATE and not server.granted() & DELEGATE


# User-to-user


def test_user_to_user(world, realm):
    client, server = Ours(world), bob(world, realm)
    establish(client, server, flags="session-key," + ALL_FLAGS, target="bob@EXAMPLE.TEST")
    for side in (client, server):
        assert side.granted() & USE_SESSION_KEY
    assert server.say("names") == "alice@EXAMPLE.TEST"
    assert server.data("unseal", client.data("seal", hex_of(b"to bob")).hex()) == b"to bob"
    assert client.data("unseal", server.data("seal", hex_of(b"to alice")).hex()) == b"to alice"


def test_user_to_user_for_somebody_else(world, realm):
    """bob has the session; the client means another account. The KDC gives no ticket in bob's key."""
    realm.addprinc("carol", "Password1!")
    client = Ours(world)
    outcome = handshake(client, bob(world, realm), flags="session-key," + ALL_FLAGS, target="carol@EXAMPLE.TEST")
    assert outcome.refused is client and client.problem.split()[0] == WRONG_PRINCIPAL, client.problem


def test_user_to_user_without_tickets(world):
    """A server with neither tickets nor a keytab has nothing to give away."""
    cache, world.krb5["KRB5CCNAME"] = world.krb5["KRB5CCNAME"], f"FILE:{world.directory}/none"
    keytab, world.krb5["KRB5_KTNAME"] = world.krb5["KRB5_KTNAME"], f"FILE:{world.directory}/none"
    server = Ours(world)
    world.krb5.update(KRB5CCNAME=cache, KRB5_KTNAME=keytab)
    outcome = handshake(Ours(world), server, flags="session-key," + ALL_FLAGS, target="bob@EXAMPLE.TEST")
    assert not outcome.good and outcome.refused is server
    assert server.problem.split()[0] == NO_CREDENTIALS, server.problem


def failed_attempts(realm, principal):
    return int(re.search(r"Failed password attempts: (\d+)", realm.kadmin(f"getprinc {principal}"))[1])


@pytest.mark.parametrize("proof", ("keytab", "password"))
def test_nobody_locks_a_server_out(world, realm, proof):
    """A request for the server's ticket needs no proof: the KDC that has refused the server's key is not asked again for each. A keytab that changes is tried at once."""
    name = f"HTTP/stale-{proof}.example.test"
    realm.kadmin(f"addpol -maxfailure 3 {proof}")
    realm.addprinc(name, "Former1!", "+requires_preauth", "-policy", proof)
    realm.keytab(name, f"stale-{proof}")
    realm.kadmin(f"cpw -pw Later1!! {name}")
    cache, world.krb5["KRB5CCNAME"] = world.krb5["KRB5CCNAME"], f"FILE:{world.directory}/none"
    keytab, world.krb5["KRB5_KTNAME"] = world.krb5["KRB5_KTNAME"], f"FILE:{realm.directory}/stale-{proof}"
    server = Ours(world)
    world.krb5.update(KRB5CCNAME=cache, KRB5_KTNAME=keytab)
    words = {"user": name, "password": "Former1!", "domain": "EXAMPLE.TEST"} if proof == "password" else {}
    assert server.start("server", **words) is not None
    request = framed(0x0400, tgt_request())
    for number in range(6):
        assert number == 0 or server.again() is not None
        assert server.token(request) is None and server.problem.split()[0] == LOGON_DENIED, server.problem
    assert failed_attempts(realm, name) == 1
    if proof == "keytab":
        (realm.directory / f"stale-{proof}").unlink()
        realm.keytab(name, f"stale-{proof}")
        assert server.again() is not None
        answer = server.token(request)
        assert answer is not None, server.problem
        assert unframed(answer[1], 0x0401)


class User(Helper):
    program = "krb_user"


def framed(number, message):
    return Der.write(0x60, OID_USER + number.to_bytes(2, "big") + message)


def unframed(token, number):
    at = token.find(OID_USER)
    assert at in (2, 3, 4)
    rest = token[at + len(OID_USER):]
    assert rest[:2] == number.to_bytes(2, "big")
    return rest[2:]


def tgt_reply(ticket):
    return Der.write(0x30, Der.write(0xa0, b"\x02\x01\x05") + Der.write(0xa1, b"\x02\x01\x11") + Der.write(0xa2, ticket))


def tgt_request():
    return Der.write(0x30, Der.write(0xa0, b"\x02\x01\x05") + Der.write(0xa1, b"\x02\x01\x10"))


def test_our_client_to_libkrb5s_user(world, realm):
    client, server = Ours(world), bob(world, realm, User)
    answer = client.start("client", flags="session-key," + ALL_FLAGS, target="bob@EXAMPLE.TEST")
    assert answer is not None, client.problem
    assert unframed(answer[1], 0x0400).startswith(b"\x30")
    answer = client.token(framed(0x0401, tgt_reply(server.data("tgt"))))
    assert answer is not None, client.problem
    reply = server.data("accept", unframed(answer[1], 0x0100).hex())
    assert reply, server.problem
    assert client.token(framed(0x0200, reply)) is not None, client.problem


def test_libkrb5s_client_to_our_user(world, realm):
    client, server = User(world), bob(world, realm)
    assert server.start("server", flags="session-key," + ALL_FLAGS) is not None
    answer = server.token(framed(0x0400, tgt_request()))
    assert answer is not None, server.problem
    reply = unframed(answer[1], 0x0401)
    ticket = reply[Der.find(reply, 0x30, 0xa2)[0]:Der.find(reply, 0x30, 0xa2)[1]]
    request = client.data("request", ticket.hex(), "bob")
    assert request, client.problem
    answer = server.token(request)  # libkrb5's has no GSS-API checksum: raw
    assert answer is not None, server.problem
    assert server.say("names") == "alice@EXAMPLE.TEST"
    assert client.answer("reply", answer[1].hex()) is not None, client.problem


def test_altered_tickets_and_requests(world, realm):
    """Of the exchange before the AP-REQ nothing is protected: what is changed there gives no session, or one with the right user."""
    client, server = Ours(world), bob(world, realm)
    flags = "session-key," + ALL_FLAGS
    first = client.start("client", flags=flags, target="bob@EXAMPLE.TEST")[1]
    assert server.start("server", flags=flags) is not None
    for at in range(0, len(first), 3):
        server.again()
        answer = server.token(flip(first, at))
        assert answer is None or answer[0] == "token", "a session without a request"
    server.again()
    reply = server.token(first)[1]
    for at in range(0, len(reply), 37):
        client.again()
        answer = client.token(flip(reply, at))
        assert answer is None or answer[0] == "token"
        if answer is not None:  # kvno, and what names the ticket from outside
            server.again()
            server.token(first)
            ended = server.token(answer[1])
            assert ended is None or server.say("names") == "alice@EXAMPLE.TEST"


def test_a_ticket_is_asked_for_once(world, realm):
    server = bob(world, realm)
    assert server.start("server", flags="session-key," + ALL_FLAGS) is not None
    assert server.token(framed(0x0400, tgt_request())) is not None
    assert server.token(framed(0x0400, tgt_request())) is None
    assert server.problem.split()[0] == INVALID_TOKEN, server.problem


# A server that has a password and no keytab


@pytest.mark.parametrize("password,good", (("Service1!", True), ("Service2!", False)))
def test_server_with_a_password(world, realm, password, good):
    try:
        realm.addprinc("svc", "Service1!")
    except RuntimeError:
        pass  # the other case has added it
    world.krb5["KRB5_KTNAME"] = f"FILE:{world.directory}/none"
    client, server = Ours(world), Ours(world)
    assert server.start("server", user="svc", password=password, domain="EXAMPLE.TEST") is not None, server.problem
    for number in range(2):
        answer = client.again() if number else client.start("client", target="svc")
        assert number == 0 or server.again() is not None
        taken = server.token(answer[1])
        assert (taken is not None) == good, server.problem
        if not good:
            assert server.problem.split()[0] == WRONG_PRINCIPAL, server.problem
            break
        assert client.token(taken[1]) is not None and server.say("names") == "alice@EXAMPLE.TEST"


# Services of one account, which have one key: RC4's, which depends on the password alone
SVC2 = "svc2@EXAMPLE.TEST"
WWW = "HTTP/www.example.test@EXAMPLE.TEST"


@pytest.mark.parametrize("principal,taken", (
    ("HTTP/www.example.test", {"HTTP/www.example.test": WWW, "HTTP/WWW.example.test": WWW}),
    ("HTTP@www.example.test", {"HTTP/www.example.test": WWW, "HTTP/WWW.example.test": WWW}),
    (WWW, {"HTTP/www.example.test": WWW, "HTTP/WWW.example.test": WWW}),
    ("HTTP/www.other.test", {"HTTP/www.other.test@EXAMPLE.TEST": "HTTP/www.other.test@EXAMPLE.TEST"}),
    ("HTTP/www.example.test@OTHER.TEST", {}),
    ("svc2", None), (SVC2, None), ("example.test\\svc2", None), (None, None)))
def test_server_with_a_password_and_a_name(world, realm, principal, taken):
    """Tickets for other services of the account are refused. The account's own name means all of them. The name that is shown is what the client told; of one that
    tells none, as MIT's, it is that of the key."""
    targets = ("svc2", "HTTP/www.example.test", "HTTP/WWW.example.test", "cifs/www.example.test", "HTTP/www.other.test@EXAMPLE.TEST")
    taken = dict.fromkeys(targets, SVC2) if taken is None else taken
    for name in targets:
        try:
            realm.addprinc(name, "Service1!", "-e", "arcfour-hmac:normal")
        except RuntimeError:
            pass  # another case has added it
    world.krb5["KRB5_KTNAME"] = f"FILE:{world.directory}/none"
    for client_class, target in [(Ours, target) for target in targets] + [(Mit, "HTTP/www.example.test")]:
        client, server = client_class(world), Ours(world)
        assert server.start("server", user="svc2", password="Service1!", domain="EXAMPLE.TEST", principal=principal) is not None, server.problem
        answer = client.start("client", target=target.replace("/", client.between))
        assert answer is not None, client.problem
        done = server.token(answer[1])
        if target in taken:
            assert done is not None, (target, server.problem)
            told = target if "@" in target else target + "@EXAMPLE.TEST"
            assert server.say("target") == (told if client_class is Ours else taken[target])
        else:
            assert done is None and server.problem.split()[0] == WRONG_PRINCIPAL, (target, server.problem)


# Datagram contexts


@pytest.mark.parametrize("flags", ("datagram,integrity,confidentiality", "datagram," + ALL_FLAGS), ids=("one-way", "mutual"))
def test_datagrams(world, flags):
    """Messages have the caller's numbers: in any order, and each number its own."""
    client, server = Ours(world), Ours(world)
    establish(client, server, flags=flags)
    assert client.granted() & DATAGRAM and server.granted() & DATAGRAM
    sealed = [client.data("seal", hex_of(b"%d" % i)) for i in range(3)]
    for i, token in enumerate(sealed):
        assert server.data("unseal", token.hex()) == b"%d" % i, server.problem
    assert server.data("unseal", sealed[0].hex()) is None, "number 3 was due"
    assert server.problem.split()[0] == OUT_OF_SEQUENCE, server.problem
    sealed = {}
    for number in (7, 1000, 5, 0xffffffff):
        assert client.say("seq", str(number)) is not None
        sealed[number] = client.data("seal", hex_of(b"%d" % number))
    for number in (1000, 0xffffffff, 5, 7):
        assert server.say("seq", str(number)) is not None
        assert server.data("unseal", sealed[number].hex()) == b"%d" % number, (number, server.problem)
    assert server.say("seq", "6") is not None and server.data("unseal", sealed[7].hex()) is None
    assert server.problem.split()[0] == OUT_OF_SEQUENCE, server.problem
