"""Kerberos when something is wrong: tickets, keys, clocks, KDCs, messages; and what Kerberos must leave alone."""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from krb_peers import (ALL_FLAGS, HOST, OPTIONS, TICKET, Der, Forger, KerberosWorld, Mit, Ours,  # noqa: E402
                       establish, flip, refused)
from peers import ANSWER_SECONDS, BUILD, handshake  # noqa: E402
from realm import Realm, closed_port, program  # noqa: E402

TARGET = f"HTTP/{HOST}"
NO_CREDENTIALS, LOGON_DENIED, TARGET_UNKNOWN = "0x8009030e", "0x8009030c", "0x80090303"
WRONG_PRINCIPAL, TIME_SKEW, CONTEXT_EXPIRED = "0x80090322", "0x80090324", "0x80090317"
NO_AUTHORITY, OUT_OF_SEQUENCE, BAD_BINDINGS = "0x80090311", "0x80090310", "0x80090346"
INVALID_TOKEN, MESSAGE_ALTERED = "0x80090308", "0x8009030f"
PASSWORD_EXPIRED, ACCOUNT_DISABLED = "0xc0000071", "0xc0000072"
WRONG_PASSWORD = {"user": "alice", "password": "Password2!", "domain": "EXAMPLE.TEST"}


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm() as realm:
        realm.addprinc("alice", "Password1!")
        realm.addprinc("careful", "Password1!", "+requires_preauth")
        realm.addprinc("late", "Password1!", "+needchange")
        realm.addprinc("gone", "Password1!", "-allow_tix")
        realm.addprinc(TARGET)
        realm.keytab(TARGET)
        realm.kinit("alice", "Password1!")
        yield realm


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with KerberosWorld.opened(realm) as world:
        yield world


def server_of(world, flags=ALL_FLAGS, **more):
    server = Ours(world)
    assert server.start("server", flags=flags, **more) is not None, server.problem
    return server


def request_of(world, side=Ours, **more):
    """An AP-REQ, and the client that made it."""
    client = side(world)
    answer = client.start("client", **more)
    assert answer is not None, client.problem
    return answer[1], client


# Getting a ticket


@pytest.mark.parametrize("target", ("HTTP/nobody.example.test", "nobody", "HTTP/server.example.test/more"))
@pytest.mark.parametrize("identity", ({}, {"user": "alice", "password": "Password1!", "domain": "EXAMPLE.TEST"}),
                         ids=("cache", "password"))
def test_unknown_service(world, target, identity):
    client = Ours(world)
    assert client.start("client", target=target, **identity) is None
    assert refused(client, TARGET_UNKNOWN)


@pytest.mark.parametrize("user", ("alice", "careful", "nobody"))
def test_wrong_password(world, user):
    client = Ours(world)
    assert client.start("client", **{**WRONG_PASSWORD, "user": user}) is None
    assert refused(client, LOGON_DENIED)


@pytest.mark.parametrize("user,code", (("late", PASSWORD_EXPIRED), ("gone", ACCOUNT_DISABLED)))
def test_accounts_that_may_not_log_on(world, user, code):
    client = Ours(world)
    assert client.start("client", user=user, password="Password1!", domain="EXAMPLE.TEST") is None
    assert refused(client, code)


def test_no_ticket_is_the_handshakes_error(world):
    world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/none"
    client = Ours(world)
    assert client.start("client") is None
    assert client.problem.startswith(f"{NO_CREDENTIALS} InitializeSecurityContext"), client.problem


def logons(realm, user):
    log = (realm.directory / "kdc.log").read_text(errors="replace")
    return len([line for line in log.splitlines() if "AS_REQ" in line and "ISSUE" in line and f"{user}@" in line])


def test_one_logon_is_enough(world, realm):
    """The first ticket is kept also when there is none for the target."""
    realm.addprinc("once", "Password1!")
    client, server = Ours(world), server_of(world)
    identity = {"user": "once", "password": "Password1!", "domain": "EXAMPLE.TEST"}
    assert client.start("client", target="HTTP/nobody.example.test", **identity) is None
    for _ in range(3):
        assert client.again() is None
    assert logons(realm, "once") == 1
    second = Ours(world)
    for number in range(3):
        answer = second.again() if number else second.start("client", **identity)
        assert server.again() is not None and server.token(answer[1]) is not None
    assert logons(realm, "once") == 2


