"""The daemon's socket as strangers use it: floods, halves, wrong lengths and versions, other clients' objects. Afterwards it serves as before."""
import contextlib
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import tempfile
import time

import lsa
import pytest

HELLO, ACQUIRE, RELEASE, STEP, ABANDON, LOGOFF, LIST = 1, 2, 3, 4, 5, 14, 15
UNANSWERED = RELEASE, ABANDON
INVALID_HANDLE, NO_MEMORY = 0x80090301, 0x80090300


@pytest.fixture(scope="module")
def daemon():
    with tempfile.TemporaryDirectory(prefix="opensspi-lsa-") as directory, lsa.Daemon(directory, "user_connections = 200\nuser_credentials = 40\nuser_contexts = 50\n") as running:
        yield running


def connect(daemon):
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(lsa.ANSWER_SECONDS)
    link.connect(str(daemon.socket))
    return link


def number(tag, value):
    return struct.pack("<HIQ", tag, 8, value)


def octets(tag, value):
    return struct.pack("<HI", tag, len(value)) + value


def text(tag, value):
    return octets(tag, value.encode() + b"\0")


def frame(operation, body=b"", version=1, sequence=1, flags=0, length=None):
    return struct.pack("<IHBBI", len(body) if length is None else length, version, operation, flags, sequence) + body


def receive(link, n_bytes):
    data = b""
    while len(data) < n_bytes:
        got = link.recv(n_bytes - len(data))
        if not got:
            return None
        data += got
    return data


def reply(link):
    """A reply's operation and fields, or None when the connection has ended."""
    head = receive(link, 12)
    if head is None:
        return None
    length, version, operation, flags, _ = struct.unpack("<IHBBI", head)
    assert version == 1 and flags == 0x80
    body, fields = receive(link, length), {}
    while body:
        tag, size = struct.unpack_from("<HI", body)
        fields[tag], body = body[6:6 + size], body[6 + size:]
    return operation, fields


def value(fields, tag):
    return struct.unpack("<Q", fields[tag])[0]


def greet(daemon, name=None):
    link = connect(daemon)
    link.sendall(frame(HELLO, octets(3, name) if name else b""))
    operation, fields = reply(link)
    assert operation == HELLO and value(fields, 1) == 0 and len(fields[3]) == 16
    return link, fields[3]


def acquire(link, use=2):
    who = number(7, 1) + text(8, "alice") + text(9, "EXAMPLE") + octets(11, "Password1!".encode("utf-16le"))
    link.sendall(frame(ACQUIRE, text(4, "NTLM") + number(6, use) + (who if use == 2 else b"")))
    _, fields = reply(link)
    return value(fields, 1), value(fields, 13) if 13 in fields else None


def begin(link, credential):
    link.sendall(frame(STEP, number(13, credential) + number(14, 0) + number(6, 2) + number(16, 0)))
    _, fields = reply(link)
    return value(fields, 1), value(fields, 14) if 14 in fields else None


def serves(daemon):
    link, _ = greet(daemon)
    status, credential = acquire(link)
    assert status == 0
    status, context = begin(link, credential)
    link.close()
    return status == 0x90312 and context is not None


@pytest.mark.parametrize("wrong", [
    frame(LIST),                                    # before a greeting
    frame(HELLO, flags=1), frame(HELLO, flags=0x80),
    frame(HELLO, length=0x7fffffff), frame(HELLO, b"x" * 100, length=512 * 1024 + 1),
    frame(HELLO, octets(3, b"short")[:-1]), frame(HELLO, octets(3, bytes(16)) * 2),
    frame(0), frame(200), frame(HELLO, text(4, "NTLM")), b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 64,
])
def test_wrong_first_words(daemon, wrong):
    with contextlib.closing(connect(daemon)) as link:
        link.sendall(wrong)
        link.shutdown(socket.SHUT_WR)
        try:
            assert reply(link) is None
        except ConnectionResetError:
            pass
    assert serves(daemon)


@pytest.mark.parametrize("version", [0, 2, 65535])
def test_another_version(daemon, version):
    with contextlib.closing(connect(daemon)) as link:
        link.sendall(frame(HELLO, version=version))
        operation, fields = reply(link)
        assert operation == HELLO and value(fields, 1) == 0x80090302 and b"version" in fields[2]
        assert reply(link) is None
    assert serves(daemon)


def test_byte_by_byte(daemon):
    with contextlib.closing(connect(daemon)) as link:
        for byte in frame(HELLO) + frame(LIST):
            link.sendall(bytes([byte]))
        assert reply(link)[0] == HELLO
        assert reply(link)[0] == LIST


def test_all_at_once(daemon):
    """Many requests in one write are answered one after the other."""
    link, _ = greet(daemon)
    link.sendall(b"".join(frame(LIST, sequence=n) for n in range(500)))
    for _ in range(500):
        assert reply(link)[0] == LIST
    link.close()


