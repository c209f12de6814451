"""The command `sspi` in a Kerberos realm of its own."""
import json
import os
import re
import subprocess

import pytest

from tools_realm import tools_realm

SSPI = os.environ["OPENSSPI_SSPI"]


@pytest.fixture(scope="module", name="realm")
def realm_of_tools():
    with tools_realm() as realm:
        yield realm


def run(realm, *words, stdin=b""):
    return subprocess.run(words, input=stdin, capture_output=True, env=realm.env, timeout=60)


def test_who(realm):
    assert json.loads(run(realm, SSPI, "whoami", "--json").stdout)["Kerberos"] == "alice@EXAMPLE.TEST"
    assert b"alice@EXAMPLE.TEST, expires 20" in run(realm, SSPI, "creds").stdout


def test_doctor(realm):
    found = {check["check"]: check for check in json.loads(run(realm, SSPI, "doctor", "--json").stdout)}
    assert found["Kerberos"]["found"] == "default realm EXAMPLE.TEST"
    assert found["KDC"]["verdict"] == "good" and found["keytab"]["verdict"] == "good"
    assert found["ticket cache"]["found"] == "alice@EXAMPLE.TEST"


def test_doctor_with_kdcs_that_are_silent(realm, tmp_path):
    """One that answers is enough; none is a fault."""
    text = (realm.directory / "krb5.conf").read_text()
    answering = re.search(r"  kdc = (\S+)\n", text)
    for kdcs, verdicts, code in ((["127.0.0.1:1", answering.group(1)], ["note", "good"], 0), (["127.0.0.1:1", "[::1]:1"], ["bad", "bad"], 1)):
        (tmp_path / "krb5.conf").write_text(text.replace(answering.group(0), "".join(f"  kdc = {kdc}\n" for kdc in kdcs)))
        done = subprocess.run([SSPI, "doctor", "--json"], capture_output=True, timeout=120, env={**realm.env, "KRB5_CONFIG": str(tmp_path / "krb5.conf")})
        found = [check for check in json.loads(done.stdout) if check["check"] == "KDC"]
        assert [check["verdict"] for check in found] == verdicts and done.returncode == code
        assert [check["found"].split()[0] for check in found] == kdcs


@pytest.mark.parametrize("package", ["Kerberos", "Negotiate"])
def test_chat(realm, package):
    server = subprocess.Popen([SSPI, "listen", "0", "--package", package], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=realm.env)
    port = re.search(r"port (\d+)", server.stderr.readline().decode()).group(1)
    client = run(realm, SSPI, "connect", f"127.0.0.1:{port}", "--package", package, "--target", "host/server.example.test",
                 stdin=b"hello\n")
    out, messages = server.communicate(timeout=60)
    assert client.returncode == 0, client.stderr
    assert server.returncode == 0 and out == b"hello\n"
    assert b"alice@EXAMPLE.TEST" in messages and b"mutual_auth" in client.stderr and b"AES256-CTS" in client.stderr


def test_password_that_the_kdc_refuses(realm):
    """The server has not been asked yet: what helps speaks of who knows the account."""
    server = subprocess.Popen([SSPI, "listen", "0", "--package", "Kerberos"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=realm.env)
    port = re.search(r"port (\d+)", server.stderr.readline().decode()).group(1)
    client = run(realm, SSPI, "connect", f"127.0.0.1:{port}", "--package", "Kerberos", "--target", "host/server.example.test", "--user", "alice",
                 stdin=b"wrong\n")
    server.communicate(timeout=60)
    assert client.returncode == 3 and b"SEC_E_LOGON_DENIED" in client.stderr
    assert b"Whoever knows the account refused, the KDC or the server" in client.stderr and b"On the server look" not in client.stderr, client.stderr


def test_keytab_newer_than_the_ticket(realm):
    """Both numbers are told. (The last test: the service has another key then.)"""
    target = "HTTP/server.example.test"
    assert run(realm, "kvno", target).returncode == 0
    realm.kadmin(f"cpw -randkey {target}")
    realm.keytab(target, "newer")
    server = subprocess.Popen([SSPI, "listen", "0", "--package", "Kerberos"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**realm.env, "KRB5_KTNAME": f"FILE:{realm.directory}/newer"})
    port = re.search(r"port (\d+)", server.stderr.readline().decode()).group(1)
    client = run(realm, SSPI, "connect", f"127.0.0.1:{port}", "--package", "Kerberos", "--target", target)
    _, messages = server.communicate(timeout=60)
    told = re.search(r"no key of the keytab opens the ticket for HTTP/server\.example\.test@EXAMPLE\.TEST \(number (\d+), type 1[78]\); "
                     r"it has number (\d+) of this name", messages.decode())
    assert told and int(told.group(2)) == int(told.group(1)) + 1, messages
    assert client.returncode == 3
