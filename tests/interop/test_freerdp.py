"""CredSSP against FreeRDP in both directions, and the shared object as a module that FreeRDP's loader would take."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

BUILD = pathlib.Path(os.environ["OPENSSPI_BUILD"])
PEER = str(BUILD / "tests/interop/rdp_peer")
HOST = str(BUILD / "tests/interop/sspi_module_host")
WAIT = 400  # a bound on waiting, never waited for
HASH = "7facdc498ed1680c4fd1448319a8c04f"  # the NT hash of Password1!


class World:
    def __init__(self, place):
        self.place = place
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", place / "server.key", "-out", place / "server.pem",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, capture_output=True, timeout=WAIT)
        (place / "server.key").chmod(0o600)
        self.private("sam", f"alice:EXAMPLE::{HASH}:::\n")
        self.private("winpr-sam", f"bob:EXAMPLE::{HASH}:::\n")
        self.config()

    def private(self, name, text):
        path = self.place / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def config(self, more=""):
        self.private("opensspi.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n[accounts]\n"
                     f"stores = sam:{self.place / 'sam'}\n[ntlm]\ntargets = localhost, 127.0.0.1\n[negotiate]\npackages = NTLM\n{more}")

    def environment(self, display=None):
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")}
        kept |= {"HOME": str(self.place), "OPENSSPI_CONFIG": str(self.place / "opensspi.conf")}
        if display:
            kept["DISPLAY"] = display
        return kept


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("freerdp"))


@pytest.fixture(scope="module")
def display(world):
    """An X server of our own, on a number that it finds free; without -noreset it refuses who comes while the last client goes."""
    sockets = pathlib.Path("/tmp/.X11-unix")
    there = sockets.exists()
    read_end, write_end = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write_end), "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"],
                              pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=world.environment())
    os.close(write_end)
    with os.fdopen(read_end) as number:
        name = ":" + number.readline().strip()
    assert name != ":", "Xvfb does not start"
    yield name
    server.terminate()
    server.wait(WAIT)
    if not there:  # the server made it, and leaves it
        with contextlib.suppress(OSError):  # another X server's socket is in it
            sockets.rmdir()


@pytest.fixture
def processes():
    started = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def our_server(world, processes, *options):
    server = subprocess.Popen([PEER, "server", f"cert={world.place / 'server.pem'}", f"key={world.place / 'server.key'}", *options],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=world.environment())
    processes.append(server)
    return server, int(re.match(r"port (\d+)", server.stdout.readline()).group(1))


def xfreerdp(world, display, port, *options):
    words = ["xfreerdp", f"/v:127.0.0.1:{port}", "/cert:ignore", "+auth-only", "/sec:nla", "/u:alice", "/d:EXAMPLE", *options]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=WAIT,
                          env=world.environment(display), check=False)
    return done.stdout


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_xfreerdp_signs_on(world, display, processes, tls):
    server, port = our_server(world, processes, f"tls={tls}")
    said = xfreerdp(world, display, port, "/p:Password1!")
    assert "established by NTLM names=EXAMPLE\\alice user=alice domain=EXAMPLE password=Password1!" in server.communicate(timeout=WAIT)[0], said
    assert "LOGON_FAILURE" not in said


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_xfreerdp_signs_on_to_tsssp(world, display, processes, tls):
    """The TLS connection is the server's own, by Schannel, and TSSSP has what is inside."""
    server, port = our_server(world, processes, f"tls={tls}", "package=TSSSP")
    said = xfreerdp(world, display, port, "/p:Password1!")
    assert "established by NTLM names=EXAMPLE\\alice user=alice domain=EXAMPLE password=Password1!" in server.communicate(timeout=WAIT)[0], said
    assert "LOGON_FAILURE" not in said