def test_half_open(daemon):
    """Halves are ended in time; meanwhile others are served."""
    halves = [connect(daemon) for _ in range(40)]
    for n, link in enumerate(halves):
        link.sendall(frame(HELLO, b"x" * 300)[:n % 20])
    assert serves(daemon)
    for link in halves:
        link.settimeout(lsa.ANSWER_SECONDS)
        assert link.recv(1) == b""
        link.close()


def test_too_many(daemon):
    """One user's connections, credentials and handshakes end at their limits, with a word."""
    links = []
    refused = None
    for _ in range(230):
        link = connect(daemon)
        with contextlib.suppress(BrokenPipeError):  # it may have been told already
            link.sendall(frame(HELLO))
        _, fields = reply(link)
        if value(fields, 1) != 0:
            refused = fields
            link.close()
            break
        links.append(link)
    assert len(links) == 200 and value(refused, 1) == NO_MEMORY and b"too many connections" in refused[2]
    for link in links[1:]:
        link.close()
    link = links[0]
    credentials = []
    while True:
        status, credential = acquire(link)
        if status != 0:
            break
        credentials.append(credential)
    assert status == NO_MEMORY and len(credentials) == 40
    contexts = []
    while True:
        status, context = begin(link, credentials[0])
        if status != 0x90312:
            break
        contexts.append(context)
    assert status == NO_MEMORY and len(contexts) == 50
    link.sendall(frame(ABANDON, number(14, contexts[0])) + frame(RELEASE, number(13, credentials[1])))
    assert begin(link, credentials[0])[0] == 0x90312 and acquire(link)[0] == 0
    link.close()
    assert eventually(lambda: serves(daemon))


def eventually(condition):
    for _ in range(600):
        try:
            if condition():
                return True
        except (AssertionError, OSError, TypeError):  # refused, in the middle of it or with no reply
            pass
        time.sleep(0.05)
    return False


def test_others_objects(daemon):
    """A client has its own alone; who knows its name is one with it; a wrong name is a new client."""
    mine, name = greet(daemon)
    other, other_name = greet(daemon)
    assert name != other_name
    status, credential = acquire(mine)
    status, context = begin(mine, credential)
    assert status == 0x90312
    assert begin(other, credential)[0] == INVALID_HANDLE
    other.sendall(frame(STEP, number(13, credential) + number(14, context) + number(6, 2) + number(16, 0)))
    assert value(reply(other)[1], 1) == INVALID_HANDLE
    other.sendall(frame(RELEASE, number(13, credential)) + frame(ABANDON, number(14, context)))
    assert begin(mine, credential)[0] == 0x90312
    same, same_name = greet(daemon, name)
    assert same_name == name and begin(same, credential)[0] == 0x90312
    stranger, strange_name = greet(daemon, bytes(16))
    assert strange_name not in (name, bytes(16)) and begin(stranger, credential)[0] == INVALID_HANDLE
    mine.close()
    assert begin(same, credential)[0] == 0x90312  # a connection of the client's is left
    same.close()
    again, renamed = greet(daemon, name)
    assert eventually(lambda: greet(daemon, name)[1] != name) or renamed != name
    for link in (other, stranger, again):
        link.close()


LOGON, DESCRIBE, TICKETS, WRAP, S4U = 13, 16, 18, 19, 12
ONE, OTHER = 61234, 61235


def greet_as(daemon, uid, name=None):
    os.seteuid(uid)  # the kernel tells who connected
    try:
        return greet(daemon, name)
    finally:
        os.seteuid(0)


def ask(link, operation, body=b""):
    link.sendall(frame(operation, body))
    answered, fields = reply(link)
    assert answered == operation
    return value(fields, 1), fields


def step(link, credential, context, use, token=None):
    return ask(link, STEP, number(13, credential) + number(14, context) + number(6, use) + number(16, 0) + (octets(19, token) if token else b""))


def signs_on(client, credential, server, server_credential):
    """A handshake of two clients of the daemon; True when the server has its end."""
    status, fields = step(client, credential, 0, 2)
    if status != 0x90312:
        return False
    context = value(fields, 14)
    status, fields = step(server, server_credential, 0, 1, fields[19])
    assert status == 0x90312
    server_context = value(fields, 14)
    status, fields = step(client, credential, context, 2, fields[19])
    if status != 0:
        server.sendall(frame(ABANDON, number(14, server_context)))
        return False
    return step(server, server_credential, server_context, 1, fields[19])[0] == 0


