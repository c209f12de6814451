"""samples/delegation: a client and three file servers that go on to one another in its name, each a process. Needs root: the servers become their clients."""
import os
import pathlib
import pwd
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from delegating import DelegatingRealm  # noqa: E402
from peers import BUILD  # noqa: E402

SOURCE = pathlib.Path(__file__).parents[2]
USERS = ("games", "daemon")  # Unix users that each Debian has; principals of the same names
GUARDED = "bin"  # another one, whom nobody may act for
SERVERS = ("first", "second", "third")
SECONDS = 600
PATIENCE = "kdc_seconds = 300\n"  # where a KDC has much else to do
CROWD = 8


def principal(name):
    return f"host/{name}.example.test"


class Chain:
    """The servers, from the last to the first, and clients of the first."""

    def __init__(self, realm, directory, package, kerberos="", servers=SERVERS):
        self.realm, self.directory, self.package, self.kerberos = realm, directory, package, kerberos
        self.servers, self.port = [], None
        following = None
        for name in reversed(servers):
            self.start(name, following)
            following = name

    def environment(self, name, text):
        path = self.directory / f"{name}.conf"
        if not path.exists():  # clients that have begun read it
            path.write_text(text, encoding="utf-8")
        return {**self.realm.env, "OPENSSPI_CONFIG": str(path), "KRB5CCNAME": f"FILE:{self.directory}/none"}

    def start(self, name, following):
        env = self.environment(name, f"[kerberos]\nkeytab = FILE:{self.realm.directory}/{name}.keytab\n{PATIENCE}{self.kerberos}"
                                     f"[access]\nname_domains = {self.realm.name}\n")
        behind = [principal(following), "127.0.0.1", self.port] if following else []
        with open(self.directory / f"{name}.log", "wb") as log:
            process = subprocess.Popen([*getattr(self.realm, "prefix", ()), BUILD / "samples/delegation/delegation_server", "-p", self.package, "-t", str(SECONDS), name, self.directory / "files",
                                        "127.0.0.1", "0", *behind], env=env, stdout=subprocess.PIPE, stderr=log)
        self.servers.append(process)
        ready = select.select([process.stdout], [], [], SECONDS)[0]
        line = process.stdout.readline().decode() if ready else ""
        assert "port" in line, self.told()
        self.port = line.split()[-1]

    def told(self):
        return "".join((self.directory / f"{name}.log").read_text(errors="replace") for name in SERVERS
                       if (self.directory / f"{name}.log").exists())

    def begin(self, user, hops, name, *options):
        env = self.environment(f"client-{user}", f"[kerberos]\nclient_keytab = FILE:{self.realm.directory}/{user}.keytab\n{PATIENCE}")
        return subprocess.Popen([*getattr(self.realm, "prefix", ()), BUILD / "samples/delegation/delegation_client", "-p", self.package, "-t", str(SECONDS), *options, principal("first"), "127.0.0.1",
                                 self.port, str(hops), name], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @staticmethod
    def end(client):
        output = client.communicate(timeout=SECONDS)[0]
        answers = [line.split("answer", 1)[1].strip() for line in output.splitlines() if line.startswith("client: answer")]
        assert len(answers) == 1, output
        assert (client.returncode == 0) == answers[0].startswith("OK "), output
        return answers[0]

    def ask(self, *words):
        return self.end(self.begin(*words))

    def close(self):
        for process in self.servers:
            alive = process.poll() is None
            process.terminate()
            process.wait(SECONDS)
            process.stdout.close()
            assert alive, f"a server died: {self.told()}"


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    first, second, third = map(principal, SERVERS)
    with DelegatingRealm(allowed_to=((first, second), (second, third))) as realm:
        for name, *options in (("first", "+ok_as_delegate"), ("second", "+ok_as_delegate"), ("third",)):
            realm.addprinc(principal(name), None, *options)
            realm.keytab(principal(name), f"{name}.keytab")
        for user in USERS:
            realm.addprinc(user)
            realm.keytab(user, f"{user}.keytab")
        realm.addprinc(GUARDED, None, "-allow_forwardable")
        realm.keytab(GUARDED, f"{GUARDED}.keytab")
        yield realm


@pytest.fixture(name="directory")
def directory_of_the_test():
    with tempfile.TemporaryDirectory(prefix="opensspi-interop-") as name:
        directory = pathlib.Path(name)
        directory.chmod(0o711)  # the servers' clients come to the files
        (directory / "files").mkdir(mode=0o755)
        (directory / "files").chmod(0o755)
        for user in (*USERS, GUARDED):
            path = directory / f"files/{user}.txt"
            path.write_text(f"of {user}")
            path.chmod(0o600)
            os.chown(path, pwd.getpwnam(user).pw_uid, 0)
        (directory / "files/root.txt").write_text("of root")
        (directory / "files/root.txt").chmod(0o600)
        (directory / "secret.txt").write_text("for nobody")
        yield directory


@pytest.fixture(name="chain", params=(("Negotiate", ""), ("Kerberos", "")), ids=("Negotiate", "Kerberos"))
def chain_of_the_test(realm, directory, request):
    chain = Chain(realm, directory, *request.param)
    try:
        yield chain
    finally:
        chain.close()


@pytest.mark.parametrize("keeps", ((), ("-k",)), ids=("forwarded", "s4u2proxy"))
def test_own_rights_through_the_chain(chain, keeps):
    """Two hops and each one before; with -k the client forwards nothing, and the servers go on by constrained delegation."""
    for hops, name in enumerate(SERVERS):
        for user, other in (USERS, USERS[::-1]):
            assert chain.ask(user, hops, f"{user}.txt", *keeps) == f"OK {name}: of {user}", chain.told()
            assert chain.ask(user, hops, f"{other}.txt", *keeps) == f"NO {name}: this user may not read it"
        assert chain.ask(USERS[0], hops, "root.txt", *keeps) == f"NO {name}: this user may not read it"


def test_crowd(chain):
    """Many clients of both users at once, each server a process with many threads: nobody gets what is another's."""
    asked = []
    for i in range(CROWD):
        user = USERS[i % 2]
        name = USERS[(i // 2) % 2]
        asked.append((user, name, chain.begin(user, 2, f"{name}.txt", *(("-k",) if i >= CROWD // 2 else ()))))
    for user, name, client in asked:
        expected = f"OK third: of {user}" if user == name else "NO third: this user may not read it"
        assert chain.end(client) == expected, chain.told()


def test_names_that_lead_elsewhere(chain):
    for name in ("../secret.txt", "/etc/passwd", "..", ".hidden", "a b", "games.txt/", "x" * 65):
        assert chain.ask("games", 2, name) == "NO third: this is no name of a file"
    assert chain.ask("games", 3, "games.txt") == "NO third: there is no server behind this one"
    assert chain.ask("games", 101, "games.txt") == "NO first: this is no request"


def test_policy_of_the_servers(realm, directory, kind=Chain):
    """No ticket is forwarded, and the first server's configuration lets it ask for none."""
    chain = kind(realm, directory, "Negotiate", "s4u2proxy = no\n")
    try:
        assert chain.ask("games", 0, "games.txt", "-k") == "OK first: of games"
        assert chain.ask("games", 1, "games.txt", "-k") == "NO first: this user delegated no credentials"
        assert "SEC_E_NO_CREDENTIALS" in chain.told()
        assert chain.ask("games", 1, "games.txt") == "OK second: of games"
    finally:
        chain.close()


def test_policy_of_the_domain(realm, directory, kind=Chain):
    """The KDC lets the first server act at the second, not at the third."""
    chain = kind(realm, directory, "Kerberos", servers=("first", "third"))
    try:
        assert chain.ask("games", 1, "games.txt", "-k") == "NO first: the next server does not let this user in"
        assert "SEC_E_DELEGATION_POLICY" in chain.told()
        assert chain.ask("games", 1, "games.txt") == "OK third: of games"
    finally:
        chain.close()


@pytest.mark.parametrize("keeps", ((), ("-k",)), ids=("forwarded", "s4u2proxy"))
def test_policy_of_the_account(chain, keeps):
    """Its own rights this user has where it came to; nobody goes on in its name."""
    assert chain.ask(GUARDED, 0, f"{GUARDED}.txt", *keeps) == f"OK first: of {GUARDED}", chain.told()
    assert chain.ask(GUARDED, 1, f"{GUARDED}.txt", *keeps) == "NO first: the next server does not let this user in"
    assert "SEC_E_DELEGATION_POLICY" in chain.told()
    assert chain.ask(USERS[0], 1, f"{GUARDED}.txt", *keeps) == "NO second: this user may not read it"


def test_who_is_no_client(chain):
    """Rubbish, silence and half a message: the server goes on with others."""
    for data in (b"", b"\x00\x00\x00\x05Txxxx", b"\xff\xff\xff\xffT", b"\x00\x00\x00\x01E", b"\x00\x00\x10\x00Tabc"):
        with socket.create_connection(("127.0.0.1", int(chain.port)), SECONDS) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            until = time.monotonic() + SECONDS
            while sock.recv(4096):
                assert time.monotonic() < until
    assert chain.ask("games", 2, "games.txt") == "OK third: of games"


def test_builds_for_windows(directory):
    assert shutil.which("x86_64-w64-mingw32-gcc"), "install gcc-mingw-w64-x86-64"
    subprocess.run([SOURCE / "samples/delegation/build-mingw.sh", directory], check=True, timeout=4 * SECONDS,
                   env={**os.environ, "CFLAGS": "-O2 -Werror"})
    for side in ("client", "server"):
        assert (directory / f"delegation_{side}.exe").stat().st_size > 0
