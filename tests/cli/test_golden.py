"""What every sub-command prints, word for word, on standard output and standard error, and its exit status: tests/cli/golden/*.txt.

OPENSSPI_GOLDEN=write ctest -R cli.golden writes the files anew after a change that was meant; look at the difference."""
import os
import pathlib
import re
import subprocess

import pytest

from place import BUILD, SOURCE, SSPI, Place

GOLDEN = pathlib.Path(SOURCE, "tests", "cli", "golden")
CORPUS = pathlib.Path(SOURCE, "tests", "fuzz", "corpus")
BASE64 = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw=="
USER = ["--user", "EXAMPLE\\alice"]

SAME_EVERYWHERE = [
    (r"S-1-5-21-\d+-\d+-\d+", "S-1-5-21-1-2-3"),
    (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"LCT-[0-9A-F]{8}", "LCT-TIME"),
    (r"\b1[0-9]{17}\b", "FILETIME"),
    (r"OpenSSPI \d+\.\d+\.\d+", "OpenSSPI VERSION"),
    (r"\(OpenSSPI\) \d+\.\d+\.\d+", "(OpenSSPI) VERSION"),
    (r"OpenSSL \d[^\"\n]*", "OpenSSL VERSION"),
    (r"Unix( +)\S+ \(uid \d+\)", r"Unix\1USER (uid N)"),
    (r'"uid": \d+, "user": "[^"]*"', '"uid": N, "user": "USER"'),
    (r"port \d{4,5}", "port PORT"),
    (r"\d+ handshakes a second \(both sides\), \d+ MB", "N handshakes a second (both sides), N MB"),
    (r'per_second": \d+\.\d+', 'per_second": N'),
    (r"Could(?:n't| not) connect to server", "Couldn't connect to server"),  # libcurl's words
    (r"(?:good|note)  clock .*\n(?: +-> .*\n)?", "VERDICT clock\n"),
    (r'\{"check": "clock".*\},\n', '{"check": "clock"},\n'),
]


class Record:
    """A session at the command's prompt, as text."""

    def __init__(self, place):
        self.place, self.text = place, ""

    def normal(self, text):
        text = text.replace(str(self.place.directory), "PLACE").replace(SOURCE, "SOURCE")
        for pattern, word in SAME_EVERYWHERE:
            text = re.sub(pattern, word, text)
        return text

    def add(self, words, code, out, err):
        self.text += f"$ sspi {' '.join(words)}\n".replace(str(self.place.directory), "PLACE").replace(SOURCE, "SOURCE")
        self.text += self.normal(out.decode("utf-8", "backslashreplace"))
        if self.text[-1] != "\n":
            self.text += "\n"
        self.text += "".join(f"! {line}\n" for line in self.normal(err.decode()).splitlines())
        self.text += f"= {code}\n"

    def run(self, *words, stdin=b""):
        done = self.place.run(*words, stdin=stdin)
        self.add(words, done.returncode, done.stdout, done.stderr)
        return done

    def check(self, name):
        file = GOLDEN / f"{name}.txt"
        if os.environ.get("OPENSSPI_GOLDEN") == "write":
            GOLDEN.mkdir(exist_ok=True)
            file.write_text(self.text, encoding="utf-8")
        assert self.text == file.read_text(encoding="utf-8"), "OPENSSPI_GOLDEN=write makes it anew"


@pytest.fixture
def record(tmp_path):
    place = Place(tmp_path)
    (tmp_path / "conf").write_text(f"[names]\ncomputer = HOST\ndns_computer = host.example.test\ndns_domain = example.test\n"
                                   f"[accounts]\nstores = sqlite:{tmp_path}/accounts.db\n")
    place.good("account", "add", "alice", "--domain", "EXAMPLE", "--full-name", "Alice Example", "--uid", "1000", stdin=b"pw\n")
    return Record(place)


def every_command(place):
    """("account add", ...), by the help of the command itself."""
    for family in re.findall(r"^  sspi (\w+)", place.good("--help"), re.M):
        text = place.good(family, "--help")
        if text.startswith(f"usage: sspi {family} COMMAND"):
            for sub in re.findall(r"^  (\w+)", text, re.M):
                yield (family, sub)
        else:
            yield (family,)