def test_two_users(daemon):
    """Of what one user has, another reaches nothing: sessions, default credentials, tickets, credentials, contexts."""
    one, _ = greet_as(daemon, ONE)
    other, _ = greet_as(daemon, OTHER)
    who = number(7, 1) + text(8, "alice") + text(9, "EXAMPLE") + octets(11, "Password1!".encode("utf-16le"))
    status, fields = ask(one, LOGON, text(4, "NTLM") + number(30, 2) + who)
    assert status == 0
    session = value(fields, 29)
    status, fields = ask(one, ACQUIRE, text(4, "NTLM") + number(6, 2))  # of the session
    assert status == 0
    credential = value(fields, 13)
    assert ask(one, QUERY_CREDENTIAL, number(13, credential) + number(23, 1))[1][25] == b"EXAMPLE\\alice\0"
    status, context = begin(one, credential)
    assert status == 0x90312

    assert ask(other, LIST)[1][31] == b""
    assert ask(other, DESCRIBE, number(29, session))[0] == INVALID_HANDLE
    assert ask(other, DESCRIBE, number(29, 0))[0] == INVALID_HANDLE
    assert ask(other, LOGOFF, number(29, session))[0] == INVALID_HANDLE
    assert ask(other, LOGOFF, number(29, 0))[0] == INVALID_HANDLE
    for use in (0, 1):
        assert ask(other, TICKETS, text(4, "Kerberos") + number(29, session) + number(6, use))[0] == INVALID_HANDLE
    status, fields = ask(other, ACQUIRE, text(4, "NTLM") + number(6, 2))  # nobody's
    assert status == 0 and value(fields, 34) == 1
    nobodys = value(fields, 13)
    assert b"alice" not in ask(other, QUERY_CREDENTIAL, number(13, nobodys) + number(23, 1))[1][25]
    status, fields = ask(other, ACQUIRE, text(4, "NTLM") + number(6, 2) + number(7, 0) + text(8, "alice") + text(9, "EXAMPLE"))
    assert status == 0
    root, _ = greet(daemon)
    server = value(ask(root, ACQUIRE, text(4, "NTLM") + number(6, 1))[1], 13)
    assert signs_on(one, credential, root, server)
    assert not signs_on(other, value(fields, 13), root, server) and not signs_on(other, nobodys, root, server)
    others = (nobodys, value(fields, 13))
    for use in (1, 3):
        assert ask(other, ACQUIRE, text(4, "NTLM") + number(6, use))[0] == 0x8009030E
    guesses = [n for n in range(1, 40) if n not in others]
    for guess in guesses:
        assert begin(other, guess)[0] == INVALID_HANDLE
        assert ask(other, QUERY_CREDENTIAL, number(13, guess) + number(23, 1))[0] == INVALID_HANDLE
        assert ask(other, SET_CREDENTIAL, number(13, guess) + number(23, KDC_PROXY) + octets(24, b"x"))[0] == INVALID_HANDLE
        assert ask(other, WRAP, text(4, "Negotiate") + number(6, 2) + number(13, guess))[0] == INVALID_HANDLE
        assert ask(other, S4U, number(13, guess) + text(8, "bob"))[0] == INVALID_HANDLE
        assert ask(other, QUERY_CONTEXT, number(14, guess) + number(23, 0))[0] == INVALID_HANDLE
        assert ask(other, COMPLETE, number(14, guess) + octets(19, b"t"))[0] == INVALID_HANDLE
        assert ask(other, STEP, number(13, guess) + number(14, guess) + number(6, 2) + number(16, 0) + octets(19, b"t"))[0] == INVALID_HANDLE
        other.sendall(frame(RELEASE, number(13, guess)) + frame(ABANDON, number(14, guess)))

    assert ask(one, LIST)[1][31] == struct.pack("<Q", session)
    assert begin(one, credential)[0] == 0x90312
    assert ask(one, QUERY_CONTEXT, number(14, context) + number(23, 0))[0] in (0, UNSUPPORTED)  # it is there
    assert struct.pack("<Q", session) in ask(root, LIST)[1][31] and ask(root, DESCRIBE, number(29, session))[0] == 0
    assert ask(one, LOGOFF, number(29, 0))[0] == 0
    for link in (one, other, root):
        link.close()


def test_one_user_leaves_room(daemon):
    """Who has all connections that a user may have takes nothing of another's."""
    def first():
        links.append(greet_as(daemon, ONE)[0])  # once those of the tests before are gone
        return True

    links = []
    while len(links) < 200:
        assert eventually(first)
    refused = None
    os.seteuid(ONE)
    try:
        refused = connect(daemon)
    finally:
        os.seteuid(0)
    assert value(reply(refused)[1], 1) == NO_MEMORY
    other, _ = greet_as(daemon, OTHER)
    assert acquire(other)[0] == 0
    for link in (*links, refused, other):
        link.close()
    assert eventually(lambda: serves(daemon))


COMPLETE, QUERY_CREDENTIAL, SET_CREDENTIAL, QUERY_CONTEXT = 6, 7, 8, 9
UNSUPPORTED, INVALID_TOKEN, WRONG_PRINCIPAL = 0x80090302, 0x80090308, 0x80090322
KDC_PROXY, OWN_FIRST, OWN_LAST = 3, 0x4F530101, 0x4F530105


