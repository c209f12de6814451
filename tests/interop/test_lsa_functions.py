"""The functions of ntsecapi.h, with a daemon and without, against a real KDC: logons and their tokens, the ticket cache."""
import pathlib
import pwd
import re
import subprocess
import tempfile
import types

import lsa
import pytest
import test_lsa_hostile as hostile
from password_realm import PasswordRealm
from realm import PATIENCE

PASSWORD = "Kerberos-secret-7"
SERVICE = "host/server.example.test"
UNIX = "daemon"  # there everywhere, and no person's
UID = pwd.getpwnam(UNIX).pw_uid
POLICY = f"[kerberos]\n{PATIENCE}delegate = always\n[access]\nname_domains = EXAMPLE.TEST, EXAMPLE\n"
LOGON_FAILURE, NOT_SUPPORTED, WRONG_PASSWORD, NONE_MAPPED = "0xc000006d", "0xc00000bb", "0xc000006a", "0xc0000073"
INVALID_LOGON_TYPE = "0xc000010b"
NO_CREDENTIALS, NO_TRUST_SAM_ACCOUNT = "0x8009030e", "0xc000018b"


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with PasswordRealm() as realm:
        for name in ("dora-daemon", "dora-embedded"):
            realm.addprinc(name, PASSWORD)
        for name in ("carol", UNIX):
            realm.addprinc(name, PASSWORD)
        realm.addprinc(SERVICE)
        realm.keytab(SERVICE)
        yield realm


class Embedded:
    """The same configuration without a daemon: this process is its own authority."""

    def __init__(self, directory, realm):
        self.directory = pathlib.Path(directory)
        self.env = dict(lsa.Daemon(directory, more=POLICY, env=realm.env, mode="embedded").env)  # which is not started
        self.program_env = {**self.env, "KRB5CCNAME": f"FILE:{directory}/cache"}


@pytest.fixture(scope="module", params=["daemon", "embedded"], name="world")
def world_of_the_module(request, realm):
    environment = dict(realm.env)
    environment.pop("KRB5CCNAME", None)
    with tempfile.TemporaryDirectory(prefix="opensspi-lsa-") as directory:
        if request.param == "embedded":
            world = Embedded(directory, realm)
            account_add(directory)
            world.mode = "embedded"
            yield world
            return
        daemon = lsa.Daemon(directory, more=POLICY, env=environment)
        account_add(directory)
        with daemon as world:
            world.program_env = {**world.env, "KRB5_KTNAME": f"FILE:{directory}/no-keytab", "KRB5CCNAME": f"FILE:{directory}/no-cache"}
            world.mode = "daemon"
            yield world


def account_add(directory):
    with open(pathlib.Path(directory) / "sam", "a", encoding="utf-8") as accounts:
        accounts.write(lsa.ALICE.replace("alice", UNIX))


