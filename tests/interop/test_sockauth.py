"""samples/sockauth: two processes over TCP. Both built here; and each of them against the same source built with mingw-w64 for
Windows, under Wine.

What Wine 8's NTLM does: its client is complete but for the flags that InitializeSecurityContext returns. Its server asks Samba's
ntlm_auth to check the response, and here a wrapper in front of the real ntlm_auth gives that the one password that is right (of any
user), so that no winbind daemon is needed.
Wine's server never derives the keys of extended session security, so sealed and signed messages are exchanged with it only when
its side does not offer that; with extended session security the handshake alone can be shown.

OPENSSPI_BUILD and OPENSSPI_SOURCE name the build and the source."""
import os
import re
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pki  # noqa: E402
import wine  # noqa: E402
from asking_server import AskingServer  # noqa: E402
from realm import NO_KERBEROS  # noqa: E402

BUILD = Path(os.environ["OPENSSPI_BUILD"])
SOURCE = Path(os.environ["OPENSSPI_SOURCE"])
SSPI = os.environ.get("OPENSSPI_SSPI", str(BUILD / "sspi"))
CLIENT = str(BUILD / "samples/sockauth/sockauth_client")
SERVER = str(BUILD / "samples/sockauth/sockauth_server")
SAMPLE = SOURCE / "samples/sockauth"

PASSWORD = "Password1!"
TARGET = "host/server.example.test"
TEXT = "Meet me at the usual place."
LIMIT = 600  # seconds for any one program
PATIENCE = "60"  # seconds that a program waits for the other one, which may be slow
IMPATIENCE = str(int(os.environ.get("OPENSSPI_SLOWNESS", "1")))  # of a server that others keep waiting on purpose; what comes next is served in that time

CONFIGURATION = """[names]
computer = SERVER
domain = EXAMPLE
dns_computer = server.example.test
dns_domain = example.test
[accounts]
stores = sqlite:{place}/accounts/accounts.db
"""


@pytest.fixture(scope="module")
def realm():
    """A private directory with a configuration, alice's account, and the environment of the programs."""
    with tempfile.TemporaryDirectory(prefix="opensspi-sockauth-") as name:
        place = Path(name)
        configuration = place / "opensspi.conf"
        configuration.write_text(CONFIGURATION.format(place=place))
        (place / "home").mkdir()
        (place / "krb5.conf").write_text(NO_KERBEROS)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(place / "home"), "TMPDIR": name,
                       "OPENSSPI_CONFIG": str(configuration), "KRB5_CONFIG": str(place / "krb5.conf"), "KRB5CCNAME": f"FILE:{place}/none"}
        environment.update({k: v for k, v in os.environ.items() if k.endswith("_OPTIONS") or k == "LD_LIBRARY_PATH"})
        subprocess.run([SSPI, "account", "add", "--domain", "EXAMPLE", "alice"], input=PASSWORD.encode() + b"\n",
                       env=environment, check=True, timeout=LIMIT, capture_output=True)
        yield {"place": place, "environment": environment}


class Server:
    """A running server; leaves nothing running behind."""

    def __init__(self, realm, *words, command=None, environment=None):
        self.log = tempfile.TemporaryFile(dir=realm["place"])
        self.process = subprocess.Popen([*(command or [SERVER]), "-a", str(LIMIT), *words, "127.0.0.1", "0"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
                                        env=environment or realm["environment"], start_new_session=True)
        end = time.monotonic() + LIMIT
        while not (found := re.search(r"^server: listens .* port (\d+)$", self.text(), re.M)):
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                pytest.fail("the server does not start:\n" + self.text())
            time.sleep(0.02)
        self.port = int(found[1])

    def text(self):
        # pread leaves alone the position that the server writes at.
        return os.pread(self.log.fileno(), 1 << 20, 0).decode("utf-8", "replace").replace("\r\n", "\n")

    def wait(self):
        """The exit status, after the server ended by itself."""
        return self.process.wait(timeout=LIMIT)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=LIMIT)


def client(realm, port, *words, user="EXAMPLE\\alice", password=PASSWORD, stdin="", command=None, environment=None,
           host="127.0.0.1"):
    environment = dict(environment or realm["environment"])
    if password is not None:
        environment["SOCKAUTH_PASSWORD"] = password
    identity = ["-u", user] if user is not None else []
    done = subprocess.run([*(command or [CLIENT]), *identity, *words, host, str(port)], input=stdin.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, timeout=LIMIT,
                          start_new_session=True)
    return done.returncode, done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")


def value(text, side, label):
    """The rest of the line of a label, stripped."""
    found = re.search(rf"^{side}: {label} +(.*)$", text, re.M)
    assert found, f"no line {label!r} in:\n{text}"
    return found[1].strip()


def wires(text, side, label):
    return re.findall(rf"^{side}:   {label} +([0-9a-f]+)", text, re.M)


