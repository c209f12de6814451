"""A module named in the configuration, with the shared library as programs have it."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

BUILD = os.environ["OPENSSPI_BUILD"]
SAMPLE = os.path.join(BUILD, "samples", "provider", "sharedkey.so")


def packages(directory, *modules, ask=()):
    config = directory / "opensspi.conf"
    config.write_text("[packages]\n" + "".join("package = %s\n" % module for module in modules))
    config.chmod(0o600)
    environment = dict(os.environ, OPENSSPI_CONFIG=str(config))
    program = os.path.join(BUILD, "tests", "interop", "packages")
    done = subprocess.run([program, *ask], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def private():
    """A directory that nobody but us can write, wherever the build is."""
    with tempfile.TemporaryDirectory(prefix="opensspi-module-", dir="/tmp") as directory:
        yield pathlib.Path(directory)


def copy(private, source, name, mode=0o700):
    path = private / name
    shutil.copyfile(source, path)
    path.chmod(mode)
    return path


def test_listed_last(private):
    module = copy(private, SAMPLE, "mine.so")
    lines = packages(private, module, ask=["sharedkey"])
    assert lines[-2:] == ["SharedKey", "? Sample: one shared key"]
    assert lines[0] in ("Negotiate", "Kerberos", "NTLM")


def test_written_for_the_lsa(private):
    module = copy(private, os.path.join(os.path.dirname(SAMPLE), "sharedkey_lsa.so"), "lsa.so")
    lines = packages(private, module, copy(private, SAMPLE, "mine.so"), ask=["SharedKeyLsa", "SharedKey"])
    assert lines[-4:] == ["SharedKeyLsa", "SharedKey", "? Sample", "? Sample: one shared key"]


def test_refused_line_leaves_the_rest(private):
    module = copy(private, SAMPLE, "mine.so")
    opened = copy(private, SAMPLE, "open.so", 0o722)
    lines = packages(private, opened, module, ask=["SharedKey", "Other"])
    assert "SharedKey" in lines
    assert "open.so: others may write it" in lines[-1]


def test_the_library_is_no_module_of_itself(private):
    """It is refused as any other file with such packages would be (Schannel is a stream package, and all have names that are taken), and nothing loops."""
    library = copy(private, os.environ["OPENSSPI_LIB"], "again.so")
    before = packages(private, "/nonexistent.so")
    lines = packages(private, library, ask=["Other"])
    assert lines[:-1] == before
    assert "Schannel is a stream package" in lines[-1]
