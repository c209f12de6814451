"""The two sides of an interop test: helper processes behind one interface, whoever implements them.

A side has start(role, ...), token(bytes) -> (word, bytes), sign, verify, seal and unseal; key and say(command) where
the implementation has them. What it refuses is None, or False from verify, and `problem` tells why."""
import base64
import contextlib
import os
import pathlib
import select
import subprocess
import tempfile
import time

import ntlm_reference

BUILD = pathlib.Path(os.environ["OPENSSPI_BUILD"])
HERE = pathlib.Path(__file__).parent
ANSWER_SECONDS = 600

# NT hashes of "Password1!" (alice), "Other2?" (bob) and "Pässwörd€1" (carol, jörg)
ACCOUNTS = (
    "alice:EXAMPLE::7facdc498ed1680c4fd1448319a8c04f:::\n"
    "bob:EXAMPLE::e260eef0818bfe4c442989ce7073eee6:::\n"
    "carol:EXAMPLE::0b765aea283c632ee215ceab79053add:::\n"
    "jörg:EXAMPLE::0b765aea283c632ee215ceab79053add:::\n"
)
PASSWORDS = {"alice": "Password1!", "bob": "Other2?", "carol": "Pässwörd€1", "jörg": "Pässwörd€1"}


class World:
    """A private directory with everybody's configuration and accounts, and the processes of one test."""
    prefix = ()  # words before every command

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.processes = []
        self.put("sam", ACCOUNTS)
        self.put("users", "".join(f"EXAMPLE:{user}:{password}\n" for user, password in PASSWORDS.items()))
        self.configure("")
        samba = self.directory / "samba"
        samba.mkdir()
        places = ("private dir", "lock directory", "state directory", "cache directory", "pid directory",
                  "ncalrpc dir", "winbindd socket directory")
        self.put("smb.conf", "[global]\nworkgroup = EXAMPLE\nnetbios name = SERVER\nserver role = standalone\n"
                 f"log file = {samba}/log\n" + "".join(f"{place} = {samba}\n" for place in places))

    @classmethod
    @contextlib.contextmanager
    def opened(cls, *more, ours="peer_opensspi", **options):
        """A world for a test. At its end our helpers, whose commands have `ours` in them, must have ended well."""
        with tempfile.TemporaryDirectory(prefix="opensspi-interop-") as directory:
            world = cls(directory, *more, **options)
            try:
                yield world
            finally:
                world.close()
            ended = [(one.process.args, one.close()) for one in world.processes if any(ours in str(word) for word in one.process.args)]
            assert all(code == 0 for _, code in ended), f"our helper died, or leaked under a sanitizer: {ended}"

    def put(self, name, text):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def configure(self, ntlm):
        """Our configuration; `ntlm` are lines of its section [ntlm]."""
        self.put("opensspi.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
                 f"dns_domain = example.test\n[accounts]\nstores = sam:{self.directory}/sam\n[ntlm]\n{ntlm}")

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items()
                if name.endswith("_OPTIONS") or name in ("PATH", "LD_LIBRARY_PATH")}
        return {**kept, "LC_ALL": "C.UTF-8", "HOME": str(self.directory), "TMPDIR": str(self.directory),
                "PYTHONDONTWRITEBYTECODE": "1", "OPENSSPI_CONFIG": f"{self.directory}/opensspi.conf",
                "PEER_SAM": f"{self.directory}/sam", "NTLM_USER_FILE": f"{self.directory}/users",
                "NETBIOS_COMPUTER_NAME": "GSSBOX", "NETBIOS_DOMAIN_NAME": "EXAMPLE", **more}

    def close(self):
        for process in self.processes:
            process.close()


class Process:
    """A helper that answers each line with one line."""

    def __init__(self, world, argv, **environment):
        self.errors = open(world.directory / f"errors.{len(world.processes)}", "w+b")
        self.process = subprocess.Popen([*world.prefix, *(str(word) for word in argv)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, env=world.environment(**environment), bufsize=0)
        self.buffer = b""
        world.processes.append(self)

    def ask(self, *words):
        data = (" ".join(words) + "\n").encode()
        while data:
            data = data[self.process.stdin.write(data):]
        until = time.monotonic() + ANSWER_SECONDS
        while b"\n" not in self.buffer:
            ready = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]
            more = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
            if not more:
                self.errors.seek(0)
                told = self.errors.read().decode(errors="replace")
                raise AssertionError(f"{self.process.args[0]}: no answer to {words[0]}\n{told}")
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode()

    def close(self):
        if self.process.stdin.closed:
            return self.process.returncode
        self.process.stdin.close()
        try:
            self.process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()
        return self.process.returncode


