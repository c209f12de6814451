"""The command `sspi` and the Tcl package in a Kerberos realm of their own."""
import json
import os
import re
import subprocess

import pytest

from realm import Realm

SSPI = os.environ["OPENSSPI_SSPI"]
SOURCE = os.environ["OPENSSPI_SOURCE"]
BUILD = os.environ["OPENSSPI_BUILD"]


@pytest.fixture(scope="module")
def realm():
    with Realm() as realm:
        realm.addprinc("alice", "password")
        realm.addprinc("host/server.example.test")
        realm.keytab("host/server.example.test")
        realm.kinit("alice", "password")
        conf = realm.directory / "opensspi.conf"
        conf.write_text("")
        realm.env["OPENSSPI_CONFIG"] = str(conf)
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
    assert b"alice@EXAMPLE.TEST" in messages and b"mutual_auth" in client.stderr and b"AES256" in client.stderr


def test_tcl(realm):
    env = {**realm.env, "TCLLIBPATH": os.path.join(BUILD, "tcl")}
    done = subprocess.run(["tclsh", os.path.join(SOURCE, "samples", "tcl", "messages.tcl"), "Kerberos", "", "", "host/server.example.test"],
                          input=b"\n", capture_output=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"client: alice@EXAMPLE.TEST\n") and done.stdout.endswith(b"sealed: Hello, server\nsigned: Hello, client\n")