def check_exchange(shown, served, server_wire=True):
    """Both sides opened what the other sealed and signed, and only the signed texts can be read on the wire."""
    assert f"client: seals      {TEXT}\n" in shown and f"client: signs      {TEXT}\n" in shown, shown
    assert f"server: unseals    {TEXT}\n" in served and f"server: verifies   {TEXT}\n" in served, served
    answer = f"Yes: {len(TEXT)} bytes came %s and whole."
    assert "client: unseals    " + answer % "sealed" in shown and "client: verifies   " + answer % "signed" in shown, shown
    assert wires(shown, "client", "sends") == wires(served, "server", "receives")
    assert wires(served, "server", "sends") == wires(shown, "client", "receives")
    for way in wires(shown, "client", "sends"), wires(shown, "client", "receives"):
        sealed, signed = way
        part = (TEXT if way == wires(shown, "client", "sends") else answer)[:5].encode().hex()
        assert part not in sealed and part in signed
        assert sealed[:16] == signed[:16] == "0000001001000000"  # 16 bytes of signature, version 1


def check_refused(shown, served, status="SEC_E_LOGON_DENIED"):
    assert f"client: the server refused: {status}\n" in shown, shown
    assert f"server: AcceptSecurityContext: {status}" in served, served
    assert "server: user" not in served and "unseals" not in served and "verifies" not in served


# Both built here.

def test_native(realm):
    with Server(realm, "-n", "1") as server:
        code, shown = client(realm, server.port, "-t", TARGET, "-m", TEXT)
        assert (code, server.wait()) == (0, 0), shown + server.text()
    served = server.text()
    check_exchange(shown, served)
    assert value(served, "server", "user") == value(shown, "client", "user") == "EXAMPLE\\alice"
    assert value(served, "server", "target") == TARGET
    assert value(served, "server", "chosen") == "NTLM"
    assert value(served, "server", "flags") == value(shown, "client", "flags")
    assert set(value(served, "server", "flags").split()) >= {"REPLAY_DETECT", "SEQUENCE_DETECT", "CONFIDENTIALITY",
                                                             "INTEGRITY"}
    assert value(served, "server", "sizes").startswith("signature 16, trailer 16")
    assert PASSWORD not in shown + served


@pytest.mark.parametrize("packages", [("Negotiate", "Negotiate"), ("NTLM", "Negotiate")])
def test_negotiate(realm, packages):
    """No KDC knows EXAMPLE: NTLM inside SPNEGO, and from a client without SPNEGO."""
    with Server(realm, "-n", "1", "-p", packages[1]) as server:
        code, shown = client(realm, server.port, "-p", packages[0], "-t", TARGET, "-m", TEXT)
        assert (code, server.wait()) == (0, 0), shown + server.text()
    assert f"server: unseals    {TEXT}" in server.text() and f"server: verifies   {TEXT}" in server.text()
    assert value(server.text(), "server", "user") == "EXAMPLE\\alice"
    assert value(server.text(), "server", "chosen") == value(shown, "client", "chosen") == "NTLM"


def test_negotiate_refused(realm):
    with Server(realm, "-n", "1", "-p", "Negotiate") as server:
        code, shown = client(realm, server.port, "-p", "Negotiate", password="wrong")
        assert (code, server.wait()) == (1, 1)
    check_refused(shown, server.text())


@pytest.mark.parametrize("user", ["alice", "ALICE", "example\\Alice", "ELSEWHERE\\alice"])
def test_names(realm, user):
    """Names have no case, and the server's own domain answers for one that it does not know."""
    with Server(realm, "-n", "1") as server:
        code, shown = client(realm, server.port, user=user)
        assert (code, server.wait()) == (0, 0), shown
    assert value(server.text(), "server", "user") == "EXAMPLE\\alice"


@pytest.mark.parametrize("user, password", [("EXAMPLE\\alice", "wrong"), ("EXAMPLE\\alice", ""), ("EXAMPLE\\alice", "password1!"),
                                            ("EXAMPLE\\mallory", PASSWORD)])
def test_native_refused(realm, user, password):
    with Server(realm, "-n", "1") as server:
        code, shown = client(realm, server.port, user=user, password=password)
        assert (code, server.wait()) == (1, 1)
    check_refused(shown, server.text())


def test_several_one_after_the_other(realm):
    with Server(realm, "-n", "3") as server:
        results = [client(realm, server.port, "-m", TEXT, password=password)[0] for password in (PASSWORD, "no", PASSWORD)]
        assert results == [0, 1, 0] and server.wait() == 1
    assert re.findall(r"client (\d) (\w+)$", server.text(), re.M) == [("1", "served"), ("2", "failed"), ("3", "served")]


@pytest.mark.parametrize("length", [0, 1, 16000])
def test_text_sizes(realm, length):
    with Server(realm, "-n", "1") as server:
        code, shown = client(realm, server.port, "-m", "x" * length)
        assert (code, server.wait()) == (0, 0), shown
    assert f"client: unseals    Yes: {length} bytes came sealed and whole." in shown


