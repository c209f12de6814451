"""TLS and DTLS against OpenSSL's and GnuTLS's programs and curl, in both directions."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest
from asking_server import AskingServer

BUILD = pathlib.Path(os.environ["OPENSSPI_BUILD"])
PEER = str(BUILD / "tests/interop/tls_peer")
WAIT = 120  # seconds, a bound; nothing here takes one


def run(*words, **more):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, timeout=WAIT, **more)


def certificate(place, name, subject, extensions, issuer=None, key=("EC", "ec_paramgen_curve:P-256"), digest="sha256"):
    files = place / f"{name}.pem", place / f"{name}.key"
    run("openssl", "genpkey", "-algorithm", key[0], "-pkeyopt", key[1], "-out", files[1])
    files[1].chmod(0o600)
    config = place / f"{name}.cnf"
    config.write_text("[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=" + subject + "\n[ext]\n" + extensions + "\n")
    words = ["openssl", "req", "-new", "-x509", "-key", files[1], "-config", config, "-extensions", "ext", "-days", "30", "-out", files[0]]
    if issuer:
        request = place / f"{name}.csr"
        run("openssl", "req", "-new", "-key", files[1], "-config", config, "-out", request)
        words = ["openssl", "x509", "-req", "-in", request, "-CA", issuer[0], "-CAkey", issuer[1], "-CAcreateserial",
                 "-extfile", config, "-extensions", "ext", "-days", "30", f"-{digest}", "-out", files[0]]
    run(*words)
    return files


class World:
    def __init__(self, place):
        authority = certificate(place, "ca", "Interop Authority", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign")
        middle = certificate(place, "middle", "Interop Middle", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign", authority)
        leaf = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
        names = "subjectAltName=DNS:server.test,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth"
        self.ca, self.authority = authority[0], authority
        self.server = certificate(place, "server", "server.test", leaf + names, middle)
        self.rsa = certificate(place, "rsa", "server.test", leaf + names, middle, ("RSA", "rsa_keygen_bits:2048"))
        self.client = certificate(place, "client", "Alice", leaf + "subjectAltName=email:alice@client.test\nextendedKeyUsage=clientAuth", middle)
        # A chain of three, as public servers show it.
        for pair in (self.server, self.rsa, self.client):
            pair[0].write_text(pair[0].read_text() + middle[0].read_text())
        self.place = place


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def processes():
    started = []
    end = threading.Timer(6 * WAIT, lambda: [process.kill() for process in started])  # whoever reads on reads the end
    end.start()
    yield started
    end.cancel()
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def start(processes, *words):
    process = subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, bufsize=1)
    processes.append(process)
    return process


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def our_server(processes, world, *options, pair=None):
    pair = pair or world.server
    server = start(processes, PEER, "server", f"cert={pair[0]}", f"key={pair[1]}", f"ca={world.ca}", *options)
    return server, int(re.match(r"port (\d+)", server.stdout.readline()).group(1))


def our_client(world, port, *options, ok=True):
    done = subprocess.run([PEER, "client", str(port), f"ca={world.ca}", *options], capture_output=True, text=True, timeout=WAIT)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout


def wait_for_port(port, process):
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        assert process.poll() is None, process.stdout.read()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the peer does not listen")


def say(process, words):
    process.stdin.write(words + "\n")
    process.stdin.flush()


def openssl_server(processes, pair, *options):
    """OpenSSL's server, and the port that it found."""
    server = start(processes, "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pair[0], "-key", pair[1], "-cert_chain", pair[0], *options)
    seen = []
    for line in server.stdout:
        seen.append(line)
        if found := re.match(r"ACCEPT 127\.0\.0\.1:(\d+)$", line):
            return server, int(found[1])
    raise AssertionError("".join(seen))


def wait_for_udp(port, process):
    """Until somebody is bound to the port: a datagram before that is not only lost, its sender is told so."""
    end = time.monotonic() + WAIT
    while not re.search(rf"^ *\d+: [0-9A-F]{{8}}:{port:04X} ", pathlib.Path("/proc/net/udp").read_text(encoding="ascii"), re.M):
        assert process.poll() is None and time.monotonic() < end, "the peer does not listen"
        time.sleep(0.02)


def finish(process):
    output, _ = process.communicate(timeout=WAIT)
    return output


VERSIONS = {"1.2": ("-tls1_2", "connected 0x0303", "NORMAL:-VERS-ALL:+VERS-TLS1.2"),
            "1.3": ("-tls1_3", "connected 0x0304", "NORMAL:-VERS-ALL:+VERS-TLS1.3")}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["server", "rsa"])