@pytest.mark.parametrize("operation, body", [
    (COMPLETE, octets(19, b"token")), (QUERY_CONTEXT, number(23, 0))])
def test_no_context(daemon, operation, body):
    """0 begins a handshake, and is no context for anything else."""
    link, _ = greet(daemon)
    for context in (0, 1, 1 << 40):
        link.sendall(frame(operation, number(14, context) + body))
        answered, fields = reply(link)
        assert answered == operation and value(fields, 1) == INVALID_HANDLE
    link.close()
    assert serves(daemon)


def test_no_credential(daemon):
    for operation, body in ((STEP, number(14, 0) + number(6, 2) + number(16, 0)), (QUERY_CREDENTIAL, number(23, 1)), (SET_CREDENTIAL, number(23, KDC_PROXY) + octets(24, b"x"))):
        link, _ = greet(daemon)
        link.sendall(frame(operation, number(13, 0) + body))
        assert value(reply(link)[1], 1) == INVALID_HANDLE
        link.close()
    assert serves(daemon)


@pytest.mark.parametrize("high", [0, 1 << 32, 1 << 63])
def test_files_of_callers_are_not_opened(daemon, high):
    """Neither by the numbers of the attributes that name caches, keytabs and keys, nor by numbers that become these when they are cut to 32 bits."""
    for attribute in range(OWN_FIRST, OWN_LAST + 1):
        link, _ = greet(daemon)
        status, credential = acquire(link)
        assert status == 0
        link.sendall(frame(SET_CREDENTIAL, number(13, credential) + number(23, high | attribute) + octets(24, b"FILE:/etc/krb5.keytab\0")))
        if high == 0:
            assert value(reply(link)[1], 1) == UNSUPPORTED
        else:
            assert reply(link) is None  # no number of this protocol: the connection ends
        link.close()
    assert serves(daemon)


def log_on(link, has, proof, operation=LOGON):
    body = text(4, "NTLM") + number(7, has) + text(8, "alice") + text(9, "EXAMPLE") + octets(12, proof)
    link.sendall(frame(operation, body + (number(30, 3) if operation == LOGON else number(6, 2))))
    return value(reply(link)[1], 1)


def test_responses(daemon):
    """Responses that are none, in places where none may be, and of those who may be no servers."""
    link, _ = greet(daemon)
    good = bytes(8) + b"\0" + b"\0\0" + b"\x18\0" + bytes(24) + b"CLIENT\0"
    assert log_on(link, 8, good) == 0x8009030c  # a response, and the wrong one
    for proof in (b"", good[:8], good[:-1], good + b"\xff", good[:8] + b"\2" + good[9:], good[:9] + b"\xff\xff" + good[11:]):
        assert log_on(link, 8, proof) == INVALID_TOKEN
    for has in (9, 10, 12, 24):
        assert log_on(link, has, good) == INVALID_TOKEN
    assert log_on(link, 8, good, ACQUIRE) == INVALID_TOKEN
    link.close()
    for directory in (daemon.directory.parent, daemon.directory.parent.parent):
        directory.chmod(directory.stat().st_mode | 0o011)
    os.seteuid(65534)
    try:
        link, _ = greet(daemon)
    finally:
        os.seteuid(0)
    assert log_on(link, 8, good) == 0x8009030e
    link.close()


HAS_PASSWORD, HAS_HASH = 1, 2


@pytest.mark.parametrize("package", ["NTLM", "Negotiate", "WDigest"])
@pytest.mark.parametrize("user", ["x", "", None])
def test_hashes(daemon, package, user):
    """A password that is called a hash, without its being called a password, or of another length than a hash's."""
    names = (text(8, user) if user is not None else b"") + text(9, "EXAMPLE")
    for operation, rest in ((ACQUIRE, number(6, 2)), (LOGON, number(30, 3))):
        link, _ = greet(daemon)
        for has, password in ((HAS_HASH, bytes(16)), (HAS_HASH, None), (HAS_PASSWORD | HAS_HASH, bytes(15)), (HAS_PASSWORD | HAS_HASH, bytes(17)),
                              (HAS_PASSWORD | HAS_HASH, b""), (HAS_PASSWORD | HAS_HASH, None)):
            status, _ = ask(link, operation, text(4, package) + rest + number(7, has) + names + (octets(11, password) if password is not None else b""))
            assert status == INVALID_TOKEN, (operation, has, password)
        link.close()
    assert serves(daemon)


def test_a_hash(daemon):
    """That is one proves who it is of."""
    link, _ = greet(daemon)
    who = number(7, HAS_PASSWORD | HAS_HASH) + text(8, "alice") + text(9, "EXAMPLE") + octets(11, bytes.fromhex(lsa.ALICE.split(":")[3]))
    status, fields = ask(link, ACQUIRE, text(4, "NTLM") + number(6, 2) + who)
    assert status == 0
    credential = value(fields, 13)
    server = value(ask(link, ACQUIRE, text(4, "NTLM") + number(6, 1))[1], 13)
    assert signs_on(link, credential, link, server)
    link.close()


