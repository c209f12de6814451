"""TLS with private keys that the daemon keeps: OpenSSL's programs against ours (tls_peer.c), which have certificates and no keys."""
import os
import pathlib
import pwd
import re
import subprocess

import lsa
import pytest
from test_lsa_hostile import frame, greet, number, octets, reply, text, value

PEER = str(lsa.BUILD / "tests/interop/tls_peer")
WAIT = 60
NO_CREDENTIALS, NO_AUTHORITY = "0x8009030e", "0x80090311"
KEY, SIGN = 20, 21

KINDS = {"rsa": ("RSA", "rsa_keygen_bits:2048"), "pss": ("RSA-PSS", "rsa_keygen_bits:2048"), "p256": ("EC", "ec_paramgen_curve:P-256"),
         "p384": ("EC", "ec_paramgen_curve:P-384"), "ed25519": ("ED25519",), "ed448": ("ED448",)}


def run(*words, **more):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, timeout=WAIT, **more)


def pair_make(place, name, kind):
    algorithm, *options = KINDS[kind]
    key, certificate = place / f"{name}.key", place / f"{name}.pem"
    run("openssl", "genpkey", "-algorithm", algorithm, *[word for option in options for word in ("-pkeyopt", option)], "-out", key)
    key.chmod(0o600)
    run("openssl", "req", "-new", "-x509", "-key", key, "-subj", "/CN=server.test", "-days", "2", "-addext", "subjectAltName=DNS:server.test",
        "-out", certificate)
    return certificate, key


def secrets_of(key):
    """The numbers that nobody else may know, as bytes in both orders: RSA's primes and exponents, the scalar of others."""
    shown = run("openssl", "pkey", "-in", key, "-noout", "-text", text=True).stdout
    found = {}
    for name, digits in re.findall(r"^(privateExponent|prime1|prime2|exponent1|exponent2|priv):\n((?:    [0-9a-f:]+\n)+)", shown, re.MULTILINE):
        number_of = bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
        found |= {name: number_of, f"{name} reversed": number_of[::-1]}
    assert found, shown
    return found


class World:
    def __init__(self, place, who="root", kinds=KINDS):
        self.place = place
        self.kept = place / "kept"
        self.kept.mkdir(mode=0o700)
        lines = []
        for kind in kinds:
            certificate, key = pair_make(place, kind, kind)
            key.rename(self.kept / key.name)
            lines.append(f"key = {kind} {who} {self.kept / key.name}")
        self.daemon = lsa.Daemon(place, "\n".join(lines))
        self.started = []

    def certificate(self, kind):
        return self.place / f"{kind}.pem"

    def key(self, kind):
        return self.kept / f"{kind}.key"

    def start(self, *words, **more):
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, bufsize=1, env=self.daemon.env, **more)
        self.started.append(process)
        return process

    def server(self, kind, *options, key=None):
        server = self.start(PEER, "server", f"cert={self.certificate(kind)}", f"key={key or 'lsa:' + kind}", *options)
        return server, int(re.match(r"port (\d+)", server.stdout.readline()).group(1))

    def close(self):
        for process in self.started:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        assert self.daemon.process is None or self.daemon.stop() in (0, -9), self.daemon.output()


@pytest.fixture(name="world")
def world_of_the_test(tmp_path):
    world = World(tmp_path)
    world.daemon.start()
    yield world
    world.close()


@pytest.fixture(name="shared", scope="module")
def world_of_the_module(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("keys"))
    world.daemon.start()
    yield world
    world.close()


def client(port, certificate, *options, check=True):
    """openssl s_client, whose certificate the server must show, and which sends a line."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(certificate), "-verify_return_error", "-servername",
                           "server.test", "-quiet", "-no_ign_eof", *options], input="hello\n", capture_output=True, text=True, timeout=WAIT, check=False)
    assert (done.returncode == 0) == check, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", KINDS)
def test_server(shared, kind, version):
    """Handshakes with every kind of key, and afterwards nothing of the key in the server's memory."""
    server, port = shared.server(kind, f"tls={version}", "connections=2")
    client(port, shared.certificate(kind), f"-tls1_{version[2]}")
    assert server.stdout.readline().startswith(f"connected 0x030{int(version[2]) + 1} ")
    assert server.stdout.readline() == "received hello\n"
    assert lsa.memory_holds(server.pid, secrets_of(shared.key(kind))) == set()


@pytest.mark.parametrize("kind", ["rsa", "p256", "ed25519"])
def test_the_search_finds(shared, kind):
    """The same server with a key of its own has it in memory, or the search above would prove nothing."""
    server, port = shared.server(kind, "connections=2", key=shared.key(kind))
    client(port, shared.certificate(kind))
    assert server.stdout.readline().startswith("connected")
    assert lsa.memory_holds(server.pid, secrets_of(shared.key(kind)))