def test_openssl_client(world, processes, version, kind):
    server, port = our_server(processes, world, f"tls={version}", "alpn=test", pair=getattr(world, kind))
    client = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", VERSIONS[version][0], "-CAfile", world.ca, "-servername", "server.test",
                             "-verify_return_error", "-verify_hostname", "server.test", "-alpn", "other,test", "-quiet", "-no_ign_eof"],
                            input="a line\nQ\n", capture_output=True, text=True, timeout=WAIT)
    output = finish(server)
    assert VERSIONS[version][1] in output and "received a line" in output and "protocol test" in output, output + client.stderr
    assert "closed" in output, output


@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_client_with_certificate(world, processes, version):
    server, port = our_server(processes, world, f"tls={version}", "mutual=1")
    subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", VERSIONS[version][0], "-CAfile", world.ca, "-cert", world.client[0],
                    "-key", world.client[1], "-cert_chain", world.client[0], "-quiet", "-no_ign_eof"], input="a line\nQ\n", capture_output=True, text=True, timeout=WAIT)
    output = finish(server)
    assert "client alice@client.test" in output and "received a line" in output, output


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["server", "rsa"])
def test_openssl_server(world, processes, version, kind):
    _, port = openssl_server(processes, getattr(world, kind), VERSIONS[version][0], "-rev", "-alpn", "test")
    output = our_client(world, port, f"tls={version}", "text=CLOSE\n", "alpn=test")
    assert VERSIONS[version][1] in output and "protocol test" in output, output
    assert "closed" in output, output


@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_server_asks_for_certificate(world, processes, version):
    server, port = openssl_server(processes, world.server, VERSIONS[version][0], "-rev", "-Verify", "3", "-verify_return_error", "-CAfile", world.ca)
    output = our_client(world, port, f"tls={version}", "text=CLOSE\n", f"cert={world.client[0]}", f"key={world.client[1]}")
    assert "closed" in output, output
    output = our_client(world, port, f"tls={version}", "text=CLOSE\n", ok=False)
    assert {"1.2": "0x80090326 the TLS handshake failed: the peer sent the alert handshake_failure", "1.3": "the peer sent the alert certificate_required"}[version] in output, output


def test_wrong_name_and_unknown_root(world, processes):
    server, port = openssl_server(processes, world.server, "-rev")
    assert "0x80090322" in our_client(world, port, "name=other.test", ok=False)
    done = subprocess.run([PEER, "client", str(port), f"ca={world.client[0]}"], capture_output=True, text=True, timeout=WAIT)
    assert "0x80090325" in done.stdout, done.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_gnutls_client(world, processes, version):
    server, port = our_server(processes, world, f"tls={version}")
    client = subprocess.run(["gnutls-cli", "--port", str(port), "--x509cafile", world.ca, "--sni-hostname", "server.test", "--verify-hostname", "server.test",
                             "--priority", VERSIONS[version][2], "127.0.0.1"], input="a line\n", capture_output=True, text=True, timeout=WAIT)
    output = finish(server)
    assert VERSIONS[version][1] in output and "received a line" in output, output + client.stdout + client.stderr


