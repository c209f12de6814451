"""NTLM for the accounts of a domain: a member's winbindd carries responses to Samba's controller, for every client and our server; what comes back is the directory's word.

The controller compares target information with the computer that asks (CVE-2015-0005), counts wrong passwords and locks accounts."""
import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import lsa  # noqa: E402
from ad import GLOBAL, LOCAL, NORMAL_ACCOUNT, UNIVERSAL  # noqa: E402
from krb_peers import identity_sids  # noqa: E402
from member import Member  # noqa: E402
from realm import COMMAND_SECONDS  # noqa: E402
from peers import Gss, NtlmAuth, Ours, Process, Samba, Winpr, World, establish, handshake, parse_authenticate  # noqa: E402

DENIED, NO_AUTHORITY, ALTERED, BAD_BINDINGS = "0x8009030c", "0x80090311", "0x8009030f", "0x80090346"
DISABLED, EXPIRED, MUST_CHANGE, LOCKED = "0xc0000072", "0xc0000193", "0xc0000224", "0xc0000234"
PASSWORD = "Password1!"
ACCOUNT_DISABLE = 2  # userAccountControl, MS-ADTS 2.2.16
LOCAL_ACCOUNT = "keeper:::7facdc498ed1680c4fd1448319a8c04f:::\n"
PATIENCE_SECONDS = 300  # until winbindd finds a controller again
NB_COMPUTER, NB_DOMAIN, DNS_DOMAIN, TIMESTAMP, FLAGS, BINDINGS = 1, 2, 4, 7, 6, 10


@pytest.fixture(scope="module", name="member")
def member_of_the_module():
    with Member() as member:
        ad = member.ad
        ad.users(("alice", "bob", "closed", "over", "renew", "target", "changer"), PASSWORD)
        ad.groups((("readers", GLOBAL, ("alice",)), ("writers", UNIVERSAL, ("alice",)), ("keepers", LOCAL, ("alice",)), ("others", GLOBAL, ("bob",))))
        ad.change("closed", userAccountControl=NORMAL_ACCOUNT | ACCOUNT_DISABLE)
        ad.change("renew", pwdLastSet=0)
        ad.change("over", accountExpires=130000000000000000)
        ad.change(None, lockoutThreshold=3, minPwdAge=0)
        yield member


class DomainWorld(World):
    """Our server beside the member's winbindd, with one account of its own."""

    def __init__(self, directory, member):
        self.prefix, self.stores = member.prefix, "sam:%s/local, winbind:"
        super().__init__(directory)
        self.directory.chmod(0o711)
        self.put("local", LOCAL_ACCOUNT)

    def configure(self, ntlm, access=""):
        self.put("opensspi.conf", "[names]\ncomputer = SERVER\ndns_computer = server.example.test\n"
                 f"[accounts]\nstores = {self.stores.replace('%s', str(self.directory))}\n[access]\nwinbind = yes\nwinbind_seconds = 60\n{access}[ntlm]\n{ntlm}")


@pytest.fixture(name="world")
def world_of_the_test(member):
    with DomainWorld.opened(member) as world:
        yield world


def attempt(world, user="alice", domain="EXAMPLE", password=PASSWORD, **options):
    client, server = Ours(world), Ours(world)
    return handshake(client, server, user=user, domain=domain, password=password, **options), client, server


def established(world, **options):
    outcome, client, server = attempt(world, **options)
    assert outcome.good, f"{type(outcome.refused).__name__} refused: {outcome.refused.problem}"
    return outcome, client, server


def refusal(world, **options):
    """What our server says."""
    outcome, _, server = attempt(world, **options)
    assert outcome.refused is server, "nobody refused, or the client did"
    return server.problem


def converse(one, other):
    for text in (b"x", b"a message" * 1000, b"another"):
        for source, sink in ((one, other), (other, one)):
            message = source.seal(text)
            assert message is not None and sink.unseal(message) == text, source.problem or sink.problem


@pytest.mark.parametrize("side", (Ours, Gss, Winpr, Samba, NtlmAuth))
def test_clients_of_all_makes(world, side):
    client, server = side(world), Ours(world)
    establish(client, server, user="alice", password=PASSWORD)
    assert server.say("names") == "EXAMPLE\\alice"
    converse(client, server)