def test_another_default_cache(world, realm):
    """KRB5CCNAME changes while the process runs: the cache of the time of the call counts."""
    realm.addprinc("bob", "Other2?")
    cache = f"FILE:{world.directory}/bob"
    realm.run("kinit", "-c", cache, "bob", text="Other2?\n")
    client, server = Ours(world), server_of(world)
    for number, (name, user) in enumerate(((realm.env["KRB5CCNAME"], "alice"), (cache, "bob")) * 2):
        assert client.answer("env", "KRB5CCNAME", name) is not None
        answer = client.again() if number else client.start("client")
        assert answer is not None, client.problem
        assert server.again() is not None and server.token(answer[1]) is not None, server.problem
        assert server.say("names") == f"{user}@EXAMPLE.TEST"


def test_ticket_granting_ticket_expired(world, realm):
    world.krb5["KRB5CCNAME"] = cache = f"FILE:{world.directory}/short"
    realm.run("kinit", "-c", cache, "-l", "1s", "alice", text="Password1!\n")
    time.sleep(2)
    client = Ours(world)
    assert client.start("client") is None
    assert refused(client, CONTEXT_EXPIRED)


def test_password_identity_logs_on_again(world, realm):
    """The first ticket ends while the credential lives."""
    realm.addprinc("brief", "Password1!", "-maxlife", '"2 seconds"')
    client, server = Ours(world), server_of(world)
    identity = {"user": "brief", "password": "Password1!", "domain": "EXAMPLE.TEST"}
    answer = client.start("client", **identity)
    assert answer is not None and server.token(answer[1]) is not None, server.problem
    time.sleep(3)
    answer = client.again()
    assert answer is not None, client.problem
    assert server.again() is not None and server.token(answer[1]) is not None, server.problem


# KDCs that are not there


def other_realm(world, port):
    """OTHER.TEST, whose KDC should be at the port."""
    text = pathlib.Path(world.krb5["KRB5_CONFIG"]).read_text()
    world.put("krb5.conf", text + f"[realms]\nOTHER.TEST = {{\n  kdc = 127.0.0.1:{port}\n}}\n")
    world.krb5["KRB5_CONFIG"] = f"{world.directory}/krb5.conf"


IN_OTHER = {"user": "alice", "password": "Password1!", "domain": "OTHER.TEST"}


@pytest.mark.parametrize("identity", (IN_OTHER, {"user": "alice", "password": "Password1!", "domain": "NOWHERE.TEST"}))
def test_kdc_down_or_unknown(world, identity):
    with closed_port() as port:
        other_realm(world, port)
        client = Ours(world)
        assert client.start("client", **identity) is None
    assert refused(client, NO_AUTHORITY)


