"""`sspi get`: pages behind sign-ons, from the sample's server and from those that are up to something. Handshakes are real."""
import base64
import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from place import BUILD, SSPI, Place, on_terminal

def alice(package):
    return ["--user", "alice" if package == "Digest" else "EXAMPLE\\alice"]


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    conf = (tmp_path / "conf").read_text().replace("computer = HOST\n", "computer = HOST\ndomain = EXAMPLE\n")
    (tmp_path / "conf").write_text(conf + "[digest]\nrealms = EXAMPLE\n")
    place.good("account", "add", "alice", "--domain", "EXAMPLE", stdin=b"pw\n")
    return place


def certificate(place, name, subject="localhost"):
    return place.certificate(name, name + "_key", subject, ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"))


@pytest.fixture
def pki(place):
    return certificate(place, "cert")


class Web:
    def __init__(self, place, *words):
        self.process = subprocess.Popen([os.path.join(BUILD, "samples", "httpauth", "httpauth_server"), "-p", "0", *words],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=place.environment)
        line = self.process.stdout.readline().decode()
        found = re.search(r":(\d+)", line)
        assert found, line
        self.port = found.group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize("package", ["Negotiate", "NTLM"])
def test_get(place, package):
    with Web(place) as web:
        words = ["get", f"http://127.0.0.1:{web.port}/", "--package", package, "--user", "EXAMPLE\\alice"]
        assert "alice" in place.good(*words, stdin=b"pw\n")
        assert "HTTP/1.1 200" in place.good(*words, "--head", stdin=b"pw\n")
        place.bad(3, *words, stdin=b"wrong\n")


def test_get_bound_to_tls(place, pki):
    """The server takes only sign-ons that are bound to its certificate."""
    with Web(place, "-c", pki[0], "-k", pki[1]) as web:
        words = ["get", f"https://localhost:{web.port}/", "--user", "EXAMPLE\\alice", "--package"]
        for package in ("NTLM", "Negotiate"):
            assert "alice" in place.good(*words, package, "--ca", pki[0], stdin=b"pw\n")
            assert "alice" in place.good(*words, package, "--insecure", stdin=b"pw\n")
        assert "--ca" in place.bad(3, *words, "NTLM", stdin=b"pw\n")


class Answers:
    """An HTTP server that says one thing after another, whatever it is asked."""

    def __init__(self, *answers):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"127.0.0.1:{self.socket.getsockname()[1]}/"
        self.answers, self.asked = answers, b""
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer = self.socket.accept()[0]
        with peer:
            for answer in self.answers:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = peer.recv(4096)
                    if not piece:
                        return
                    request += piece
                self.asked += request
                peer.sendall(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.thread.join(30)


def test_get_hostile(place):
    """A server's words steer no terminal."""
    with Answers(b"HTTP/1.1 401 No\r\nWWW-Authenticate: \x1b]0;x\x07 a\r\nContent-Length: 0\r\n\r\n") as server:
        message = place.bad(3, "get", "http://" + server.url, "--verbose")
        assert "\x1b" not in message and "\\x1b]0;x\\x07" in message
    with Answers(b"HTTP/1.1 200 Yes\r\nContent-Length: 6\r\n\r\n\x1b[31mA") as server:
        code, shown = on_terminal(place.environment, ["get", "http://" + server.url], [])
        assert code == 0 and shown == "\\x1b[31mA"
    with Answers(b"HTTP/1.1 200 Yes\r\nContent-Length: 6\r\n\r\n\x1b[31mA") as server:
        assert place.good("get", "http://" + server.url) == "\x1b[31mA"


@pytest.mark.parametrize("lines,offers", [
    (['Basic realm="a, NTLM b, Negotiate"'], "Basic"),
    (['Basic realm="a\\", NTLM, b", charset="UTF-8", Bearer,, Custom a = "NTLM", b = c'], "Basic, Bearer, Custom"),
    (["Basic realm=x", "Bearer , Custom"], "Basic, Bearer, Custom"),
    (["Custom TlRMTVNTUAAB==, Basic realm=x, nonce=y"], "Custom, Basic"),
    (['Basic realm="never closed, NTLM'], "Basic"),
    ([", ,"], "nothing"),
    (["A, A"] * 32 + ["NTLM"], ", ".join(["A"] * 64))])  # no honest server says as much
def test_get_offers(place, lines, offers):
    """Several schemes in one header, by RFC 9110 11.6.1: quotes hold none, and parameters are none."""
    head = "".join(f"WWW-Authenticate: {line}\r\n" for line in lines)
    with Answers(f"HTTP/1.1 401 No\r\n{head}Content-Length: 0\r\n\r\n".encode()) as server:
        assert f"the server offers {offers}, not NTLM;" in place.bad(3, "get", "http://" + server.url, "--package", "NTLM")


def test_get_no_password_in_url(place):
    """It would be seen by whoever lists processes, and be sent as it is."""
    with Answers(b"HTTP/1.1 200 Yes\r\nContent-Length: 0\r\n\r\n") as server:
        assert "--user" in place.bad(2, "get", "http://alice:secret@" + server.url)
        assert "--user" in place.bad(2, "get", "http://alice@" + server.url)
        assert "secret" not in place.bad(2, "get", "http://alice:secret@" + server.url)
        socket.create_connection(server.socket.getsockname()).close()
    assert b"Authorization" not in server.asked


def test_get_elsewhere(place):
    with Web(place) as web:
        assert "404" in place.bad(1, "get", f"http://127.0.0.1:{web.port}/nonsense", "--user", "EXAMPLE\\alice", stdin=b"pw\n")


class Front:
    """Somebody in between who ends TLS himself, and gives each request to the server behind, a connection of his own for each that comes. `plan`
    says of each connection in turn with whose certificate and key it is ended, and after how many answers it is closed; the last is for all
    others too."""

    def __init__(self, port, plan):
        self.behind, self.plan, self.seen = port, plan, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self.socket.getsockname()[1]}/"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer = self.socket.accept()[0]
            except OSError:
                return
            files, n_answers = self.plan[min(len(self.seen), len(self.plan) - 1)]
            self.seen.append([])
            try:
                self.pass_on(peer, files, n_answers)
            except OSError:
                pass  # the client may go when it likes
            finally:
                peer.close()

    def pass_on(self, peer, files, n_answers):
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(*files)
        peer.settimeout(60)
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        with own.wrap_socket(peer, server_side=True) as here, \
                trusting.wrap_socket(socket.create_connection(("127.0.0.1", int(self.behind)), 60)) as there:
            self.give(here, there, n_answers)

    def give(self, here, there, n_answers):
        for _ in range(n_answers):
            request = self.read(here)
            if not request:
                return
            found = re.search(rb"(?im)^Authorization: *(.*?)\r$", request)
            self.seen[-1].append(found.group(1) if found else b"")
            there.sendall(request)
            here.sendall(self.read(there))

    @staticmethod
    def read(source):
        """A whole message."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = source.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        found = re.search(rb"(?i)content-length: *([0-9]+)", head)
        while found and len(body) < int(found.group(1)):
            body += source.recv(65536)
        return head + b"\r\n\r\n" + body

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(90)
        assert not self.thread.is_alive()


ALWAYS = 1000


@pytest.mark.parametrize("package", ["NTLM", "Negotiate", "Digest"])
def test_get_certificate_that_changes(place, pki, package):
    """Who lets the first request through to the server, and then ends TLS himself, gets nobody in: a sign-on is bound to its own connection."""
    other = certificate(place, "other")
    with Web(place, "-s", package, "-c", pki[0], "-k", pki[1]) as web, Front(web.port, [(pki, 1), (other, ALWAYS)]) as front:
        message = place.bad(3, "get", front.url, "--package", package, *alice(package), "--insecure", stdin=b"pw\n")
        assert "did not accept the sign-on" in message  # the server behind, which has another certificate
        assert any(front.seen[-1]) and front.seen[0] == [b""]


@pytest.mark.parametrize("package", ["NTLM", "Negotiate", "Digest"])
def test_get_certificate_that_never_stays(place, pki, package):
    both = pki, certificate(place, "other")
    with Web(place, "-s", package, "-c", pki[0], "-k", pki[1]) as web, Front(web.port, [(both[i % 2], 1) for i in range(100)]) as front:
        message = place.bad(1, "get", front.url, "--package", package, *alice(package), "--insecure", stdin=b"pw\n")
        assert "another certificate in the next one" in message and not any(sum(front.seen, []))


@pytest.mark.parametrize("package", ["NTLM", "Negotiate"])
@pytest.mark.parametrize("next_one", ["own", "other"])
def test_get_connection_that_ends_in_the_middle(place, pki, package, next_one):
    """The challenge belongs to the connection over which it came: its answer goes nowhere else."""
    then = pki if next_one == "own" else certificate(place, "other")
    with Web(place, "-s", package, "-c", pki[0], "-k", pki[1]) as web, Front(web.port, [(pki, 2), (then, ALWAYS)]) as front:
        message = place.bad(1, "get", front.url, "--package", package, *alice(package), "--insecure", stdin=b"pw\n")
        assert "in the middle of the sign-on" in message
        assert [len(each) for each in front.seen] == [2]


@pytest.mark.parametrize("package", ["NTLM", "Negotiate", "Digest"])
def test_get_connection_that_ends_before(place, pki, package):
    """Servers may close after the answer that asks for a sign-on; it is made over the next connection, whose certificate is the same."""
    with Web(place, "-s", package, "-c", pki[0], "-k", pki[1]) as web, Front(web.port, [(pki, 1), (pki, ALWAYS)]) as front:
        assert "alice" in place.good("get", front.url, "--package", package, *alice(package), "--ca", pki[0], stdin=b"pw\n")
        assert len(front.seen) == 2


@pytest.mark.parametrize("package", ["NTLM", "Negotiate", "Digest"])
def test_get_connection_that_ends_before_without_tls(place, package):
    class Plain(Front):
        def pass_on(self, peer, files, n_answers):
            peer.settimeout(60)
            with socket.create_connection(("127.0.0.1", int(self.behind)), 60) as there:
                self.give(peer, there, n_answers)

    with Web(place, "-s", package) as web, Plain(web.port, [(None, 1), (None, ALWAYS)]) as front:
        assert "alice" in place.good("get", front.url.replace("https", "http"), "--package", package, *alice(package), stdin=b"pw\n")
        assert len(front.seen) == 2


def test_get_ca_alone_is_trusted(place, pki):
    """--ca names the only authorities: the system's, in a folder by their hashes, are none beside them."""
    other = certificate(place, "other", "another authority")
    folder = place.directory / "system"
    folder.mkdir()
    digest = subprocess.run(["openssl", "x509", "-noout", "-hash", "-in", pki[0]], check=True, capture_output=True).stdout.decode().strip()
    (folder / f"{digest}.0").write_bytes(pathlib.Path(pki[0]).read_bytes())
    inside = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs && exec "$@"', str(folder)]
    with Web(place, "-c", pki[0], "-k", pki[1]) as web:
        def get(*words):
            return subprocess.run([*inside, SSPI, "get", f"https://localhost:{web.port}/", "--head", *alice("NTLM"), *words], input=b"pw\n",
                                  capture_output=True, env=place.environment, timeout=60)
        assert b"HTTP/1.1 200" in get("--ca", pki[0]).stdout
        done = get("--ca", other[0])
        assert done.returncode == 3 and b"not trusted" in done.stderr and done.stdout == b"", (done.returncode, done.stderr)


class Rogue:
    """A server that knows no password: it asks for NTLM with a challenge from a book, and lets in whoever answers, from answer `n_refused` on."""

    # MS-NLMP 2.2.1.2: the flags of a server of today, any eight bytes for a challenge, and an AV_PAIR that ends the list of its names
    CHALLENGE = b"NTLMSSP\0" + struct.pack("<IHHIIQQHHI", 2, 0, 0, 56, 0xA2898205, 0x0123456789ABCDEF, 0, 4, 4, 56) + bytes(8) + bytes(4)

    def __init__(self, n_refused):
        self.socket, self.n_refused, self.asked = socket.create_server(("127.0.0.1", 0)), n_refused, []
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer = self.socket.accept()[0]
        peer.settimeout(60)
        with peer:
            while request := Front.read(peer):
                more = b" " + base64.b64encode(self.CHALLENGE) if self.asked else b""
                self.asked.append(request)
                if len(self.asked) > self.n_refused:
                    peer.sendall(b"HTTP/1.1 200 Yes\r\nContent-Length: 5\r\n\r\nrogue")
                else:
                    peer.sendall(b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM" + more + b"\r\nContent-Length: 0\r\n\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.thread.join(90)
        assert not self.thread.is_alive()


@pytest.mark.parametrize("n_refused", [0, 1, 2])
def test_get_mutual_auth_that_is_named(place, n_refused):
    """Who names the flag wants the server's proof: a page of a server that gave none is not shown."""
    words = ["--package", "NTLM", *alice("NTLM")]
    with Rogue(n_refused) as rogue:
        done = place.run("get", rogue.url, *words, "--flags", "mutual_auth", stdin=b"pw\n")
        assert (done.returncode, done.stdout) == (3, b"") and b"did not authenticate itself" in done.stderr, done
        assert len(rogue.asked) == n_refused + 1
    with Rogue(n_refused) as rogue:
        assert place.good("get", rogue.url, *words, stdin=b"pw\n") == "rogue"  # nobody asked for it: NTLM has none
    if n_refused == 2:
        with Rogue(n_refused) as rogue:
            assert place.good("get", rogue.url, *words, "--flags", "none", stdin=b"pw\n") == "rogue"


def test_get_mutual_auth_by_digest(place):
    """There the proof stands in Authentication-Info."""
    words = ["--package", "Digest", *alice("Digest"), "--flags", "mutual_auth"]
    with Web(place, "-s", "Digest") as web:
        assert "alice" in place.good("get", f"http://127.0.0.1:{web.port}/", *words, stdin=b"pw\n")
    challenge = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="EXAMPLE", nonce="a", qop="auth"\r\nContent-Length: 0\r\n\r\n'
    with Answers(challenge, b"HTTP/1.1 200 Yes\r\nContent-Length: 5\r\n\r\nrogue") as server:
        assert "did not authenticate itself" in place.bad(3, "get", "http://" + server.url, *words, stdin=b"pw\n")
    with Answers(challenge, b"HTTP/1.1 200 Yes\r\nContent-Length: 5\r\n\r\nrogue") as server:
        assert place.good("get", "http://" + server.url, *words[:-2], stdin=b"pw\n") == "rogue"


def test_get_line_ends_on_a_terminal(place):
    """A head's lines end in CR LF, which is no more than a line's end; CR alone goes back over what was printed."""
    with Answers(b"HTTP/1.1 200 Yes\r\nX: a\rb\r\r\nContent-Length: 0\r\n\r\n") as server:
        code, shown = on_terminal(place.environment, ["get", "http://" + server.url, "--head"], [])
        assert code == 0 and "200 Yes\r" in shown and "\\x0d" not in shown.splitlines()[0] and "Length: 0\r" in shown, shown
    with Answers(b"HTTP/1.1 200 Yes\r\nContent-Length: 8\r\n\r\na\rb\r\r\nc\r") as server:
        code, shown = on_terminal(place.environment, ["get", "http://" + server.url], [])
        assert code == 0 and shown.replace("\r", "") == "a\\x0db\\x0d\nc\\x0d", shown


def test_get_wrong_flags(place):
    """They are found wrong before anybody is asked."""
    with Answers(b"HTTP/1.1 200 Yes\r\nContent-Length: 0\r\n\r\n") as server:
        assert "nonsense" in place.bad(2, "get", "http://" + server.url, "--flags", "nonsense")
        socket.create_connection(server.socket.getsockname()).close()


def test_get_without_credentials(place):
    """The same status gives the same exit status as with `connect`: nobody has refused anything."""
    with Rogue(2) as rogue:
        assert "SEC_E_NO_CREDENTIALS" in place.bad(1, "get", rogue.url, "--package", "NTLM")