def test_text_too_long(realm):
    with Server(realm, "-n", "1") as server:
        code, shown = client(realm, server.port, "-m", "x" * 20000)
        assert code == 1 and "too long" in shown


def test_odd_characters_are_escaped(realm):
    with Server(realm, "-n", "1") as server:
        assert client(realm, server.port, "-m", "a\x1b[31m\nserver: user root")[0] == 0
        assert server.wait() == 0
    assert "unseals    a\\x1b[31m\\x0aserver: user root\n" in server.text()


def test_flags(realm):
    with Server(realm, "-n", "3") as server:
        code, shown = client(realm, server.port, "-f", "integrity,sequence_detect")
        assert code == 0 and "signs" in shown and "seals " not in shown.replace("seals with", ""), shown
        assert "CONFIDENTIALITY" not in value(shown, "client", "flags")
        code, shown = client(realm, server.port, "-f", "")
        assert code == 0 and "neither sealed nor signed" in shown, shown
        # NTLM does not prove who the server is.
        code, shown = client(realm, server.port, "-f", "mutual_auth,integrity")
        assert code == 1 and "weaker than what was asked for" in shown, shown


def test_impersonation_is_tried(realm):
    """Of a client without a Unix user."""
    with Server(realm, "-n", "1", "-i") as server:
        assert client(realm, server.port)[0] == 0
        assert server.wait() == 0
    assert value(server.text(), "server", "acts as") == "ImpersonateSecurityContext: SEC_E_NO_IMPERSONATION"


def test_server_knows_the_clients_token(realm):
    with Server(realm, "-n", "1") as server:
        assert client(realm, server.port)[0] == 0
        assert server.wait() == 0
    assert re.fullmatch(r"EXAMPLE\\alice \(S-1-5-21-[0-9-]+-1000\)", value(server.text(), "server", "token"))
    groups = re.findall(r"^server:   group +(.*)$", server.text(), re.M)
    assert {"Everyone (S-1-1-0)", "NT AUTHORITY\\NETWORK (S-1-5-2)", "NT AUTHORITY\\Authenticated Users (S-1-5-11)"} <= set(groups)


def test_server_acts_as_a_client_with_a_unix_user(realm):
    subprocess.run([SSPI, "account", "add", "--domain", "EXAMPLE", "--uid", "61001", "--gid", "61001", "carol"],
                   input=PASSWORD.encode() + b"\n", env=realm["environment"], check=True, timeout=LIMIT, capture_output=True)
    with Server(realm, "-n", "1", "-i") as server:
        assert client(realm, server.port, user="EXAMPLE\\carol")[0] == 0
        assert server.wait() == 0
    if os.geteuid() == 0:
        assert value(server.text(), "server", "acts as") == "ImpersonateSecurityContext: SEC_E_OK"
        assert value(server.text(), "server", "itself") == "RevertSecurityContext: SEC_E_OK"
    else:
        assert value(server.text(), "server", "acts as") == "ImpersonateSecurityContext: SEC_E_NO_IMPERSONATION"


def test_default_credentials(realm):
    users = realm["place"] / "users"
    users.write_text(f"EXAMPLE:alice:{PASSWORD}\n")
    users.chmod(0o600)
    with Server(realm, "-n", "1") as server:
        code, shown = client(realm, server.port, user=None, password=None,
                             environment={**realm["environment"], "NTLM_USER_FILE": str(users)})
        assert (code, server.wait()) == (0, 0), shown
    assert value(server.text(), "server", "user") == "EXAMPLE\\alice"
    with Server(realm, "-n", "1") as server:
        code, shown = client(realm, server.port, user=None, password=None)
        assert code == 1 and "SEC_E_NO_CREDENTIALS" in shown


def test_password_from_standard_input(realm):
    with Server(realm, "-n", "1") as server:
        code, shown = client(realm, server.port, password=None, stdin=PASSWORD + "\n")
        assert (code, server.wait()) == (0, 0), shown
    code, shown = client(realm, 9, password=None)
    assert code == 1 and "no password" in shown


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.parametrize("family, host", [("-4", "127.0.0.1")] + ([("-6", "::1")] if has_ipv6() else []))
def test_families(realm, family, host):
    command = [SERVER, family] if family == "-4" else ["sh", "-c", f'exec {SERVER} -6 -n 1 -a {LIMIT} ::1 0', "sh"]
    with Server(realm, "-n", "1", command=command) as server:
        code, shown = client(realm, server.port, family, host=host)
        assert (code, server.wait()) == (0, 0), shown


def test_misuse(realm):
    for words in (["-p"], ["-z"], ["-f", "nonsense"], ["-w", "0"], ["a", "b", "c"]):
        for program in CLIENT, SERVER:
            done = subprocess.run([program, *words], env=realm["environment"], capture_output=True, timeout=LIMIT)
            assert done.returncode == 2 and done.stderr.startswith(b"usage: "), words
    code, shown = client(realm, 9, "-p", "Nonsense")
    assert code == 1 and "QuerySecurityPackageInfo: SEC_E_SECPKG_NOT_FOUND" in shown
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        code, shown = client(realm, unused.getsockname()[1])
    assert code == 1 and "cannot connect" in shown