def hex_of(data):
    return data.hex() or "-"


def data_of(word):
    return b"" if word == "-" else bytes.fromhex(word)


class Helper:
    """A program that speaks the language of peer_line.h."""
    empty_messages = True  # signs and seals messages of no bytes
    signs_beside_sealing = True  # has signatures in a context that seals
    checks_bindings = True
    target = "HTTP/server"

    def __init__(self, world, *options, **environment):
        self.process = Process(world, self.argv(world, options), **environment)
        self.problem = ""

    def argv(self, world, options):
        return [BUILD / "tests/interop" / self.program, *options]

    def answer(self, *words):
        """The rest of the answer, or None for an error, whose text is kept in `problem`."""
        word, _, rest = self.process.ask(*words).partition(" ")
        if word == "error":
            self.problem = rest
            return None
        return word, rest

    def start(self, role, user="alice", password=None, domain="EXAMPLE", flags="integrity,confidentiality",
              bindings=None, target=None):
        words = [role, f"flags={flags}"]
        if bindings is not None:
            words.append(f"bindings={bindings.hex()}")
        if role == "client":
            password = PASSWORDS.get(user) if password is None else password
            words.append(f"target={target or self.target}")
            if user is not None:
                words += [f"user={user}", f"domain={domain}", f"password={password}"]
        return self.stepped(self.answer(*words))

    @staticmethod
    def stepped(answer):
        return answer and (answer[0], data_of(answer[1] or "-"))

    def token(self, data):
        return self.stepped(self.answer("token", hex_of(data)))

    def data(self, *words):
        answer = self.answer(*words)
        return answer and data_of(answer[1])

    def sign(self, text):
        return self.data("sign", hex_of(text))

    def verify(self, text, signature):
        return self.answer("verify", hex_of(text), hex_of(signature)) is not None

    def seal(self, text):
        return self.data("seal", hex_of(text))

    def unseal(self, message):
        return self.data("unseal", hex_of(message))

    def key(self):
        return self.data("key")

    def say(self, *words):
        answer = self.answer(*words)
        return answer and answer[1]


class Ours(Helper):
    program = "peer_opensspi"


class Gss(Helper):
    program = "peer_gss"
    empty_messages = False
    target = "HTTP@server"

    def __init__(self, world, *options, **environment):
        super().__init__(world, *options, **{**environment, "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"})
        self.world = world

    def start(self, role, user="alice", password=None, **more):
        if role == "client" and password is not None:  # it reads passwords from the file alone
            self.process.close()
            self.world.put("users.other", f"EXAMPLE:{user}:{password}\n")
            self.process = Process(self.world, self.argv(self.world, ()),
                                   NTLM_USER_FILE=f"{self.world.directory}/users.other",
                                   ASAN_OPTIONS="detect_leaks=0")
        return super().start(role, user=user, password=password, **more)


class Winpr(Helper):
    program = "peer_winpr"
    checks_bindings = False

    def __init__(self, world, *options, **environment):
        super().__init__(world, *options, **{**environment, "ASAN_OPTIONS": "detect_leaks=0"})

    @property
    def signs_beside_sealing(self):
        return self.say("signs") == "yes"


class Samba(Helper):
    """Samba's client by its Python module."""
    checks_bindings = False

    def argv(self, world, options):
        return ["/usr/bin/python3", HERE / "peer_samba.py", world.directory / "smb.conf", *options]