@pytest.mark.parametrize("asks", ["server", "client"])
def test_unsafe_renegotiation(world, processes, asks):
    """With a client that does not know secure renegotiation (RFC 5746), which GnuTLS can be told to be, nothing is negotiated anew, whoever asks."""
    server, port = our_server(processes, world, "tls=1.2", *(["renegotiate=1"] if asks == "server" else []))
    client = start(processes, "gnutls-cli", "--port", port, "--x509cafile", world.ca, "--verify-hostname", "server.test", "--priority",
                   VERSIONS["1.2"][2] + ":%DISABLE_SAFE_RENEGOTIATION", *(["--rehandshake"] if asks == "client" else []), "127.0.0.1")
    if asks == "server":
        output = finish(server)
        assert "connected" in output and "failed step 0x80090302 the peer knows no secure renegotiation" in output, output
    else:
        seen = []
        for line in client.stdout:
            seen.append(line)
            if "Received alert [100]" in line:
                break
        assert any("Handshake was completed" in line for line in seen) and "Received alert [100]" in seen[-1], seen


@pytest.mark.parametrize("version", VERSIONS)
def test_gnutls_server(world, processes, version):
    port = free_port()
    server = start(processes, "gnutls-serv", "--port", port, "--echo", "--x509certfile", world.server[0], "--x509keyfile", world.server[1], "--priority", VERSIONS[version][2], "--disable-client-cert")
    wait_for_port(port, server)
    output = our_client(world, port, f"tls={version}", "text=quit\n")
    assert VERSIONS[version][1] in output and "received quit" in output and "closed" in output, output


@pytest.mark.parametrize("version", VERSIONS)
def test_curl(world, processes, version):
    server, port = our_server(processes, world, f"tls={version}")
    done = run("curl", "-sS", "--cacert", world.ca, "--resolve", f"server.test:{port}:127.0.0.1", f"https://server.test:{port}/")
    assert done.stdout == b"page!\n"
    assert "received GET / HTTP" in finish(server)


def test_openssl_renegotiates(world, processes):
    """OpenSSL's client asks for a renegotiation in TLS 1.2 and for new keys in TLS 1.3; both reach us through SEC_I_RENEGOTIATE."""
    for version, letter in (("1.2", "R"), ("1.3", "K")):
        server, port = our_server(processes, world, f"tls={version}")
        client = start(processes, "openssl", "s_client", "-connect", f"127.0.0.1:{port}", VERSIONS[version][0], "-CAfile", world.ca)
        say(client, "first")
        seen = []
        for line in client.stdout:  # the answer first: OpenSSL's client takes no text while it renegotiates
            seen.append(line)
            if line == "first\n":
                say(client, letter)
                break
        for line in server.stdout:
            seen.append(line)
            if line == "renegotiated\n":
                say(client, "second")
            if "received second" in line:
                say(client, "Q")
        assert "renegotiating\n" in seen and "received second\n" in seen, seen


def test_server_asks_with_words_behind(world, processes):
    """What a server in TLS 1.2 sends before it knows that its client negotiates anew is data amid that, and `sspi connect` shows it."""
    with AskingServer(*world.server, [b"behind it\n", b"and more\n"]) as server:
        client = start(processes, BUILD / "sspi", "connect", f"127.0.0.1:{server.port}", "--package", "Schannel", "--target", "server.test", "--ca", world.ca)
        say(client, "first")
        seen = []
        for line in client.stdout:
            seen.append(line)
            if line == "and more\n":
                say(client, "second")
            if line == "at last\n":
                client.stdin.close()
                client.stdin = None
        assert client.wait(WAIT) == 0 and "".join(seen).endswith("behind it\nand more\nat last\n"), seen
    assert server.renegotiated and server.closed and server.lines == [b"first\n", b"second\n"]


def test_our_client_takes_words_behind(world):
    """The same for a client of ours that leaves it to DecryptMessage."""
    with AskingServer(*world.server, [b"behind it\n", b"and more\n"]) as server:
        seen = our_client(world, server.port, "tls=1.2", "text=quit later\n")
        assert "renegotiating\nreceived behind it\n" in seen and "received and more\n" in seen and "renegotiated\n" in seen, seen
    assert server.renegotiated and server.closed and server.lines == [b"quit later\n"]