def test_demo(realm):
    environment = {k: v for k, v in realm["environment"].items() if k != "OPENSSPI_CONFIG"}
    with tempfile.TemporaryDirectory(prefix="opensspi-demo-") as place:
        os.chmod(place, 0o711)  # the users whose files it serves must come through
        done = subprocess.run([str(SOURCE / "samples/demo.sh"), str(BUILD)], env={**environment, "TMPDIR": place}, capture_output=True,
                              timeout=LIMIT, start_new_session=True)
        left = os.listdir(place)
    text = done.stdout.decode()
    assert done.returncode == 0, text + done.stderr.decode()
    assert "server: user       EXAMPLE\\alice" in text and "the server refused: SEC_E_LOGON_DENIED" in text
    assert "server: chosen     Kerberos" in text and "server: chosen     NTLM" in text
    assert "server: chosen     TLS 1.3" in text and "server: peer       alice" in text and "CERT_E_CN_NO_MATCH" in text
    assert left == []
    if os.geteuid() == 0:  # where users cannot come to the files, it says so
        done = subprocess.run([str(SOURCE / "samples/demo.sh"), str(BUILD), "delegation"], env=environment, capture_output=True, timeout=LIMIT, start_new_session=True)
        assert done.returncode == 1 and b"cannot come to" in done.stderr
        assert not list(realm["place"].glob("opensspi-demo.*"))


# TLS.

@pytest.fixture(scope="module")
def certificates(realm):
    """PFX files of a server and of alice, of an authority; and the file of another authority."""
    place = realm["place"] / "pki"
    place.mkdir()
    authority = pki.Authority(place)
    other = pki.Authority(place, "other")
    authority.issue("server", "extendedKeyUsage = serverAuth\nsubjectAltName = DNS:server.example.test\n")
    authority.issue("alice", "extendedKeyUsage = clientAuth\n")
    other.issue("stranger", "extendedKeyUsage = clientAuth\nsubjectAltName = DNS:server.example.test\n")

    def pfx(name):
        file = str(place / f"{name}.pfx")
        subprocess.run(["openssl", "pkcs12", "-export", "-in", place / f"{name}.pem", "-inkey", place / f"{name}.key", "-out", file,
                        "-passout", "env:PASSWORD"], env={**os.environ, "PASSWORD": PASSWORD}, check=True, capture_output=True, timeout=LIMIT)
        return file

    def renewed():
        """Alice's with another key."""
        authority.issue("alice", "extendedKeyUsage = clientAuth\n")
        return pfx("alice")

    files = {"authority": authority.anchor, "other": other.anchor, "renewed": renewed}
    files.update((name, pfx(name)) for name in ("server", "alice", "stranger"))
    return files


def tls_server(realm, certificates, *words, **more):
    environment = {**(more.pop("environment", None) or realm["environment"]), "SOCKAUTH_PASSWORD": PASSWORD}
    return Server(realm, "-p", "Schannel", "-c", certificates["server"], *words, environment=environment, **more)


def tls_client(realm, certificates, port, *words, run=None, **named):
    words = ["-p", "Schannel", "-m", TEXT, "-r", certificates["authority"], *words]
    words += [] if "-t" in words else ["-t", "server.example.test"]
    return (run or client)(realm, port, *words, **{"user": None, **named})


def check_lines(shown, served):
    assert f"client: seals      {TEXT}\n" in shown and f"server: unseals    {TEXT}\n" in served, shown + served
    assert f"client: unseals    Yes: {len(TEXT)} bytes came sealed and whole.\n" in shown, shown
    assert TEXT.encode().hex()[:16] not in "".join(wires(shown, "client", "sends"))
    assert "server: done       client 1 served" in served


def test_tls(realm, certificates):
    with tls_server(realm, certificates, "-n", "1") as server:
        code, shown = tls_client(realm, certificates, server.port)
        assert (code, server.wait()) == (0, 0), shown + server.text()
    check_lines(shown, server.text())
    assert value(shown, "client", "chosen").startswith("TLS 1.3") and value(shown, "client", "peer") == "server"
    assert value(server.text(), "server", "peer").startswith("not known") and PASSWORD not in shown + server.text()


def test_tls_with_certificates_on_both_sides(realm, certificates):
    with tls_server(realm, certificates, "-n", "1", "-r", certificates["authority"]) as server:
        code, shown = tls_client(realm, certificates, server.port, "-c", certificates["alice"])
        assert (code, server.wait()) == (0, 0), shown + server.text()
    check_lines(shown, server.text())
    assert value(server.text(), "server", "peer") == "alice"


@pytest.mark.parametrize("words, reason", [(["-t", "other.example.test"], "CERT_E_CN_NO_MATCH"), (["-r", "other"], "another authority")])
def test_tls_client_refuses(realm, certificates, words, reason):
    with tls_server(realm, certificates, "-n", "1") as server:
        code, shown = tls_client(realm, certificates, server.port, *[certificates.get(word, word) for word in words])
        assert (code, server.wait()) == (1, 1) and reason in shown, shown
    assert "alert bad_certificate" in server.text() and "unseals" not in server.text()


