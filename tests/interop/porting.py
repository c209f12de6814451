"""Programs in the manner of those that use SSPI on Windows (tests/porting): built, run, and what they said. For test_porting.py and test_porting_wine.py.

OPENSSPI_BUILD and OPENSSPI_SOURCE name the build and the source."""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pki  # noqa: E402
import wine  # noqa: E402
from realm import NO_KERBEROS  # noqa: E402

BUILD = Path(os.environ["OPENSSPI_BUILD"])
SOURCE = Path(os.environ["OPENSSPI_SOURCE"])
SSPI = os.environ.get("OPENSSPI_SSPI", str(BUILD / "sspi"))
PROGRAMS = SOURCE / "tests/porting"
LIMIT = 300  # seconds for any one program; the programs themselves wait for each other at most 120
PASSWORD = "Password1!"
IDENTITY = ["EXAMPLE", "alice", PASSWORD]
FORMS = ["ansi", "unicode"]
HERE = [*FORMS, "clang"] # gcc and g++ narrow and wide, clang and clang++ wide
SOURCES = {"database": "c", "sasl": "c", "tls": "c", "http": "cpp"}
UNICODE = {"ansi": [], "unicode": ["-DUNICODE", "-D_UNICODE"], "clang": ["-DUNICODE", "-D_UNICODE"]}
COMPILERS = {("clang", ".c"): "clang", ("clang", ".cpp"): "clang++"}

CONFIGURATION = """[names]
computer = SERVER
domain = EXAMPLE
dns_computer = server.example.test
dns_domain = example.test
[accounts]
stores = sqlite:{place}/accounts.db
"""


def build_here(source, to, form, *more, compiler=None, libraries=("-lopensspi-win32", "-lopensspi")):
    """As a program outside this tree is built, any warning an error."""
    compiler = compiler or COMPILERS.get((form, source.suffix), "g++" if source.suffix == ".cpp" else "gcc")
    language = ["-x", "c++"] if compiler.endswith("++") else []
    include = SOURCE / "include/opensspi"
    built = subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-fshort-wchar", "-DOPENSSPI_WIN32=1", f"-I{include}/win32", f"-I{include}",
                            *UNICODE[form], *more, "-o", to, *language, source, "-x", "none", f"-L{BUILD}/win32", f"-L{BUILD}", *libraries,
                            f"-Wl,-rpath,{BUILD}/win32:{BUILD}"], capture_output=True, timeout=LIMIT)
    assert built.returncode == 0, built.stderr.decode()


def build_for_windows(source, to, form, entry="tmain"):
    """Warnings are errors but for %hs, which gcc for Windows thinks odd and Windows does not."""
    compiler = "x86_64-w64-mingw32-g++" if source.suffix == ".cpp" else "x86_64-w64-mingw32-gcc"
    built = subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-format", "-static", *UNICODE[form],
                            *(["-municode"] if form == "unicode" and entry == "tmain" else []), "-o", to, source, "-lsecur32", "-lcrypt32", "-ladvapi32", "-lws2_32"],
                           capture_output=True, timeout=LIMIT)
    assert built.returncode == 0, built.stderr.decode()


def built(place, name, form, build, ending=""):
    """A program of tests/porting; it is built when it is first asked for."""
    to = place / f"{name}-{form}{ending}"
    if not to.exists():
        build(PROGRAMS / f"{name}.{SOURCES[name]}", to, form)
    return to


@pytest.fixture(scope="module")
def world():
    """A place for the programs of this system, a configuration, alice's account in two groups, certificates."""
    with tempfile.TemporaryDirectory(prefix="opensspi-porting-") as name:
        place = Path(name)
        (place / "opensspi.conf").write_text(CONFIGURATION.format(place=place))
        (place / "home").mkdir()
        (place / "krb5.conf").write_text(NO_KERBEROS)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(place / "home"), "TMPDIR": name,
                       "OPENSSPI_CONFIG": str(place / "opensspi.conf"), "KRB5_CONFIG": str(place / "krb5.conf"), "KRB5CCNAME": f"FILE:{place}/none"}
        environment.update({k: v for k, v in os.environ.items() if k.endswith("_OPTIONS")})

        def sspi(*words, **more):
            subprocess.run([SSPI, *words], env=environment, check=True, timeout=LIMIT, capture_output=True, **more)
        sspi("account", "add", "--domain", "EXAMPLE", "alice", input=PASSWORD.encode() + b"\n")
        sspi("group", "add", "Readers")
        sspi("group", "join", "--domain", "EXAMPLE", "Readers", "alice")
        ca = pki.Authority(place)
        leaf, key = ca.issue("leaf", pki.SERVER_EXTENSIONS)
        ca.openssl("pkcs12", "-export", "-in", leaf, "-inkey", key, "-passout", "pass:secret", "-out", str(place / "leaf.pfx"))
        ca.openssl("x509", "-in", ca.anchor, "-outform", "DER", "-out", str(place / "ca.der"))
        other = pki.Authority(place, "other")
        other.openssl("x509", "-in", other.anchor, "-outform", "DER", "-out", str(place / "other.der"))
        yield {"place": place, "environment": environment}


