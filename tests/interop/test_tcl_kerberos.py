"""The Tcl package in a Kerberos realm of its own. Not there where the package is not built."""
import os
import re
import subprocess

import pytest

from tools_realm import tools_realm

SOURCE = os.environ["OPENSSPI_SOURCE"]
BUILD = os.environ["OPENSSPI_BUILD"]


@pytest.fixture(scope="module", name="realm")
def realm_of_tools():
    with tools_realm() as realm:
        yield realm


def test_tcl_options(realm):
    env = {**realm.env, "TCLLIBPATH": os.path.join(BUILD, "tcl", "opensspi"), "OPENSSPI_SOURCE": SOURCE}
    done = subprocess.run(["tclsh", os.path.join(SOURCE, "tests", "tcl", "kerberos.tcl")], capture_output=True, text=True, env=env, timeout=120)
    assert done.returncode == 0 and re.search(r"Total\s+1[0-9]\s+Passed\s+1[0-9]\s+Skipped\s+0\s+Failed\s+0", done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize("words, password", [
    (["kerberos", "host/server.example.test"], b""), (["kerberos", "host/server.example.test", "alice", "EXAMPLE.TEST"], b"password\n"),
    (["negotiate", "host/server.example.test"], b""), (["negotiate", "host/server.example.test", "alice", "EXAMPLE.TEST"], b"password\n")])
def test_tcl(realm, words, password):
    """samples/tcl, with alice's ticket and with her password."""
    env = {**realm.env, "TCLLIBPATH": os.path.join(BUILD, "tcl", "opensspi")}
    done = subprocess.run(["tclsh", os.path.join(SOURCE, "samples", "tcl", words[0] + ".tcl"), *words[1:]], input=password, capture_output=True, env=env, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"client: alice@EXAMPLE.TEST\n") and done.stdout.endswith(b"sealed: Hello, server\nsigned: Hello, client\n")