@pytest.mark.parametrize("shows, reason", [(None, "showed no certificate"), ("stranger", "another authority"), ("server", "CERT_E_WRONG_USAGE")])
def test_tls_server_refuses(realm, certificates, shows, reason):
    with tls_server(realm, certificates, "-n", "1", "-r", certificates["authority"]) as server:
        code, shown = tls_client(realm, certificates, server.port, *(["-c", certificates[shows]] if shows else []))
        assert (code, server.wait()) == (1, 1), shown + server.text()
    assert reason in server.text() and "unseals" not in server.text() and "alert bad_certificate" in shown, shown + server.text()


def test_tls_misuse(realm, certificates):
    for words, reason in ((["-r", "/nonexistent"], "cannot be read"), (["-c", certificates["authority"]], "no PFX file"),
                          (["-r", certificates["alice"]], "no certificate in PEM")):
        code, shown = client(realm, 9, "-p", "Schannel", "-t", "x.test", *words, user=None)
        assert code == 1 and reason in shown, shown
    code, shown = client(realm, 9, "-p", "Schannel", user=None)
    assert code == 1 and "server's name is not given" in shown
    done = subprocess.run([SERVER, "-p", "Schannel", "-a", "1", "127.0.0.1", "0"], env=realm["environment"], capture_output=True, timeout=LIMIT)
    assert done.returncode == 1 and b"needs a certificate" in done.stderr


def test_tls_server_asks_anew(realm, certificates):
    """A server that negotiates TLS 1.2 anew, and has more to say before it knows that its client does too: the line is whole, in three records."""
    place = realm["place"] / "pki"
    with AskingServer(place / "server.pem", place / "server.key", [b"Yes", b": all", b" of it.\n"]) as server:
        code, shown = tls_client(realm, certificates, server.port)
    assert code == 0 and "client: unseals    Yes: all of it.\n" in shown, shown
    assert server.renegotiated and server.closed and server.lines == [TEXT.encode() + b"\n"], shown


def test_tls_client_asks_anew(realm, certificates):
    place = realm["place"] / "pki"
    with tls_server(realm, certificates, "-n", "1", "-w", PATIENCE) as server:
        peer = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", "-CAfile", certificates["authority"]],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=place, text=True, bufsize=1)
        with peer:
            def handshakes_end(n_ends):
                while len(re.findall(r"^server: step .*SEC_E_OK$", server.text(), re.M)) < n_ends and server.process.poll() is None:
                    time.sleep(0.02)
            handshakes_end(1)
            peer.stdin.write("R\n")
            handshakes_end(2)
            peer.stdin.write(TEXT + "\n")
            answers = []
            for line in peer.stdout:
                if line.startswith("Yes: "):
                    answers.append(line)
                    peer.stdin.write("Q\n")
        served = server.text()
        assert server.wait() == 0, served
    assert f"server: unseals    {TEXT}\n" in served and answers == [f"Yes: {len(TEXT)} bytes came sealed and whole.\n"], served


def through_tls_proxy(realm, certificates, forward):
    """A client and a server with `forward(near, far)` between them. What both said."""
    with tls_server(realm, certificates, "-n", "1", "-w", PATIENCE) as server, socket.create_server(("127.0.0.1", 0)) as listener:
        def run():
            near, _ = listener.accept()
            with near, server.connect() as far:
                near.settimeout(LIMIT)
                forward(near, far)
        listener.settimeout(LIMIT)
        proxy = threading.Thread(target=run)
        proxy.start()
        code, shown = tls_client(realm, certificates, listener.getsockname()[1], "-w", PATIENCE)
        proxy.join(LIMIT)
        server.wait()
        return code, shown, server.text()


def pump(near, far, size, limit=None):
    """Passes bytes on in small pieces, in both directions, until an end closes; at most `limit` of the server's."""
    passed = 0
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        for source in select.select([near, far], [], [], LIMIT)[0]:
            try:
                piece = source.recv(size)
                if not piece or (limit and source is far and passed >= limit):
                    return
                passed += len(piece) if source is far else 0
                (far if source is near else near).sendall(piece)
            except OSError:
                return


@pytest.mark.parametrize("size", [1, 7, 100])
def test_tls_in_pieces(realm, certificates, size):
    code, shown, served = through_tls_proxy(realm, certificates, lambda near, far: pump(near, far, size))
    assert code == 0, shown + served
    check_lines(shown, served)


@pytest.mark.parametrize("limit", [200, 1600])
def test_tls_cut_off(realm, certificates, limit):
    """The connection ends inside the handshake, and after it: nobody takes that for an end."""
    code, shown, served = through_tls_proxy(realm, certificates, lambda near, far: pump(near, far, 100, limit))
    assert code == 1 and "served" not in served, shown + served
    assert ("client: chosen " in shown) == ("server: chosen " in served) == (limit == 1600), shown + served