@pytest.fixture(name="silent_port")
def silent_port_of_the_test():
    """Takes connections and datagrams, and says nothing."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen(16)
        udp.bind(tcp.getsockname())
        yield tcp.getsockname()[1]


def test_silent_kdc(world, silent_port):
    other_realm(world, silent_port)
    world.configure("kdc_seconds = 2\n")
    client = Ours(world)
    assert client.start("client", **IN_OTHER) is None
    assert refused(client, NO_AUTHORITY)
    assert "kdc_seconds" in client.problem, client.problem  # it was not libkrb5, which waits longer, that gave up


def test_silent_kdc_holds_nobody_else(world):
    with socket.socket() as kdc:
        kdc.bind(("127.0.0.1", 0))
        kdc.listen()
        kdc.settimeout(ANSWER_SECONDS)
        other_realm(world, kdc.getsockname()[1])
        world.configure("kdc_seconds = 300\n")
        with subprocess.Popen([BUILD / "tests/interop/krb_slow", TARGET, "OTHER.TEST"], env=world.environment(), text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as slow:
            with kdc.accept()[0]:  # it waits for an answer
                slow.stdin.write("\n")
                slow.stdin.flush()
                assert json.loads(slow.stdout.readline()) == {"handshakes": 20, "status": "0x00000000", "waits": True}
            kdc.close()
            assert json.loads(slow.stdout.readline()) == {"status": NO_AUTHORITY}
        assert slow.returncode == 0


def test_ticket_in_hand_needs_no_kdc(world):
    with Realm("ALONE.TEST") as realm:
        realm.addprinc("alice", "Password1!")
        realm.addprinc("HTTP/server.alone.test")
        realm.keytab("HTTP/server.alone.test")
        realm.kinit("alice", "Password1!")
        realm.run("kvno", "HTTP/server.alone.test")
        (world.directory / "alone").mkdir()
        alone = KerberosWorld(world.directory / "alone", realm, host="server.alone.test")
        alone.processes = world.processes
        realm.stop_kdc()
        establish(Ours(alone), Ours(alone))


# Keys


def test_service_with_new_keys(world, realm):
    """The keytab has the old key: the client learns it from the error token."""
    service = "HTTP/rekeyed.example.test"
    realm.addprinc(service)
    keytab = realm.keytab(service, "keytab.old")
    realm.kadmin(f"cpw -randkey {service}")
    token, client = request_of(world, target=service, flags="extended," + ALL_FLAGS)
    world.krb5["KRB5_KTNAME"] = f"FILE:{keytab}"
    server = server_of(world, flags="extended," + ALL_FLAGS)
    assert server.token(token) is None
    assert refused(server, WRONG_PRINCIPAL)
    error = server.data("errortoken")
    assert error, "no KRB-ERROR for the client"
    assert client.token(error) is None
    assert refused(client, WRONG_PRINCIPAL)


def test_no_error_token_unasked(world, realm):
    token, _ = request_of(world)
    world.krb5["KRB5_KTNAME"] = f"FILE:{world.directory}/none"
    server = server_of(world)
    assert server.token(token) is None
    assert server.data("errortoken") == b"", "nobody asked for extended errors"


def krb_error(number):
    """A KRB-ERROR (RFC 4120 5.9.1) in a GSS frame. Nothing protects it: anybody can send it."""
    def field(n, tag, content):
        return Der.write(0xa0 + n, Der.write(tag, content))
    code = number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    sname = field(0, 0x02, b"\x03") + Der.write(0xa1, Der.write(0x30, Der.write(0x1b, b"HTTP") + Der.write(0x1b, b"s")))
    body = (field(0, 0x02, b"\x05") + field(1, 0x02, b"\x1e") + field(4, 0x18, b"20260101000000Z") +
            field(5, 0x02, b"\0") + field(6, 0x02, code) + field(9, 0x1b, b"EXAMPLE.TEST") +
            Der.write(0xaa, Der.write(0x30, sname)))
    message = Der.write(0x7e, Der.write(0x30, body))
    return Der.write(0x60, bytes.fromhex("06092a864886f712010202") + b"\x03\x00" + message)


KRB5_BASE = -1765328384  # com_err's base for the protocol's numbers


@pytest.mark.parametrize("number,code", ((37, TIME_SKEW), (35, WRONG_PRINCIPAL), (41, WRONG_PRINCIPAL), (60, None), (0, None),
                                         (-KRB5_BASE, None), (12 - KRB5_BASE, None), (-1, None), (200, None),
                                         # a KDC's words on an account or a password: no server has them to say
                                         (6, None), (7, None), (18, None), (23, None), (24, None),
                                         (2147483647, None), (-2147483648, None)))
def test_forged_errors(world, number, code):
    """Whatever number it has, it ends the handshake, and never well."""
    _, client = request_of(world)
    assert client.token(krb_error(number)) is None
    assert refused(client, code or INVALID_TOKEN)
    assert client.seal(b"text") is None


def test_another_services_ticket(world, realm):
    service = "HTTP/another.example.test"
    realm.addprinc(service)
    token, _ = request_of(world, target=service)
    server = server_of(world)
    assert server.token(token) is None
    assert refused(server, WRONG_PRINCIPAL)


def test_server_with_one_principal(world, realm):
    """The keytab has two services; the credential is one's."""
    service = "HTTP/second.example.test"
    realm.addprinc(service)
    keytab = realm.keytab(service, "keytab.two")
    realm.keytab(TARGET, "keytab.two")
    world.krb5["KRB5_KTNAME"] = f"FILE:{keytab}"
    for principal, good in ((service, True), (TARGET, False)):
        server = server_of(world, principal=principal)
        token, _ = request_of(world, target=service)
        assert (server.token(token) is not None) == good, server.problem
        assert good or refused(server, WRONG_PRINCIPAL)