@pytest.mark.parametrize("side", (Ours, Gss, Winpr, Samba, NtlmAuth))
def test_wrong_password_of_all_makes(world, side):
    client, server = side(world), Ours(world)
    outcome = handshake(client, server, user="bob", password="not-it")
    assert outcome.refused is server and server.problem.startswith(DENIED) and "wrong password" in server.problem
    established(world, user="bob")  # resets the domain's count


def test_challenge_is_a_members(world):
    """What the response carries of the challenge, its MIC and the bindings; all verified with the key that came from the controller."""
    bindings = b"tls-server-end-point:" + bytes(32)
    outcome, _, server = established(world, client_bindings=bindings, server_bindings=bindings)
    pairs = parse_authenticate(outcome.tokens[2])
    assert pairs[NB_COMPUTER].decode("utf-16le") == "SERVER" and pairs[NB_DOMAIN].decode("utf-16le") == "EXAMPLE"
    assert pairs[DNS_DOMAIN].decode("utf-16le").lower() == "example.test" and len(pairs[TIMESTAMP]) == 8
    assert int.from_bytes(pairs[FLAGS], "little") & 2 and any(pairs[BINDINGS])
    assert server.say("target") == "HTTP/server"
    assert refusal(world, client_bindings=b"other", server_bindings=bindings).startswith(BAD_BINDINGS)


def test_altered_messages(world):
    def alter(number, token):
        at = 72 if number == 2 else 14
        return token[:at] + bytes([token[at] ^ 1]) + token[at + 1:] if number in (numbers or ()) else token
    for numbers in ((0,), (2,)):
        assert refusal(world, alter=alter).startswith(ALTERED)


def test_names(world):
    for user, domain in (("alice", "EXAMPLE"), ("ALICE", "example"), ("alice", "example.test"), ("alice@example.test", ""), ("alice@EXAMPLE", "")):
        _, _, server = established(world, user=user, domain=domain)
        assert server.say("names") == "EXAMPLE\\alice"
    # this computer's own accounts, which the domain does not see
    for domain in ("SERVER", "", "."):
        _, _, server = established(world, user="keeper", domain=domain)
        assert server.say("names") == "SERVER\\keeper"
    for user, domain in (("alice", "SERVER"), ("alice", "ELSEWHERE"), ("alice", ""), ("keeper", "EXAMPLE"), ("alice@elsewhere.test", "")):
        assert refusal(world, user=user, domain=domain).startswith(DENIED)


def test_names_without_a_domain_are_the_first_stores(world):
    world.stores = "winbind:, sam:%s/local"
    world.configure("")
    _, _, server = established(world, domain="")
    assert server.say("names") == "EXAMPLE\\alice"
    assert refusal(world, user="keeper", domain="").startswith(DENIED)
    established(world, user="keeper", domain="SERVER")


def test_groups_are_the_directorys(world, member):
    _, _, server = established(world)
    user, groups = identity_sids(server.data("export"))
    wanted, memberships = member.ad.directory_sids("alice")
    assert user == wanted and groups[0] == f"{user.rsplit('-', 1)[0]}-513"
    assert set(groups) == {sid for sid in memberships if not sid.startswith("S-1-5-32-")} and len(groups) == len(set(groups))
    assert len(groups) >= 4  # Domain Users, readers, writers, keepers


def test_token_and_impersonation(world):
    """A root server becomes the domain's user by winbind's numbers (idmap_rid: 100000 and the RID)."""
    _, _, server = established(world)
    who = dict(part.split("=", 1) for part in server.say("who").split())
    rid = int(who["user"].rsplit("-", 1)[1])
    assert who["unix"] == f"{100000 + rid}:100513" and who["source"] == "NTLM"
    mine, other = world.directory / "mine", world.directory / "other"
    for path, owner in ((mine, 100000 + rid), (other, 100000 + rid + 1)):
        path.write_text("text", encoding="utf-8")
        path.chmod(0o600)
        os.chown(path, owner, 0)
    assert server.answer("reads", str(mine))[0] == "yes"
    assert server.answer("reads", str(other))[0] == "no"