@pytest.mark.parametrize("version", VERSIONS)
def test_openssl_client_shows_certificate_later(world, processes, version):
    """In TLS 1.3 authentication after the handshake, in TLS 1.2 a renegotiation in which we ask."""
    server, port = our_server(processes, world, f"tls={version}", "later=1", "renegotiate=1")
    client = start(processes, "openssl", "s_client", "-connect", f"127.0.0.1:{port}", VERSIONS[version][0], "-CAfile", world.ca, "-cert", world.client[0],
                   "-key", world.client[1], "-cert_chain", world.client[0], "-enable_pha", "-quiet", "-no_ign_eof")
    seen, sent = [], False
    for line in server.stdout:
        seen.append(line)
        if "client alice@client.test" in line and not sent:
            sent = True
            say(client, "a line")
        if "received a line" in line:
            client.stdin.close()
            client.stdin = None
    output = "".join(seen)
    assert output.index("connected") < output.index("client alice@client.test") < output.index("received a line"), output


@pytest.mark.parametrize("version,letter", [("1.2", "R"), ("1.3", "c")])
def test_openssl_server_asks_later(world, processes, version, letter):
    server, port = openssl_server(processes, world.server, VERSIONS[version][0], "-CAfile", world.ca, "-msg", "-no_resumption_on_reneg")
    client = start(processes, PEER, "client", port, f"ca={world.ca}", f"tls={version}", f"cert={world.client[0]}", f"key={world.client[1]}", "text=first\n")
    seen = []

    def until(*words):
        for line in server.stdout:
            seen.append(line)
            if all(word in line for word in words):
                return
        raise AssertionError("".join(seen))

    until("first")
    say(server, letter)
    until("<<<", "CertificateVerify")
    until("<<<", "Finished")
    say(server, "an answer")
    lines = []
    for line in client.stdout:
        lines.append(line)
        if "received an answer" in line:
            say(server, "Q")
    assert any("renegotiating" in line for line in lines) and any("received an answer" in line for line in lines), lines + seen


def openssl_client(world, processes, port, version, line, *words):
    """What it printed; it goes when its line has come back, and the ticket before that."""
    process = start(processes, "openssl", "s_client", "-connect", f"127.0.0.1:{port}", VERSIONS[version][0], "-CAfile", world.ca, *words)
    say(process, line)
    seen = []
    for answer in process.stdout:
        seen.append(answer)
        if answer == line + "\n":
            say(process, "Q")
    return "".join(seen)


@pytest.mark.parametrize("version", VERSIONS)
def test_servers_share_the_keys_of_tickets(world, processes, tmp_path, version):
    """Processes of their own: what the first one gave out the second one opens, also with a former key, and the one with other keys does not."""
    session = tmp_path / "session.pem"
    servers = {keys: our_server(processes, world, f"tls={version}", f"tickets={keys}", "connections=2") for keys in ("1", "2,1", "3")}

    def connect(keys, *words):
        return openssl_client(world, processes, servers[keys][1], version, "words", *words)

    assert "New, TLSv" in connect("1", "-sess_out", session)
    assert "Reused, TLSv" in connect("2,1", "-sess_in", session, "-sess_out", session)
    # now it is of key 2, which the first one does not have; of TLS 1.2 OpenSSL's client keeps what it had
    assert f"{'New' if version == '1.3' else 'Reused'}, TLSv" in connect("1", "-sess_in", session)
    assert "Reused, TLSv" in connect("2,1", "-sess_in", session)
    for _ in range(2):
        assert "New, TLSv" in connect("3", "-sess_in", session)
    for server, _ in servers.values():
        assert finish(server).count("received words") == 2


def test_no_early_data(world, processes, tmp_path):
    """The tickets of our server allow none, and OpenSSL's client sends none with them; the session itself is taken."""
    server, port = our_server(processes, world, "tls=1.3", "connections=2")
    session, early = tmp_path / "session.pem", tmp_path / "early.txt"
    early.write_text("too early\n")

    def client(line, *words):
        return openssl_client(world, processes, port, "1.3", line, *words)

    client("first", "-sess_out", session)
    assert "Max Early Data: 0" in run("openssl", "sess_id", "-in", session, "-noout", "-text", text=True).stdout
    again = client("second", "-sess_in", session, "-early_data", early)
    output = finish(server)
    assert "Early data was not sent" in again and "Reused, TLSv1.3" in again, again
    assert "received second" in output and "too early" not in output, output