def test_help(record):
    record.run("--help")
    record.run("--version")
    for words in (["help"], ["help", "account"], ["help", "account", "add"], ["help", "decode"]):
        turned = record.place.good(*words[1:], "--help")
        assert record.place.good(*words) == turned
    for words in (["help", "nonsense"], ["help", "account", "nonsense"], ["help", "account", "add", "x"]):
        assert record.run(*words).returncode == 2
    for words in every_command(record.place):
        record.run(*words, "--help")
    record.check("help")


def test_misuse(record):
    """Each sub-command, wrongly called: what is said leads on, and nothing is on standard output."""
    record.run()
    record.run("nonsense")
    for words in every_command(record.place):
        for more in (["--nonsense"], ["a", "b", "c", "d"]):
            done = record.run(*words, *more)
            assert done.returncode == 2 and done.stdout == b"" and b"sspi" in done.stderr, words
    for words in (["account"], ["account", "nonsense"], ["connect", "host"], ["connect", "h:1", "--flags", "nonsense"], ["connect", "h:1", "--package"],
                  ["connect", "h:1", "--timeout", "soon"], ["listen", "0", "--package", "Schannel"], ["get", "http://h/", "--package", "Kerberos"],
                  ["completion", "zsh"], ["account", "add", "a", "--uid", "x"], ["account", "add", "a", "--expires", "soon"]):
        assert record.run(*words).returncode == 2
    record.check("misuse")


@pytest.mark.parametrize("command", ["packages", "whoami", "creds", "doctor", "error"])
def test_listing(record, command):
    record.run(command)
    record.run(command, "--json")
    record.check(command)


def test_error_of_one(record):
    for text in ("0x8009030C", "-2146893044", "sec_e_invalid_token", "0xC0000234", "0x80090320"):
        record.run("error", text)
    record.run("error", "0x80090308", "--json")
    record.run("error", "nonsense")
    record.run("error", "0x12345678")
    record.check("error_of_one")


def test_account(record):
    record.run("account", "add", "bob", stdin=b"pw\n")
    record.run("account", "add", "bob", stdin=b"pw\n")
    record.run("account", "add", "carol", "--no-password", "--domain", "EXAMPLE")
    record.run("account", "passwd", "bob", "--must-change", stdin=b"pw\n")
    record.run("account", "set", "bob", "--full-name", "Bob", "--lock", "--expires", "2099-01-31", "--gid", "100")
    record.run("account", "disable", "carol")
    for words in (["list"], ["list", "--json"], ["show", "alice"], ["show", "bob"], ["show", "alice", "--json"], ["show", "eve"], ["export"],
                  ["export", "--format", "smbpasswd"], ["export", "--output", str(record.place.directory / "out")]):
        record.run("account", *words)
    record.run("account", "enable", "bob")
    record.run("account", "remove", "carol")
    record.run("account", "import", "--replace", str(record.place.directory / "out"))
    record.run("account", "import", "-", stdin=b"no account file\n")
    record.run("account", "list")
    record.check("account")


def test_group(record):
    for words in (["add", "staff", "--gid", "50", "--comment", "all of us"], ["add", "staff"], ["join", "staff", "EXAMPLE\\alice"], ["join", "staff", "eve"],
                  ["list"], ["list", "--json"], ["show", "staff"], ["show", "staff", "--json"], ["leave", "staff", "alice"], ["leave", "staff", "alice"],
                  ["remove", "staff"], ["list"]):
        record.run("group", *words)
    record.check("group")


def converse(record, client_words, listen_words, said, answered, both=True):
    """A client and a server; what a server sees of a client that went away in the middle is not always the same, so `both` may leave it out."""
    server, port = record.place.listen("0", *listen_words)
    server.stdin.write(answered)
    server.stdin.close()
    server.stdin = None
    client = record.place.run("connect", f"localhost:{port}", *client_words, stdin=said)
    out, messages = server.communicate(timeout=60)
    record.add(["connect", "localhost:PORT", *client_words], client.returncode, client.stdout, client.stderr)
    if both:
        record.add(["listen", "0", *listen_words], server.returncode, out, messages)
    else:
        assert server.returncode != 0 and out == b"" and messages


