"""The command `sspi`: everything but accounts and groups. Handshakes are real, each between two commands over loopback."""
import base64
import json
import os
import pty
import re
import select
import socket
import struct
import subprocess
import time

import pytest

SSPI = os.environ["OPENSSPI_SSPI"]
SOURCE = os.environ["OPENSSPI_SOURCE"]
BUILD = os.environ["OPENSSPI_BUILD"]
PASSWORD = "pw"
TOKENS = os.path.join(SOURCE, "tests", "fuzz", "corpus")


class Place:
    """A private directory with a configuration, a store and an account EXAMPLE\\alice."""

    def __init__(self, directory):
        self.directory = directory
        os.chmod(directory, 0o700)
        (directory / "conf").write_text(f"[names]\ncomputer = HOST\n[accounts]\nstores = sqlite:{directory}/accounts.db\n")
        (directory / "krb5.conf").write_text("[libdefaults]\n")
        self.environment = {
            "PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(directory), "OPENSSPI_CONFIG": str(directory / "conf"),
            "KRB5_CONFIG": str(directory / "krb5.conf"), "KRB5CCNAME": f"FILE:{directory}/none",
            "KRB5_KTNAME": f"FILE:{directory}/none.keytab"}
        self.environment.update({k: v for k, v in os.environ.items() if k.endswith("_OPTIONS") or k == "LD_LIBRARY_PATH"})

    def run(self, *words, stdin=b""):
        return subprocess.run([SSPI, *words], input=stdin, capture_output=True, env=self.environment, timeout=60)

    def good(self, *words, stdin=b""):
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def bad(self, code, *words, stdin=b""):
        done = self.run(*words, stdin=stdin)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert done.stderr
        return done.stderr.decode()

    def listen(self, *words):
        server = subprocess.Popen([SSPI, "listen", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=self.environment)
        first = server.stderr.readline().decode()
        found = re.match(r"listening: (\S+) port (\d+)", first)
        assert found, first + server.stderr.read().decode()
        return server, found.group(2)

    def talk(self, words, to_server, to_client, listen):
        """Runs both sides; each side says one thing. Gives (client's result, server's output, server's messages, server's code)."""
        server, port = self.listen(*listen)
        server.stdin.write(to_client)
        server.stdin.close()
        server.stdin = None
        client = subprocess.run([SSPI, "connect", f"localhost:{port}", *words], input=to_server, capture_output=True,
                                env=self.environment, timeout=60)
        out, messages = server.communicate(timeout=60)
        return client, out, messages.decode(), server.returncode


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    place.good("account", "add", "alice", "--domain", "EXAMPLE", stdin=b"pw\n")
    return place


def on_terminal(place, words, answers):
    """Runs the command on a terminal; after each prompt in `answers` types what belongs to it. Gives its code and all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(SSPI, [SSPI, *words], place.environment)
    shown, deadline = b"", time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if answers and answers[0][0] in shown:
            os.write(terminal, answers.pop(0)[1])
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return code, shown.decode()


COMMANDS = ["packages", "whoami", "creds", "connect", "listen", "get", "decode", "error", "doctor", "bench", "completion"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_misuse(place, command):
    text = place.good(command, "--help")
    assert text.startswith(f"usage: sspi {command} ")
    assert "--help" in text
    place.bad(2, command, "--nonsense")
    place.bad(2, command, "too", "many", "operands")


@pytest.mark.parametrize("words", [["connect"], ["listen"], ["get"], ["error"], ["completion"], ["completion", "zsh"], ["connect", "noport"],
                                   ["connect", "h:1", "--flags", "nonsense"], ["connect", "h:1", "--package"], ["get", "x:y:z"],
                                   ["get", "http://h/", "--package", "Kerberos"], ["listen", "0", "--package", "Schannel"],
                                   ["listen", "0", "--package", "NTLM", "--certificate", "x"], ["bench", "--package", "Schannel"],
                                   ["connect", "h:1", "--user", "a", "--lock"], ["decode", "--user", "a"]])
def test_wrong_usage(place, words):
    place.bad(2, *words)


def test_account_in_whichever_domain(place):
    assert "EXAMPLE" in place.good("account", "show", "alice")
    assert "EXAMPLE" in place.good("account", "show", "ALICE")
    place.good("account", "add", "alice", "--domain", "OTHER", stdin=b"pw\n")
    message = place.bad(1, "account", "show", "alice")
    assert "EXAMPLE\\alice" in message and "OTHER\\alice" in message
    assert "OTHER" in place.good("account", "show", "OTHER\\alice")
    place.bad(1, "account", "remove", "alice")
    place.good("account", "add", "alice", stdin=b"pw\n")
    assert "(this computer's)" in place.good("account", "show", "alice", "--domain", "")
    assert "(this computer's)" in place.good("account", "show", "\\alice")


def test_lists(place):
    names = [package["name"] for package in json.loads(place.good("packages", "--json"))]
    assert {"NTLM", "Negotiate", "Kerberos", "Schannel"} <= set(names)
    who = json.loads(place.good("whoami", "--json"))
    assert who["uid"] == os.getuid() and "NTLM" in who
    creds = json.loads(place.good("creds", "--json"))
    assert {(c["package"], c["side"]) for c in creds} >= {("NTLM", "client"), ("NTLM", "server")}
    assert "nobody" in place.good("creds")


def test_default_user_is_named(place):
    users = place.directory / "users"
    users.write_text("EXAMPLE:alice:pw\n")
    users.chmod(0o600)
    with open(place.directory / "conf", "a") as conf:
        conf.write(f"[credentials]\nuser_file = {users}\n")
    assert json.loads(place.good("whoami", "--json"))["NTLM"] == "EXAMPLE\\alice"
    client, out, _, code = place.talk(["--package", "NTLM"], b"hello\n", b"welcome\n", ["0", "--package", "NTLM"])
    assert client.returncode == 0 and code == 0 and out == b"hello\n" and client.stdout == b"welcome\n"


@pytest.mark.parametrize("package", ["NTLM", "Negotiate"])
def test_chat(place, package):
    client, out, messages, code = place.talk(["--package", package, "--user", "EXAMPLE\\alice", "--verbose"],
                                             b"pw\nhello\nworld\n", b"welcome\n", ["0", "--package", package])
    assert client.returncode == 0, client.stderr
    assert code == 0 and out == b"hello\nworld\n" and client.stdout == b"welcome\n"
    assert "EXAMPLE\\alice" in messages and "confidentiality" in messages
    assert b"step: " in client.stderr and b"pw" not in client.stderr


def test_chat_large(place):
    text = bytes(range(256)) * 1024
    client, out, _, code = place.talk(["--package", "NTLM", "--user", "EXAMPLE\\alice"], b"pw\n" + text, b"",
                                      ["0", "--package", "NTLM"])
    assert client.returncode == 0 and code == 0 and out == text


def test_chat_signed_only(place):
    client, out, _, code = place.talk(["--package", "NTLM", "--user", "EXAMPLE\\alice", "--flags", "integrity"], b"pw\nhello\n", b"",
                                      ["0", "--package", "NTLM", "--flags", "integrity"])
    assert client.returncode == 0 and code == 0 and out == b"hello\n"
    assert b"signed, not sealed" in client.stderr


def test_wrong_password_is_refused(place):
    client, out, messages, code = place.talk(["--package", "NTLM", "--user", "EXAMPLE\\alice"], b"wrong\nhello\n", b"",
                                             ["0", "--package", "NTLM"])
    assert client.returncode == 3 and code == 3 and out == b""
    assert b"SEC_E_LOGON_DENIED" in client.stderr and "SEC_E_LOGON_DENIED" in messages


def test_terminal(place):
    """The password is asked for and not shown; what the peer says cannot steer the terminal."""
    server, port = place.listen("0", "--package", "NTLM")
    server.stdin.write(b"wel\x1b[31mcome\n")
    server.stdin.close()
    server.stdin = None
    code, shown = on_terminal(place, ["connect", f"localhost:{port}", "--package", "NTLM", "--user", "EXAMPLE\\alice"],
                              [(b"Password for EXAMPLE\\alice: ", b"pw\n")])
    out, _ = server.communicate(timeout=60)
    assert code == 0, shown
    assert "pw" not in shown and "wel\\x1b[31mcome" in shown and "\x1b" not in shown and out == b""


def test_terminal_colours(place):
    file = place.directory / "token"
    file.write_bytes(token("ntlm_messages", "challenge"))
    code, shown = on_terminal(place, ["decode", str(file)], [])
    assert code == 0 and "\x1b[1mNTLM" in shown
    place.environment["NO_COLOR"] = "1"
    code, shown = on_terminal(place, ["decode", str(file)], [])
    assert code == 0 and "\x1b" not in shown


def test_different_packages(place):
    client, _, messages, code = place.talk(["--package", "NTLM", "--user", "EXAMPLE\\alice"], b"pw\n", b"",
                                           ["0", "--package", "Kerberos"])
    assert client.returncode == 3 and code == 3 and "SEC_E_" in messages


def test_nobody_there(place):
    server, port = place.listen("0", "--package", "NTLM")
    server.kill()
    server.communicate()
    assert "cannot connect" in place.bad(4, "connect", f"127.0.0.1:{port}", "--package", "NTLM", "--user", "a", stdin=b"pw\n")
    place.bad(4, "get", f"http://127.0.0.1:{port}/")


def test_peer_that_speaks_otherwise(place):
    server, port = place.listen("0", "--package", "NTLM")
    with socket.create_connection(("127.0.0.1", int(port))) as wrong:
        wrong.sendall(b"GET / HTTP/1.0\r\n\r\n")
    _, messages = server.communicate(timeout=30)
    assert server.returncode == 1 and b"does not speak" in messages


@pytest.fixture
def pki(place):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", place.directory / "key.pem", "-out",
                    place.directory / "cert.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "3"],
                   check=True, capture_output=True)
    return ["0", "--package", "Schannel", "--certificate", str(place.directory / "cert.pem"), "--key", str(place.directory / "key.pem")]


def test_tls_chat(place, pki):
    words = ["--package", "Schannel", "--ca", str(place.directory / "cert.pem")]
    client, out, _, code = place.talk(words, b"hello\n" * 5000, b"welcome\n", pki)
    assert client.returncode == 0, client.stderr
    assert code == 0 and out == b"hello\n" * 5000 and client.stdout == b"welcome\n"


def test_tls_untrusted(place, pki):
    client, out, _, code = place.talk(["--package", "Schannel"], b"hello\n", b"", pki)
    assert client.returncode == 3 and b"SEC_E_UNTRUSTED_ROOT" in client.stderr and out == b"" and code != 0
    client, out, _, code = place.talk(["--package", "Schannel", "--insecure"], b"hello\n", b"", pki)
    assert client.returncode == 0 and out == b"hello\n"


def test_tls_openssl(place, pki):
    """Any TLS server will do."""
    server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", place.directory / "cert.pem", "-key",
                               place.directory / "key.pem", "-www"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = None
        while port is None:
            line = server.stdout.readline().decode()
            assert line, "openssl ended"
            found = re.search(r"ACCEPT .*:(\d+)", line)
            port = found and found.group(1)
        done = place.run("connect", f"localhost:{port}", "--package", "Schannel", "--ca", str(place.directory / "cert.pem"),
                         stdin=b"GET / HTTP/1.0\r\n\r\n")
        assert b"200 ok" in done.stdout and done.returncode == 0, done.stderr
    finally:
        server.kill()
        server.communicate()


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
    certificate = str(place.directory / "cert.pem")
    with Web(place, "-c", certificate, "-k", str(place.directory / "key.pem")) as web:
        words = ["get", f"https://localhost:{web.port}/", "--user", "EXAMPLE\\alice", "--package"]
        for package in ("NTLM", "Negotiate"):
            assert "alice" in place.good(*words, package, "--ca", certificate, stdin=b"pw\n")
            assert "alice" in place.good(*words, package, "--insecure", stdin=b"pw\n")
        assert "--ca" in place.bad(3, *words, "NTLM", stdin=b"pw\n")


def test_get_elsewhere(place):
    with Web(place) as web:
        assert "404" in place.bad(1, "get", f"http://127.0.0.1:{web.port}/nonsense", "--user", "EXAMPLE\\alice", stdin=b"pw\n")


def test_bench(place):
    found = json.loads(place.good("bench", "--package", "NTLM", "--user", "EXAMPLE\\alice", "--json", "--seconds", "1", stdin=b"pw\n"))
    assert found["handshakes_per_second"] > 0 and found["sealed_megabytes_per_second"] > 0
    place.bad(3, "bench", "--package", "NTLM", "--user", "EXAMPLE\\alice", stdin=b"wrong\n")


def test_trace(place):
    done = place.run("--trace", "bench", "--package", "NTLM", "--user", "EXAMPLE\\alice", "--seconds", "0", stdin=b"secret-word\n")
    assert done.returncode == 3 and done.stderr.count(b"\n") > 5 and b"ntlm" in done.stderr and b"secret-word" not in done.stderr
    place.bad(2, "--trace")


def test_error(place):
    for text in ("0x80090308", "80090308", "-2146893048", "2148074248", "SEC_E_INVALID_TOKEN", "sec_e_invalid_token"):
        assert place.good("error", text).startswith("SEC_E_INVALID_TOKEN, 0x80090308")
    found = json.loads(place.good("error", "0xC0000234", "--json"))
    assert found["name"] == "STATUS_ACCOUNT_LOCKED_OUT" and found["advice"]
    place.bad(1, "error", "nonsense")
    place.bad(1, "error", "0x12345678")


def test_every_status_has_the_name_it_says(place):
    """The table of meanings agrees with the library's names."""
    with open(os.path.join(SOURCE, "cli", "error.c")) as file:
        table = re.findall(r"^    \{(0x[0-9A-Fa-f]{8}),", file.read(), re.M)
    assert len(table) > 40
    for status in table:
        assert not place.good("error", status).startswith("(no name)"), status


def test_doctor(place):
    found = {check["check"]: check for check in json.loads(place.good("doctor", "--json"))}
    assert found["configuration"]["verdict"] == "good" and found["accounts"]["verdict"] == "good"
    assert found["keytab"]["verdict"] == "note" and "KRB5_KTNAME" in found["keytab"]["advice"]
    os.chmod(place.directory / "accounts.db", 0o644)
    assert "can be read by others" in place.run("doctor").stdout.decode()
    os.chmod(place.directory / "accounts.db", 0o600)
    (place.directory / "conf").write_text("[ntlm]\nnonsense = 1\n")
    done = place.run("doctor")
    assert done.returncode == 1 and "conf:2" in done.stdout.decode()


def test_completion(place):
    script = place.directory / "completion"
    script.write_text(place.good("completion", "bash"))

    def complete(*words):
        listed = " ".join(f"'{word}'" for word in words)
        text = f"source {script}; COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _sspi; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        return subprocess.run(["bash", "-c", text], capture_output=True, check=True, cwd=place.directory).stdout.decode().split()

    assert set(COMMANDS) < set(complete("sspi", ""))
    assert complete("sspi", "wh") == ["whoami"]
    assert "passwd" in complete("sspi", "account", "")
    assert complete("sspi", "account", "passwd", "--must") == ["--must-change"]
    assert complete("sspi", "connect", "--pack") == ["--package"]
    assert complete("sspi", "connect", "--package", "Neg") == ["Negotiate"]


def token(folder, name):
    with open(os.path.join(TOKENS, folder, name), "rb") as file:
        return file.read()


def test_decode_golden(place):
    """One token in every wrapping, one answer."""
    message = token("ntlm_messages", "authenticate")
    golden = open(os.path.join(SOURCE, "tests", "cli", "decode_authenticate.txt")).read()
    file = place.directory / "token"
    file.write_bytes(message)
    text = base64.b64encode(message).decode()
    assert place.good("decode", str(file)) == golden
    assert place.good("decode", stdin=message) == golden
    assert place.good("decode", text) == golden
    assert place.good("decode", text.rstrip("=")) == golden
    assert place.good("decode", message.hex()) == golden
    assert place.good("decode", message.hex(":")) == golden
    indented = "".join("  " + line + "\n" for line in golden.splitlines())
    log = f"GET / HTTP/1.1\r\n> Authorization: NTLM {text}\r\nHost: x\r\n"
    assert place.good("decode", stdin=log.encode()) == "found: line 2\n" + indented


def test_decode_json(place):
    for folder in ("ntlm_messages", "negotiate_tokens", "decode"):
        for name in os.listdir(os.path.join(TOKENS, folder)):
            done = place.run("decode", "--json", stdin=token(folder, name))
            assert done.returncode in (0, 1)
            json.loads(done.stdout)


def test_decode_nested(place):
    text = place.good("decode", stdin=token("negotiate_tokens", "init_mic"))
    assert "NegTokenInit" in text and "NTLM: NEGOTIATE" in text and "mechListMIC" in text


def test_decode_wrong(place):
    message = token("ntlm_messages", "authenticate")
    assert "WRONG: user: " in place.good("decode", stdin=message[:100])
    assert "lie outside" in place.good("decode", stdin=message[:100])
    place.bad(1, "decode", "no token at all")
    place.bad(1, "decode", stdin=b"")
    place.bad(1, "decode", str(place.directory))


def test_decode_steers_no_terminal(place):
    message = bytearray(token("ntlm_messages", "authenticate"))
    at = message.index("alice".encode("utf-16-le"))
    message[at:at + 10] = "\x1b]0;\x07".encode("utf-16-le")
    done = place.run("decode", stdin=bytes(message))
    assert b"\x1b" not in done.stdout and b"\\x1b]0;\\x07" in done.stdout


def tcp_packet(source, target, seq, payload, syn=False):
    tcp = struct.pack(">HHIIBBHHH", source, target, seq, 0, 5 << 4, 2 if syn else 0x18, 65535, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2]))
    return bytes(12) + b"\x08\x00" + ip + tcp