def test_new_keys_while_the_server_runs(world, realm):
    service = "HTTP/rolling.example.test"
    realm.addprinc(service)
    keytab = realm.keytab(service, "keytab.rolling")
    world.krb5["KRB5_KTNAME"] = f"FILE:{keytab}"
    server = server_of(world)
    for _ in range(3):
        cache = realm.run("mktemp", "-p", world.directory).strip()
        realm.run("kinit", "-c", cache, "alice", text="Password1!\n")
        world.krb5["KRB5CCNAME"] = f"FILE:{cache}"
        old, _ = request_of(world, target=service)
        realm.kadmin(f"cpw -randkey {service}")
        realm.keytab(service, "keytab.rolling")
        realm.run("kinit", "-c", cache, "alice", text="Password1!\n")
        new, _ = request_of(world, target=service)
        for token in (old, new):  # tickets of before are good to their end
            assert server.again() is not None
            assert server.token(token) is not None, server.problem


def test_keytab_with_another_version_number(world, realm):
    """The right key under a number of its own, as ktpass and copied keytabs have it: the ticket opens, and its PAC verifies."""
    service = "HTTP/numbered.example.test"
    realm.addprinc(service, "Service1!", "-e", "aes256-cts-hmac-sha1-96:normal")
    keytab = realm.directory / "keytab.numbered"
    realm.run("ktutil", text=f"addent -password -p {service}@EXAMPLE.TEST -k 7 -e aes256-cts-hmac-sha1-96\nService1!\n"
              f"wkt {keytab}\n")
    world.krb5["KRB5_KTNAME"] = f"FILE:{keytab}"
    server = server_of(world)
    token, _ = request_of(world, target=service)
    assert server.token(token) is not None, server.problem


def test_replay_to_another_process(world):
    """Each process has a cache of its own in memory; libkrb5's file is common to those that are told to use it."""
    for shared in (False, True):
        world.configure(f"shared_replay_cache = {'yes' if shared else 'no'}\n")
        token, _ = request_of(world)
        first, second = server_of(world), server_of(world)
        assert first.token(token) is not None, first.problem
        assert (second.token(token) is None) == shared
        assert not shared or refused(second, OUT_OF_SEQUENCE)


def test_no_keytab(world):
    world.krb5["KRB5_KTNAME"] = f"FILE:{world.directory}/none"
    token, _ = request_of(world)
    server = server_of(world)
    assert server.token(token) is None and refused(server, NO_CREDENTIALS)


# Time


def forged_request(world, realm, change, part="ticket"):
    token, _ = request_of(world)
    forger = Forger(world, realm, TARGET)
    return forger.change_ticket(token, change) if part == "ticket" else forger.change_authenticator(token, change)


def forged(world, realm, change, part="ticket"):
    server = server_of(world)
    answer = server.token(forged_request(world, realm, change, part))
    return answer, server


def test_the_forger_forges_well(world, realm):
    for part in ("ticket", "authenticator"):
        answer, server = forged(world, realm, lambda plain: plain, part)
        assert answer is not None, server.problem


@pytest.mark.parametrize("seconds,good", ((-3600, False), (-400, False), (-200, True), (200, True), (400, False),
                                          (86400, False)))
def test_clock_of_the_client(world, realm, seconds, good):
    answer, server = forged(world, realm, Forger.time_setter(seconds, 0x62, 0x30, 0xa5), "authenticator")
    assert (answer is not None) == good, server.problem
    assert good or refused(server, TIME_SKEW)


@pytest.mark.parametrize("tag,seconds,code", ((0xa7, -3600, CONTEXT_EXPIRED), (0xa7, -400, CONTEXT_EXPIRED),
                                              (0xa7, -200, None), (0xa5, 3600, TIME_SKEW)))
def test_times_of_the_ticket(world, realm, tag, seconds, code):
    """[7] is its end. [5] authtime stands for a start in the future where there is no [6] starttime."""
    tags = (0x63, 0x30, tag)
    if tag == 0xa5:
        token, _ = request_of(world)
        plain = Forger(world, realm, TARGET).open(token, 2)
        start, end = Der.find(plain, 0x63, 0x30)
        at, found = start, set()
        while at < end:
            kind, _, at = Der.element(plain, at)
            found.add(kind)
        tags = (0x63, 0x30, 0xa6) if 0xa6 in found else tags
    answer, server = forged(world, realm, Forger.time_setter(seconds, *tags))
    if code is None:  # within the skew that clocks are allowed
        assert answer is not None, server.problem
    else:
        assert answer is None and refused(server, code)