def accepting(world, certificate, *options):
    server = world.start("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", world.key("p256"), "-naccept", "1", *options)
    while not (found := re.match(r"ACCEPT 127\.0\.0\.1:(\d+)$", line := server.stdout.readline())):
        assert line != "", server.wait(WAIT)
    return server, int(found[1])


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["rsa", "pss", "p256", "ed25519"])
def test_client_certificate(shared, kind, version):
    """OpenSSL's server wants a certificate, and gets one with its proof."""
    server, port = accepting(shared, shared.certificate("p256"), "-Verify", "1", "-verify_return_error", "-CAfile", shared.certificate(kind),
                             f"-tls1_{version[2]}")
    ours = shared.start(PEER, "client", str(port), f"ca={shared.certificate('p256')}", f"cert={shared.certificate(kind)}", f"key=lsa:{kind}",
                        "text=hello\n")
    lines = []
    while "hello\n" not in lines:
        lines.append(server.stdout.readline())
        assert lines[-1] != "", "".join(lines) + ours.stdout.read()
    assert lsa.memory_holds(ours.pid, secrets_of(shared.key(kind))) == set()


def test_file_that_names_a_key(shared, tmp_path):
    """Where a program takes the path of a key alone, such as in the store MY, the file says which one is meant."""
    named = tmp_path / "server.key"
    named.write_text("lsa:p256\n")
    named.chmod(0o600)
    server, port = shared.server("p256", key=named)
    client(port, shared.certificate("p256"))
    assert server.stdout.readline().startswith("connected")


def test_nothing_is_decrypted(shared):
    """A client that knows only RSA's key exchange finds no common suite; with a key of its own the same server has one."""
    suite = ("-tls1_2", "-cipher", "AES128-GCM-SHA256")
    server, port = shared.server("rsa", "tls=1.2", key=shared.key("rsa"))
    client(port, shared.certificate("rsa"), *suite)
    assert "TLS_RSA_WITH_AES_128_GCM_SHA256" in server.stdout.readline()
    server, port = shared.server("rsa", "tls=1.2")
    client(port, shared.certificate("rsa"), *suite, check=False)
    assert re.match("failed step 0x80090331 .*no shared cipher", server.stdout.readline())


def refused(world, *words, **more):
    process = world.start(PEER, "server", *words, **more)
    said = process.communicate(timeout=WAIT)[0]
    assert process.returncode == 1, said
    return said


@pytest.mark.parametrize("name", ["nobody-has-it", "", "../rsa", "a" * 65, "rsa\tx"])
def test_no_such_key(shared, name):
    said = refused(shared, f"cert={shared.certificate('rsa')}", f"key=lsa:{name}")
    assert said.startswith(f"failed certificate {NO_CREDENTIALS} "), said


def test_another_certificates_key(shared):
    said = refused(shared, f"cert={shared.certificate('rsa')}", "key=lsa:p256")
    assert said.startswith("failed certificate 0x8009030d ") and "not the certificate's" in said, said


def test_of_other_users(tmp_path):
    """Whom the line names gets signatures, by name, number and group; others not even the public half."""
    nobody, games = pwd.getpwnam("nobody"), pwd.getpwnam("games")
    tmp_path.chmod(0o755)
    for directory in list(tmp_path.parents)[:2]:
        directory.chmod(directory.stat().st_mode | 0o011)
    for i, who in enumerate(("games", str(games.pw_uid), "@games", "daemon,@games")):
        place = tmp_path / str(i)
        place.mkdir()
        world = World(place, who, ("p256",))
        world.daemon.config.chmod(0o644)
        world.daemon.start()
        try:
            words = (f"cert={world.certificate('p256')}", "key=lsa:p256")
            said = refused(world, *words, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
            assert said.startswith(f"failed certificate {NO_CREDENTIALS} ") and f"user {nobody.pw_uid}" in said, said
            assert str(world.kept) not in said
            server = world.start(PEER, "server", *words, user=games.pw_uid, group=games.pw_gid, extra_groups=[])
            client(int(server.stdout.readline().split()[1]), world.certificate("p256"))
            assert server.stdout.readline().startswith("connected")
        finally:
            world.close()


def test_daemon_dies(world):
    """What is established goes on; what is begun is told why not; and goes on once a daemon is there again."""
    server, port = world.server("p256", "connections=4")
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, bufsize=1) as established:
        established.stdin.write("before\n")
        assert established.stdout.readline() == "before\n"
        world.daemon.process.kill()
        world.daemon.process.wait()
        established.stdin.write("after\n")
        assert established.stdout.readline() == "after\n"
        established.stdin.close()
        established.kill()
    world.daemon.socket.unlink()
    world.daemon.start()
    client(port, world.certificate("p256"))
    world.daemon.process.kill()
    world.daemon.process.wait()
    done = client(port, world.certificate("p256"), check=False)
    assert "internal error" in done.stderr, done.stderr
    said = server.communicate(timeout=WAIT)[0]
    assert f"failed step {NO_AUTHORITY} the security authority at {world.daemon.socket}" in said, said
    said = refused(world, f"cert={world.certificate('p256')}", "key=lsa:p256")
    assert said.startswith(f"failed certificate {NO_AUTHORITY} "), said


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_key_taken_out(world, kind):
    """Once a configuration that no longer names it has been read, a key is wiped in the daemon; keys that it names stay. Looked for are the numbers that sign:
    OpenSSL does not wipe all of the octets that it reads them from, in memory that it has freed and nobody here can reach."""
    taken = {name: needle for name, needle in secrets_of(world.key(kind)).items() if name.endswith(" reversed")}
    stays = secrets_of(world.key("pss"))
    pid = world.daemon.process.pid
    server, port = world.server(kind, "connections=2")
    client(port, world.certificate(kind))
    assert lsa.memory_holds(pid, taken) and lsa.memory_holds(pid, stays)
    lines = world.daemon.config.read_text().splitlines(keepends=True)
    world.daemon.config.write_text("".join(line for line in lines if not line.startswith(f"key = {kind} ")))
    client(port, world.certificate(kind), check=False)
    said = server.communicate(timeout=WAIT)[0]
    assert f"failed step {NO_CREDENTIALS} the security authority keeps no key" in said, said
    assert lsa.memory_holds(pid, taken) == set()
    assert lsa.memory_holds(pid, stays)
    world.daemon.config.write_text("".join(lines))
    server, port = world.server(kind)
    client(port, world.certificate(kind))


