"""The command `sspi`: everything but accounts and groups. Handshakes are real, each between two commands over loopback."""
import base64
import hashlib
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import time
import unicodedata

import pytest

from place import BUILD, SOURCE, SSPI, Place, on_terminal

TOKENS = os.path.join(SOURCE, "tests", "fuzz", "corpus")


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    place.good("account", "add", "alice", "--domain", "EXAMPLE", stdin=b"pw\n")
    return place


COMMANDS = ["packages", "whoami", "creds", "connect", "listen", "get", "decode", "error", "doctor", "bench", "completion"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_misuse(place, command):
    text = place.good(command, "--help")
    assert text.startswith(f"usage: sspi {command} ")
    assert "--help" in text
    place.bad(2, command, "--nonsense")
    place.bad(2, command, "too", "many", "operands")


@pytest.mark.parametrize("words", [["connect"], ["listen"], ["get"], ["completion"], ["completion", "zsh"], ["connect", "noport"],
                                   ["connect", "h:1", "--flags", "nonsense"], ["connect", "h:1", "--package"], ["get", "x:y:z"],
                                   ["get", "http://h/", "--package", "Kerberos"], ["listen", "0", "--package", "Schannel"],
                                   ["listen", "0", "--package", "NTLM", "--certificate", "x"], ["bench", "--package", "Schannel"],
                                   ["connect", "h:1", "--package", "Schannel", "--user", "a"], ["connect", "h:1", "--package", "NTLM", "--key", "x"],
                                   ["connect", "h:1", "--package", "Schannel", "--key", "x"], ["connect", "h:1", "--package", "NTLM", "--ca", "x"], ["connect", "h:1", "--package", "NTLM", "--insecure"],
                                   ["connect", "h:1", "--user", "a", "--lock"], ["decode", "--user", "a"]])
def test_wrong_usage(place, words):
    place.bad(2, *words)


def test_unknown_options_are_named(place):
    for words, named in ((["--nonsense"], "--nonsense"), (["-xz"], "-x"), (["-h", "-x"], None), (["--json=5"], "--json=5")):
        if named is None:
            assert "usage" in place.good("packages", *words)
        else:
            assert f"unknown option {named};" in place.bad(2, "packages", *words)


def test_account_in_whichever_domain(place):
    assert "EXAMPLE" in place.good("account", "show", "alice")
    assert "EXAMPLE" in place.good("account", "show", "ALICE")
    place.good("group", "add", "staff")
    place.good("group", "join", "staff", "alice")
    assert "EXAMPLE\\alice" in place.good("group", "show", "staff")
    place.good("group", "leave", "staff", "alice")
    place.good("account", "add", "alice", "--domain", "OTHER", stdin=b"pw\n")
    message = place.bad(1, "account", "show", "alice")
    assert "EXAMPLE\\alice" in message and "OTHER\\alice" in message
    assert "OTHER" in place.good("account", "show", "OTHER\\alice")
    place.bad(1, "account", "remove", "alice")
    assert "OTHER\\alice" in place.bad(1, "group", "join", "staff", "alice")
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
    text = place.good("creds")
    assert "nobody" in text and "expires" not in text
    assert {line.split("  client ")[1].strip() for line in text.splitlines() if "TLS" in line and "  client " in line} == {"ready, without a certificate"}


def keytab(file, *entries):
    """Of passwords: (principal, number, type) each."""
    lines = "".join(f"addent -password -p {principal} -k {number} -e {kind}\npw\n" for principal, number, kind in entries)
    subprocess.run(["ktutil"], input=f"{lines}wkt {file}\n".encode(), check=True, capture_output=True, timeout=60)


KEYS = [(f"host/server.example.test@{realm}", number, kind) for realm, number in (("EXAMPLE.TEST", 2), ("EXAMPLE.TEST", 3), ("OTHER.TEST", 1))
        for kind in ("aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96")]
KEYS_TOLD = "host/server.example.test@EXAMPLE.TEST 2, 3; host/server.example.test@OTHER.TEST 1"


def servers(place):
    return {c["package"]: c for c in json.loads(place.good("creds", "--json")) if c["side"] == "server"}


def test_creds_look_at_what_servers_need(place):
    """A credential is had without keys and accounts; a server of it refuses everybody."""
    found = servers(place)
    assert not found["Kerberos"]["available"] and found["Kerberos"]["status"] == "0x8009030E" and "none.keytab' not found" in found["Kerberos"]["cause"]
    assert found["NTLM"]["available"] and found["NTLM"]["by"] == f"accounts sqlite:{place.directory}/accounts.db" == found["WDigest"]["by"]
    assert found["Negotiate"]["available"] and "Kerberos: no keytab: " in found["Negotiate"]["by"] and "NTLM: accounts sqlite:" in found["Negotiate"]["by"]
    keytab(place.directory / "none.keytab", *KEYS)
    os.remove(place.directory / "accounts.db")
    found = servers(place)
    assert found["Kerberos"]["available"] and found["Kerberos"]["by"] == f"keytab FILE:{place.directory}/none.keytab: {KEYS_TOLD}"
    assert not found["NTLM"]["available"] and found["NTLM"]["cause"] == f"no accounts: {place.directory}/accounts.db has none"
    assert found["Negotiate"]["available"] and "Kerberos: keytab " in found["Negotiate"]["by"]
    os.remove(place.directory / "none.keytab")
    assert not servers(place)["Negotiate"]["available"]
    for policy, why in (("ntlm_fallback = no", "ntlm_fallback in [negotiate] is no"), ("packages = kerberos", "packages in [negotiate] leaves it out")):
        (place.directory / "conf").write_text(f"[accounts]\nstores = sqlite:{place.directory}/accounts.db\n[negotiate]\n{policy}\n")
        found = servers(place)["Negotiate"]
        assert not found["available"] and f"; NTLM: {why}" in found["cause"], found
    (place.directory / "conf").write_text("")
    text = place.good("creds")
    assert re.search(r"^Kerberos +server +none: SEC_E_NO_CREDENTIALS \(0x8009030E\): no keytab: ", text, re.M), text


@pytest.mark.parametrize("refused", ["sqlite", "smbpasswd"])
def test_creds_know_that_one_refused_store_refuses_everybody(place, refused):
    """Kerberos alone is what Negotiate has then; and Digest, which has nothing in an smbpasswd, is refused by it, too."""
    (place.directory / "conf").write_text(f"[accounts]\nstores = sqlite:{place.directory}/accounts.db, {refused}:/etc/passwd\n")  # short enough for a line
    keytab(place.directory / "none.keytab", *KEYS)
    found = servers(place)
    for package in ("NTLM", "WDigest"):
        assert not found[package]["available"] and "/etc/passwd: others may read" in found[package]["cause"], found
    assert found["Negotiate"]["available"] and "; NTLM: no accounts: /etc/passwd: others may read" in found["Negotiate"]["by"], found
    os.remove(place.directory / "none.keytab")
    assert not servers(place)["Negotiate"]["available"]


def test_creds_of_a_daemon(place):
    """Its keytab and its stores are not this process's to look at."""
    (place.directory / "conf").write_text(f"[lsa]\nmode = daemon\nsocket = {place.directory}/lsa.sock\n")
    process = subprocess.Popen([os.path.join(BUILD, "opensspi-lsad")], env=place.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 120
        with socket.socket(socket.AF_UNIX) as probe:
            while probe.connect_ex(str(place.directory / "lsa.sock")) != 0 and time.monotonic() < until:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
        assert servers(place)["Kerberos"]["by"] == "by what the daemon has"
    finally:
        process.terminate()
        process.communicate(timeout=60)


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


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-", ">&-"])
def test_closed_streams(place, closed):
    """A connection never stands where standard input, output or error was closed."""
    server, port = place.listen("0", "--package", "NTLM")
    server.stdin.close()
    server.stdin = None
    user = "" if "<" in closed else "--user 'EXAMPLE\\alice'"
    (place.directory / "users").write_text("EXAMPLE:alice:pw\n")
    (place.directory / "users").chmod(0o600)
    client = subprocess.run(["bash", "-c", f'exec "$0" connect localhost:{port} --package NTLM {user} {closed}', SSPI], input=b"pw\nhello\n",
                            capture_output=True, env={**place.environment, "NTLM_USER_FILE": str(place.directory / "users")}, timeout=60)
    out, messages = server.communicate(timeout=60)
    assert (client.returncode, server.returncode) == (0, 0), client.stderr + messages
    assert out == (b"" if "<" in closed else b"hello\n") and b"EXAMPLE\\alice" in messages


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
    assert b"On the server the trace" in client.stderr and "On the server" not in messages and '"sspi account show NAME"' in messages


@pytest.mark.parametrize("status, words", [(0x8009030E, "On the server a keytab, a certificate or an account store is missing"),
                                           (0x80090304, "On the server, often its configuration"), (0x80090324, "Set both clocks")])
def test_hints_of_a_refusal_are_for_the_peer(place, status, words):
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = subprocess.Popen([SSPI, "connect", f"127.0.0.1:{server.getsockname()[1]}", "--package", "NTLM", "--user", "a"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=place.environment)
        client.stdin.write(b"pw\n")
        client.stdin.close()
        client.stdin = None
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(struct.pack(">I", 5) + b"E" + struct.pack(">I", status))
            _, messages = client.communicate(timeout=60)
    assert client.returncode == 3 and words in messages.decode() and "kinit" not in messages.decode(), messages


def test_no_general_hint_beside_a_certificates_cause(place):
    """What is wrong with a key file is no matter of users, tickets or an identity's flags."""
    certificate, key = place.certificate()
    _, other = place.certificate("other", "other_key")
    words = ["listen", "0", "--package", "Schannel", "--certificate", certificate, "--key"]
    message = place.bad(1, *words, other)
    assert "the private key is not the certificate's" in message and message.count("\n") == 1, message
    os.chmod(key, 0o644)
    message = place.bad(1, *words, key)
    assert "everybody may read this private key" in message and message.count("\n") == 1, message


def test_mutual_auth_that_is_named(place):
    """NTLM's servers prove nothing: who names the flag wants none of that, and the server is told."""
    words = ["--package", "NTLM", "--user", "EXAMPLE\\alice", "--flags"]
    client, out, messages, code = place.talk([*words, "integrity,mutual_auth"], b"pw\nhello\n", b"", ["0", "--package", "NTLM"])
    assert (client.returncode, client.stdout) == (3, b"") and b"did not authenticate itself" in client.stderr, client
    assert (code, out) == (3, b"") and "SEC_E_MUTUAL_AUTH_FAILED" in messages
    client, out, _, code = place.talk([*words, "integrity"], b"pw\nhello\n", b"", ["0", "--package", "NTLM"])
    assert (client.returncode, out, code) == (0, b"hello\n", 0)


def test_without_credentials(place):
    """Nobody has refused anything: that is another failure, for both commands."""
    client, _, messages, code = place.talk(["--package", "NTLM"], b"", b"", ["0", "--package", "NTLM"])
    assert client.returncode == 1 and b"SEC_E_NO_CREDENTIALS" in client.stderr, client
    assert code != 0


@pytest.mark.parametrize("words", [["connect", "localhost:1"], ["listen", "0"], ["bench"]])
def test_no_chat_by_digest(place, words):
    """Its server speaks first, of a request of HTTP: two that wait for each other would wait for ever."""
    assert "sspi get" in place.bad(2, *words, "--package", "wdigest", "--user" if words[0] != "listen" else "--timeout",
                                   "alice" if words[0] != "listen" else "1", stdin=b"pw\n")


def test_terminal(place):
    """The password is asked for and not shown; what the peer says cannot steer the terminal."""
    server, port = place.listen("0", "--package", "NTLM")
    server.stdin.write(b"wel\x1b[31mcome\n")
    server.stdin.close()
    server.stdin = None
    code, shown = on_terminal(place.environment, ["connect", f"localhost:{port}", "--package", "NTLM", "--user", "EXAMPLE\\alice"],
                              [(b"Password for EXAMPLE\\alice: ", b"pw\n")])
    out, _ = server.communicate(timeout=60)
    assert code == 0, shown
    assert "pw" not in shown and "wel\\x1b[31mcome" in shown and "\x1b" not in shown and out == b""


def test_stopped_at_the_question(place):
    """Who stops the command has his terminal back, with its echo; then the question comes again, and what was typed before is no part of the answer."""
    code, shown = on_terminal(place.environment, ["account", "add", "carol"],
                              [(b"New password for carol: ", b"wrong\x1a"), (b"New password for carol: ", b"right\n"), (b"Once more: ", b"right\n")], stopped=True)
    assert code == 0 and "right" not in shown and "wrong" not in shown, shown
    assert place.good("account", "show", "carol")


def test_terminal_colours(place):
    file = place.directory / "token"
    file.write_bytes(token("ntlm_messages", "challenge"))
    code, shown = on_terminal(place.environment, ["decode", str(file)], [])
    assert code == 0 and "\x1b[1mNTLM" in shown
    for name, value, colours in (("NO_COLOR", "", True), ("TERM", "xterm", True), ("TERM", "dumb", False), ("NO_COLOR", "1", False)):
        code, shown = on_terminal({**place.environment, name: value}, ["decode", str(file)], [])
        assert code == 0 and ("\x1b" in shown) == colours, (name, value)


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


@pytest.mark.parametrize("port", ["65536", "99999999", "18446744073709551617", "", "no-such-service"])
def test_no_port(place, port):
    for words in (["listen", port], ["connect", f"localhost:{port}"]):
        assert "is no port" in place.bad(2, *words, "--package", "NTLM", "--timeout", "1", stdin=b"pw\n"), words
    assert "is no port" in place.bad(2, "connect", "localhost:0", "--package", "NTLM", stdin=b"pw\n")


def test_nobody_comes(place):
    begun = time.time()
    assert "nobody came within 1 second (--timeout)" in place.bad(4, "listen", "0", "--package", "NTLM", "--timeout", "1")
    assert time.time() - begun >= 1
    assert "until somebody comes" in place.good("listen", "--help") and "until somebody comes" not in place.good("connect", "--help")
    server, _ = place.listen("0", "--package", "NTLM")  # without --timeout
    with pytest.raises(subprocess.TimeoutExpired):
        server.wait(timeout=2)
    server.kill()
    server.communicate()


def test_peer_that_speaks_otherwise(place):
    server, port = place.listen("0", "--package", "NTLM")
    with socket.create_connection(("127.0.0.1", int(port))) as wrong:
        wrong.sendall(b"GET / HTTP/1.0\r\n\r\n")
    _, messages = server.communicate(timeout=30)
    assert server.returncode == 1 and b"does not speak" in messages


@pytest.fixture
def pki(place):
    certificate, key = place.certificate()
    return ["0", "--package", "Schannel", "--certificate", certificate, "--key", key]


def test_tls_chat(place, pki):
    words = ["--package", "Schannel", "--ca", str(place.directory / "cert.pem")]
    client, out, _, code = place.talk(words, b"hello\n" * 5000, b"welcome\n", pki)
    assert client.returncode == 0, client.stderr
    assert code == 0 and out == b"hello\n" * 5000 and client.stdout == b"welcome\n"


def test_credssp_chat(place, pki):
    """TLS, who signs on, and what is handed over only when it is asked for."""
    directory = str(place.directory)
    listen = ["0", "--package", "CREDSSP", "--certificate", f"{directory}/cert.pem", "--key", f"{directory}/key.pem"]
    for words, handed in ((["--flags", "mutual_auth,delegate"], True), ([], False)):
        client, out, messages, code = place.talk(
            ["--package", "credssp", "--ca", f"{directory}/cert.pem", "--user", "EXAMPLE\\alice", *words], b"pw\nup", b"down", listen)
        assert (client.returncode, client.stdout, out, code) == (0, b"down", b"up", 0), client.stderr.decode() + messages
        assert "inside:   NTLM" in messages and "EXAMPLE\\alice" in messages and ("delegate" in messages) == handed
    client, _, messages, code = place.talk(["--package", "CREDSSP", "--ca", f"{directory}/cert.pem", "--user", "EXAMPLE\\alice"],
                                           b"wrong\n", b"", listen)
    assert (client.returncode, code) == (3, 3) and b"SEC_E_LOGON_DENIED" in client.stderr
    client, _, messages, code = place.talk(["--package", "CREDSSP", "--user", "EXAMPLE\\alice"], b"pw\n", b"", listen)
    assert client.returncode == 3 and b"UNTRUSTED_ROOT" in client.stderr, client.stderr  # before any name is sent
    assert "alice" not in messages and code != 0


def test_tls_untrusted(place, pki):
    client, out, _, code = place.talk(["--package", "Schannel"], b"hello\n", b"", pki)
    assert client.returncode == 3 and b"SEC_E_UNTRUSTED_ROOT" in client.stderr and out == b"" and code != 0
    client, out, _, code = place.talk(["--package", "Schannel", "--insecure"], b"hello\n", b"", pki)
    assert client.returncode == 0 and out == b"hello\n"


@pytest.mark.parametrize("options", [[], ["-tls1_3", "-verify", "1"], ["-tls1_2", "-verify", "1"]])
def test_tls_openssl(place, pki, options):
    """Any TLS server will do, also one that asks for a certificate and does without."""
    server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", place.directory / "cert.pem", "-key",
                               place.directory / "key.pem", "-www", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
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
        assert (b"asks for a certificate" in done.stderr) == bool(options)
    finally:
        server.kill()
        server.communicate()


def test_tls_alerts(place, pki):
    """What the peer refuses by an alert is refused, whatever status tells it."""
    for options in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-Verify", "1"]):
        server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", place.directory / "cert.pem", "-key",
                                   place.directory / "key.pem", "-www", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            port = None
            while port is None:
                line = server.stdout.readline().decode()
                assert line, "openssl ended"
                found = re.search(r"ACCEPT .*:(\d+)", line)
                port = found and found.group(1)
            done = place.run("connect", f"localhost:{port}", "--package", "Schannel", "--ca", str(place.directory / "cert.pem"), stdin=b"")
            assert done.returncode == 3, (options, done.stderr)
        finally:
            server.kill()
            server.communicate()


@pytest.mark.parametrize("shown", [True, False])
def test_denied_access(place, pki, shown):
    """The alert is the same whether a certificate was shown or not, and what is said beside it is true of both."""
    own = ["--certificate", str(place.directory / "cert.pem"), "--key", str(place.directory / "key.pem")] if shown else []
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [SSPI, "connect", f"127.0.0.1:{server.getsockname()[1]}", "--package", "Schannel", "--insecure", *own]
        client = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=place.environment)
        connection = server.accept()[0]
        with connection:
            connection.recv(1 << 16)
            connection.sendall(bytes.fromhex("1503030002 0231"))
            said = client.communicate(timeout=60)[1].decode()
    assert client.returncode == 3 and "the peer sent the alert access_denied" in said and "SEC_E_LOGON_DENIED" in said, said
    assert "lets nobody in by what it was shown" in said and "took our certificate" not in said, said


def expire(place, certificate, key):
    """The certificate once more, over since yesterday."""
    (place.directory / "index").write_text("")
    (place.directory / "ca.cnf").write_text(f"[ca]\ndefault_ca = own\n[own]\ndatabase = {place.directory}/index\nnew_certs_dir = {place.directory}\n"
                                            f"rand_serial = yes\ndefault_md = sha256\npolicy = any\nx509_extensions = leaf\n[any]\ncommonName = supplied\n"
                                            "[leaf]\nsubjectAltName = DNS:localhost\nbasicConstraints = CA:TRUE\n")
    request = subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=localhost"], check=True, capture_output=True).stdout
    subprocess.run(["openssl", "ca", "-batch", "-notext", "-config", place.directory / "ca.cnf", "-selfsign", "-keyfile", key, "-in", "/dev/stdin", "-out", certificate,
                    "-startdate", "20200101000000Z", "-enddate", "20210101000000Z"], input=request, check=True, capture_output=True)


@pytest.mark.parametrize("what, status, alert, hint", [
    ("authority", "SEC_E_UNTRUSTED_ROOT", "unknown_ca", "The peer does not trust the authority of the certificate"),
    ("name", "SEC_E_WRONG_PRINCIPAL", "bad_certificate", "The peer refused the certificate that it was shown"),
    ("old", "SEC_E_CERT_EXPIRED", "certificate_expired", "Renew it")])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_tls_refusals_reach_the_server(place, what, status, alert, hint, version):
    """The listener learns by an alert why the client went away."""
    certificate, key = place.certificate()
    if what == "old":
        expire(place, certificate, key)
    with open(place.directory / "conf", "a") as conf:
        conf.write(f"[schannel]\nmax_protocol = {version}\n")
    server, port = place.listen("0", "--package", "Schannel", "--certificate", certificate, "--key", key)
    server.stdin.close()
    server.stdin = None
    trust = [] if what == "authority" else ["--ca", certificate]
    target = ["--target", "other.example.test"] if what == "name" else []
    client = place.run("connect", f"localhost:{port}", "--package", "Schannel", *trust, *target)
    _, messages = server.communicate(timeout=60)
    assert client.returncode == 3 and re.search(rf"{status} \(0x[0-9A-F]{{8}}\): \S", client.stderr.decode()), client
    assert server.returncode == 3 and f"the peer sent the alert {alert}" in messages.decode() and hint in messages.decode(), messages


def test_tls_short_records(place, pki):
    """What is said is cut to the records that the client asks for (RFC 6066 4)."""
    server, port = place.listen(*pki)
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-maxfraglen", "512", "-quiet", "-CAfile",
                               place.directory / "cert.pem"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out, messages = server.communicate(b"welcome\n" * 1000, timeout=60)
    got, _ = client.communicate(timeout=60)
    assert got == b"welcome\n" * 1000, messages.decode()


def test_no_password_among_arguments(place):
    """What stands there everybody on the computer can read."""
    for command in [*COMMANDS, "logon"]:
        options = re.findall(r"^ +(--[a-z-]+)(?: (\S+))?", place.good(command, "--help"), flags=re.M)
        assert options and [name for name, value in options if "pass" in name and value or "PASSWORD" in value] == []
        assert "pw" not in place.bad(2, command, "--password", "pw") and "pw" not in place.bad(2, command, "--password=pw")


def test_bench(place):
    found = json.loads(place.good("bench", "--package", "NTLM", "--user", "EXAMPLE\\alice", "--json", "--seconds", "1", stdin=b"pw\n"))
    assert found["handshakes_per_second"] > 0 and found["sealed_megabytes_per_second"] > 0
    shortest = json.loads(place.good("bench", "--package", "NTLM", "--user", "EXAMPLE\\alice", "--json", "--seconds", "0", stdin=b"pw\n"))
    assert shortest["handshakes_per_second"] > 0 and shortest["sealed_megabytes_per_second"] > 0
    place.bad(3, "bench", "--package", "NTLM", "--user", "EXAMPLE\\alice", stdin=b"wrong\n")


def test_trace(place):
    done = place.run("--trace", "bench", "--package", "NTLM", "--user", "EXAMPLE\\alice", "--seconds", "0", stdin=b"secret-word\n")
    assert done.returncode == 3 and done.stderr.count(b"\n") > 5 and b"ntlm" in done.stderr and b"secret-word" not in done.stderr
    place.bad(2, "--trace")


def test_error(place):
    for text in ("0x80090308", "80090308", "-2146893048", "2148074248", "SEC_E_INVALID_TOKEN", "sec_e_invalid_token"):
        assert place.good("error", text).startswith("SEC_E_INVALID_TOKEN, 0x80090308")
    for text in ("1326", "0x52e", "0x8007052E", "ERROR_LOGON_FAILURE"):
        assert place.good("error", text).startswith("ERROR_LOGON_FAILURE, 0x0000052E, 1326\nThe logon failed")
    found = json.loads(place.good("error", "0xC0000234", "--json"))
    assert found["name"] == "STATUS_ACCOUNT_LOCKED_OUT" and found["advice"]
    place.bad(1, "error", "nonsense")
    place.bad(1, "error", "0x12345678")


def test_errors_listed(place):
    """The table of meanings agrees with the library's names, with itself in all its forms, and with the document."""
    entries = json.loads(place.good("error", "--json"))
    statuses = [entry["status"] for entry in entries]
    assert statuses == sorted(set(statuses)) and len(statuses) > 80
    lines = place.good("error").splitlines()
    assert len(lines) == len(entries)
    for entry, line in zip(entries, lines):
        assert entry["name"] and entry["meaning"].endswith(".") and entry["advice"].endswith((".", "?"))
        assert line.split() == [entry["hex"], entry["name"], *entry["meaning"].split()]
        assert json.loads(place.good("error", entry["name"], "--json")) == entry
    made = subprocess.run(["/usr/bin/python3", os.path.join(SOURCE, "tools", "make_errors.py"), SSPI], capture_output=True, check=True,
                          env=place.environment).stdout.decode()
    with open(os.path.join(SOURCE, "docs", "errors.md"), encoding="utf-8") as file:
        assert file.read() == made, "tools/make_errors.py makes docs/errors.md"


def test_names_of_system_errors(place):
    """As winerror.h has them."""
    header = pathlib.Path(SOURCE, "include/opensspi/win32/winerror.h").read_text(encoding="utf-8")
    entries = [entry for entry in json.loads(place.good("error", "--json")) if entry["name"].startswith("ERROR_")]
    assert len(entries) >= 20
    for entry in entries:
        assert re.search(rf"^#define {entry['name']} {entry['status']}L?$", header, re.M), entry["name"]


def test_every_status_of_the_library_is_explained(place):
    """Whatever the packages and the certificates' checks answer has a meaning and an advice."""
    explained = {entry["name"] for entry in json.loads(place.good("error", "--json"))}
    answered = set()
    for path in pathlib.Path(SOURCE, "src").rglob("*.c"):
        if path.parent.name not in ("api", "certificates"):  # whose functions answer last errors, and tables of names
            answered.update(re.findall(r"\b(?:SEC_[EI]|STATUS|CERT_E|CRYPT_E|TRUST_E)_[A-Z0-9_]+\b", path.read_text(encoding="utf-8")))
    answered -= {"STATUS_LOGON_FAILURE_CODE"}  # on CredSSP's wire only
    assert len(answered) > 50 and answered <= explained, sorted(answered - explained)


def test_doctor(place):
    found = {check["check"]: check for check in json.loads(place.good("doctor", "--json"))}
    assert found["configuration"]["verdict"] == "good" and found["accounts"]["verdict"] == "good"
    assert found["keytab"]["verdict"] == "note" and "KRB5_KTNAME" in found["keytab"]["advice"]
    keytab(place.directory / "none.keytab", *KEYS)
    found = {check["check"]: check for check in json.loads(place.good("doctor", "--json"))}["keytab"]
    assert found["verdict"] == "good" and f"none.keytab: {KEYS_TOLD} (not compared with the KDC's)" in found["found"], found
    os.chmod(place.directory / "accounts.db", 0o644)
    assert "others may read or write the account file (mode 0644)" in place.run("doctor").stdout.decode()
    os.chmod(place.directory / "accounts.db", 0o600)
    (place.directory / "conf").write_text("[ntlm]\nnonsense = 1\n")
    done = place.run("doctor")
    assert done.returncode == 1 and "conf:2" in done.stdout.decode()


REFUSED_SETTINGS = {"packages": ("Negotiate", "[negotiate]\npackages = nobody"), "ciphers": ("Schannel", "[schannel]\nciphers = NONSENSE"),
                    "max_protocol": ("Schannel", "[schannel]\nmax_protocol = 1.1"), "min_version": ("CREDSSP", "[credssp]\nmin_version = 6\nmax_version = 5"),
                    "algorithms": ("WDigest", "[digest]\nalgorithms = MD4"), "ranges": ("access", "[access]\nranges = x"),
                    "/nonexistent": ("NTLM user", "[credentials]\nuser_file = /nonexistent")}


@pytest.mark.parametrize("words", [*([word] for word in REFUSED_SETTINGS), ["min_version", "algorithms", "ranges"]])
def test_doctor_knows_settings_that_packages_refuse(place, words):
    def bad():
        return {found["check"]: found["found"] for found in json.loads(place.run("doctor", "--json").stdout) if found["verdict"] == "bad"}
    conf = place.directory / "conf"
    assert bad() == {}
    conf.write_text(conf.read_text() + "".join(f"\n{REFUSED_SETTINGS[word][1]}\n" for word in words))
    told = bad()
    for word in words:
        assert word in told[REFUSED_SETTINGS[word][0]], told
    assert not {"configuration", "accounts"} & set(told), told


@pytest.mark.parametrize("kind", ["sqlite", "smbpasswd"])
@pytest.mark.parametrize("there", [True, False])
def test_doctor_opens_the_accounts(place, kind, there):
    """As a server does: one that it refuses is bad; one that is not there is an empty one to it, wherever it is not. And nothing is made."""
    folder = place.directory / "open"
    folder.mkdir()
    if there and kind == "sqlite":
        (place.directory / "accounts.db").rename(folder / "accounts")
    elif there:
        (folder / "accounts").touch(0o600)
    (place.directory / "conf").write_text(f"[accounts]\nstores = {kind}:{folder}/accounts\n")
    before = sorted(folder.iterdir())
    found = {check["check"]: check for check in json.loads(place.good("doctor", "--json"))}["accounts"]
    assert found["verdict"] == ("good" if there else "note"), found
    folder.chmod(0o1777)
    done = place.run("doctor", "--json")
    found = {check["check"]: check for check in json.loads(done.stdout)}["accounts"]
    assert (done.returncode, found["verdict"]) == ((1, "bad") if there else (0, "note")), found
    assert f"{folder}: others may write in the directory" in found["found"], found
    assert there or (f"{folder}/accounts is not there, and would be refused" in found["found"] and "account add" not in found["advice"]), found
    assert servers(place)["NTLM"]["available"] is False
    folder.chmod(0o700)
    if there:
        (folder / "accounts").write_bytes(b"nonsense\n" * 1000)
        done = place.run("doctor", "--json")
        assert done.returncode == 1 and {check["check"]: check for check in json.loads(done.stdout)}["accounts"]["verdict"] == "bad"
    assert sorted(folder.iterdir()) == before


def test_doctor_knows_an_empty_database(place):
    (place.directory / "accounts.db").write_bytes(b"")
    found = {check["check"]: check for check in json.loads(place.good("doctor", "--json"))}["accounts"]
    assert found["verdict"] == "note" and "has no accounts yet" in found["found"], found


def test_doctor_knows_the_realm_that_nobody_chose(place):
    """krb5.conf as Debian ships it names MIT's realm: its KDCs out of reach are no fault; those of a realm that somebody chose are."""
    def verdicts(realm):
        (place.directory / "krb5.conf").write_text(f"[libdefaults]\ndefault_realm = {realm}\n[realms]\n{realm} = {{\nkdc = 127.0.0.1:1\n}}\n")
        return {check["check"]: check["verdict"] for check in json.loads(place.run("doctor", "--json").stdout)}
    fresh, chosen = verdicts("ATHENA.MIT.EDU"), verdicts("EXAMPLE.TEST")
    assert (fresh["Kerberos"], fresh["KDC"]) == ("note", "note") and (chosen["Kerberos"], chosen["KDC"]) == ("good", "bad")


def test_doctor_looks_at_openssl(place):
    """A configuration that asks for algorithms of a provider that is not there."""
    assert "TLS, AES" in {check["check"]: check for check in json.loads(place.good("doctor", "--json"))}["OpenSSL"]["found"]
    file = place.directory / "openssl.cnf"
    file.write_text("openssl_conf = init\n[init]\nalg_section = properties\n[properties]\ndefault_properties = nobody=yes\n")
    place.environment["OPENSSL_CONF"] = str(file)
    done = place.run("doctor", "--json")
    found = {check["check"]: check for check in json.loads(done.stdout)}["OpenSSL"]
    assert done.returncode == 1 and found["verdict"] == "bad" and found["found"] == "SHA-256 cannot be had" and "openssl.cnf" in found["advice"]


def test_doctor_looks_for_the_daemon(place):
    """None that is wanted, none that answers though it is wanted, and one."""
    def daemon(mode):
        conf.write_text(before + f"\n[lsa]\nmode = {mode}\nsocket = {place.directory}/lsa.sock\n")
        done = place.run("doctor", "--json")
        return done.returncode, {check["check"]: check for check in json.loads(done.stdout)}["daemon"]

    conf = place.directory / "conf"
    before = conf.read_text() if conf.exists() else ""
    assert daemon("embedded")[1]["found"].startswith("none is asked")
    code, found = daemon("daemon")
    assert code == 1 and found["verdict"] == "bad" and "lsa.sock" in found["found"] and "opensspi-lsad" in found["advice"]
    assert daemon("auto")[1]["verdict"] == "note"
    daemon("daemon")
    process = subprocess.Popen([os.path.join(BUILD, "opensspi-lsad")], env=place.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 120
        with socket.socket(socket.AF_UNIX) as probe:  # the socket is there before the daemon listens on it
            while probe.connect_ex(str(place.directory / "lsa.sock")) != 0 and time.monotonic() < until:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
        code, found = daemon("daemon")
        assert found["verdict"] == "good" and "lsa.sock answers, 0 logon sessions" in found["found"], found
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_doctor_looks_at_the_domain(place):
    """By the stand-in for libwbclient that unit tests use: member SERVER of domain FAKE."""
    library = os.path.join(BUILD, "tests/libraries/fake_wbclient.so")
    conf = place.directory / "conf"
    conf.write_text(f"[names]\ncomputer = HOST\n[accounts]\nstores = winbind:\n[access]\nwinbind_library = {library}\n")
    findings = json.loads(place.good("doctor", "--json"))
    said = [(one["verdict"], one["found"]) for one in findings if one["check"] == "winbind"]
    assert ("good", "this computer is SERVER of domain FAKE (fake.test)") in said and len(said) == 3
    assert {"check": "domain trust", "verdict": "good"}.items() <= next(one for one in findings if one["check"] == "domain trust").items()
    conf.write_text("[accounts]\nstores = winbind:\n[access]\nwinbind_library = /nonexistent/library.so\nwinbind = yes\n")
    done = place.run("doctor")
    assert done.returncode == 1 and "/nonexistent/library.so, which cannot be loaded" in done.stdout.decode()


def test_completion(place):
    script = place.directory / "completion"
    script.write_text(place.good("completion", "bash"))

    def complete(*words):
        listed = " ".join(f"'{word}'" for word in words)
        text = f"source {script}; COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _sspi; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        return subprocess.run(["bash", "-c", text], capture_output=True, check=True, cwd=place.directory).stdout.decode().split()

    assert set(COMMANDS) < set(complete("sspi", ""))
    assert complete("sspi", "wh") == ["whoami"] and complete("sspi", "--tr") == ["--trace"]
    assert "passwd" in complete("sspi", "account", "")
    assert complete("sspi", "account", "passwd", "--must") == ["--must-change"]
    assert complete("sspi", "connect", "--pack") == ["--package"]
    assert complete("sspi", "connect", "--package", "Neg") == ["Negotiate"]
    assert complete("sspi", "get", "--package", "W") == ["WDigest"]
    for command, packages in (("get", ["Negotiate", "NTLM", "WDigest"]), ("bench", ["Negotiate", "NTLM", "Kerberos"]),
                              ("connect", ["Negotiate", "NTLM", "Kerberos", "Schannel", "CREDSSP"]),
                              ("listen", ["Negotiate", "NTLM", "Kerberos", "Schannel", "CREDSSP"])):
        assert complete("sspi", command, "--package", "") == packages, command


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


def dump_of(form, data):
    """A hex dump as programs print it."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at:at + 16]
        text = "".join(chr(c) if 32 <= c < 127 else "." for c in row)
        pairs = [f"{c:02x}" for c in row]
        words = [row[i:i + 2].hex() for i in range(0, len(row), 2)]
        lines.append({
            "xxd": f"{at:08x}: {' '.join(words):<39}  {text}",
            "hexdump": f"{at:08x}  {' '.join(pairs[:8]):<23}  {' '.join(pairs[8:]):<23}  |{text}|",
            "od": f"{at:07o} {' '.join(pairs):<47}  >{text}<",
            "od -A x": f"{at:06x} {' '.join(pairs):<47}  >{text}<",
            "od -A d": f"{at:07d} {' '.join(pairs)}",
            "samba": f"[{at:04X}] {' '.join(pairs[:8]).upper():<23}  {' '.join(pairs[8:]).upper():<23}   {text[:8]} {text[8:]}",
            "tcpdump": f"\t0x{at:04x}:  {' '.join(words):<39}  {text}",
            "wireshark": f"{at:04x}  {' '.join(pairs):<47}   {text}",
            "windows": f"{at:04x}  {' '.join(pairs[:8])}{'-' if len(pairs) > 8 else ' '}{' '.join(pairs[8:]):<23}   {text}",
        }[form])
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("form", ["xxd", "hexdump", "od", "od -A x", "od -A d", "samba", "tcpdump", "wireshark", "windows"])
@pytest.mark.parametrize("name", ["authenticate", "challenge", "negotiate"])
def test_decode_hex_dump(place, form, name):
    message = token("ntlm_messages", name)
    expected = place.good("decode", stdin=message)
    indented = "".join("  " + line + "\n" for line in expected.splitlines())
    log = "got this from the client:\n" + dump_of(form, message) + "that is all\n"
    assert place.good("decode", stdin=log.encode()) == "found: hex dump, line 2\n" + indented
    twice = place.good("decode", stdin=(log + dump_of(form, bytes(20) + message)).encode())
    assert twice.startswith("found: hex dump, line 2\n" + indented) and "byte 20\n" + indented in twice and twice.count("found:") == 2
    text = b"POST / HTTP/1.1\r\nAuthorization: NTLM " + base64.b64encode(message) + b"\r\n"
    assert f"NTLM: {name.upper()}" in place.good("decode", stdin=dump_of(form, text).encode())


DUMPERS = ["od -t x1", "od -v -t x1z", "od -A x -t x1", "od -A d -t x1", "od -v -A n -t x1", "od -x", "od -t x4", "xxd", "xxd -u", "xxd -a", "xxd -d", "xxd -g 1",
           "xxd -e", "xxd -p", "hexdump -C", "hexdump -v -C", "hexdump"]


@pytest.mark.parametrize("words", DUMPERS)
def test_decode_dump_of_programs(place, words):
    """What the programs themselves print, of bytes of any number, with lines that are as the one before (`*`), to the last byte."""
    command = words.split()
    whole = [token("ntlm_messages", name) for name in ("authenticate", "challenge", "negotiate")]
    for zeros in [*range(100, 107), 5000]:
        data = b"\x17\x03\x03" + struct.pack(">H", zeros) + bytes(zeros)
        whole += [data, data + bytes.fromhex("15030300020230")]
    for data in whole:
        if words == "xxd -e":
            data = data[:len(data) // 4 * 4]  # its last word would stand elsewhere
        dump = subprocess.run(command, input=data, capture_output=True, check=True).stdout
        expected = place.good("decode", stdin=data)
        assert "WRONG" not in expected or words == "xxd -e"
        shown = place.good("decode", stdin=dump)
        if shown.startswith("found: hex dump, line 1\n"):
            shown = "".join(line[2:] + "\n" for line in shown.splitlines()[1:])
        assert shown == expected, dump.decode()


def test_decode_dump_that_breaks_off(place):
    """A line that looks as if it went on, and does not: what is missing is said."""
    message = token("ntlm_messages", "authenticate")
    for form in ("xxd", "hexdump", "od", "od -A x", "od -A d", "samba", "tcpdump", "wireshark", "windows"):
        lines = dump_of(form, message).splitlines()
        for wrong in (lines[:3] + lines[4:], lines[:3] + lines[2:], lines[:3] + [lines[3].replace(":", " ")[:30].rstrip()] + lines[4:]):
            log = "\n".join(["the client's:", *wrong, "that is all"])
            shown = place.good("decode", stdin=log.encode())
            assert re.search(r"^  WRONG: the hex dump breaks off at line \d+, which does not go on after byte \d+$", shown, re.M), shown
            assert '"value": "the hex dump breaks off' in json.dumps(json.loads(place.good("decode", "--json", stdin=log.encode())))
        assert "the hex dump breaks off" not in place.good("decode", stdin=("\n".join(lines[:4]) + "\nthat is all\n").encode())  # the token itself says it
    text = "\n".join(dump_of("od", b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: NTLM " + base64.b64encode(message)).splitlines()[::2])
    done = place.run("decode", stdin=text.encode())
    assert done.returncode == 1 and b"WRONG: the hex dump breaks off at line 2, " in done.stdout


def test_decode_dump_with_lines_left_out(place):
    """`*` stands for as many lines as are missing; not for a gigabyte, nor for half a line."""
    head = "0000000 17 03 03 40 00 00 00 00 00 00 00 00 00 00 00 00\n"
    for offset in ("fffffff0", "0000047", "0fffff0", "0000020"):  # the last has nothing left out: it goes on as it stands
        shown = place.good("decode", stdin=(head + f"*\n{offset} 00\n").encode())
        assert ("the hex dump breaks off at line 3, which does not go on after byte 16" in shown) == (offset != "0000020"), shown
    shown = place.good("decode", stdin=((head + "*\n000fff0 00\n") * 40).encode())
    assert shown.count("TLS: 65521 bytes") == 16 and shown.count("the hex dump breaks off") == 24  # a megabyte in all
    assert "the hex dump breaks off at line 2, " in place.good("decode", stdin=(head + "*\n").encode())
    assert "the hex dump breaks off at line 3, " in place.good("decode", stdin=(head + "*\n*\n").encode())
    zeros = "0000020" + " 00" * 16 + "\n"
    for end, n_there in (("0000060\n", 43), ("0000057\n", 42), ("0000060 00\n0000061\n", 44)):
        shown = place.good("decode", stdin=(head + zeros + "*\n" + end).encode())
        assert f"announces 16384 bytes, {n_there} are there" in shown and "the hex dump" not in shown


def test_decode_what_looks_like_a_dump(place):
    place.bad(1, "decode", stdin=b"0000 00\n0001: 4e\n[0000\n000000000000 41\n0000  zz\n0010 4e544c4d535350\n")
    place.bad(1, "decode", stdin=b"0000: " + b"4e " * 40 + b"\n")


def test_decode_several_lines(place):
    """Tokens line by line are several; one that was broken into lines is one."""
    messages = [token("ntlm_messages", name) for name in ("negotiate", "challenge", "authenticate")]
    for form in (lambda message: base64.b64encode(message).decode(), lambda message: message.hex()):
        shown = place.good("decode", stdin="\n".join(map(form, messages)).encode())
        assert re.findall(r"^found: line (\d)\n  NTLM: (\w+)", shown, re.M) == [("1", "NEGOTIATE"), ("2", "CHALLENGE"), ("3", "AUTHENTICATE")]
    assert place.good("decode", stdin=base64.encodebytes(messages[2])) == place.good("decode", stdin=messages[2])


def test_decode_as_logs_write_it(place):
    """A header that was folded, JSON's and URLs' ways to write letters: the same token, on the line where it begins."""
    # Bytes that base64 writes as + and /, so that each form has something to write differently.
    message = token("ntlm_messages", "authenticate").replace(b"\x11" * 16, b"\xfb\xef\xbe\xff\xff\xff" * 2 + b"\xfb\xef\xbe\xff")
    letters = base64.b64encode(message).decode()
    assert "+" in letters and "/" in letters and "=" in letters
    plain = place.good("decode", "--json", stdin=f"first line\nAuthorization: NTLM {letters}\n".encode())
    pieces = [letters[at:at + 60] for at in range(0, len(letters), 60)]
    for written in ("Authorization: NTLM " + "\n ".join(pieces), "Authorization: NTLM " + "\r\n\t".join(pieces), "Authorization: NTLM " + letters.replace("/", "\\/"),
                    "{\"authorization\":\"NTLM " + letters.replace("+", "\\u002B").replace("=", "\\u003d") + "\"}",
                    "Authorization=NTLM%20" + letters.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D")):
        assert place.good("decode", "--json", stdin=f"first line\n{written}\nlast line\n".encode()) == plain, written
    # The lines after a folded word are counted as they stand.
    found = json.loads(place.good("decode", "--json", stdin=("x " + "\n ".join(pieces) + f"\nNTLM {letters}\n").encode()))
    assert [each["value"] for each in found] == ["line 1", f"line {len(pieces) + 1}"]
    # A short word and an indented one below it are two.
    assert place.run("decode", stdin=b"a word\n  another\n").returncode == 1


def test_decode_what_looks_wrong(place):
    message = token("ntlm_messages", "authenticate")
    text = place.good("decode", stdin=base64.b64encode(message[:120]))
    assert f"WRONG: its fields reach up to byte {len(message)}, and it has 120: whoever wrote it down cut it off" in text
    anonymous = bytearray(message)
    anonymous[36:38] = bytes(2)
    assert "WRONG: no user: the client asks as anonymous" in place.good("decode", stdin=base64.b64encode(anonymous))
    named = message.replace("alice".encode("utf-16-le"), "A\\ice".encode("utf-16-le"), 1)
    assert "WRONG: the user's name has a domain in it" in place.good("decode", stdin=base64.b64encode(named))
    other = message.replace("alice".encode("utf-16-le"), "\u5c0f\u6797\u592a\u90ce\u5c71".encode("utf-16-le"), 1)  # the byte of a backslash, not the letter
    shown = place.good("decode", stdin=base64.b64encode(other))
    assert "user: \u5c0f\u6797" in shown and "a domain in it" not in shown


def test_decode_cut_off(place):
    """A log that cuts its lines: what is there is shown, and that the rest is missing, wherever it was cut."""
    text = base64.b64encode(token("ntlm_messages", "authenticate")).decode()
    for length in range(100, 112):
        shown = place.good("decode", text[:length])
        assert "NTLM: AUTHENTICATE" in shown and "WRONG: user: " in shown and "lie outside" in shown


def test_decode_missing_mic(place):
    assert "WRONG: MIC_PRESENT" in place.good("decode", stdin=token("ntlm_messages", "authenticate_72"))
    assert "MIC_PRESENT is said" not in place.good("decode", stdin=token("ntlm_messages", "authenticate"))


def test_decode_file_that_is_not_there(place):
    assert 'no file "access.log"' in place.bad(1, "decode", "access.log")


def test_decode_nested(place):
    text = place.good("decode", stdin=token("negotiate_tokens", "init_mic"))
    assert "NegTokenInit" in text and "NTLM: NEGOTIATE" in text and "mechListMIC" in text


def wrapped(levels):
    """AS-REQ messages, each the preauthentication data of the one around it."""
    heads, size = [], 0
    for _ in range(levels):
        level = b""
        for tag in (0x04, 0xA2, 0x30, 0x30, 0xA3, 0x30, 0x6A):
            length = bytes([size]) if size < 128 else bytes([0x80 | (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8, "big")
            level = bytes([tag]) + length + level
            size += 1 + len(length)
        heads.append(level)
    return b"".join(reversed(heads))


def test_decode_nested_too_deep(place):
    """Tokens in tokens end somewhere, whatever they are."""
    assert place.good("decode", stdin=wrapped(3)).count("AS-REQ") == 3
    for levels in (20, 100000):
        shown = place.good("decode", stdin=wrapped(levels))
        assert shown.count("AS-REQ") < 20
        json.loads(place.good("decode", "--json", stdin=wrapped(levels)))


def der(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x80 | (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + content


def test_decode_more_than_is_shown(place):
    """Past the limit nodes are left out with all that is in them, in both forms, and both say so."""
    def request(n_tokens):
        return der(0x30, der(0xA0, b"\x02\x01\x06") + der(0xA1, der(0x30, b"\x30\x00" * n_tokens)))

    def n_nodes(nodes):
        return sum(1 + n_nodes(node.get("nodes", [])) for node in nodes)

    for n_tokens in (100, 49990, *range(49996, 50002), 60000, 1000000):
        text = place.good("decode", "--json", stdin=request(n_tokens))
        shown = json.loads(text)
        cut = n_tokens > 49998  # two nodes stand around them
        assert n_nodes(shown) == (50001 if cut else n_tokens + 2), n_tokens
        assert (shown[-1] == {"name": "left out", "value": "only the first 50000 nodes are shown"}) == cut, n_tokens
        assert len(text) < 50002 * 64
        lines = place.good("decode", stdin=request(n_tokens)).splitlines()
        assert len(lines) == (50001 if cut else n_tokens + 2), n_tokens
        assert (lines[-1] == "... and more: only the first 50000 lines are shown") == cut, n_tokens


def test_decode_large(place):
    """A capture of forty megabytes whose last packet has the token."""
    filler = [tcp_packet(1, 2, 0, bytes(60000)) for _ in range(10)] * 65
    shown = place.good("decode", stdin=pcap(filler + [tcp_packet(445, 1001, 7, token("ntlm_messages", "challenge"))]))
    assert "NTLM: CHALLENGE" in shown
    assert "cut out the part" in place.bad(1, "decode", stdin=bytes((64 << 20) + 1))


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


def test_decode_turns_no_text(place):
    """Neither C1 controls nor what turns the direction of writing; JSON says which character it was."""
    message = bytearray(token("ntlm_messages", "authenticate"))
    at = message.index("alice".encode("utf-16-le"))
    message[at:at + 10] = "\x9ba\u202eb\u2066".encode("utf-16-le")
    shown = place.good("decode", stdin=bytes(message))
    assert "\\x9ba\\u202eb\\u2066" in shown and not set(shown) & set("\x9b\u202e\u2066")
    text = place.good("decode", "--json", stdin=bytes(message))
    assert not set(text) & set("\x9b\u202e\u2066")
    assert "\x9ba\u202eb\u2066" in [node.get("value") for node in json.loads(text)[0]["nodes"]]


def test_nothing_unseen_is_printed():
    """All that Unicode has for controlling text (Cc, Cf, Zl, Zp) is told by its number, but the signs among Cf that are seen: those written before a number."""
    prepended = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    for kind in ("Cc", "Cf", "Zl", "Zp"):
        letters = [chr(code) for code in range(1, 0x110000) if unicodedata.category(chr(code)) == kind]
        assert letters
        done = subprocess.run([SSPI, "error", "a" + "a".join(letters) + "a"], capture_output=True, timeout=60)
        shown = done.stderr.decode().rstrip("\n")
        assert done.returncode == 1
        assert {hex(ord(letter)) for letter in letters if letter in shown} == {hex(code) for code in prepended if kind == "Cf"}, kind


def tcp_packet(source, target, seq, payload, syn=False):
    tcp = struct.pack(">HHIIBBHHH", source, target, seq, 0, 5 << 4, 2 if syn else 0x18, 65535, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2]))
    return bytes(12) + b"\x08\x00" + ip + tcp


def pcap(packets):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return out + b"".join(struct.pack("<IIII", 1700000000, 0, len(packet), len(packet)) + packet for packet in packets)


def pcapng(packets, ticks=1700000000 * 1000000, options=b""):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 65535) + options)
    for packet in packets:
        out += block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet)) + packet)
    return out


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


@pytest.mark.parametrize("ticks, options, begins", [
    (1700000000 * 10**6, b"", True), (1700000000 * 10**6, option(9, b"\x06"), True), (1700000000 * 10**9 + 999999999, option(9, b"\x09"), True),
    (1700000000, option(9, b"\x00"), True), (1700000000 << 32, option(9, b"\xa0"), True), (1700000000, option(9, b"\x80"), True),
    (1700000000 * 10**9, option(2, b"eth0x") + option(9, b"\x09") + option(0, b""), True), (1700000000 * 10**9, option(0, b"") + option(9, b"\x09"), False),
    (1000 * 10**9, option(9, b"\x09") + option(14, struct.pack("<q", 1699999000)), True), (1700003600 * 10**6, option(14, struct.pack("<q", -3600)), True),
    (1700000000 * 10**9, b"", False), (10**18, option(9, b"\x7f"), False), (10**18, option(9, b"\xff"), False), (2**64 - 1, option(9, b"\x00"), False),
    (2**62, option(9, b"\x00") + option(14, struct.pack("<q", 2**62 + 2**61)), False), (1, option(14, struct.pack("<q", -2**63)), False),
    (1700000000 * 10**6, option(9, b""), True), (1700000000 * 10**6, b"\x09\x00\xff\xff\x09", True)])
def test_decode_capture_times(place, ticks, options, begins):
    """pcapng's interfaces say what their times count, and from when; a time that cannot be is not shown."""
    shown = place.good("decode", stdin=pcapng([tcp_packet(445, 1001, 7, token("ntlm_messages", "challenge"))], ticks, options))
    assert "NTLM: CHALLENGE" in shown
    assert re.findall(r"begins: (.*)", shown) == (["2023-11-14 22:13:20 UTC"] if begins else []), shown


def test_decode_capture_interfaces(place):
    """Each interface has its own; those of a former section are forgotten."""
    packet = tcp_packet(445, 1001, 7, token("ntlm_messages", "challenge"))
    other = tcp_packet(446, 1001, 7, token("ntlm_messages", "challenge"))
    ticks = 1700000000 * 10**9
    head, fine = pcapng([]), pcapng([packet], ticks, option(9, b"\x09"))
    second = bytearray(pcapng([other], ticks, option(9, b"\x09"))[28:])  # without its section's header: interface 1
    at = second.index(struct.pack("<I", 6), 0)
    second[at + 8] = 1
    shown = place.good("decode", stdin=head + bytes(second))
    assert "port 446" in shown and "2023-11-14 22:13:20 UTC" in shown
    shown = place.good("decode", stdin=fine + pcapng([other], 1700000000 * 10**6))
    assert shown.count("2023-11-14 22:13:20 UTC") == 2


def test_decode_capture_nanoseconds(place):
    """pcap whose magic says nanoseconds."""
    file = pcap([tcp_packet(445, 1001, 7, token("ntlm_messages", "challenge"))])
    assert "begins: 2023-11-14 22:13:20 UTC" in place.good("decode", stdin=struct.pack("<I", 0xA1B23C4D) + file[4:])


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
    cut = place.good("decode", stdin=form(packets)[:-5])
    assert "ends in the middle" in cut


def test_decode_tls(place):
    hello = bytes.fromhex("0301" + "00" * 32 + "00" + "0004" + "1301" + "c02f" + "0100" + "000e" + "0000" + "000a" + "0008" + "000005") + b"a.com"
    body = b"\x01" + len(hello).to_bytes(3, "big") + hello
    shown = place.good("decode", stdin=b"\x16\x03\x01" + struct.pack(">H", len(body)) + body + b"\x15\x03\x03\x00\x02\x02\x30")
    assert "ClientHello" in shown and "TLS_AES_128_GCM_SHA256" in shown and "server name: a.com" in shown
    assert "fatal 48 (unknown_ca" in shown and "WRONG" not in shown


def tls_record(kind, content):
    return bytes([kind, 3, 3]) + struct.pack(">H", len(content)) + content


def tls_handshake(kind, body=b""):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def tls_hello(kind, versions, random=bytes(32)):
    """A ClientHello (1) that supports versions, or a ServerHello (2) that chose them."""
    extension = struct.pack(f">{len(versions)}H", *versions)
    extension = extension if kind == 2 else bytes([len(extension)]) + extension
    extensions = struct.pack(">HH", 43, len(extension)) + extension if versions else b""
    suites = b"\x13\x01\x00" if kind == 2 else b"\x00\x02\x13\x01\x01\x00"
    return tls_handshake(kind, b"\x03\x03" + random + b"\x00" + suites + struct.pack(">H", len(extensions)) + extensions)


RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()
CCS = tls_record(20, b"\x01")
FINISHED = tls_record(22, bytes.fromhex("00000000000000005a") + bytes(range(100, 131)))  # TLS 1.2's, encrypted
DATA = tls_record(23, bytes(range(50)))
NEW, OLD = (0x0304,), (0x0303,)


@pytest.mark.parametrize("records, expected", [
    # TLS 1.3, a hello that is to be said again (RFC 8446 D.4): each side's ChangeCipherSpec stands before plain records.
    ([tls_hello(1, NEW), CCS, tls_hello(1, NEW), DATA], ["ClientHello", "ClientHello"]),
    ([tls_hello(1, NEW + OLD), CCS, DATA, tls_hello(1, NEW + OLD), DATA], ["ClientHello", "ClientHello"]),  # with early data
    ([tls_hello(2, NEW, RETRY_RANDOM), CCS, tls_hello(2, NEW), DATA], ["HelloRetryRequest", "ServerHello"]),
    ([tls_hello(2, NEW), CCS, DATA], ["ServerHello"]),
    # TLS 1.2: what follows it is encrypted, also of a client that could speak 1.3, and of one that resumes.
    ([tls_hello(1, OLD), tls_handshake(16, b"key"), CCS, FINISHED, DATA], ["ClientHello", "ClientKeyExchange", "encrypted"]),
    ([tls_hello(1, NEW + OLD), CCS, FINISHED, DATA], ["ClientHello", "encrypted"]),
    ([tls_hello(1, NEW + OLD), CCS, tls_record(22, b"\x01" + bytes(7) + bytes(range(32))), DATA], ["ClientHello", "encrypted"]),  # its first byte is a ClientHello's
    ([tls_hello(1, ()), CCS, FINISHED, tls_hello(1, ())], ["ClientHello", "encrypted", "encrypted"]),
    ([tls_hello(2, ()), tls_handshake(14), CCS, FINISHED], ["ServerHello", "ServerHelloDone", "encrypted"]),
    ([tls_hello(2, (), RETRY_RANDOM), CCS, FINISHED], ["HelloRetryRequest", "encrypted"]),
    # One record may hold several messages, also such as nobody here knows.
    ([tls_hello(2, ()) + tls_handshake(22, b"\x01" + bytes(500)) + tls_handshake(12, bytes(9)) + tls_handshake(14)],
     ["ServerHello", "CertificateStatus", "ServerKeyExchange", "ServerHelloDone"]),
    ([tls_hello(2, NEW) + tls_handshake(5) + tls_handshake(24, b"\x01")], ["ServerHello", "EndOfEarlyData", "KeyUpdate"]),
    ([tls_hello(2, ()) + tls_handshake(99, bytes(7)) + tls_handshake(14)], ["ServerHello", "unknown type 99", "ServerHelloDone"]),
    ([tls_record(22, b"\x63\xff\xff\xff" + bytes(20))], ["encrypted"]),  # a capture that began later
])
def test_decode_tls_what_is_encrypted(place, records, expected):
    records = [record if record[0] in (20, 22, 23) and record[1:3] == b"\x03\x03" else tls_record(22, record) for record in records]
    shown = place.good("decode", stdin=b"".join(records))
    assert re.findall(r"^ +(?:handshake|content): ([A-Za-z]+(?: type \d+)?)", shown, re.M) == expected, shown
    assert "WRONG" not in shown


def test_decode_tls_messages_in_pieces(place):
    """A message may lie in several records, its first four bytes too."""
    flight = tls_hello(2, ()) + tls_handshake(22, bytes(300)) + tls_handshake(14)
    for step in (1, 3, 100, 335, len(flight)):
        pieces = [tls_record(22, flight[at:at + step]) for at in range(0, len(flight), step)]
        shown = place.good("decode", stdin=b"".join(pieces))
        assert re.findall(r"^ +handshake: (\w+), \d+ bytes$", shown, re.M) == ["ServerHello", "CertificateStatus", "ServerHelloDone"], shown
        assert "WRONG" not in shown and "encrypted" not in shown and "unknown" not in shown
    assert "ServerHello, goes on in the next record" in place.good("decode", stdin=tls_record(22, flight[:20]))


def test_decode_credssp(place):
    ntlm = token("ntlm_messages", "challenge")
    request = der(0x30, der(0xA0, b"\x02\x01\x06") + der(0xA1, der(0x30, der(0x30, der(0xA0, der(0x04, ntlm))))))
    shown = place.good("decode", stdin=request)
    assert "CredSSP: TSRequest" in shown and "version: 6" in shown and "NTLM: CHALLENGE" in shown


def test_kerberos_error(place):
    message = bytes.fromhex("7e3e303ca003020105a10302011ea411180f32303236303130323033303430355aa50302012aa603020125"
                            "a90c1b0a4558414d504c452e5454aa0e300ca003020102a10530031b0168")
    message = bytes([0x7e, len(message) - 2, 0x30, len(message) - 4]) + message[4:]
    shown = place.good("decode", message.hex())
    assert "KRB_AP_ERR_SKEW" in shown and "2026-01-02 03:04:05 UTC" in shown


def test_kerberos_encryption_types(place):
    """Windows' own ones are negative numbers."""
    etypes = b"".join(der(0x02, number.to_bytes(max(1, (number.bit_length() + 8) // 8), "big", signed=True)) for number in (18, 23, -133, -135))
    body = der(0x30, der(0xA0, b"\x03\x05" + bytes(5)) + der(0xA2, b"\x1b\x01R") + der(0xA7, b"\x02\x01\x01") + der(0xA8, der(0x30, etypes)))
    shown = place.good("decode", stdin=der(0x6A, der(0x30, der(0xA1, b"\x02\x01\x05") + der(0xA2, b"\x02\x01\x0a") + der(0xA4, body))))
    for name in ("aes256-cts-hmac-sha1-96", "rc4-hmac", "rc4-hmac-old", "rc4-hmac-old-exp"):
        assert re.search(rf"[ (]{name}\b(?!-)", shown), shown
    assert re.search(r"-133 \(rc4-hmac-old\)", shown) and re.search(r"-135 \(rc4-hmac-old-exp\)", shown), shown
