"""Kerberos in an Active Directory domain: Samba's domain controller (ad.py), its PAC, and its LDAP server as a peer."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from ad import GLOBAL, LOCAL, UNIVERSAL, Ad  # noqa: E402
from krb_peers import (ALL_FLAGS, HOST, Der, KerberosWorld, Mit, Ours, establish, identity_sids,  # noqa: E402
                       record_fields, refused, sid_read)
from peers import handshake  # noqa: E402
from realm import program  # noqa: E402

TARGET = f"HTTP/{HOST}"
DOMAIN = "EXAMPLE.TEST"
LOGON_DENIED, TARGET_UNKNOWN = "0x8009030c", "0x80090303"
PASSWORD_EXPIRED, ACCOUNT_DISABLED = "0xc0000071", "0xc0000072"
pairs = pytest.mark.parametrize("pair", ((Ours, Ours), (Ours, Mit), (Mit, Ours)), ids=("ours-ours", "ours-mit", "mit-ours"))
ALICE = {"user": "alice", "password": "Password1!", "domain": DOMAIN}


@pytest.fixture(scope="module", name="ad")
def ad_of_the_module():
    with Ad() as ad:
        for user in ("alice", "gone", "late", "crowded"):
            ad.user(user, "Password1!")
        ad.tool("user", "disable", "gone")
        ad.principal_name("alice", "al@elsewhere.test")
        ad.tool("user", "setpassword", "late", "--newpassword=Password1!", "--must-change-at-next-login")
        ad.groups([("engineers", GLOBAL, ["alice"]), ("staff", GLOBAL, ["engineers"]),
                   ("everybody", UNIVERSAL, ["staff"]), ("printers", LOCAL, ["alice"]),
                   ("scanners", LOCAL, ["everybody"]),
                   *((f"many{number}", (GLOBAL, LOCAL)[number % 2], ["crowded"]) for number in range(60))])
        ad.tool("spn", "add", "ldap/dc1.example.test", "DC1$")
        ad.service("server", TARGET)
        ad.keytab(TARGET)
        ad.kinit("alice", "Password1!")
        yield ad


@pytest.fixture(name="world")
def world_of_the_test(ad):
    with KerberosWorld.opened(ad) as world:
        yield world


@pytest.mark.parametrize("flags", (ALL_FLAGS, "integrity,confidentiality", "dce," + ALL_FLAGS), ids=("mutual", "one-leg", "dce"))
@pairs
def test_sign_on(world, pair, flags):
    client, server = (side(world) for side in pair)
    establish(client, server, flags=flags)
    assert server.say("names") == f"alice@{DOMAIN}"
    for source, sink in ((client, server), (server, client)):
        assert sink.verify(b"text", source.sign(b"text"))
        if "dce" not in flags:
            assert sink.unseal(source.seal(b"text")) == b"text", sink.problem


@pytest.mark.parametrize("identity", (ALICE, {**ALICE, "domain": "example.test"}, {**ALICE, "user": "ALICE"},
                                      {"user": f"alice@{DOMAIN}", "password": "Password1!"},
                                      {"user": "alice", "password": "Password1!"},
                                      {**ALICE, "domain": "EXAMPLE"}, {**ALICE, "domain": "example"},
                                      {"user": "alice@example.test", "password": "Password1!"},
                                      {"user": "al@elsewhere.test", "password": "Password1!"}))
def test_identities(world, identity):
    """AD has names in any case, NetBIOS names of domains and UPNs of any suffix, and answers with its own."""
    world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/none"
    client, server = Ours(world), Ours(world)
    establish(client, server, **identity)
    assert server.say("names") == f"alice@{DOMAIN}"


@pytest.mark.parametrize("user,password,code", (("alice", "Password2!", LOGON_DENIED), ("nobody", "Password1!", LOGON_DENIED),
                                                ("gone", "Password1!", ACCOUNT_DISABLED), ("late", "Password1!", PASSWORD_EXPIRED)))
def test_who_may_not(world, user, password, code):
    client = Ours(world)
    assert client.start("client", user=user, password=password, domain=DOMAIN) is None
    assert refused(client, code)


def test_unknown_service(world):
    client = Ours(world)
    assert client.start("client", target="HTTP/nobody.example.test") is None
    assert refused(client, TARGET_UNKNOWN)


@pytest.mark.parametrize("target", (f"http/{HOST}", "HTTP/SERVER.example.test"))
def test_service_names_in_any_case(world, target):
    establish(Ours(world), Ours(world), target=target)


@pytest.mark.parametrize("user", ("alice", "crowded", "Administrator"))
def test_pac_says_what_the_directory_says(world, ad, user):
    client, server = Ours(world), Ours(world)
    password = "Administrator1!" if user == "Administrator" else "Password1!"
    establish(client, server, user=user, password=password, domain=DOMAIN)
    told, groups = identity_sids(server.data("export"))
    wanted, wanted_groups = ad.directory_sids(user)
    assert told == wanted
    assert len(set(groups)) == len(groups), "a group is named twice"
    domain = wanted.rsplit("-", 1)[0] + "-"
    # BUILTIN groups are each server's own: a PAC has none. What a PAC adds, such as S-1-18-1, is no group of the domain.
    assert {sid for sid in groups if sid.startswith(domain)} == {sid for sid in wanted_groups if sid.startswith(domain)}
    assert {sid for sid in groups if not sid.startswith(domain)} <= {"S-1-18-1", "S-1-18-2"}
    assert user != "crowded" or len(groups) > 60


def token_fields(said):
    assert said is not None
    fields = dict(word.split("=", 1) for word in said.split())
    return fields, set(fields["groups"].split(","))


ADDED = {"S-1-1-0", "S-1-5-2", "S-1-5-11", "S-1-5-15", "S-1-5-32-545"}  # by every server, as Windows does


def in_domain(sids, domain):
    return {sid for sid in sids if sid.startswith(domain)}


@pytest.mark.parametrize("user", ("alice", "crowded", "Administrator"))
def test_token_has_the_directorys_sids(world, ad, user):
    client, server = Ours(world), Ours(world)
    password = "Administrator1!" if user == "Administrator" else "Password1!"
    establish(client, server, user=user, password=password, domain=DOMAIN)
    token, groups = token_fields(server.say("who"))
    wanted, wanted_groups = ad.directory_sids(user)
    domain = wanted.rsplit("-", 1)[0] + "-"
    assert (token["user"], token["primary"]) == (wanted, domain + "513")
    assert (token["source"], token["level"], token["unix"]) == ("Kerberos", "2", "-")
    assert in_domain(groups, domain) == in_domain(wanted_groups, domain)
    others = {sid for sid in groups if not sid.startswith(domain)}
    assert ADDED <= others and {sid.rsplit("-", 2)[0] for sid in others - ADDED} <= {"S-1-18", "S-1-5-5", "S-1"}
    assert client.say("who") is None and client.problem.split()[0] == "0x8009030b"


def test_client_lets_itself_be_identified_only(world):
    client, server = Ours(world), Ours(world)
    establish(client, server, flags="identify," + ALL_FLAGS, **ALICE)
    assert token_fields(server.say("who"))[0]["level"] == "1"
    assert server.say("reads", "/etc/passwd") is None and server.problem.split()[0] == "0x8009030b", server.problem


def test_client_of_the_domain_is_a_unix_user(world, ad):
    """By a range of numbers: RIDs are the same on every server, and so are the users."""
    user, _ = ad.directory_sids("alice")
    domain, rid = user.rsplit("-", 1)
    world.configure(f"[access]\nranges = {domain}:200000:100000\n")
    world.put("private", "of root")
    client, server = Ours(world), Ours(world)
    establish(client, server, **ALICE)
    assert token_fields(server.say("who"))[0]["unix"] == f"{200000 + int(rid)}:200513"
    who = f"{200000 + int(rid)} alice@{DOMAIN}"
    assert server.answer("reads", "/etc/passwd") == ("yes", who)
    assert server.answer("reads", str(world.directory / "private")) == ("no", who)


def test_logon_with_a_domain_password(world, ad):
    world.configure(f"[access]\nlogon_service = {TARGET}\n")
    server = Ours(world)
    token, groups = token_fields(server.say("logon", "alice", DOMAIN, "Password1!"))
    wanted, wanted_groups = ad.directory_sids("alice")
    domain = wanted.rsplit("-", 1)[0] + "-"
    assert token["user"] == wanted and in_domain(groups, domain) == in_domain(wanted_groups, domain)
    assert server.say("logon", "alice", DOMAIN, "wrong") is None and server.problem.split()[0] == "0x0000052e", server.problem
    assert server.say("logon", "gone", DOMAIN, "Password1!") is None
    assert server.problem.split()[0] == "0x00000533", server.problem
    assert server.say("logon", "late", DOMAIN, "Password1!") is None and server.problem.split()[0] == "0x00000532", server.problem  # the KDC says expired of both


def test_pac_lives_through_another_process(world, ad):
    client, server = Ours(world), Ours(world)
    establish(client, server)
    moved = server.moved(world)
    assert moved.say("names") == f"alice@{DOMAIN}"
    assert identity_sids(moved.data("export"))[0] == ad.directory_sids("alice")[0]


def test_required_pac(world):
    world.configure("require_pac = yes\n")
    client, server = Ours(world), Ours(world)
    establish(client, server)
    assert record_fields(server.data("export"))[9] == DOMAIN.encode() + b"\0"


RELAY = """
import os, select, socket
with socket.create_connection(("127.0.0.1", 389)) as wire:
    while True:
        for one in select.select([0, wire], [], [])[0]:
            data = os.read(0, 65536) if one == 0 else wire.recv(65536)
            if not data:
                raise SystemExit
            if one == 0:
                wire.sendall(data)
            else:
                os.write(1, data)