# Clients that are no clients, and messages changed on their way.

def frame(kind, content=b""):
    return struct.pack(">I", len(content) + 1) + kind + content


def receive_frame(sock):
    def exactly(size):
        data = b""
        while len(data) < size:
            part = sock.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data
    size = struct.unpack(">I", exactly(4))[0]
    assert 1 <= size <= 66561
    body = exactly(size)
    return body[:1], body[1:]


NEGOTIATE = b"NTLMSSP\0" + struct.pack("<II", 1, 0xE2888237) + bytes(16)


def vanish_at_once(_sock):
    pass


def vanish_in_header(sock):
    sock.sendall(b"\0\0")


def vanish_after_negotiate(sock):
    sock.sendall(frame(b"T", NEGOTIATE))
    assert receive_frame(sock)[0] == b"T"


def vanish_with_reset(sock):
    sock.sendall(frame(b"T", NEGOTIATE))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless_length(sock):
    sock.sendall(b"\xff\xff\xff\xff" + b"T" * 100)


def no_length(sock):
    sock.sendall(b"\0\0\0\0T")


def http(sock):
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")


def sealed_before_handshake(sock):
    sock.sendall(frame(b"E", bytes(40)))


def garbage_token(sock):
    sock.sendall(frame(b"T", bytes(range(256)) * 10))
    kind, content = receive_frame(sock)
    assert kind == b"R" and struct.unpack(">I", content)[0] >> 16 == 0x8009


def empty_token(sock):
    sock.sendall(frame(b"T"))


def large_token(sock):
    sock.sendall(frame(b"T", bytes(66560)))


def garbage_authenticate(sock):
    vanish_after_negotiate(sock)
    sock.sendall(frame(b"T", b"NTLMSSP\0" + struct.pack("<I", 3) + b"\xff" * 400))
    assert receive_frame(sock)[0] == b"R"


def negotiate_for_ever(sock):
    vanish_after_negotiate(sock)
    sock.sendall(frame(b"T", NEGOTIATE))
    assert receive_frame(sock)[0] == b"R"


@pytest.mark.parametrize("misbehave", [
    vanish_at_once, vanish_in_header, vanish_after_negotiate, vanish_with_reset, endless_length, no_length, http,
    sealed_before_handshake, garbage_token, empty_token, large_token, garbage_authenticate, negotiate_for_ever])
def test_odd_client(realm, misbehave):
    with Server(realm, "-n", "2") as server:
        with server.connect() as sock:
            misbehave(sock)
        assert client(realm, server.port, "-m", TEXT)[0] == 0
        assert server.wait() == 1
    assert "done       client 1 failed" in server.text() and "done       client 2 served" in server.text()


def test_silent_and_slow_clients(realm):
    with Server(realm, "-n", "3", "-w", IMPATIENCE) as server:
        with server.connect() as sock:
            assert sock.recv(1) == b""  # after IMPATIENCE
        with server.connect() as sock:
            sock.sendall(struct.pack(">I", 1000) + b"T")
            begin = time.monotonic()
            try:
                while time.monotonic() - begin < 20:  # each byte in time, the message not
                    sock.sendall(b"x")
                    time.sleep(0.1)
                pytest.fail("the server waits for a message for ever")
            except OSError:
                pass
        assert client(realm, server.port)[0] == 0
        assert server.wait() == 1
    assert server.text().count("silent for too long") == 2


def through_proxy(realm, change):
    """A client whose protected messages change(kind, content) turns into a list of frames. Returns what both sides said."""
    with Server(realm, "-n", "1") as server, socket.create_server(("127.0.0.1", 0)) as listener:
        def forward(source, sink, changing):
            try:
                while True:
                    kind, content = receive_frame(source)
                    for piece in change(kind, content) if changing else [frame(kind, content)]:
                        sink.sendall(piece)
            except (OSError, EOFError):
                pass
            finally:
                for end in source, sink:
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

        def run():
            near, _ = listener.accept()
            with near, server.connect() as far:
                near.settimeout(LIMIT)
                back = threading.Thread(target=forward, args=(far, near, False))
                back.start()
                forward(near, far, True)
                back.join(LIMIT)

        listener.settimeout(LIMIT)
        proxy = threading.Thread(target=run)
        proxy.start()
        code, shown = client(realm, listener.getsockname()[1], "-m", TEXT)
        proxy.join(LIMIT)
        server.wait()
        return code, shown, server.text()


def flip(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]


def test_proxy_that_changes_nothing(realm):
    code, shown, served = through_proxy(realm, lambda kind, content: [frame(kind, content)])
    assert code == 0, shown
    check_exchange(shown, served)