@pytest.fixture(scope="module")
def windows():
    """A place for the programs as Windows programs, and a private Wine."""
    with tempfile.TemporaryDirectory(prefix="opensspi-porting-wine-") as name:
        place = Path(name)
        (place / "bin").mkdir()
        # Wine's NTLM is Samba's ntlm_auth, with a configuration of its own.
        ntlm_auth = shutil.which("ntlm_auth")
        assert ntlm_auth, "ntlm_auth is not installed"
        (place / "samba").mkdir(mode=0o700)
        folders = "".join(f"{what} = {place}/samba\n" for what in ("lock directory", "state directory", "cache directory", "private dir", "pid directory"))
        (place / "smb.conf").write_text(f"[global]\nworkgroup = EXAMPLE\nnetbios name = WINECLIENT\n{folders}")
        wrapper = place / "bin/ntlm_auth"
        wrapper.write_text(f'#!/bin/sh\nexec {ntlm_auth} --configfile={place}/smb.conf "$@"\n')
        wrapper.chmod(0o700)
        with wine.started(place, f"{place}/bin:/usr/bin:/bin") as (program, environment):
            yield {"wine": program, "place": place, "environment": environment}


def drawn(shown):
    """What stands on a terminal: Wine's console moves the cursor in the place of spaces, and hides it meanwhile."""
    shown = re.sub(rb"\x1b\[(\d*)C", lambda right: b" " * int(right[1] or b"1"), shown)
    return re.sub(rb"\x1b\[[?\d;]*[A-Za-z]", b"", shown)


def run_at_terminal(command, environment, prompt, typed):
    """With a terminal of its own, where `typed` is typed when the prompt is there: what it ended with, and what the terminal showed."""
    process, screen = pty.fork()
    if process == 0:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))  # Wine draws nothing on one without a size
            os.execve(command[0], command, environment)
        finally:
            os._exit(127)
    shown, end, told = b"", time.monotonic() + LIMIT, False
    try:
        while select.select([screen], [], [], max(0, end - time.monotonic()))[0]:
            try:
                more = os.read(screen, 4096)
            except OSError:  # nobody has the terminal any more
                more = b""
            if not more:
                break
            shown += more
            if not told and prompt in drawn(shown):
                while termios.tcgetattr(screen)[3] & termios.ECHO and time.monotonic() < end:  # Wine's console begins to listen later
                    time.sleep(0.02)
                os.write(screen, typed)
                told = True
        else:
            os.kill(process, signal.SIGKILL)
    finally:
        os.close(screen)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return code, drawn(shown).decode(errors="replace").replace("\r\n", "\n")


def run(command, environment, typed=None):
    done = subprocess.run(command, env=environment, **({"input": typed} if typed else {"stdin": subprocess.DEVNULL}), capture_output=True, timeout=LIMIT)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace").replace("\r\n", "\n")


class Server:
    def __init__(self, world, program, *words):
        name, form = program.split("-")
        command = built(world["place"], name, form, build_here)
        self.log = tempfile.TemporaryFile(dir=world["place"])
        self.process = subprocess.Popen([command, "server", *words], env=world["environment"], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT)
        end = time.monotonic() + LIMIT
        while not (found := re.search(r"^port (\d+)$", self.text(), re.M)):
            assert self.process.poll() is None and time.monotonic() < end, self.text()
            time.sleep(0.02)
        self.port = found.group(1)

    def text(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT)
        self.log.close()

    def wait(self):
        return self.process.wait(LIMIT), self.text()


def native(world, form, program, *words):
    return run([built(world["place"], program, form, build_here), "client", *words], world["environment"])


def check_asked(result, server):
    """The password that was asked for was the right one, and nobody saw it."""
    check_database(result, server)
    assert "Password: " in result[1] and PASSWORD not in result[1], result[1]


def windows_run(windows, form, program, *words):
    return run([windows["wine"], built(windows["place"], program, form, build_for_windows, ".exe"), "client", *words], windows["environment"])


def check_database(result, server):
    (code, shown), (status, served) = result, server.wait()
    assert (code, status) == (0, 0), shown + served
    assert "client done, confidentiality" in shown and "server done" in served
    assert re.search(r"^name: EXAMPLE\\alice$", served, re.M), served
    assert re.search(r"^user: EXAMPLE\\alice S-1-5-21-", served, re.M), served
    assert re.search(r"^group: \S*\\?Readers S-1-5-", served, re.M), served
    assert "everybody 1" in served