def pcap(packets):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for packet in packets:
        out += struct.pack("<IIII", 1700000000, 0, len(packet), len(packet)) + packet
    return out


def pcapng(packets):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 65535))
    for packet in packets:
        time = 1700000000 * 1000000
        out += block(6, struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(packet), len(packet)) + packet)
    return out


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_decode_capture(place, form):
    text = b"GET / HTTP/1.1\r\nAuthorization: NTLM " + base64.b64encode(token("ntlm_messages", "authenticate")) + b"\r\n\r\n"
    smb = b"\x00\x00\xfeSMB" + token("ntlm_messages", "challenge") + b"after"
    half = len(text) // 2
    packets = [tcp_packet(1000, 80, 99, b"", syn=True), tcp_packet(1000, 80, 100, text[:half]),
               tcp_packet(1000, 80, 100, text[:half]),  # sent twice
               tcp_packet(1000, 80, 100 + half, text[half:]), tcp_packet(445, 1001, 7, smb)]
    shown = place.good("decode", stdin=form(packets))
    assert "127.0.0.1 port 1000 to 127.0.0.2 port 80" in shown and "2023-11-14 22:13:20 UTC" in shown
    assert "NTLM: AUTHENTICATE" in shown and "NTLM: CHALLENGE" in shown and "user: alice" in shown
    assert "WRONG" not in shown
    gap = place.good("decode", stdin=form(packets[:2] + [tcp_packet(1000, 80, 5000, text[half:])] + packets[4:]))
    assert "segments are missing" in gap
    cut = place.good("decode", stdin=form(packets)[:-5] + b"")
    assert "ends in the middle" in cut