@pytest.mark.parametrize("kind", [b"E", b"S"])
@pytest.mark.parametrize("at", [8, 16, -1])  # in the checksum, in the sequence number, in the text
def test_message_altered(realm, kind, at):
    code, shown, served = through_proxy(
        realm, lambda k, content: [frame(k, flip(content, at % len(content)) if k == kind else content)])
    call = "DecryptMessage" if kind == b"E" else "VerifySignature"
    assert code == 1 and re.search(rf"{call}: SEC_E_(MESSAGE_ALTERED|OUT_OF_SEQUENCE)", served), served
    assert re.search(r"the server refused: SEC_E_(MESSAGE_ALTERED|OUT_OF_SEQUENCE)", shown), shown


@pytest.mark.parametrize("kind", [b"E", b"S"])
def test_message_repeated(realm, kind):
    _, _, served = through_proxy(realm, lambda k, content: [frame(k, content)] * (2 if k == kind else 1))
    call = "DecryptMessage" if kind == b"E" else "VerifySignature"
    assert re.search(rf"{call}: SEC_E_(MESSAGE_ALTERED|OUT_OF_SEQUENCE)", served), served
    assert served.count("unseals" if kind == b"E" else "verifies") == 1


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"\0\0\1\0" + bytes(16), b"\xff\xff\xff\xff" + bytes(16), bytes(4)])
def test_message_malformed(realm, content):
    code, _, served = through_proxy(realm, lambda k, whole: [frame(k, content if k in (b"E", b"S") else whole)])
    assert code == 1 and "unseals" not in served and "done       client 1 failed" in served, served


def test_token_altered(realm):
    """A flipped bit in AUTHENTICATE, which the MIC covers."""
    code, shown, served = through_proxy(
        realm, lambda k, content: [frame(k, flip(content, 12 + 48) if content[8:9] == b"\3" else content)])
    assert code == 1 and "AcceptSecurityContext: SEC_E_" in served and "server: user" not in served, shown + served


# The same source, built for Windows, under Wine.

SMB_CONF = """[global]
workgroup = EXAMPLE
netbios name = WINESERVER
security = user
lock directory = {place}/samba
state directory = {place}/samba
cache directory = {place}/samba
private dir = {place}/samba
pid directory = {place}/samba
winbindd socket directory = {place}/samba/nobody
"""

# In front of Samba's ntlm_auth: a private configuration; and for the server's side the password that is right.
NTLM_AUTH = """#!/bin/sh
case " $* " in
*" --helper-protocol=squid-2.5-ntlmssp "*)
    exec {ntlm_auth} --configfile={place}/smb.conf $NTLM_AUTH_OPTION --domain=EXAMPLE --username=alice --password='{password}' "$@" ;;
esac
exec {ntlm_auth} --configfile={place}/smb.conf "$@"
"""


@pytest.fixture(scope="module")
def windows(realm):
    """Both programs as Windows programs, and the environment of a private Wine."""
    ntlm_auth = shutil.which("ntlm_auth")
    assert ntlm_auth, "ntlm_auth is not installed"
    with tempfile.TemporaryDirectory(prefix="opensspi-wine-") as name:
        place = Path(name)
        for folder in "bin", "samba":
            (place / folder).mkdir(mode=0o700)
        wine.build(SAMPLE, place / "exe")
        (place / "smb.conf").write_text(SMB_CONF.format(place=place))
        wrapper = place / "bin/ntlm_auth"
        wrapper.write_text(NTLM_AUTH.format(place=place, ntlm_auth=ntlm_auth, password=PASSWORD))
        wrapper.chmod(stat.S_IRWXU)
        with wine.started(place, f"{place}/bin:/usr/bin:/bin") as (program, environment):
            yield {"wine": program, "exe": place / "exe", "environment": environment}


def windows_client(realm, windows, port, *words, **named):
    return client(realm, port, *words, command=[windows["wine"], str(windows["exe"] / "sockauth_client.exe")],
                  environment=windows["environment"], **named)


def windows_server(realm, windows, *words, ntlm_auth_option=""):
    return Server(realm, *words, command=[windows["wine"], str(windows["exe"] / "sockauth_server.exe")],
                  environment={**windows["environment"], "NTLM_AUTH_OPTION": ntlm_auth_option})


NO_SESSION_SECURITY = "--option=ntlmssp_server:ntlm2=no"


def test_windows_client(realm, windows):
    with Server(realm, "-n", "1") as server:
        code, shown = windows_client(realm, windows, server.port, "-t", TARGET, "-m", TEXT)
        assert (code, server.wait()) == (0, 0), shown + server.text()
    served = server.text()
    check_exchange(shown, served)
    assert value(served, "server", "user") == "EXAMPLE\\alice"
    assert set(value(shown, "client", "flags").split()) == {"CONFIDENTIALITY", "INTEGRITY"}


def test_windows_client_negotiates(realm, windows):
    """Wine's Negotiate hands out its NTLM's tokens without SPNEGO around them."""
    with Server(realm, "-n", "1", "-p", "Negotiate") as server:
        code, shown = windows_client(realm, windows, server.port, "-p", "Negotiate", "-t", TARGET, "-m", TEXT)
        assert (code, server.wait()) == (0, 0), shown + server.text()
    assert f"server: unseals    {TEXT}" in server.text() and f"server: verifies   {TEXT}" in server.text()
    assert value(server.text(), "server", "user") == "EXAMPLE\\alice"
    assert value(server.text(), "server", "chosen") == "NTLM"