def test_chat(record):
    ntlm = ["--package", "NTLM"]
    converse(record, [*ntlm, *USER, "--verbose"], [*ntlm, "--verbose"], b"pw\nhello\n", b"welcome\n")
    converse(record, [*ntlm, *USER, "--flags", "integrity"], [*ntlm, "--flags", "integrity"], b"pw\nhello\n", b"welcome\n")
    converse(record, [*ntlm, *USER, "--flags", "none"], [*ntlm, "--flags", "none"], b"pw\nhello\n", b"welcome\n")
    converse(record, [*ntlm, *USER], ntlm, b"wrong\n", b"")
    converse(record, [*USER], [], b"pw\nhello\n", b"welcome\n")
    record.run("connect", "127.0.0.1:1", *ntlm, *USER, stdin=b"pw\n")
    record.check("chat")


def test_chat_tls(record):
    place = record.place
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", place.directory / "key.pem", "-out",
                    place.directory / "cert.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "3"],
                   check=True, capture_output=True)
    certificate = str(place.directory / "cert.pem")
    listen = ["--package", "Schannel", "--certificate", certificate, "--key", str(place.directory / "key.pem")]
    converse(record, ["--package", "Schannel", "--ca", certificate], listen, b"hello\n", b"welcome\n")
    converse(record, ["--package", "Schannel"], listen, b"hello\n", b"welcome\n", both=False)
    converse(record, ["--package", "Schannel", "--ca", certificate, "--target", "other.example.test"], listen, b"hello\n", b"welcome\n", both=False)
    record.check("chat_tls")


def test_get(record):
    server = subprocess.Popen([os.path.join(BUILD, "samples", "httpauth", "httpauth_server"), "-p", "0"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=record.place.environment)
    try:
        port = re.search(r":(\d+)", server.stdout.readline().decode()).group(1)
        url = f"http://127.0.0.1:{port}"
        for words, stdin in (([f"{url}/who.json", *USER], b"pw\n"), ([f"{url}/who.json", *USER, "--package", "NTLM", "--verbose"], b"pw\n"),
                             ([f"{url}/", *USER], b"wrong\n"), ([f"{url}/nonsense", *USER], b"pw\n")):
            record.run("get", *words, stdin=stdin)
    finally:
        server.terminate()
        server.communicate()
    record.text = record.text.replace(port, "PORT")
    record.run("get", "http://127.0.0.1:1/")
    record.check("get")


def test_logon_without_a_daemon(record):
    for words in (["sessions"], ["sessions", "--json"], ["logoff"], ["logoff", "x"], ["logoff", "1"], ["logon", "EXAMPLE\\alice"]):
        record.run(*words, stdin=b"pw\n")
    record.check("logon")


def test_bench(record):
    record.run("bench", "--package", "NTLM", *USER, "--seconds", "0", stdin=b"pw\n")
    record.run("bench", "--package", "NTLM", *USER, "--seconds", "0", "--json", stdin=b"pw\n")
    record.run("bench", "--package", "NTLM", *USER, "--seconds", "0", stdin=b"wrong\n")
    record.check("bench")


def test_completion(record):
    record.run("completion", "bash")
    record.check("completion")


def test_decode(record):
    """Each kind of token, as a tree and as JSON."""
    for folder in ("decode", "negotiate_tokens"):
        for file in sorted((CORPUS / folder).iterdir()):
            if not file.name.startswith("found_"):
                record.run("decode", str(file))
    for name in ("authenticate_anonymous", "authenticate_oem", "challenge_no_info", "negotiate_names", "negotiate_short", "signature"):
        record.run("decode", str(CORPUS / "ntlm_messages" / name))
    record.run("decode", str(CORPUS / "decode" / "header"), "--json")
    record.run("decode", str(CORPUS / "decode" / "pcap"), "--json")
    record.run("decode", BASE64)
    record.run("decode", f"Authorization: NTLM {BASE64}")
    record.run("decode", "no token")
    record.check("decode")