def test_through_the_daemon(world, member):
    """The daemon asks the domain, for a program that knows of no account; session keys, groups and refusals come back to it."""
    place = world.directory / "lsa"
    place.mkdir()
    daemon = lsa.Daemon(place, prefix=world.prefix)
    at = f"[lsa]\nmode = daemon\nsocket = {daemon.socket}\n"
    ours = (world.directory / "opensspi.conf").read_text(encoding="utf-8")
    daemon.config.write_text(ours + at, encoding="utf-8")
    world.put("opensspi.conf", ours.replace(", winbind:", "") + at)
    world.put("local", "")
    daemon.start()
    try:
        assert refusal(world, user="keeper", domain="SERVER").startswith(DENIED)
        assert refusal(world, password="not-it").startswith(DENIED)
        _, _, server = established(world)
        user, groups = identity_sids(server.data("export"))
        wanted, memberships = member.ad.directory_sids("alice")
        assert user == wanted and set(groups) == {sid for sid in memberships if not sid.startswith("S-1-5-32-")}
        assert server.answer("logon", "bob", "EXAMPLE", PASSWORD)[0] == "who"
    finally:
        assert daemon.stop() == 0, daemon.output()


@pytest.mark.parametrize("user, code", (("closed", DISABLED), ("over", EXPIRED), ("renew", MUST_CHANGE), ("nobody", DENIED)))
def test_accounts_that_may_not(world, user, code):
    assert refusal(world, user=user).startswith(code)


def test_lockout_is_the_domains(world):
    """Its threshold is three; ours, which is ten and counts nothing here, has no say."""
    for _ in range(3):
        assert refusal(world, user="target", password="guess").startswith(DENIED)
    assert refusal(world, user="target").startswith(LOCKED)


def test_logon_user(world):
    """LogonUser has no keytab here, so that Kerberos cannot prove the KDC to it: winbind decides."""
    server = Ours(world)
    word, rest = server.answer("logon", "alice", "EXAMPLE", PASSWORD)
    assert word == "who" and "source=NTLM" in rest
    word, rest = server.answer("logon", "keeper", "SERVER", PASSWORD)
    assert word == "who"
    assert server.answer("logon", "bob", "EXAMPLE", "not-it") is None
    established(world, user="bob")


def changed(world, user, old, new, held=PASSWORD):
    """Why the controller changes no password; None when it does. On a busy machine it may take more than the ten seconds that winbindd gives it: then nobody
    knows whether it did, but for the controller, by the password that the account has held."""
    server, until = Ours(world), time.monotonic() + PATIENCE_SECONDS
    while server.answer("passwd", "EXAMPLE", user, old, new) is None:
        if not server.problem.startswith(NO_AUTHORITY):
            return server.problem
        assert time.monotonic() < until, server.problem
        until_good(world, user="alice")
        outcome, _, one = attempt(world, user=user, password=held)
        if not outcome.good and one.problem.startswith(DENIED):
            return None
    return None


def test_password_change(world):
    assert (changed(world, "changer", "not-it", "Password2!") or "").startswith(DENIED)
    assert (changed(world, "changer", PASSWORD, "short") or "").startswith(DENIED)
    assert changed(world, "changer", PASSWORD, "Password2!") is None
    established(world, user="changer", password="Password2!")


@pytest.mark.parametrize("sasl", (False, True), ids=("negotiate", "sasl"))
def test_negotiate(world, sasl):
    """Alone, and as SASL's GSS-SPNEGO."""
    client, server = Ours(world), Ours(world)
    if sasl:
        assert client.answer("sasl") is not None and server.answer("sasl") is not None
    began = server.stepped(server.answer("server", "package=Negotiate", "flags=integrity,confidentiality"))
    assert began is not None, server.problem
    answer = client.stepped(client.answer("client", "package=Negotiate", "flags=integrity,confidentiality", "target=HTTP/server",
                                          "user=alice", "domain=EXAMPLE", f"password={PASSWORD}"))
    to, other = server, client
    while answer is not None and (answer[0] == "token" or answer[1]):
        answer = to.token(answer[1])
        to, other = other, to
    assert answer is not None, client.problem + server.problem
    assert server.say("names") == "EXAMPLE\\alice" and server.say("chosen").startswith("NTLM")
    converse(client, server)


def test_controller_is_hardened(world):
    """Samba's controller refuses target information of another computer: the responses above pass because the challenge names this one. Asked by ntlm_auth, as winbind is."""
    def verdict(computer):
        world.put("opensspi.conf", f"[names]\ncomputer = {computer}\ndomain = EXAMPLE\n[accounts]\nstores = sam:{world.directory}/sam\n")
        outcome, _, _ = attempt(world)
        challenge, proof = outcome.tokens[1], outcome.tokens[2]
        length, at = int.from_bytes(proof[20:22], "little"), int.from_bytes(proof[24:28], "little")
        process = Process(world, ["ntlm_auth", "--helper-protocol=ntlm-server-1", f"--configfile={world.member_config}"])
        data = (f"Username:: {base64.b64encode(b'alice').decode()}\nNT-Domain:: {base64.b64encode(b'EXAMPLE').decode()}\n"
                f"LANMAN-Challenge: {challenge[24:32].hex()}\nNT-Response: {proof[at:at + length].hex()}")
        return process.ask(data + "\n.")
    world.member_config = world.directory / "smb.conf"
    assert verdict("SERVER") == "Authenticated: Yes"
    assert verdict("IMPOSTOR") == "Authenticated: No"