class NtlmAuth:
    """Samba's ntlm_auth. Its protocol (ntlm_auth(1)) has base64 tokens, and neither signatures nor sealing: it tells
    its session key, and ntlm_reference does the rest."""
    empty_messages = signs_beside_sealing = True
    checks_bindings = False
    target = "HTTP/server"

    def __init__(self, world, *options, password="Password1!"):
        self.world, self.options, self.password, self.problem = world, options, password, ""
        self.session = self.user = self.flags = None

    def start(self, role, user="alice", password=None, domain="EXAMPLE", flags="integrity,confidentiality",
              bindings=None, target=None):
        self.role, self.fresh = role, True
        if role == "client":
            self.password = PASSWORDS[user] if password is None else password
        argv = ["ntlm_auth", f"--configfile={self.world.directory}/smb.conf",
                f"--password={self.password}", *[f"--option={option}" for option in self.options]]
        if role == "client":
            service, _, host = (target or self.target).partition("/")
            argv += ["--helper-protocol=ntlmssp-client-1", f"--username={user}", f"--domain={domain}",
                     f"--target-service={service}", f"--target-hostname={host}"]
        else:
            argv.append("--helper-protocol=squid-2.5-ntlmssp")
        self.process = Process(self.world, argv)
        wanted = {"integrity": "SIGN", "confidentiality": "SEAL"}
        features = ["SESSION_KEY"] + [wanted[flag] for flag in flags.split(",") if flag in wanted]
        assert self.process.ask("SF " + " ".join("NTLMSSP_FEATURE_" + feature for feature in features)) == "OK"
        return self.send("YR", b"") if role == "client" else ("ok", b"")

    def send(self, word, data):
        answer = self.process.ask(f"{word} {base64.b64encode(data).decode()}".rstrip())
        code, _, rest = answer.partition(" ")
        if code in ("YR", "TT"):
            return "token", base64.b64decode(rest.split()[0])
        if code != "AF":
            self.problem = answer
            return None
        self.flags = int(self.process.ask("GF").split()[1], 16)
        self.session_key = base64.b64decode(self.process.ask("GK").split()[1])
        self.session = ntlm_reference.Session(self.flags, self.session_key, self.role)
        if self.role == "client":
            return "done", base64.b64decode(rest)
        self.user = rest
        return "done", b""

    def token(self, data):
        word = "TT" if self.role == "client" else "YR" if self.fresh else "KK"
        self.fresh = False
        return self.send(word, data)

    def key(self):
        return self.session_key

    def say(self, word):
        return self.user if word == "names" else None

    def sign(self, text):
        return self.session.sign(text)

    def verify(self, text, signature):
        return self.session.verify(text, signature)

    def seal(self, text):
        return self.session.seal(text)

    def unseal(self, message):
        return self.session.unseal(message)


class Outcome:
    """What a handshake came to: the side that refused, or None, and the tokens in their order."""

    def __init__(self):
        self.refused, self.tokens = None, []

    @property
    def good(self):
        return self.refused is None


def handshake(client, server, flags="integrity,confidentiality", client_bindings=None, server_bindings=None,
              alter=None, **identity):
    """Runs a handshake. `alter` maps (number of the token from 0, token) to what is delivered. In a datagram context
    the client's first token is empty."""
    began = server.start("server", flags=flags, bindings=server_bindings)
    assert began is not None, server.problem
    return walk(client, server, client.start("client", flags=flags, bindings=client_bindings, **identity), alter)


def walk(client, server, answer, alter=None):
    """The same, from the client's first answer on."""
    outcome, finished = Outcome(), set()
    if answer is None:
        outcome.refused = client
        return outcome
    to = server
    while answer is not None:
        word, token = answer
        sender = client if to is server else server
        if word == "done":
            finished.add(id(sender))
        if len(finished) == 2:
            return outcome
        assert word in ("done", "token") and (token or not outcome.tokens), f"{word} after {len(outcome.tokens)} tokens"
        delivered = alter(len(outcome.tokens), token) if alter is not None else token
        outcome.tokens.append(delivered)
        answer = to.token(delivered)
        if answer is None:
            outcome.refused = to
        to = sender
    return outcome


def establish(client, server, **options):
    outcome = handshake(client, server, **options)
    assert outcome.good, f"{type(outcome.refused).__name__} refused: {outcome.refused.problem}"
    return outcome


def parse_authenticate(token):
    """The target information that a client's AUTHENTICATE carries, as {id: value} (MS-NLMP 2.2.1.3, 2.2.2.8)."""
    assert token[:12] == b"NTLMSSP\0\x03\0\0\0"
    length, offset = int.from_bytes(token[20:22], "little"), int.from_bytes(token[24:28], "little")
    pairs, at, found = token[offset:offset + length][16 + 28:], 0, {}
    while True:
        kind, size = (int.from_bytes(pairs[at + i:at + i + 2], "little") for i in (0, 2))
        if kind == 0:
            return found
        assert kind not in found
        found[kind] = pairs[at + 4:at + 4 + size]
        at += 4 + size