def test_key_changes(world):
    """A server that began with one key does not sign with another; the file counts anew at the next start."""
    server, port = world.server("p256", "connections=2")
    client(port, world.certificate("p256"))
    world.certificate("p256").rename(world.place / "old.pem")
    key = pair_make(world.place, "p256", "p256")[1]
    key.rename(world.key("p256"))
    client(port, world.place / "old.pem", check=False)
    said = server.communicate(timeout=WAIT)[0]
    assert f"failed step {NO_CREDENTIALS} the security authority has another key of the name" in said, said
    server, port = world.server("p256")
    client(port, world.certificate("p256"))


def test_what_the_log_says(tmp_path):
    """Lines that are wrong, and keys that cannot be had, are told at the start; their callers learn no more than that."""
    tmp_path.chmod(0o755)
    certificate, key = pair_make(tmp_path, "open", "p256")
    key.chmod(0o644)
    (tmp_path / "nonsense").write_text("no key")
    (tmp_path / "nonsense").chmod(0o600)
    daemon = lsa.Daemon(tmp_path, f"key = open root {key}\nkey = nonsense root {tmp_path}/nonsense\nkey = none root {tmp_path}/none\nkey = half root\n"
                                  f"key = relative root web.key\nkey = circle root {tmp_path}/circle\n")
    (tmp_path / "circle").write_text("lsa:circle")
    (tmp_path / "circle").chmod(0o600)
    with daemon:
        log = daemon.output()
        for words in ("key open: ", "everybody may read", "key nonsense: ", "key none: there is no", '"key = half root": takes', '"key = relative root web.key": takes',
                      "key circle: "):
            assert words in log, log
        for name in ("open", "nonsense", "none", "circle", "half", "relative"):
            done = subprocess.run([PEER, "server", f"cert={certificate}", f"key=lsa:{name}"], env=daemon.env, capture_output=True, text=True,
                                  timeout=WAIT, check=False)
            assert done.stdout.startswith(f"failed certificate {NO_CREDENTIALS} ") and str(tmp_path) not in done.stdout, done.stdout


def test_wrong_requests(shared):
    """Digests of other lengths, schemes of other keys and of nobody, the hash of another key: each is refused, and the connection goes on."""
    link, _ = greet(shared.daemon)
    link.sendall(frame(KEY, text(39, "p256")))
    operation, fields = reply(link)
    assert operation == KEY and value(fields, 1) == 0
    public = run("openssl", "pkey", "-in", shared.key("p256"), "-pubout", "-outform", "DER").stdout
    assert fields[24] == public
    digest = run("openssl", "dgst", "-sha256", "-binary", input=public).stdout

    def sign(scheme, data, name="p256", hash_=digest):
        link.sendall(frame(SIGN, text(39, name) + octets(40, hash_) + number(41, scheme) + octets(19, data)))
        answered, told = reply(link)
        assert answered == SIGN and (24 in told) == (value(told, 1) == 0)
        return value(told, 1)

    assert sign(0x0403, bytes(32)) == 0
    assert sign(0x0403, b"") == sign(0x0403, bytes(31)) == sign(0x0403, bytes(33)) == sign(0x0403, bytes(400000)) == 0x80090308
    for scheme in (0, 0x0401, 0x0804, 0x0807, 0xfe01, 0xffff, 0x10403, 0xffffffff):
        assert sign(scheme, bytes(32)) == 0x80090008, hex(scheme)
    for hash_ in (b"", bytes(32), digest[:31], digest + b"\0"):
        assert sign(0x0403, bytes(32), hash_=hash_) == 0x80090016
    assert sign(0x0403, bytes(32), name="") == sign(0x0403, bytes(32), name="rsa") == 0x80090016
    assert sign(0x0403, bytes(32)) == 0
    link.close()


def test_nobody_reads_the_directory(shared):
    assert pathlib.Path(shared.kept).stat().st_mode & 0o077 == 0 and os.geteuid() == 0  # what the tests above rest on