@pytest.mark.parametrize("use", [0, 3, 4, 7])
def test_steps_are_a_clients_or_a_servers(daemon, use):
    link, _ = greet(daemon)
    _, credential = acquire(link)
    link.sendall(frame(STEP, number(13, credential) + number(14, 0) + number(6, use) + number(16, 0)))
    assert value(reply(link)[1], 1) == INVALID_TOKEN
    link.close()


def random_request(chance):
    """One that is well formed, with values of no meaning; every third time with a byte of it changed, every fourth without form."""
    if chance.random() < 0.25:
        return chance.randint(0, 20), b"".join(struct.pack("<HI", chance.randint(0, 70000) & 0xffff, size) + chance.randbytes(size)
                                               for size in (chance.choice([0, 1, 4, 8, 8, 8, 16, 300]) for _ in range(chance.randint(0, 6))))
    some, words, data = lambda: chance.choice([0, 1, 2, 3, 7, chance.getrandbits(64)]), text(4, chance.choice(["NTLM", "Kerberos", "Negotiate", "None"])), chance.randbytes(40)
    operation, body = chance.choice([
        (ACQUIRE, words + number(6, some())), (RELEASE, number(13, some())), (ABANDON, number(14, some())), (LIST, b""), (LOGOFF, number(29, some())),
        (STEP, number(13, some()) + number(14, some()) + number(6, some()) + number(16, some()) + octets(19, data)), (COMPLETE, number(14, some()) + octets(19, data)),
        (QUERY_CREDENTIAL, number(13, some()) + number(23, some())), (SET_CREDENTIAL, number(13, some()) + number(23, some()) + octets(24, data)),
        (QUERY_CONTEXT, number(14, some()) + number(23, some())), (DESCRIBE, number(29, some())), (TICKETS, words + number(29, some()) + number(6, some())),
        (WRAP, words + number(6, some()) + number(13, some())), (S4U, number(13, some()) + text(8, "somebody")), (LOGON, words + number(30, some()) + octets(12, data))])
    if body and chance.random() < 0.33:
        at = chance.randrange(len(body))
        body = body[:at] + chance.randbytes(1) + body[at + 1:]
    return operation, body


def test_random_frames(daemon):
    """By a client that was greeted: each is answered, in its order, if its operation wants an answer, or ends the connection."""
    chance, n_answered, n_ended = random.Random(6), 0, 0
    for _ in range(400):
        link, _ = greet(daemon)
        requests, answered = [random_request(chance) for _ in range(chance.randint(1, 6))], []
        with contextlib.suppress(OSError):  # the connection has ended
            for operation, body in requests:
                link.sendall(frame(operation, body, sequence=chance.randint(0, 1 << 31)))
            link.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while (told := reply(link)) is not None:
                answered.append(told[0])
        link.close()
        wanted = [operation for operation, _ in requests if operation not in UNANSWERED]
        assert answered == wanted[:len(answered)]
        n_answered, n_ended = n_answered + len(answered), n_ended + (len(answered) < len(wanted))
    assert n_answered > 100 and n_ended > 100, (n_answered, n_ended)
    assert serves(daemon)