"""


class Ldap:
    """An LDAP client (RFC 4511) of a bind and a search, through a relay into the domain's network."""

    def __init__(self, world, mechanism=b"GSSAPI"):
        self.mechanism = mechanism
        self.relay = subprocess.Popen([*world.prefix, program("python3"), "-c", RELAY], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
        self.number, self.sealed = 0, None

    def close(self):
        self.relay.stdin.close()
        self.relay.wait(20)
        self.relay.stdout.close()

    def bytes(self, count):
        data = self.relay.stdout.read(count)
        assert len(data) == count, "the server hung up"
        return data

    def element(self, read):
        data = read(2)
        if data[1] & 0x80:
            data += read(data[1] & 0x7f)
        return data + read(Der.element(data, 0)[2] - len(data))

    def answer(self):
        """Tag and content of the operation."""
        if self.sealed is None:
            message = self.element(self.bytes)
        else:
            if not self.rest:
                self.rest = self.sealed.unseal(self.bytes(int.from_bytes(self.bytes(4), "big")))
                assert self.rest, self.sealed.problem
            message, self.rest = self.rest[:Der.element(self.rest, 0)[2]], self.rest[Der.element(self.rest, 0)[2]:]
        at = Der.element(message, Der.element(message, 0)[1])[2]
        tag, start, end = Der.element(message, at)
        return tag, message[start:end]

    def ask(self, operation):
        self.number += 1
        message = Der.write(0x30, Der.write(0x02, bytes([self.number])) + operation)
        if self.sealed is not None:
            message = self.sealed.seal(message)
            message = len(message).to_bytes(4, "big") + message
        self.relay.stdin.write(message)
        self.relay.stdin.flush()
        return self.answer()

    def bind(self, token):
        """Result code and the server's token."""
        mechanism = Der.write(0x04, self.mechanism) + Der.write(0x04, token)
        tag, content = self.ask(Der.write(0x60, Der.write(0x02, b"\x03") + Der.write(0x04, b"") + Der.write(0xa3, mechanism)))
        assert tag == 0x61
        given, at = b"", 0
        while at < len(content):
            tag, start, end = Der.element(content, at)
            given = content[start:end] if tag == 0x87 else given
            at = end
        return content[2], given

    def seal_with(self, side):
        self.sealed, self.rest = side, b""

    def search(self, base, name, value, attribute):
        """The values of an attribute, of all that is found."""
        request = (Der.write(0x04, base) + Der.write(0x0a, b"\x02") + Der.write(0x0a, b"\0") + Der.write(0x02, b"\0") +
                   Der.write(0x02, b"\0") + Der.write(0x01, b"\0") +
                   Der.write(0xa3, Der.write(0x04, name) + Der.write(0x04, value)) + Der.write(0x30, Der.write(0x04, attribute)))
        tag, content = self.ask(Der.write(0x63, request))
        found = []
        while tag != 0x65:
            if tag == 0x64:
                start, end = Der.find(content, 0x30, 0x30, 0x31, 0x04)
                found.append(content[start:end])
            tag, content = self.answer()
        assert content[2] == 0, content
        return found


SASL_IN_PROGRESS, SEALED_LAYER = 14, 4


@pytest.mark.parametrize("bindings", (None, b"tls-server-end-point:" + b"\x5a" * 32), ids=("unbound", "bound"))
def test_sealed_ldap_search(world, ad, bindings):
    """SASL GSSAPI (RFC 4752) with our client against Samba's LDAP server: the bind, then everything sealed. It takes what a client with bindings says of itself."""
    client, ldap = Ours(world), Ldap(world)
    try:
        answer = client.start("client", target="ldap/dc1.example.test", bindings=bindings, **ALICE)
        assert answer is not None, client.problem
        code, token = ldap.bind(answer[1])
        assert code == SASL_IN_PROGRESS
        assert client.token(token)[0] == "done", client.problem
        code, token = ldap.bind(b"")
        assert code == SASL_IN_PROGRESS
        offered = client.unseal(token)
        assert offered is not None and offered[0] & SEALED_LAYER, client.problem
        chosen = client.data("wrap", (bytes([SEALED_LAYER]) + (0xffff).to_bytes(3, "big")).hex())
        code, _ = ldap.bind(chosen)
        assert code == 0
        ldap.seal_with(client)
        found = ldap.search(b"DC=example,DC=test", b"sAMAccountName", b"alice", b"objectSid")
        assert [sid_read(sid, 0)[0] for sid in found] == [ad.directory_sids("alice")[0]]
        many = ldap.search(b"DC=example,DC=test", b"objectClass", b"group", b"sAMAccountName")
        assert {b"engineers", b"many59"} <= set(many)
    finally:
        ldap.close()


PROFILES = {"gssapi": (b"GSSAPI", "package=Kerberos", "ldap/dc1.example.test"),
            "spnego-kerberos": (b"GSS-SPNEGO", "package=Negotiate", "ldap/dc1.example.test"),
            "spnego-ntlm": (b"GSS-SPNEGO", "package=Negotiate", "ldap/nobody.example.test"),
            "ntlm": (b"NTLM", "package=NTLM", "ldap/dc1.example.test")}
BOTH = "integrity,confidentiality"


# In LDAP Samba seals what NTLM's flags would only sign, as Windows does, and falls over where NTLM seals and does not sign: docs/interop.md.
@pytest.mark.parametrize("profile,layer", (*((profile, layer) for profile in ("gssapi", "spnego-kerberos")
                                             for layer in ("integrity", "confidentiality")),
                                           ("spnego-ntlm", BOTH), ("ntlm", BOTH)))
def test_ldap_by_the_sasl_functions(world, ad, profile, layer):
    """The same with nothing but Sasl functions: the library agrees on the layer and keeps its sizes."""
    mechanism, package, target = PROFILES[profile]
    client, ldap = Ours(world), Ldap(world, mechanism)
    client.package = package
    try:
        assert client.answer("sasl") is not None
        answer = client.start("client", target=target, flags=layer, **ALICE)
        code = SASL_IN_PROGRESS
        for _ in range(4):
            assert answer is not None, client.problem
            code, token = ldap.bind(answer[1]) if answer[1] or answer[0] == "token" else (code, b"")
            if code == 0 and answer[0] == "done":
                break
            assert code in (0, SASL_IN_PROGRESS)
            answer = client.token(token)
        assert code == 0 and answer[0] == "done"
        granted = client.granted()
        assert bool(granted & 0x10) == (layer != "integrity") and granted & 0x10000
        room = int.from_bytes(client.data("option", "1"), "little")
        assert 0 < room < 0xffffff
        if layer == "integrity":
            client.seal = lambda text: client.data("wrap", text.hex())
        ldap.seal_with(client)
        found = ldap.search(b"DC=example,DC=test", b"sAMAccountName", b"alice", b"objectSid")
        assert [sid_read(sid, 0)[0] for sid in found] == [ad.directory_sids("alice")[0]]
        many = ldap.search(b"DC=example,DC=test", b"objectClass", b"group", b"sAMAccountName")
        assert {b"engineers", b"many59"} <= set(many)
    finally:
        ldap.close()


def test_another_domains_key(world, ad):
    """Tickets of the same name under another key."""
    keytab = ad.directory / "keytab.other"
    ad.service("other", "HTTP/other.example.test")
    ad.keytab("HTTP/other.example.test", "keytab.other")
    world.krb5["KRB5_KTNAME"] = f"FILE:{keytab}"
    outcome = handshake(Ours(world), Ours(world), flags=ALL_FLAGS)
    assert isinstance(outcome.refused, Ours) and refused(outcome.refused, "0x80090322")