def test_wide_skew_keeps_replays_out(world, realm):
    """With an hour's skew in krb5.conf an authenticator of fifty minutes ago is good, once."""
    text = pathlib.Path(world.krb5["KRB5_CONFIG"]).read_text()
    world.put("krb5.conf", text.replace("[libdefaults]\n", "[libdefaults]\nclockskew = 3600\n"))
    world.krb5["KRB5_CONFIG"] = f"{world.directory}/krb5.conf"
    token, server = forged_request(world, realm, Forger.time_setter(-3000, 0x62, 0x30, 0xa5), "authenticator"), server_of(world)
    assert server.token(token) is not None, server.problem
    assert server.again() is not None
    assert server.token(token) is None and refused(server, OUT_OF_SEQUENCE)


# Replays


@pytest.mark.parametrize("side", (Ours, Mit))
@pytest.mark.parametrize("flags", ("integrity", "dce,mutual,integrity", ALL_FLAGS))
def test_replay(world, side, flags):
    token, _ = request_of(world, side, flags=flags)
    server = server_of(world)
    assert server.token(token) is not None, server.problem
    second = server_of(world)
    for _ in range(3):  # `again` deletes the context that took it
        assert server.again() is not None
        assert server.token(token) is None and refused(server, OUT_OF_SEQUENCE)
    assert second.token(token) is not None, "caches of two processes are two"


def test_replay_in_other_clothes(world):
    """The same authenticator in a message that differs where nothing is protected."""
    token, _ = request_of(world)
    server = server_of(world)
    assert server.token(token) is not None, server.problem
    start = Forger.message(token)
    _, inner, end = Der.element(token, start)
    parts, at = [], Der.find(token, 0x6e, 0x30, start=start)[0]
    while at < end:
        tag, begin, stop = Der.element(token, at)
        parts.append((tag, token[begin:stop]))
        at = stop
    tag, sealed = parts[4]
    assert tag == 0xa4 and inner > start
    inside = Der.find(sealed, 0x30)[0]
    _, _, after = Der.element(sealed, inside)
    dressed = Der.write(0x30, sealed[inside:after] + bytes.fromhex("a103020101") + sealed[after:])  # a kvno more
    parts[4] = (tag, dressed)
    raw = Der.write(0x6e, Der.write(0x30, b"".join(Der.write(*part) for part in parts)))
    for variant in (token[start:], Der.write(0x60, token[Der.element(token, 0)[1]:start] + raw), raw):
        assert server.again() is not None
        assert server.token(variant) is None
        assert refused(server, OUT_OF_SEQUENCE)


# Damage


def unprotected(token):
    """The places in an AP-REQ that Kerberos does not protect: AP options, and who the ticket says it is for. They decide
    nothing: the keytab's key does."""
    start = Forger.message(token)
    oid = Der.find(token, 0x60, 0x06)
    assert token[oid[0] + 3] == 0x86, "one bit makes Microsoft's OID of Kerberos'"
    spans = [Der.find(token, *OPTIONS, start=start), (oid[0] + 3, oid[0] + 4)]
    for tag in (0xa1, 0xa2):
        spans.append(Der.find(token, *TICKET, tag, start=start))
    spans.append(Der.find(token, *TICKET, 0xa3, 0x30, 0xa1, start=start))  # kvno
    return [at for begin, end in spans for at in range(begin, end)]