def resident(daemon):
    return int(pathlib.Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def allowance(daemon):
    """What memory may grow by; a sanitizer keeps what was freed for a while."""
    maps = pathlib.Path(f"/proc/{daemon.process.pid}/maps").read_text()
    return (512 if "libasan" in maps or "libtsan" in maps else 64) << 20


def test_flood(daemon):
    """Connections that come and go, large frames, closing in mid-reply: memory does not grow without end."""
    large = frame(ACQUIRE, text(4, "NTLM") + number(6, 2) + octets(12, b"k" * 400000))
    for turn in range(3):
        for n in range(300):
            link = connect(daemon)
            link.sendall(frame(HELLO) + (large if n % 10 == 0 else frame(LIST) * 3))
            if n % 2:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.close()
        assert eventually(lambda: serves(daemon))
        if turn == 0:
            first = resident(daemon)
    assert resident(daemon) < first + allowance(daemon)
    assert daemon.process.poll() is None


def flood_unread(link, request, most):
    """Sends and never reads, until nothing more is taken of it or the connection ends; how many bytes were taken."""
    link.settimeout(None)
    link.setblocking(False)
    sent, quiet = 0, time.monotonic()
    while sent < most and time.monotonic() - quiet < 3:
        try:
            sent += link.send(request)
            quiet = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            break
    return sent


def test_replies_that_nobody_fetches(daemon):
    """Who does not read is not read: neither one connection nor many make the daemon keep replies without end, and others are served meanwhile."""
    status, credential = 0, 0
    link, name = greet(daemon)
    status, credential = acquire(link)
    assert status == 0
    question = frame(QUERY_CREDENTIAL, number(13, credential) + number(23, 1)) * 400
    before = resident(daemon)
    links = [link] + [greet(daemon, name)[0] for _ in range(7)]
    taken = [flood_unread(each, question, 32 << 20) for each in links]
    # What sockets hold, what may wait here, and what was read with it; without a bound it would be all of it.
    assert max(taken) < 8 << 20
    assert serves(daemon)
    assert resident(daemon) < before + allowance(daemon)
    # And who fetches them after all gets each of them, in order.
    link.setblocking(True)
    link.settimeout(lsa.ANSWER_SECONDS)
    n_replies = 0
    for _ in range(taken[0] // len(frame(QUERY_CREDENTIAL, number(13, credential) + number(23, 1)))):
        operation, fields = reply(link)
        assert operation == QUERY_CREDENTIAL and value(fields, 1) == 0
        n_replies += 1
    assert n_replies > 1000
    for each in links:
        each.close()
    assert eventually(lambda: serves(daemon))


WHO_ALICE = number(7, 1) + text(9, "EXAMPLE")


@pytest.mark.parametrize("request_body, word", [
    (number(7, 1) + text(8, "a" * 4096) + octets(11, b"p\0"), b"user's name"),
    (WHO_ALICE + text(8, "alice") + octets(11, b"p\0" * 2049), b"password"),
    (number(7, 1) + text(8, "alice") + text(9, "d" * 4096) + octets(11, b"p\0"), b"domain"),
    (number(7, 4) + text(8, "alice") + octets(12, b"\x05\x02" + bytes(65535)), b"keytab"),
    (text(5, "p" * 4096), b"principal"),
], ids=["user", "password", "domain", "keytab", "principal"])
def test_too_long_to_be_kept(daemon, request_body, word):
    """With a word each, and the connection goes on."""
    link, _ = greet(daemon)
    link.sendall(frame(ACQUIRE, text(4, "NTLM") + number(6, 2) + request_body))
    _, fields = reply(link)
    assert value(fields, 1) == NO_MEMORY and word in fields[2]
    assert acquire(link)[0] == 0
    link.close()


KEYTAB = b"\x05\x02" + (struct.pack(">i", 41) + struct.pack(">H", 1) + struct.pack(">H", 1) + b"R" + struct.pack(">H", 1) + b"u" +
                         struct.pack(">IIBHH", 1, 0, 1, 17, 16) + bytes(16) + struct.pack(">I", 1)) * 1400
WITH_KEYTAB = frame(ACQUIRE, text(4, "Kerberos") + number(6, 2) + number(7, 4) + text(8, "u@R") + octets(12, KEYTAB))
SERVER_WITH_KEYTAB = frame(ACQUIRE, text(4, "Kerberos") + number(6, 1) + number(7, 4) + text(8, "u@R") + octets(12, KEYTAB))


def der(tag, *parts):
    content = b"".join(parts)
    size = bytes([len(content)]) if len(content) < 128 else b"\x82" + struct.pack(">H", len(content))
    return bytes([tag]) + size + content


def ap_req(size):
    """With a ticket for host/other@R (RFC 4120 5.5.1) that no key opens: random bytes, of type 17."""
    name = der(0x30, der(0xa0, der(2, b"\2")), der(0xa1, der(0x30, der(0x1b, b"host"), der(0x1b, b"other"))))
    parts = [der(0x30, der(0xa0, der(2, b"\x11")), der(0xa1, der(2, b"\3")), der(0xa2, der(4, os.urandom(n)))) for n in (size, 60)]
    ticket = der(0x61, der(0x30, der(0xa0, der(2, b"\5")), der(0xa1, der(0x1b, b"R")), der(0xa2, name), der(0xa3, parts[0])))
    return der(0x6e, der(0x30, der(0xa0, der(2, b"\5")), der(0xa1, der(2, b"\x0e")), der(0xa2, der(3, bytes(5))), der(0xa3, ticket), der(0xa4, parts[1])))


def kept_until_refused(link, once, most):
    """How often `once` succeeds before the daemon says no; a bound, beyond which it says yes for ever."""
    for n_kept in range(most):
        link.sendall(once[0])
        _, fields = reply(link)
        if value(fields, 1) & 0x80000000:
            assert value(fields, 1) == NO_MEMORY and b"memory" in fields[2], fields
            return n_kept
        for release in once[1:]:
            if not release(link, fields):
                return n_kept
    return most


def resident_kib(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def test_bytes_that_are_kept(tmp_path):
    """Not only how many credentials a user has is bounded, but also what they hold; keytabs count as what they become."""
    with lsa.Daemon(tmp_path, "user_credentials = 100000\n") as running:
        link, _ = greet(running)
        before = resident_kib(running)
        n_kept = kept_until_refused(link, [WITH_KEYTAB], 2000)
        assert 50 < n_kept < 75  # of 9 times 62 KiB each in 32 MiB
        if "ASAN_OPTIONS" not in os.environ:
            assert resident_kib(running) - before < 40 * 1024
        other, _ = greet(running)
        other.sendall(frame(LIST))
        assert value(reply(other)[1], 1) == 0
        link.close()
        assert eventually(lambda: acquire(greet(running)[0])[0] == 0)
        other.close()


def wrapped_and_released(link, fields):
    """The credential stays with the one that stands on it, whatever its own handle."""
    credential = number(13, value(fields, 13))
    link.sendall(frame(WRAP, text(4, "Negotiate") + number(6, 2) + credential))
    _, made = reply(link)
    link.sendall(frame(RELEASE, credential))
    return value(made, 1) == 0


def stepped_and_released(link, fields):
    credential = value(fields, 13)
    status, _ = begin(link, credential)
    link.sendall(frame(RELEASE, number(13, credential)))
    return status == 0x90312


def keys_read(link, fields):
    """A server's keys stay in memory once they have been tried."""
    status, answer = step(link, value(fields, 13), 0, 1, ap_req(1000))
    return status == WRONG_PRINCIPAL and b"no key of the keytab opens" in answer[2]


def test_keys_that_are_kept(tmp_path):
    """What a keytab becomes is both libkrb5's and ours."""
    with lsa.Daemon(tmp_path, "user_credentials = 100000\n") as running:
        link, _ = greet(running)
        before = resident_kib(running)
        assert 50 < kept_until_refused(link, [SERVER_WITH_KEYTAB, keys_read], 200) < 75  # of 9 times 62 KiB each in 32 MiB
        if "ASAN_OPTIONS" not in os.environ:
            assert resident_kib(running) - before < 40 * 1024
        link.close()


def test_long_tickets(tmp_path):
    """That no key opens: on each some of many keys are tried, and no more."""
    with lsa.Daemon(tmp_path) as running:
        link, _ = greet(running)
        link.sendall(SERVER_WITH_KEYTAB)
        credential = value(reply(link)[1], 13)
        for size, words in ((1000, b"no key of the keytab opens"), (46000, b"no more are tried")):
            for _ in range(3):
                status, answer = step(link, credential, 0, 1, ap_req(size))
                assert status == WRONG_PRINCIPAL and words in answer[2]
        link.close()
        assert serves(running)


LONG_NTLM = frame(ACQUIRE, text(4, "NTLM") + number(6, 2) + number(7, 1) + text(8, "a" * 4000) + text(9, "d" * 4000) + octets(11, b"p\0" * 2000))


@pytest.mark.parametrize("request_frame, then, least, most", [
    (WITH_KEYTAB, wrapped_and_released, 50, 75),      # of 9 times 62 KiB in 32 MiB
    (LONG_NTLM, stepped_and_released, 2000, 2800),    # of 12 KiB
], ids=["wrapped", "stepped"])
def test_bytes_that_are_kept_by_others(tmp_path, request_frame, then, least, most):
    """A credential that was released counts while a handshake or another credential holds it, and no longer."""
    with lsa.Daemon(tmp_path, "user_credentials = 100000\nuser_contexts = 100000\n") as running:
        link, _ = greet(running)
        before = resident_kib(running)
        assert least < kept_until_refused(link, [request_frame, then], 2 * most) < most
        if "ASAN_OPTIONS" not in os.environ:
            assert resident_kib(running) - before < 64 * 1024
        link.close()
        again, _ = greet(running)
        assert eventually(lambda: acquire(again)[0] == 0)
        for _ in range(most):  # what ends gives all of it back: this goes on for ever
            again.sendall(request_frame)
            _, fields = reply(again)
            assert value(fields, 1) == 0
            credential = value(fields, 13)
            if then is stepped_and_released:
                _, context = begin(again, credential)
                again.sendall(frame(RELEASE, number(13, credential)) + frame(ABANDON, number(14, context)))
            else:
                again.sendall(frame(WRAP, text(4, "Negotiate") + number(6, 2) + number(13, credential)))
                _, made = reply(again)
                again.sendall(frame(RELEASE, number(13, credential)) + frame(RELEASE, number(13, value(made, 13))))
        assert kept_until_refused(again, [request_frame, then], 2 * most) > least
        again.close()


def test_places_that_are_kept(tmp_path):
    """So does its place among the credentials of a user."""
    with lsa.Daemon(tmp_path, "user_credentials = 5\nuser_contexts = 100\n") as running:
        link, _ = greet(running)
        contexts = []
        for _ in range(5):
            status, credential = acquire(link)
            assert status == 0
            contexts.append(begin(link, credential)[1])
            link.sendall(frame(RELEASE, number(13, credential)))
            assert begin(link, credential)[0] == INVALID_HANDLE
        assert acquire(link)[0] == NO_MEMORY
        link.sendall(frame(ABANDON, number(14, contexts[0])))
        assert acquire(link)[0] == 0
        link.close()


def late(running, name, ask):
    """A client's connection whose request the daemon reads when nobody waits for the answer any more."""
    link, _ = greet(running, name)
    running.process.send_signal(signal.SIGSTOP)
    try:
        link.sendall(ask)
        link.close()
    finally:
        running.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("use", [2, 1], ids=["in_the_loop", "on_a_worker"])
def test_late_answers_leave_no_credentials(tmp_path, use):
    """What nobody learned the name of is given back at once, while the client lives on by another connection."""
    with lsa.Daemon(tmp_path, "user_credentials = 2\nuser_contexts = 2\n") as running:
        link, name = greet(running)
        who = number(7, 1) + text(8, "alice") + text(9, "EXAMPLE") + octets(11, "Password1!".encode("utf-16le"))
        for _ in range(4):
            late(running, name, frame(ACQUIRE, text(4, "NTLM") + number(6, use) + (who if use == 2 else b"")))
        made = []
        assert eventually(lambda: made.append(acquire(link)) or made[-1][0] == 0)
        credential = made[-1][1]
        for _ in range(4):
            late(running, name, frame(STEP, number(13, credential) + number(14, 0) + number(6, 2) + number(16, 0)))
        assert eventually(lambda: begin(link, credential)[0] == 0x90312)
        assert begin(link, credential)[0] == 0x90312 and begin(link, credential)[0] == NO_MEMORY
        assert acquire(link)[0] == 0 and acquire(link)[0] == NO_MEMORY
        link.close()


@pytest.mark.parametrize("use", [2, 1], ids=["in_the_loop", "on_a_worker"])
def test_who_reads_no_more(tmp_path, use):
    """A client that gave up waiting lives on by that very connection; the credential of the late answer is given back, and the connection serves nobody."""
    with lsa.Daemon(tmp_path, "user_credentials = 2\nuser_contexts = 2\n") as running:
        link, name = greet(running)
        who = number(7, 1) + text(8, "alice") + text(9, "EXAMPLE") + octets(11, "Password1!".encode("utf-16le"))
        status, kept = acquire(link)
        assert status == 0
        for _ in range(4):
            running.process.send_signal(signal.SIGSTOP)
            try:
                link.sendall(frame(ACQUIRE, text(4, "NTLM") + number(6, use) + (who if use == 2 else b"")))
                link.shutdown(socket.SHUT_RD)
            finally:
                running.process.send_signal(signal.SIGCONT)
            time.sleep(0.05)  # the daemon has no other word of this connection
            again, same = greet(running, name)
            assert same == name
            link.close()
            link = again
        made = []
        assert eventually(lambda: made.append(acquire(link)) or made[-1][0] == 0)
        assert acquire(link)[0] == NO_MEMORY
        assert begin(link, kept)[0] == 0x90312
        unheard, _ = greet(running, name)
        unheard.shutdown(socket.SHUT_RD)
        unheard.sendall(frame(STEP, number(13, kept) + number(14, 0) + number(6, 2) + number(16, 0)))
        assert eventually(lambda: has_ended(unheard, frame(RELEASE, number(13, kept))))
        assert begin(link, kept)[0] == 0x90312 and begin(link, kept)[0] == NO_MEMORY  # neither begun nor released there
        link.close()


def has_ended(link, request):
    try:
        link.sendall(request)
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_a_second_daemon(daemon):
    """A socket that is served is not taken; one that a dead daemon left is."""
    second = subprocess.run([str(lsa.PROGRAM)], env=daemon.env, capture_output=True, text=True, timeout=lsa.ANSWER_SECONDS, check=False)
    assert second.returncode != 0 and "somebody serves it" in second.stderr
    assert serves(daemon)
    daemon.process.kill()
    daemon.process.wait()
    assert daemon.socket.exists()
    daemon.start()
    assert serves(daemon)


def test_daemons_that_start_at_once(tmp_path):
    """Over a socket that a dead daemon left, one gets the place, and no other takes it away while that one does not yet serve."""
    left = lsa.Daemon(tmp_path)
    left.start()
    left.process.kill()
    left.process.wait()
    for _ in range(5):
        assert left.socket.exists()
        several = [subprocess.Popen([str(lsa.PROGRAM)], env=left.env, stderr=subprocess.PIPE, text=True, preexec_fn=lsa.die_with_parent) for _ in range(6)]
        try:
            assert eventually(lambda several=several: sum(process.poll() is None for process in several) <= 1)
            running = [process for process in several if process.poll() is None]
            assert len(running) == 1
            assert all("somebody serves it" in process.stderr.read() for process in several if process not in running)
            link, _ = greet(left)
            link.close()
            assert sorted(entry.name for entry in tmp_path.iterdir()) == ["lsa.sock", "lsad.log", "opensspi.conf", "sam"]
        finally:
            for process in several:
                process.kill()
                process.wait()
                process.stderr.close()