def test_without_the_privileged_socket(world, member):
    hidden = member.pipe().with_name("hidden")
    member.pipe().rename(hidden)
    try:
        problem = refusal(world)
        assert problem.startswith(NO_AUTHORITY) and "winbindd_privileged" in problem
        established(world, user="keeper", domain="SERVER")
    finally:
        hidden.rename(member.pipe())
    established(world)


def until_good(world, **options):
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        outcome, _, server = attempt(world, **options)
        if outcome.good:
            return
        assert outcome.refused is server
        assert time.monotonic() < until, f"it does not come back: {server.problem}"
        time.sleep(0.2)


def test_stopped_controller(world, member):
    _, client, server = established(world)
    member.ad.stop_kdc()
    try:
        problem = refusal(world)
        assert problem.startswith(NO_AUTHORITY), problem
        assert refusal(world, domain="ELSEWHERE").startswith(DENIED)  # known without a controller
        established(world, user="keeper", domain="SERVER")
        converse(client, server)  # what is established lives on
    finally:
        member.ad.start_kdc()
    until_good(world)


def test_stopped_winbind(world, member):
    _, client, server = established(world)
    member.stop_winbind()
    try:
        for _ in range(2):
            problem = refusal(world)
            assert problem.startswith(NO_AUTHORITY) and "winbindd" in problem
            established(world, user="keeper", domain="SERVER")
        converse(client, server)
    finally:
        member.start_winbind()
    until_good(world)


def test_frozen_winbind(world, member):
    world.configure("", "")
    text = (world.directory / "opensspi.conf").read_text(encoding="utf-8")
    world.put("opensspi.conf", text.replace("winbind_seconds = 60", "winbind_seconds = 2"))
    member.signal(signal.SIGSTOP)
    try:
        problem = refusal(world)
        assert problem.startswith(NO_AUTHORITY) and "winbind_seconds" in problem
        established(world, user="keeper", domain="SERVER")
    finally:
        member.signal(signal.SIGCONT)
    world.configure("")
    until_good(world)


def test_wbinfo_agrees(member):
    """The member itself: the trust holds after all that."""
    assert "succeeded" in member.run("wbinfo", "-t")


def test_doctor(world):
    done = subprocess.run([*world.prefix, os.environ["OPENSSPI_SSPI"], "doctor", "--json"], env=world.environment(), capture_output=True,
                          timeout=COMMAND_SECONDS, check=False)
    found = [(one["check"], one["verdict"], one["found"].replace("EXAMPLE.TEST", "example.test")) for one in json.loads(done.stdout)]
    assert ("winbind", "good", "this computer is SERVER of domain EXAMPLE (example.test)") in found
    assert ("domain trust", "good", "a controller answers, and knows this computer") in found


def test_on_a_controller(member):
    """A controller's own winbind lists its own domain as one that it is the controller of (RWDC), not as this computer's accounts."""
    ad = member.ad
    with tempfile.TemporaryDirectory(prefix="opensspi-interop-") as directory:
        world = DomainWorld(directory, member)
        world.prefix, world.stores = ad.prefix, "sam:%s/local, winbind:"
        try:
            listed = subprocess.run([*ad.prefix, "wbinfo", "-m", "--verbose"], env=ad.env, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True)
            assert [line.split()[2] for line in listed.stdout.splitlines() if line.startswith("EXAMPLE ")] == ["RWDC"]
            for domain in ("EXAMPLE", "example.test"):
                outcome, client, server = attempt(world, domain=domain)
                assert outcome.good, client.problem + server.problem
                assert server.say("names") == "EXAMPLE\\alice"
                wanted, wanted_groups = ad.directory_sids("alice")
                told, groups = identity_sids(server.data("export"))
                assert told == wanted and {sid for sid in groups if sid.startswith("S-1-5-21-")} == {
                    sid for sid in wanted_groups if sid.startswith("S-1-5-21-")}
        finally:
            world.close()