class Lists:
    """An authority's own list of what it revoked."""

    def __init__(self, place, name, authority):
        self.authority, self.config, self.list = authority, place / f"{name}-crl.cnf", place / f"{name}.crl"
        (place / f"{name}.db").write_text("")
        (place / f"{name}.number").write_text("01\n")
        self.config.write_text(f"[ca]\ndefault_ca=one\n[one]\ndatabase={place}/{name}.db\ncrlnumber={place}/{name}.number\ndefault_md=sha256\ndefault_crl_days=30\n")

    def revoke(self, pem):
        run("openssl", "ca", "-config", self.config, "-cert", self.authority[0], "-keyfile", self.authority[1], "-revoke", pem)

    def make(self):
        run("openssl", "ca", "-config", self.config, "-cert", self.authority[0], "-keyfile", self.authority[1], "-gencrl", "-out", self.list)
        return self.list.read_text()


@pytest.mark.parametrize("revoked", ["nobody", "server", "middle", "no list"])
def test_revocation(world, processes, tmp_path, revoked):
    """A chain of three, as public servers show it, and the authorities' lists in the store CA."""
    middle = (world.place / "middle.pem", world.place / "middle.key")
    root_list, middle_list = Lists(tmp_path, "root", world.authority), Lists(tmp_path, "middle", middle)
    if revoked == "server":
        middle_list.revoke(world.server[0])
    if revoked == "middle":
        root_list.revoke(middle[0])
    (tmp_path / "lists.pem").write_text(root_list.make() + ("" if revoked == "no list" else middle_list.make()))
    (tmp_path / "opensspi.conf").write_text(f"[certificates]\nca = {tmp_path}/lists.pem\n")
    server, port = openssl_server(processes, world.server, "-rev")
    expected = {"nobody": None, "server": "0x80092010", "middle": "0x80092010", "no list": "0x80092012"}[revoked]  # CRYPT_E_REVOKED, CRYPT_E_NO_REVOCATION_CHECK
    environment = dict(os.environ, OPENSSPI_CONFIG=str(tmp_path / "opensspi.conf"))
    chain = "0x200"  # SCH_CRED_REVOCATION_CHECK_CHAIN

    def connect(flags):
        done = subprocess.run([PEER, "client", str(port), f"ca={world.ca}", "text=CLOSE\n", f"flags={flags}"], capture_output=True, text=True, timeout=WAIT, env=environment)
        return done.stdout
    output = connect(chain)
    assert "closed" in output if expected is None else f"failed step {expected}" in output, output
    assert "closed" in connect("0")
    ignored = connect("0x1a00")  # with IGNORE_NO_REVOCATION_CHECK and IGNORE_REVOCATION_OFFLINE
    assert ("closed" in ignored) == (revoked in ("nobody", "no list")), ignored


def test_dtls_openssl_client(world, processes):
    server, port = our_server(processes, world, "tls=dtls")
    client = subprocess.run(["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-CAfile", world.ca, "-quiet", "-no_ign_eof"],
                            input="a line\nQ\n", capture_output=True, text=True, timeout=WAIT)
    output = finish(server)
    assert "connected 0xfefd" in output and "received a line" in output and "closed" in output, output + client.stderr


@pytest.mark.parametrize("profile", ["1", "7"])
def test_dtls_srtp_openssl_client(world, processes, profile):
    server, port = our_server(processes, world, "tls=dtls", f"srtp={profile}")
    client = subprocess.run(["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{port}", "-CAfile", world.ca, "-no_ign_eof",
                             "-use_srtp", "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM"], input="a line\nQ\n", capture_output=True, text=True, timeout=WAIT)
    output = finish(server)
    name = {"1": "SRTP_AES128_CM_SHA1_80", "7": "SRTP_AEAD_AES_128_GCM"}[profile]
    assert f"srtp {profile}" in output and f"SRTP Extension negotiated, profile={name}" in client.stdout, output + client.stdout


