"""The daemon's socket as strangers use it: floods, halves, wrong lengths and versions, other clients' objects. Afterwards it serves as before."""
import contextlib
import os
import pathlib
import random
import socket
import struct
import subprocess
import time

import lsa
import pytest

HELLO, ACQUIRE, RELEASE, STEP, ABANDON, LOGOFF, LIST = 1, 2, 3, 4, 5, 14, 15
INVALID_HANDLE, NO_MEMORY = 0x80090301, 0x80090300


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with lsa.Daemon(tmp_path_factory.mktemp("lsa"), "user_connections = 200\nuser_credentials = 40\nuser_contexts = 50\n") as running:
        yield running


def connect(daemon):
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(15)
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
        link.settimeout(30)
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


COMPLETE, QUERY_CREDENTIAL, SET_CREDENTIAL, QUERY_CONTEXT = 6, 7, 8, 9
UNSUPPORTED, INVALID_TOKEN = 0x80090302, 0x80090308
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


LOGON = 13


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


@pytest.mark.parametrize("use", [0, 3, 4, 7])
def test_steps_are_a_clients_or_a_servers(daemon, use):
    link, _ = greet(daemon)
    _, credential = acquire(link)
    link.sendall(frame(STEP, number(13, credential) + number(14, 0) + number(6, use) + number(16, 0)))
    assert value(reply(link)[1], 1) == INVALID_TOKEN
    link.close()


def test_random_frames(daemon):
    """Frames with random fields, by a client that was greeted: each is answered or ends the connection."""
    chance = random.Random(6)
    for _ in range(400):
        link, _ = greet(daemon)
        for _ in range(chance.randint(1, 6)):
            body = b"".join(struct.pack("<HI", chance.choice([chance.randint(0, 40), chance.randint(0, 70000) & 0xffff]), size) + chance.randbytes(size)
                            for size in (chance.choice([0, 1, 4, 8, 8, 8, 16, 300]) for _ in range(chance.randint(0, 6))))
            try:
                link.sendall(frame(chance.randint(0, 20), body, sequence=chance.randint(0, 1 << 31)))
            except (BrokenPipeError, ConnectionResetError):
                break
        link.close()
    assert serves(daemon)


def test_flood(daemon):
    """Connections that come and go, large frames, closing in mid-reply: memory does not grow without end."""
    def resident():
        return int(pathlib.Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
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
            first = resident()
    sanitized = "libasan" in pathlib.Path(f"/proc/{daemon.process.pid}/maps").read_text()  # which keeps freed memory for a while
    assert resident() < first + ((512 if sanitized else 64) << 20)
    assert daemon.process.poll() is None


def test_a_second_daemon(daemon):
    """A socket that is served is not taken; one that a dead daemon left is."""
    second = subprocess.run([str(lsa.PROGRAM)], env=daemon.env, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode != 0 and "somebody serves it" in second.stderr
    assert serves(daemon)
    daemon.process.kill()
    daemon.process.wait()
    assert daemon.socket.exists()
    daemon.start()
    assert serves(daemon)