@pytest.mark.parametrize("side", (Ours, Mit))
def test_damaged_request(world, side):
    """Every bit of an AP-REQ. What a replay cache knows counts as accepted."""
    token, client = request_of(world, side)
    server = server_of(world)
    free = set(unprotected(token))
    taken = []
    for at in range(len(token)):
        assert server.token(token[:at]) is None, at
        assert server.again() is not None
        for bit in range(8):
            answer = server.token(flip(token, at, bit))
            if answer is not None or server.problem.startswith(OUT_OF_SEQUENCE):
                taken.append((at, bit))
            assert server.again() is not None
    assert {at for at, _ in taken} <= free
    # Where a bit makes no difference, it makes none: the same client, service and flags.
    plain = server_of(world)
    assert plain.token(token) is not None, plain.problem
    wanted = [plain.say(word) for word in ("names", "target", "attributes")]
    for at, bit in taken:
        fresh = client.again()[1]  # what lies before the authenticator lies where it lay
        assert server.token(flip(fresh, at, bit)) is not None, server.problem
        assert [server.say(word) for word in ("names", "target", "attributes")] == wanted, (at, bit)
        assert server.again() is not None


@pytest.mark.parametrize("flags", (ALL_FLAGS, "dce," + ALL_FLAGS), ids=("framed", "dce"))
def test_damaged_reply(world, flags):
    server, client = server_of(world), Ours(world)
    answer = server.token(client.start("client", flags=flags)[1])
    length = len(answer[1])
    kinds = [(at, None) for at in range(length)] + [(at, bit) for at in range(length) for bit in range(8)]
    for at, bit in kinds:
        assert server.again() is not None
        reply = server.token(client.again()[1])
        assert reply is not None, server.problem
        at %= len(reply[1])  # one with a smaller number of microseconds is shorter
        damaged = reply[1][:at] if bit is None else flip(reply[1], at, bit)
        if b"\x2a\x86\x48\x82\xf7" in damaged:
            continue  # the other OID of Kerberos
        assert client.token(damaged) is None, (at, bit)
        assert client.token(reply[1]) is None, "a context whose step failed stays failed"


def test_damaged_third_leg(world):
    flags = "dce," + ALL_FLAGS
    server, client = server_of(world, flags), Ours(world)
    third = client.token(server.token(client.start("client", flags=flags)[1])[1])[1]
    for at, bit in [(at, None) for at in range(len(third))] + [(at, bit) for at in range(len(third)) for bit in range(8)]:
        assert server.again() is not None
        leg = client.token(server.token(client.again()[1])[1])[1]
        at %= len(leg)
        assert server.token(leg[:at] if bit is None else flip(leg, at, bit)) is None, (at, bit)


def test_legs_of_another_handshake(world):
    for flags in (ALL_FLAGS, "dce," + ALL_FLAGS):
        server, client, other_server, other_client = server_of(world), Ours(world), server_of(world), Ours(world)
        reply = server.token(client.start("client", flags=flags)[1])[1]
        other_reply = other_server.token(other_client.start("client", flags=flags)[1])[1]
        assert client.token(other_reply) is None, "an AP-REP to another"
        third = other_client.token(other_reply)
        assert third is not None, other_client.problem
        if "dce" in flags:
            assert server.token(third[1]) is None, "a third leg of another"
        assert reply != other_reply


def test_messages_in_the_wrong_place(world):
    token, client = request_of(world)
    server = server_of(world)
    answer = server.token(token)
    assert answer is not None
    assert client.token(token) is None and refused(client, INVALID_TOKEN)
    second = server_of(world)
    assert second.token(answer[1]) is None and refused(second, INVALID_TOKEN)
    assert second.token(b"") is None
    third = server_of(world)
    for junk in (b"\0", b"\x60", b"\x60\x80\0\0", b"NTLMSSP\0\1\0\0\0", os.urandom(500), bytes(40000)):
        assert third.token(junk) is None
        assert third.again() is not None


# The PAC


def pac_of(plain):
    return plain.index("alice".encode("utf-16-le"))  # PAC_CLIENT_INFO


def test_altered_pac(world, realm):
    answer, server = forged(world, realm, lambda plain: flip(plain, pac_of(plain)))
    assert answer is None, "a PAC was believed that the KDC did not sign"
    assert refused(server, MESSAGE_ALTERED)


def test_pac_of_another_client(world, realm):
    """A genuine PAC in a ticket of another name."""
    def other(plain):
        return plain.replace(b"alice", b"alicf", 1)
    forger, (token, _) = Forger(world, realm, TARGET), request_of(world)
    renamed = forger.change_ticket(token, other)
    server = server_of(world)
    assert server.token(renamed) is None and refused(server, WRONG_PRINCIPAL)  # the authenticator still is alice's
    assert server.again() is not None
    answer = server.token(forger.change_authenticator(renamed, other))
    assert answer is None, "a PAC was believed that is somebody else's"
    assert refused(server, MESSAGE_ALTERED)