def test_decode_tls(place, pki):
    record = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:1"], capture_output=True, input=b"")  # nobody is there
    assert record.returncode != 0
    hello = bytes.fromhex("0301" + "00" * 32 + "00" + "0004" + "1301" + "c02f" + "0100" + "000e" + "0000" + "000a" + "0008" + "000005") + b"a.com"
    body = b"\x01" + len(hello).to_bytes(3, "big") + hello
    shown = place.good("decode", stdin=b"\x16\x03\x01" + struct.pack(">H", len(body)) + body + b"\x15\x03\x03\x00\x02\x02\x30")
    assert "ClientHello" in shown and "TLS_AES_128_GCM_SHA256" in shown and "server name: a.com" in shown
    assert "fatal 48 (unknown_ca" in shown and "WRONG" not in shown


def test_decode_credssp(place):
    ntlm = token("ntlm_messages", "challenge")

    def der(tag, content):
        size = len(content)
        return bytes([tag]) + (bytes([size]) if size < 128 else b"\x81" + bytes([size]) if size < 256 else b"\x82" + size.to_bytes(2, "big")) + content

    request = der(0x30, der(0xA0, b"\x02\x01\x06") + der(0xA1, der(0x30, der(0x30, der(0xA0, der(0x04, ntlm))))))
    shown = place.good("decode", stdin=request)
    assert "CredSSP: TSRequest" in shown and "version: 6" in shown and "NTLM: CHALLENGE" in shown


def test_kerberos_error(place):
    message = bytes.fromhex("7e3e303ca003020105a10302011ea411180f32303236303130323033303430355aa50302012aa603020125"
                            "a90c1b0a4558414d504c452e5454aa0e300ca003020102a10530031b0168")
    message = bytes([0x7e, len(message) - 2, 0x30, len(message) - 4]) + message[4:]
    shown = place.good("decode", message.hex())
    assert "KRB_AP_ERR_SKEW" in shown and "2026-01-02 03:04:05 UTC" in shown