def run(world, *lines):
    done = subprocess.run([str(lsa.BUILD / "tests/interop/lsa_functions")], input="\n".join(lines) + "\n", env=world.program_env,
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert len(told) == len(lines), done.stdout + done.stderr
    return told


def test_logons(world):
    """Who logs on gets a token: primary ones interactively, named after the session and whoever asked."""
    told = run(world, "logon 2 NTLM alice EXAMPLE Password1!", "logon 3 NTLM alice EXAMPLE Password1!", f"logon 2 Kerberos {UNIX} EXAMPLE.TEST {PASSWORD}",
               f"logon 3 Negotiate {UNIX} EXAMPLE.TEST {PASSWORD}", f"logon 9 Negotiate else ELSEWHERE {PASSWORD}")
    alice = re.fullmatch(r"logon 0x00000000 sid (S-1-\S+) primary level 0 session same source lsatest", told[0])
    assert alice, told
    assert told[1] == f"logon 0x00000000 sid {alice[1]} impersonation level 2 session same source lsatest"
    assert told[2] == f"logon 0x00000000 sid S-1-22-1-{UID} primary level 0 session same source lsatest"
    assert told[3] == f"logon 0x00000000 sid S-1-22-1-{UID} impersonation level 2 session same source lsatest"
    assert re.fullmatch(r"logon 0x00000000 sid S-1-22-1-\d+ primary level 0 session same source lsatest", told[4]), told


def test_wrong_logons(world):
    told = run(world, "logon 2 NTLM alice EXAMPLE wrong", "logon 2 Kerberos carol EXAMPLE.TEST wrong", "logon 3 Negotiate nobody EXAMPLE.TEST wrong",
               f"logon 4 Kerberos carol EXAMPLE.TEST {PASSWORD}", f"logon 2 Kerberos carol EXAMPLE.TEST {PASSWORD}")
    assert [line.split()[1] for line in told[:4]] == [LOGON_FAILURE] * 3 + [NOT_SUPPORTED]
    assert told[4].startswith(f"logon {NONE_MAPPED} carol came without SIDs"), told[4]  # nobody here: neither a SID nor a Unix user is hers


def test_computer_unknown_to_the_realm(world):
    """A right password, and no service of this computer's at the KDC: Windows' word for it, which is not that of a wrong password."""
    if world.mode == "daemon":
        return
    other = pathlib.Path(world.directory) / "unknown.conf"
    text = pathlib.Path(world.env["OPENSSPI_CONFIG"]).read_text(encoding="utf-8")
    other.write_text(text.replace("[access]\n", "[access]\nlogon_service = host/none.example.test\n"), encoding="utf-8")
    unknown = types.SimpleNamespace(program_env={**world.program_env, "OPENSSPI_CONFIG": str(other)})
    told = run(unknown, f"logon 3 Kerberos {UNIX} EXAMPLE.TEST {PASSWORD}", f"logon 3 Kerberos {UNIX} EXAMPLE.TEST wrong",
               f"user 3 3 {UNIX} EXAMPLE.TEST {PASSWORD}")
    assert [line.split()[1] for line in told[:2]] == [NO_TRUST_SAM_ACCOUNT, LOGON_FAILURE] and told[2].startswith("user error 1787 "), told


def test_many_network_logons(world):
    """A server that logs each client on never runs out of sessions."""
    told = run(world, *["logon 3 NTLM alice EXAMPLE Password1!"] * 80)
    assert all(line.startswith("logon 0x00000000 ") for line in told)


def responses(world, *lines):
    done = subprocess.run([str(lsa.BUILD / "tests/interop/lsa_responses")], input="\n".join(lines) + "\n", env=world.program_env,
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert len(told) == len(lines), done.stdout + done.stderr
    return told


def test_responses_passed_on(world):
    """MSV1_0_LM20_LOGON: a server that challenged its client itself has the answer judged, and gets token and session key."""
    alice = ("alice", "EXAMPLE", "Password1!")
    forms = ("v2", "other", "stale", "short", "cut", "v1", "mixed", "lm", "untrusted", "interactive", "guest", "kerberos")
    told = dict(zip(forms, responses(world, *(" ".join((form, *alice)) for form in forms))))
    sid = run(world, "logon 3 NTLM alice EXAMPLE Password1!")[0].split()[3]
    assert told["v2"] == f"v2 0x00000000 {sid} impersonation 2 profile 3 key same domain EXAMPLE"
    codes = {form: line.split()[1] for form, line in told.items()}
    assert codes["other"] == LOGON_FAILURE
    assert codes["v1"] == codes["mixed"] == codes["lm"] == LOGON_FAILURE  # [ntlm] does not allow them
    assert codes["stale"] == "0xc0000133" and codes["short"] == codes["cut"] == "0xc000000d"
    assert codes["untrusted"] == "0xc0000061" and codes["interactive"] == "0xc000010b"
    assert codes["guest"] == NOT_SUPPORTED and codes["kerberos"] == "0xc00000a7"
    assert responses(world, "v2 alice EXAMPLE wrong")[0].startswith(f"v2 {LOGON_FAILURE}")
    assert responses(world, "v2 nobodyknows EXAMPLE Password1!")[0].startswith(f"v2 {LOGON_FAILURE}")
    config = pathlib.Path(world.env["OPENSSPI_CONFIG"])
    before = config.read_text(encoding="utf-8")
    try:
        config.write_text(before + "[ntlm]\nallow_v1 = yes\n", encoding="utf-8")
        for form in ("v1", "mixed"):
            assert responses(world, " ".join((form, *alice)))[0].startswith(f"{form} 0x00000000 {sid} impersonation 2 profile 3 ")
        config.write_text(before + "[ntlm]\nchannel_bindings = always\n", encoding="utf-8")
        assert "shows none" in responses(world, " ".join(("v2", *alice)))[0]
        config.write_text(before + "[ntlm]\ntargets = HTTP/elsewhere\n", encoding="utf-8")
        assert responses(world, " ".join(("v2", *alice)))[0].startswith("v2 0x00000000")  # it names no target
    finally:
        config.write_text(before, encoding="utf-8")


def test_change_password(world, realm):
    """At MIT's kadmind for Kerberos, in the account store for NTLM; the old password counts."""
    user, fresh = f"dora-{world.mode}", "Another-secret-8"
    told = run(world, f"change Kerberos EXAMPLE.TEST {user} wrong {fresh}", f"change Kerberos EXAMPLE.TEST {user} {PASSWORD} {fresh}",
               f"change Kerberos EXAMPLE.TEST {user} {PASSWORD} {fresh}", f"change NTLM EXAMPLE alice Password1! {fresh}")
    assert told[0].startswith(f"change 0x00000000 {WRONG_PASSWORD} 0 ")
    assert told[1] == "change 0x00000000 0x00000000 0 "
    assert told[2].startswith(f"change 0x00000000 {WRONG_PASSWORD} 0 ")
    realm.run("kinit", "-c", f"FILE:{world.directory}/changed", user, text=f"{fresh}\n")
    assert told[3].startswith(f"change 0x00000000 {NOT_SUPPORTED} 0 ")  # a SAM file is only read
    config = pathlib.Path(world.env["OPENSSPI_CONFIG"])
    before = config.read_text(encoding="utf-8")
    try:
        config.write_text(before.replace(f"sam:{world.directory}/sam", f"sqlite:{world.directory}/accounts.db"), encoding="utf-8")
        subprocess.run([str(lsa.BUILD / "sspi"), "account", "add", "erna", "--domain", "EXAMPLE"], input="Password1!\n", env=world.env,
                       text=True, timeout=60, check=True, capture_output=True)
        told = run(world, f"change NTLM EXAMPLE erna wrong {fresh}", f"change NTLM EXAMPLE erna Password1! {fresh}", "change NTLM EXAMPLE nobodyknows a b",
                   f"logon 3 NTLM erna EXAMPLE {fresh}", "logon 3 NTLM erna EXAMPLE Password1!")
    finally:
        config.write_text(before, encoding="utf-8")
    assert told[0].startswith(f"change 0x00000000 {WRONG_PASSWORD} 0 ") and told[2].startswith(f"change 0x00000000 {WRONG_PASSWORD} 0 ")
    assert re.match(r"change 0x00000000 0x00000000 [1-9]", told[1])
    assert told[3].startswith("logon 0x00000000 ") and told[4].startswith(f"logon {LOGON_FAILURE}")


def test_package_prefixes(world):
    """The names under which Negotiate offers Kerberos (MS-SPNG: Windows' own first) and NTLM."""
    assert run(world, "prefixes") == ["prefixes 0x00000000 0x00000000 1:06092a864882f712010202 2:060a2b06010401823702020a"]


def test_logon_user(world):
    told = run(world, "user 3 0 alice EXAMPLE Password1!", "user 2 2 alice EXAMPLE Password1!", "user 3 0 alice EXAMPLE wrong",
               f"user 2 3 {UNIX} EXAMPLE.TEST {PASSWORD}", f"user 3 0 {UNIX}@EXAMPLE.TEST - {PASSWORD}")
    assert re.match(r"user ok sid S-1-\S+ impersonation level 2 ", told[0]) and re.match(r"user ok sid S-1-\S+ primary ", told[1]), told
    assert told[2].startswith("user error 1326")
    assert told[3].startswith(f"user ok sid S-1-22-1-{UID} primary") and told[4].startswith(f"user ok sid S-1-22-1-{UID} impersonation")


def test_acting(world):
    """Whoever acts with the token of an interactive logon authenticates as its user, with a daemon by what it keeps sealed."""
    told = run(world, f"act Kerberos 3 {UNIX} EXAMPLE.TEST {PASSWORD} {SERVICE}", f"act Negotiate 3 {UNIX} EXAMPLE.TEST {PASSWORD} {SERVICE}",
               f"act NTLM 2 {UNIX} EXAMPLE Password1! {SERVICE}", f"act Negotiate 2 {UNIX} EXAMPLE Password1! {SERVICE}",
               f"act Kerberos 2 {UNIX} EXAMPLE Password1! {SERVICE}", f"act Schannel 3 {UNIX} EXAMPLE.TEST {PASSWORD} {SERVICE}")
    assert told[0] == f"act 0x00000000 {UNIX}@EXAMPLE.TEST 0x00000000 token"
    assert told[1] == f"act 0x00000000 {UNIX}@EXAMPLE.TEST 0x00090312 token"
    assert told[2] == told[3] == f"act 0x00000000 EXAMPLE\\{UNIX} 0x00090312 token"
    assert told[4].startswith("act 0x8009030e ") and "by NTLM, not by Kerberos" in told[4]
    assert told[5].startswith("act 0x00000000 ")


def test_s4u(world):
    """On a service's own word one learns who somebody is; only a logon process may be that somebody, unless it asks for the identity alone."""
    told = run(world, f"s4u 3 0 {UNIX}@EXAMPLE.TEST", f"trusted-s4u 3 0 {UNIX}", "s4u 3 0 nosuchuser@EXAMPLE.TEST", f"s4u 8 0 {UNIX}",
               f"s4u 3 0x8 {UNIX}", f"trusted-s4u 3 0x8 {UNIX}")
    assert told[0] == told[3] == told[4] == told[5] == f"logon 0x00000000 sid S-1-22-1-{UID} impersonation level 1 session same source lsatest"
    assert told[1] == f"logon 0x00000000 sid S-1-22-1-{UID} impersonation level 2 session same source lsatest"
    assert told[2].split()[1] == LOGON_FAILURE


@pytest.mark.parametrize("connection", ("s4u", "trusted-s4u"))
def test_s4u_makes_network_logons_alone(world, connection):
    """Nothing of the user's is there that an interactive session could keep: what a service could leave in it would be its own."""
    told = run(world, *(f"{connection} {kind} 0 {UNIX}@EXAMPLE.TEST" for kind in (2, 9, 4, 5)))
    assert [line.split()[1] for line in told] == [INVALID_LOGON_TYPE] * 2 + [NOT_SUPPORTED] * 2, told


@pytest.mark.parametrize("connection", ("s4u", "trusted-s4u"))
def test_s4u_with_other_flags(world, connection):
    told = run(world, *(f"{connection} 3 {flags} {UNIX}" for flags in ("0x2", "0xa", "0x1", "0x80000000")))
    assert [line.split()[1] for line in told] == [NOT_SUPPORTED] * 4, told


def test_s4u_leaves_nothing_with_the_daemon(world):
    """Whoever asks the socket itself for something to act with gets none, whatever else it asks for."""
    if world.mode != "daemon":
        return
    wants, unsupported = 1 | 2, 0x80090302  # a record, and what is kept
    link, _ = hostile.greet(world)
    name = hostile.text(4, "Kerberos") + hostile.number(7, 0) + hostile.text(8, UNIX) + hostile.number(16, wants)
    for kind in (2, 9):
        status, fields = hostile.ask(link, hostile.LOGON, name + hostile.number(30, kind))
        assert status == unsupported and not fields.keys() & {21, 28, 29}, fields
    status, fields = hostile.ask(link, hostile.LOGON, name + hostile.number(30, 3))
    assert status == 0 and 21 in fields and 29 in fields and 28 not in fields
    password = hostile.number(7, 1) + hostile.text(8, UNIX) + hostile.text(9, "EXAMPLE.TEST") + hostile.octets(11, PASSWORD.encode("utf-16le"))
    status, fields = hostile.ask(link, hostile.LOGON, hostile.text(4, "Kerberos") + password + hostile.number(16, wants) + hostile.number(30, 2))
    assert status == 0 and {21, 28, 29} <= fields.keys()
    assert hostile.ask(link, hostile.LOGOFF, hostile.number(29, hostile.value(fields, 29)))[0] == 0
    link.close()


def tickets_of(line):
    assert line.startswith("tickets 0x00000000 0x00000000"), line
    return re.findall(r"\[(.*?)\]", line)


def test_tickets(world, realm):
    """The cache is listed in four forms; what is removed is gone."""
    granting, service = "krbtgt/EXAMPLE.TEST@EXAMPLE.TEST", f"{SERVICE}@EXAMPLE.TEST"
    if world.mode == "embedded":
        (world.directory / "cache").unlink(missing_ok=True)
        assert tickets_of(run(world, "tickets 1")[0]) == []
        subprocess.run(["kinit", "-f", "carol"], input=PASSWORD + "\n", env={**realm.env, **world.program_env}, text=True, check=True, capture_output=True, timeout=60)
        subprocess.run(["kvno", SERVICE], env={**realm.env, **world.program_env}, check=True, capture_output=True, timeout=60)
        lines = []
    else:
        lines = [f"logon 2 Kerberos {UNIX} EXAMPLE.TEST {PASSWORD}"]  # its token took a ticket for this computer
    told = run(world, *lines, "tickets 1", "tickets 2", "tickets 3", "tickets 4", f"purge {SERVICE} -", "tickets 1", "purge - OTHER.TEST", "tickets 1",
               "purge - -", "tickets 1", "purge - -", f"purge {SERVICE} -")[len(lines):]
    client = "carol" if world.mode == "embedded" else UNIX
    first = tickets_of(told[0])
    assert sorted(ticket.split()[0] for ticket in first) == sorted([granting, service])
    assert all(re.search(r" lives (17|18|19|20) (forwardable|-)$", ticket) for ticket in first), first
    for form, line in ((2, told[1]), (3, told[2]), (4, told[3])):
        found = tickets_of(line)
        assert [ticket.split()[0] for ticket in found] == [f"{client}@EXAMPLE.TEST"] * 2
        assert sorted(ticket.split()[1] for ticket in found) == sorted([granting, service])
        assert all(ticket.endswith(("key 17", "key 18", "key 19", "key 20")) for ticket in found) == (form > 2)
    assert told[4] == told[8] == told[10] == "purge 0x00000000 0x00000000"
    assert told[6] == told[11] == "purge 0x00000000 0x8009030e"
    assert [ticket.split()[0] for ticket in tickets_of(told[5])] == [granting]
    assert [ticket.split()[0] for ticket in tickets_of(told[7])] == [granting]
    assert tickets_of(told[9]) == []


def test_purge_by_client(world, realm):
    """A template that names a client leaves other clients' tickets, in the daemon's sessions, too."""
    if world.mode == "embedded":
        subprocess.run(["kinit", "-f", "carol"], input=PASSWORD + "\n", env={**realm.env, **world.program_env}, text=True, check=True, capture_output=True, timeout=60)
        client, lines = "carol", []
    else:
        client, lines = UNIX, [f"logon 2 Kerberos {UNIX} EXAMPLE.TEST {PASSWORD}"]
    told = run(world, *lines, "tickets 1", "purge_ex nobody - - -", "purge_ex - OTHER.TEST - -", f"purge_ex {client} OTHER.TEST - -", "tickets 1",
               f"purge_ex {client} EXAMPLE.TEST krbtgt/EXAMPLE.TEST EXAMPLE.TEST", "tickets 1", f"purge_ex {client} - - -", "tickets 1")[len(lines):]
    assert told[1] == told[2] == told[3] == "purge 0x00000000 0x8009030e"
    assert tickets_of(told[4]) == tickets_of(told[0]) != []
    assert told[5] == "purge 0x00000000 0x00000000"
    assert "krbtgt" not in told[6]
    assert told[7] == ("purge 0x00000000 0x8009030e" if world.mode == "embedded" else "purge 0x00000000 0x00000000"), told
    assert tickets_of(told[8]) == []


class Asking:
    """The program, asked line by line while other things happen."""

    def __init__(self, world):
        self.process = subprocess.Popen([str(lsa.BUILD / "tests/interop/lsa_functions")], env=world.program_env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().rstrip("\n")


def kdc_asked(realm, what):
    log = (realm.directory / "kdc.log").read_text(encoding="utf-8", errors="replace")
    return len([line for line in log.splitlines() if what in line and f"{UNIX}@" in line])


@pytest.mark.parametrize("package", ["Kerberos", "Negotiate"])
def test_purged_tickets_are_got_anew(world, realm, package):
    """A credential in hand, too, asks the KDC again: for one ticket, or with the session's password for all."""
    with Asking(world) as program:
        assert program.ask(f"logon 2 Kerberos {UNIX} EXAMPLE.TEST {PASSWORD}").startswith("logon 0x00000000")
        assert program.ask(f"hold {package}") == "hold 0x00000000"
        expected = "begin 0x00090312" if package == "Negotiate" else "begin 0x00000000"
        assert program.ask(f"begin {SERVICE}") == expected
        for server, logons in ((SERVICE, 0), ("-", 1)):
            first, second = kdc_asked(realm, "AS_REQ"), kdc_asked(realm, "TGS_REQ")
            assert program.ask(f"begin {SERVICE}") == expected
            assert (kdc_asked(realm, "AS_REQ"), kdc_asked(realm, "TGS_REQ")) == (first, second)
            assert program.ask(f"purge {server} -") == "purge 0x00000000 0x00000000"
            assert SERVICE not in program.ask("tickets 1")
            assert program.ask(f"begin {SERVICE}") == expected
            assert (kdc_asked(realm, "AS_REQ") > first, kdc_asked(realm, "TGS_REQ") > second) == (logons > 0, True)
    assert world.mode == "embedded" or log_off(world) == 0


def log_off(world):
    return subprocess.run([str(lsa.BUILD / "sspi"), "logoff"], env=world.program_env, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize("world", ["daemon"], indirect=True)  # without one nothing ends a session but the process's end
@pytest.mark.parametrize("package, domain, password", [("Kerberos", "EXAMPLE.TEST", PASSWORD), ("Negotiate", "EXAMPLE.TEST", PASSWORD),
                                                       ("NTLM", "EXAMPLE", "Password1!")])
def test_log_off_ends_credentials(world, package, domain, password):
    """Also those in hand: they say that the session has ended."""
    with Asking(world) as program:
        assert program.ask(f"logon 2 {'NTLM' if package == 'NTLM' else 'Kerberos'} {UNIX} {domain} {password}").startswith("logon 0x00000000")
        assert program.ask(f"hold {package}") == "hold 0x00000000"
        assert program.ask(f"begin {SERVICE}").split()[1] in ("0x00000000", "0x00090312")
        assert log_off(world) == 0
        told = program.ask(f"begin {SERVICE}")
        assert told.startswith("begin 0x8009030e") and "session" in told


def test_retrieve(world, realm):
    """A ticket with its key, where the process is its own authority; a daemon gives none out."""
    ask = ["granting", f"retrieve {SERVICE} 0", f"retrieve {SERVICE} 2", f"retrieve {SERVICE} 1", "retrieve host/none.example.test 0", "retrieve - 0"]
    if world.mode == "daemon":
        told = run(world, f"logon 2 Kerberos {UNIX} EXAMPLE.TEST {PASSWORD}", *ask)[1:]
        for line in told[:4]:
            assert line.split()[2] == NOT_SUPPORTED
        assert "gives none out" in told[0] and "gives none out" in told[1]
        return
    empty = types.SimpleNamespace(program_env={**world.program_env, "KRB5CCNAME": f"FILE:{world.directory}/none"})
    assert [line.split()[2] for line in run(empty, *ask[:3])] == [NO_CREDENTIALS] * 3
    subprocess.run(["kinit", "carol"], input=PASSWORD + "\n", env={**realm.env, **world.program_env}, text=True, check=True, capture_output=True, timeout=60)
    told = run(world, ask[2], *ask)
    assert told[0].split()[2] == NO_CREDENTIALS and "no ticket" in told[0]  # not in the cache yet
    assert re.fullmatch(r"granting 0x00000000 0x00000000 krbtgt/EXAMPLE.TEST@EXAMPLE.TEST for carol key 0 of \d+, ticket whole", told[1]), told
    for line in told[2:4]:
        assert re.fullmatch(rf"retrieve 0x00000000 0x00000000 {SERVICE}@EXAMPLE.TEST for carol key (16|32) of \d+, ticket whole", line), told
    assert told[4].split()[2] == NOT_SUPPORTED
    assert told[5].split()[2] == NO_TRUST_SAM_ACCOUNT and told[6].split()[2] == "0xc000000d"
