"""
A set-user-ID program is configured by its owner, not by who starts it: the command as one, with an environment that would lead it elsewhere. The same file without
the bit believes that environment, or this would show nothing.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from place import BUILD

# The program itself: where valgrind watches, OPENSSPI_SSPI is a script, which no such bit concerns.
PROGRAMS = pathlib.Path(os.environ.get("OPENSSPI_UNWATCHED", BUILD))
SSPI = PROGRAMS / "sspi"
NOBODY = "65534"


@pytest.fixture
def folder():
    """Where others may start programs, wherever the build is; what the user wrote is in "his"."""
    with tempfile.TemporaryDirectory(prefix="opensspi-set-user-id-", dir="/tmp") as directory:
        folder = pathlib.Path(directory)
        folder.chmod(0o755)
        his = folder / "his"
        (his / "opensspi").mkdir(parents=True)
        (his / "damaged.conf").write_text("[names]\ncolour = red\n")
        shutil.copy(his / "damaged.conf", his / "opensspi" / "opensspi.conf")
        (his / "sane.conf").write_text("[names]\ncomputer = HIS\n")
        (his / "users").write_text("HIS:mallory:pw\n")
        (his / "users").chmod(0o600)
        for path in [his, *his.rglob("*")]:
            os.chown(path, int(NOBODY), int(NOBODY))
        for program, suffix in ((SSPI, ""), (PROGRAMS / "tests/interop/surroundings", ".other")):
            for name, mode in (("plain", 0o755), ("owned", 0o4755)):
                shutil.copyfile(program, folder / f"{name}{suffix}")
                (folder / f"{name}{suffix}").chmod(mode)
        yield folder


def started(folder, *words, **environment):
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "KRB5_CONFIG": "/dev/null", **environment}
    environment.update({k: v for k, v in os.environ.items() if k.endswith("_OPTIONS")})
    done = subprocess.run(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", folder / words[0], *words[1:]], env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, start_new_session=True)
    return done.stdout + done.stderr


def creds(folder, name, **environment):
    return started(folder, name, "creds", **environment)


@pytest.mark.parametrize("variables", [{"OPENSSPI_CONFIG": "damaged.conf"}, {"XDG_CONFIG_HOME": "."}])
def test_configuration(folder, variables):
    environment = {name: str(folder / "his" / path) for name, path in variables.items()}
    assert "colour" in creds(folder, "plain", **environment)
    assert "colour" not in creds(folder, "owned", **environment) and "NTLM" in creds(folder, "owned", **environment)


def test_store(folder):
    """The owner's, who is the saved user; the real one has one in his home."""
    home = {"HOME": str(folder / "his")}
    assert f"{folder}/his/.local/share/opensspi/accounts.db" in creds(folder, "plain", **home)
    owned = creds(folder, "owned", **home)
    assert "/var/lib/opensspi/accounts.db" in owned and str(folder) not in owned, owned


def test_users_and_trace(folder):
    his = folder / "his"
    environment = {"OPENSSPI_CONFIG": str(his / "sane.conf"), "OPENSSPI_NTLM_USER_FILE": str(his / "users")}
    assert "mallory" in creds(folder, "plain", SSPI_TRACE=str(his / "trace.plain"), **environment)
    owned = creds(folder, "owned", SSPI_TRACE=str(his / "trace.owned"), **environment)
    assert "mallory" not in owned and "NTLM" in owned
    assert (his / "trace.plain").exists() and not (his / "trace.owned").exists()


def cache_of(principal, realm):
    """A ticket cache without tickets, format 4: whose it is."""
    texts = b"".join(len(text).to_bytes(4, "big") + text.encode() for text in (realm, principal))
    return bytes.fromhex("0504 0000") + (1).to_bytes(4, "big") * 2 + texts


def test_roots_tickets_and_prompt(folder):
    """Neither whom he trusts, nor his tickets, and no program of his runs with the owner's rights."""
    his = folder / "his"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", his / "key.pem", "-out", his / "root.pem", "-subj", "/CN=his", "-days", "3"],
                   check=True, capture_output=True, timeout=60)
    (his / "root.pem").chmod(0o644)
    (his / "cache").write_bytes(cache_of("mallory", "HIS.TEST"))
    (his / "cache").chmod(0o600)
    os.chown(his / "cache", int(NOBODY), int(NOBODY))
    told = {}
    for name in ("plain", "owned"):
        asks = his / f"ask.{name}"
        asks.write_text(f"#!/bin/sh\n: > {his}/asked.{name}\necho password\n")
        asks.chmod(0o755)
        lines = started(folder, f"{name}.other", SSL_CERT_FILE=str(his / "root.pem"), KRB5CCNAME=f"FILE:{his}/cache", SSPI_ASKPASS=str(asks)).splitlines()
        told[name] = dict(line.split(" ", 1) for line in lines)
    assert told["plain"]["roots"] == "1" and told["owned"]["roots"] != "1", told
    assert told["plain"]["tickets"].startswith("mallory@HIS.TEST") and "mallory" not in told["owned"]["tickets"], told
    assert told["plain"]["prompt"] == "0x00000000" != told["owned"]["prompt"], told
    assert (his / "asked.plain").exists() and not (his / "asked.owned").exists()