def test_xfreerdp_wrong_password_for_tsssp(world, display, processes):
    server, port = our_server(world, processes, "package=TSSSP")
    said = xfreerdp(world, display, port, "/p:wrong")
    output = server.communicate(timeout=WAIT)[0]
    assert "failed 0x8009030c" in output and "established" not in output, output
    assert "STATUS_LOGON_FAILURE" in said


def test_xfreerdp_wrong_password(world, display, processes):
    server, port = our_server(world, processes)
    said = xfreerdp(world, display, port, "/p:wrong")
    output = server.communicate(timeout=WAIT)[0]
    assert "failed 0x8009030c" in output and "established" not in output, output
    assert "STATUS_LOGON_FAILURE" in said  # errorCode was sent, and understood


def test_xfreerdp_restricted_admin(world, display, processes):
    """A hash proves who it is, and nothing is handed over."""
    server, port = our_server(world, processes)
    said = xfreerdp(world, display, port, "/p:unused", f"/pth:{HASH}", "/restricted-admin")
    output = server.communicate(timeout=WAIT)[0]
    assert re.search(r"established by NTLM names=EXAMPLE\\alice$", output, re.M), output + said


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, log):
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the shadow server does not listen")


@pytest.fixture
def shadow(world, display, processes):
    port = free_port()
    log = open(world.place / "shadow.log", "w", encoding="utf-8")
    server = subprocess.Popen(["freerdp-shadow-cli", f"/port:{port}", "/bind-address:127.0.0.1", "+auth", "/sec:nla", f"/sam-file:{world.place / 'winpr-sam'}"],
                              stdout=log, stderr=subprocess.STDOUT, env=world.environment(display))
    log.close()
    processes.append(server)
    wait_for_port(port, server, world.place / "shadow.log")
    return port


def our_client(world, port, password, *options):
    # FreeRDP 2's server knows no SPNEGO: with NTLM alone in the list its tokens go out as they are.
    done = subprocess.run([PEER, "client", str(port), "user=bob", "domain=EXAMPLE", f"password={password}", "packages=ntlm", *options],
                          capture_output=True, text=True, timeout=WAIT, env=world.environment(), check=False)
    return done.stdout + done.stderr


def test_shadow_takes_our_client(world, shadow):
    output = our_client(world, shadow, "Password1!")
    assert "established by NTLM names=EXAMPLE\\bob" in output and "answered" not in output, output


def test_shadow_takes_our_tsssp(world, shadow):
    output = our_client(world, shadow, "Password1!", "package=TSSSP")
    assert "established by NTLM names=EXAMPLE\\bob" in output and "answered" not in output, output


def test_shadow_wrong_password(world, shadow):
    output = our_client(world, shadow, "wrong")
    assert "failed 0x8009" in output and "established" not in output, output
    end = time.monotonic() + WAIT
    while "client authentication failure" not in (world.place / "shadow.log").read_text(encoding="utf-8", errors="replace"):
        assert time.monotonic() < end, "the shadow server says nothing of it"
        time.sleep(0.05)


def test_module_host(world):
    """The sequence of calls that FreeRDP makes of a module, with its structures and habits. At its end the server acts as its client, who needs a Unix user."""
    environment = world.environment()
    user = str(os.getuid() or 65534)
    subprocess.run([os.environ["OPENSSPI_SSPI"], "account", "add", "alice", "--domain", "EXAMPLE", "--uid", user, "--gid", user, "--store", world.place / "accounts.db"],
                   input=b"Password1!\n", env=environment, timeout=WAIT, check=True)
    conf = world.private("module.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n[accounts]\n"
                         f"stores = sqlite:{world.place / 'accounts.db'}\n[ntlm]\ntargets = localhost\n[negotiate]\npackages = NTLM\n"
                         "[access]\nidentify_without_privilege = yes\n")
    environment["OPENSSPI_CONFIG"] = str(conf)
    done = subprocess.run([HOST, os.environ["OPENSSPI_LIB"]], capture_output=True, text=True, timeout=WAIT, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "walked: Negotiate NTLM" in done.stdout