def test_dtls_srtp_openssl_server(world, processes):
    server, port = openssl_server(processes, world.server, "-dtls1_2", "-use_srtp", "SRTP_AES128_CM_SHA1_32")
    client = start(processes, PEER, "client", port, f"ca={world.ca}", "tls=dtls", "srtp=2", "text=words quit\n")
    assert any("words quit" in line for line in iter(server.stdout.readline, ""))
    say(server, "an answer")
    assert "srtp 2" in finish(client)


def test_dtls_openssl_server(world, processes):
    server, port = openssl_server(processes, world.server, "-dtls1_2")
    client = start(processes, PEER, "client", port, f"ca={world.ca}", "tls=dtls", "text=words quit\n")
    assert any("words quit" in line for line in iter(server.stdout.readline, ""))
    say(server, "an answer")
    output = finish(client)
    assert "connected 0xfefd" in output and "received an answer" in output and "closed" in output, output


def test_dtls_gnutls_client(world, processes):
    server, port = our_server(processes, world, "tls=dtls")
    client = subprocess.run(["gnutls-cli", "--udp", "--port", str(port), "--x509cafile", world.ca, "--sni-hostname", "server.test", "--verify-hostname",
                             "server.test", "127.0.0.1"], input="a line\n", capture_output=True, text=True, timeout=WAIT)
    output = finish(server)
    assert "connected 0xfefd" in output and "received a line" in output and "closed" in output, output + client.stdout + client.stderr


@pytest.mark.parametrize("kind", ["server", "rsa"])
def test_dtls_gnutls_server(world, processes, kind):
    pair, port = getattr(world, kind), free_port(socket.SOCK_DGRAM)
    server = start(processes, "gnutls-serv", "--udp", "--port", port, "--echo", "--x509certfile", pair[0], "--x509keyfile", pair[1],
                   "--priority", "NORMAL:-VERS-ALL:+VERS-DTLS1.2", "--disable-client-cert")
    wait_for_udp(port, server)
    output = our_client(world, port, "tls=dtls", "text=quit\n", "leaves=1")  # gnutls-serv says nothing at its end
    assert "connected 0xfefd" in output and "received quit" in output, output


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("weak", ["key", "signature"])
def test_weak_server(world, processes, tmp_path, version, weak):
    """RSA of 1024 bits, or signed with SHA-1: OpenSSL shows it at security level 0, and we do not take it."""
    files = certificate(tmp_path, "weak", "server.test", "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:server.test\nextendedKeyUsage=serverAuth",
                        world.authority, ("RSA", f"rsa_keygen_bits:{1024 if weak == 'key' else 2048}"), digest="sha1" if weak == "signature" else "sha256")
    _, port = openssl_server(processes, files, VERSIONS[version][0], "-rev", "-cipher", "DEFAULT@SECLEVEL=0")
    output = our_client(world, port, f"tls={version}", "text=CLOSE\n", ok=False)
    assert "failed step 0x80090327" in output and "too weak" in output, output  # SEC_E_CERT_UNKNOWN
    assert "closed" in our_client(world, port, f"tls={version}", "text=CLOSE\n", "flags=8")  # SCH_CRED_MANUAL_CRED_VALIDATION: the caller judges


def test_dtls_ourselves(world, processes):
    server, port = our_server(processes, world, "tls=dtls", "mutual=1", pair=world.rsa)
    output = our_client(world, port, "tls=dtls", "text=quit", f"cert={world.client[0]}", f"key={world.client[1]}")
    assert "connected 0xfefd" in output and "received quit" in output, output
    assert "client alice@client.test" in finish(server)


def test_programs():
    for program in ("openssl", "curl", "gnutls-cli", "gnutls-serv"):
        assert shutil.which(program), program