@pytest.mark.parametrize("policy,good", (("", True), ("require_pac = yes\n", False)))
def test_missing_pac(world, realm, policy, good):
    service = f"HTTP/pacless{good}.example.test".lower()
    realm.addprinc(service, None, "+no_auth_data_required")
    keytab = realm.keytab(service, f"keytab.pacless.{good}")
    world.krb5["KRB5_KTNAME"] = f"FILE:{keytab}"
    world.configure(policy)
    server = server_of(world)
    token, _ = request_of(world, target=service)
    assert (server.token(token) is not None) == good, server.problem
    assert good or refused(server, LOGON_DENIED)


def test_required_pac_that_is_there(world):
    world.configure("require_pac = yes\n")
    establish(Ours(world), Ours(world))


# What is left alone


def test_default_cache_is_left_alone(world, realm):
    cache = pathlib.Path(realm.env["KRB5CCNAME"].removeprefix("FILE:"))
    before = cache.read_bytes(), cache.stat().st_mtime_ns
    establish(Ours(world), Ours(world), user="careful", password="Password1!", domain="EXAMPLE.TEST")
    assert handshake(Ours(world), Ours(world), **WRONG_PASSWORD).refused is not None
    assert (cache.read_bytes(), cache.stat().st_mtime_ns) == before
    world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/none"
    establish(Ours(world), Ours(world), user="careful", password="Password1!", domain="EXAMPLE.TEST")
    assert not (world.directory / "none").exists()


class Traced(Ours):
    def __init__(self, world):
        super().__init__(world, ASAN_OPTIONS="detect_leaks=0")  # two cannot trace one process

    def argv(self, world, options):
        self.log = world.directory / f"strace.{len(world.processes)}"
        words = [program("strace"), "-f", "-qq", "-o", self.log, "-e", "trace=%file,socket,connect,bind", *super().argv(world, options)]
        return [str(word).replace(str(BUILD), os.environ.get("OPENSSPI_UNWATCHED", str(BUILD))) for word in words]  # the program itself, not valgrind


WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC)|\b(creat|mkdir(at)?|rename(at2?)?|unlink(at)?|link(at)?|symlink(at)?|"
                    r"chmod|fchmodat|chown|lchown|fchownat|truncate|mknod(at)?|utimensat|setxattr)\(")


@pytest.mark.parametrize("identity", ({}, {"user": "careful", "password": "Password1!", "domain": "EXAMPLE.TEST"}),
                         ids=("cache", "password"))
def test_nothing_is_written_outside(world, realm, identity):
    """No replay cache of the host's, no ticket cache, no file at all but a default cache of the realm's own."""
    for name in ("KRB5RCACHEDIR", "KRB5RCACHENAME"):
        world.krb5.pop(name)
    world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/own"
    if not identity:
        realm.run("kinit", "-c", world.krb5["KRB5CCNAME"], "alice", text="Password1!\n")
    client, server = Traced(world), Traced(world)
    establish(client, server, **identity)
    assert server.unseal(client.seal(b"text")) == b"text"
    ended = client.process.close(), server.process.close()
    assert ended == (0, 0)
    for side in (client, server):
        calls = side.log.read_text(errors="replace").splitlines()
        assert any("peer_opensspi" in call for call in calls) and len(calls) > 50, "strace saw nothing"
        wrote = [call for call in calls if WRITES.search(call) and str(world.directory / "own") not in call
                 and '"/dev/null"' not in call and " = -1 " not in call
                 and '.gcda", ' not in call and "/tsan.rodata." not in call]  # ./run coverage and ThreadSanitizer
        assert not wrote, "\n".join(wrote)
    assert (world.directory / "own").exists() == (not identity)
    sockets = [call for call in client.log.read_text().splitlines() if "connect(" in call and "sin_port" in call]
    assert all(f"htons({realm.port})" in call for call in sockets), sockets


def test_the_helpers_are_there():
    for name in ("peer_opensspi", "peer_gss", "krb_crypt", "krb_slow"):
        assert (BUILD / "tests/interop" / name).exists(), f"{name} was not built: its library is missing"
