"""Kerberos and Negotiate through the daemon, against a real KDC: whose tickets, whose keys, and that neither reaches the program."""
import re
import subprocess

import lsa
import pytest
from realm import PATIENCE, Realm, keytab_keys

PASSWORD = "Kerberos-secret-7"
SERVICE = "host/server.example.test"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Realm(kdc_realm="default_principal_flags = +forwardable") as realm:
        realm.addprinc("carol", PASSWORD)
        realm.addprinc("dave", "Another-secret-8")
        realm.addprinc(SERVICE)
        realm.keytab(SERVICE)
        environment = dict(realm.env)
        del environment["KRB5CCNAME"]
        with lsa.Daemon(tmp_path_factory.mktemp("lsa"), more=f"[kerberos]\n{PATIENCE}delegate = always\n", env=environment) as daemon:
            # What programs get: no keytab of their own, no tickets of their own.
            daemon.program_env = {**daemon.env, "KRB5_KTNAME": f"FILE:{daemon.directory}/no-keytab", "KRB5CCNAME": f"FILE:{daemon.directory}/no-cache"}
            daemon.realm = realm
            yield daemon


def disguise(octets):
    return bytes(byte ^ 0x5a for byte in octets).hex()


def run(world, package, *identity, needles=(), password="", env=None):
    lines = ([password] if identity else []) + [f"{name} {disguise(value)}" for name, value in needles]
    done = subprocess.run([str(lsa.BUILD / "tests/interop/lsa_secret"), package, SERVICE, *identity], input="\n".join(lines) + "\n",
                          env=env or world.program_env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def sspi(world, *words, text=None):
    return subprocess.run([str(lsa.BUILD / "sspi"), *words], input=text, env=world.program_env, capture_output=True, text=True, timeout=60, check=False)


def needles(world):
    keys = keytab_keys(world.realm.env["KRB5_KTNAME"].removeprefix("FILE:"))
    assert len(keys) == 5
    return [(f"key{n}", key) for n, key in enumerate(keys)] + [("utf8", PASSWORD.encode()), ("utf16", PASSWORD.encode("utf-16le"))]


@pytest.mark.parametrize("package", ["Kerberos", "Negotiate"])
def test_logon_session(world, package):
    """After `sspi logon` default credentials are the session's; nothing secret is in the program; after `sspi logoff` there are none."""
    assert "handshake 0x8009030e" in run(world, "Kerberos")[-1]
    done = sspi(world, "logon", "--package", package, "EXAMPLE.TEST\\carol", text=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    session = re.fullmatch(r"logged on, session ([0-9A-F]{16})\n", done.stdout)[1]
    assert session in sspi(world, "sessions").stdout
    said = run(world, package, needles=needles(world))
    assert said[:3] == ["handshake 0x00000000 0x00000000", "messages ok", "client carol@EXAMPLE.TEST"]
    assert said[3:] == ["delegated ok", "export ok"] + [f"{name} absent" for name, _ in needles(world)]
    assert sspi(world, "logoff", session).returncode == 0
    assert session not in sspi(world, "sessions").stdout
    assert "handshake 0x8009030e" in run(world, "Kerberos")[-1]
    assert sspi(world, "logoff").returncode == 1


def test_the_search_finds(world):
    """Within the process both are found: the check above can fail."""
    embedded = world.directory / "embedded.conf"
    embedded.write_text("[names]\ncomputer = SERVER\n", encoding="utf-8")
    env = {**world.env, "OPENSSPI_CONFIG": str(embedded)}
    said = run(world, "Kerberos", "carol", "EXAMPLE.TEST", password=PASSWORD, needles=needles(world), env=env)
    assert said[0] == "handshake 0x00000000 0x00000000"
    assert "utf8 found" in said and any(line.startswith("key") and line.endswith("found") for line in said)


@pytest.mark.parametrize("package", ["Kerberos", "Negotiate"])
def test_explicit_password(world, package):
    """Goes to the daemon once and is wiped."""
    said = run(world, package, "carol", "EXAMPLE.TEST", password=PASSWORD, needles=needles(world))
    assert said[:3] == ["handshake 0x00000000 0x00000000", "messages ok", "client carol@EXAMPLE.TEST"]
    assert all(line.endswith("absent") for line in said[-7:]), said


def test_wrong_password(world):
    done = sspi(world, "logon", "--package", "Kerberos", "EXAMPLE.TEST\\carol", text="wrong\n")
    assert done.returncode == 3 and "carol" in done.stderr and "SEC_E_LOGON_DENIED" in done.stderr
    said = run(world, "Kerberos", "carol", "EXAMPLE.TEST", password="wrong")
    assert said[-1].startswith("handshake 0x8009030c")


def test_new_credentials(world):
    """The logon proves nothing: a wrong password is found out when it is used, each time, and in the KDC's words; a right one works."""
    for password in (PASSWORD, "wrong"):
        assert sspi(world, "logon", "--new-credentials", "--package", "Kerberos", "EXAMPLE.TEST\\carol", text=password + "\n").returncode == 0
        for package in ("Kerberos", "Kerberos", "Negotiate"):
            said = run(world, package)
            if password == PASSWORD:
                assert "client carol@EXAMPLE.TEST" in said, said
                continue
            assert said[-1].startswith("handshake 0x8009030c"), said
            assert any(line.startswith("cause") and "logging on with the password: " in line for line in said), said
        assert sspi(world, "logoff").returncode == 0


def test_nobody(world):
    """Without a logon session the cause is that, and not what the daemon lacks."""
    for package in ("Kerberos", "Negotiate", "NTLM"):
        said = run(world, package)
        assert said[-1].startswith("handshake 0x8009030e"), said
        assert any(line.startswith("cause no password was given") and "sspi logon" in line for line in said), said


def test_another_than_the_session(world):
    """A name without a password is not the session's: the cause says of whom there is none."""
    assert sspi(world, "logon", "EXAMPLE.TEST\\carol", text=PASSWORD + "\n").returncode == 0
    said = run(world, "Kerberos", "dave", "EXAMPLE.TEST", password="(none)")
    assert said[-1].startswith("handshake 0x8009030e"), said
    assert any(line.startswith("cause no password was given for dave, and no logon session of user ") for line in said), said
    for package in ("Kerberos", "Negotiate"):
        assert "client carol@EXAMPLE.TEST" in run(world, package, "carol", "EXAMPLE.TEST", password="(none)")
    assert sspi(world, "logoff").returncode == 0


def logons_asked(world):
    log = (world.realm.directory / "kdc.log").read_text(encoding="utf-8", errors="replace")
    return len([line for line in log.splitlines() if "AS_REQ" in line and "carol@" in line])


def test_a_refused_password_is_not_sent_again(world):
    """The KDC is asked once with a session's wrong password, however many credentials and handshakes there are."""
    assert sspi(world, "logon", "--new-credentials", "--package", "Kerberos", "EXAMPLE.TEST\\carol", text="wrong\n").returncode == 0
    seen = [logons_asked(world)]
    for _ in range(3):
        said = run(world, "Kerberos")
        assert said[-1].startswith("handshake 0x8009030c"), said
        seen.append(logons_asked(world))
    assert seen[0] < seen[1] == seen[2] == seen[3], seen
    assert sspi(world, "logoff").returncode == 0


def test_the_newest_session(world):
    assert sspi(world, "logon", "EXAMPLE.TEST\\carol", text=PASSWORD + "\n").returncode == 0
    assert sspi(world, "logon", "EXAMPLE.TEST\\dave", text="Another-secret-8\n").returncode == 0
    assert "client dave@EXAMPLE.TEST" in run(world, "Negotiate")
    assert sspi(world, "logoff").returncode == 0
    assert "client carol@EXAMPLE.TEST" in run(world, "Negotiate")
    assert sspi(world, "logoff").returncode == 0


def test_daemon_restarts(world):
    """Sessions end with the daemon; keytab and KDC are there for the next."""
    assert sspi(world, "logon", "EXAMPLE.TEST\\carol", text=PASSWORD + "\n").returncode == 0
    assert world.stop() == 0
    assert "cannot be reached" in sspi(world, "sessions").stderr
    assert run(world, "Kerberos")[-1] == "handshake 0x80090311 0x80090311"
    world.start()
    assert sspi(world, "sessions").stdout == ""
    assert sspi(world, "logon", "EXAMPLE.TEST\\carol", text=PASSWORD + "\n").returncode == 0
    assert "client carol@EXAMPLE.TEST" in run(world, "Kerberos")
    assert sspi(world, "logoff").returncode == 0