WINE_KEYS = 6  # some keys Wine 8 hands to GnuTLS in a form that it cannot read; its client then ends before it has said a word


@pytest.mark.parametrize("shows", [None, "alice"])
def test_windows_tls_client(realm, windows, certificates, shows):
    """Wine 8 has TLS 1.2."""
    asks = ["-r", certificates["authority"]] if shows else []
    for _ in range(WINE_KEYS):
        with tls_server(realm, certificates, "-n", "1", *asks) as server:
            code, shown = tls_client(realm, certificates, server.port, *(["-c", certificates[shows]] if shows else []),
                                     run=lambda realm, port, *words, **named: windows_client(realm, windows, port, *words, **named))
            if not shows or "GnuTLS error: The scanning of a large integer has failed" not in shown:
                assert (code, server.wait()) == (0, 0), shown + server.text()
                break
        certificates["renewed"]()
    else:
        pytest.fail(f"Wine can read none of {WINE_KEYS} keys: {shown}")
    check_lines(shown, server.text())
    assert value(shown, "client", "chosen").startswith("TLS 1.2")
    assert value(server.text(), "server", "peer") == (shows or "not known: no certificate")


def test_windows_tls_client_refuses(realm, windows, certificates):
    with tls_server(realm, certificates, "-n", "1") as server:
        code, shown = tls_client(realm, certificates, server.port, "-t", "other.example.test",
                                 run=lambda realm, port, *words, **named: windows_client(realm, windows, port, *words, **named))
        assert (code, server.wait()) == (1, 1) and "CERT_E_CN_NO_MATCH" in shown, shown


def test_windows_tls_server_is_none(realm, windows, certificates):
    """Wine 8's Schannel does not accept. Should a later one, there is more to test here."""
    with tls_server(realm, certificates, "-n", "1", environment=windows["environment"],
                    command=[windows["wine"], str(windows["exe"] / "sockauth_server.exe")]) as server:
        code, shown = tls_client(realm, certificates, server.port)
        assert (code, server.wait()) == (1, 1), shown
    assert "AcceptSecurityContext: SEC_E_UNSUPPORTED_FUNCTION" in server.text()


def test_windows_client_signs_only(realm, windows):
    with Server(realm, "-n", "1") as server:
        code, shown = windows_client(realm, windows, server.port, "-f", "integrity", "-m", TEXT)
        assert (code, server.wait()) == (0, 0), shown + server.text()
    assert f"server: verifies   {TEXT}" in server.text() and "unseals" not in server.text()


@pytest.mark.parametrize("user, password", [("EXAMPLE\\alice", "wrong"), ("EXAMPLE\\mallory", PASSWORD)])
def test_windows_client_refused(realm, windows, user, password):
    with Server(realm, "-n", "1") as server:
        code, shown = windows_client(realm, windows, server.port, user=user, password=password)
        assert (code, server.wait()) == (1, 1)
    check_refused(shown, server.text())


def test_windows_server(realm, windows):
    with windows_server(realm, windows, "-n", "1", ntlm_auth_option=NO_SESSION_SECURITY) as server:
        code, shown = client(realm, server.port, "-t", TARGET, "-m", TEXT)
        assert (code, server.wait()) == (0, 0), shown + server.text()
    check_exchange(shown, server.text())
    # Wine's NTLM does not tell who came.
    assert value(server.text(), "server", "user") == "not known: SEC_E_UNSUPPORTED_FUNCTION"


def test_windows_server_with_session_security(realm, windows):
    """The handshake with extended session security and MIC; Wine's server has no keys for messages after it."""
    with windows_server(realm, windows, "-n", "1", "-f", "connection") as server:
        code, shown = client(realm, server.port, "-t", TARGET, "-f", "connection")
        assert (code, server.wait()) == (0, 0), shown + server.text()
    assert "HMAC-MD5" in value(shown, "client", "key")


@pytest.mark.parametrize("option", ["", NO_SESSION_SECURITY])
def test_windows_server_refuses(realm, windows, option):
    with windows_server(realm, windows, "-n", "1", ntlm_auth_option=option) as server:
        code, shown = client(realm, server.port, password="wrong")
        assert (code, server.wait()) == (1, 1)
    check_refused(shown, server.text())


def test_windows_server_odd_clients(realm, windows):
    with windows_server(realm, windows, "-n", "3", "-w", IMPATIENCE, ntlm_auth_option=NO_SESSION_SECURITY) as server:
        with server.connect() as sock:
            garbage_token(sock)
        with server.connect() as sock:
            assert sock.recv(1) == b""
        assert client(realm, server.port, "-m", TEXT)[0] == 0
        assert server.wait() == 1
    assert "done       client 3 served" in server.text()
