"""Kerberos' two sides in interop tests: the helpers of peers.py in a realm of realm.py or ad.py."""
import re
import time

import peers
from peers import BUILD, Helper, Process, World, data_of, hex_of
from realm import PATIENCE

HOST = "server.example.test"
ALL_FLAGS = "mutual,integrity,confidentiality,replay,sequence"


def refused(side, *codes):
    """Did this side of ours say no with one of these codes? Anything else fails the test."""
    assert side.problem.split()[0] in codes, side.problem
    return True


class KerberosWorld(World):
    """A private directory and the processes of one test, in a realm's environment; its server is HTTP/`host`."""

    def __init__(self, directory, realm, enctype=None, host=HOST):
        self.host, self.prefix = host, getattr(realm, "prefix", ())
        self.krb5 = {name: value for name, value in realm.environment(enctype).items() if name.startswith("KRB5")}
        super().__init__(directory)

    def configure(self, kerberos):
        """Our configuration; `kerberos` are lines of its section [kerberos]."""
        self.put("opensspi.conf", f"[kerberos]\n{'' if 'kdc_seconds' in kerberos else PATIENCE}{kerberos}")

    def environment(self, **more):
        return {**super().environment(), **self.krb5, **more}


class KerberosHelper(Helper):
    """A client has the default ticket cache unless a user is named, a server the default keytab."""
    between = "/"
    package = "package=Kerberos"

    def __init__(self, world, *options, **environment):
        super().__init__(world, *options, **environment)
        self.target = f"HTTP{self.between}{world.host}"

    def start(self, role, user=None, password=None, domain=None, flags=ALL_FLAGS, bindings=None, target=None,
              principal=None):
        named = {"user": user, "password": password, "domain": domain, "principal": principal,
                 "target": (target or self.target) if role == "client" else None,
                 "bindings": bindings.hex() if bindings is not None else None}
        words = [f"{name}={value}" for name, value in named.items() if value is not None]
        return self.stepped(self.answer(role, *self.package.split(), f"flags={flags}", *words))

    def again(self):
        return self.stepped(self.answer("again"))

    def dseal(self, head, text, tail):
        answer = self.answer("dseal", *(hex_of(part) for part in (head, text, tail)))
        return answer and tuple(data_of(word) for word in answer[1].split())

    def dunseal(self, head, text, tail, token):
        return self.data("dunseal", *(hex_of(part) for part in (head, text, tail, token)))


def record_fields(exported):
    """The fields of a session record (docs/session-record.md) by their tags."""
    at = exported.index(b"OSSR") + 6
    found = {}
    while at < len(exported):
        tag, size = int.from_bytes(exported[at:at + 2], "little"), int.from_bytes(exported[at + 2:at + 6], "little")
        assert at + 6 + size <= len(exported) and tag not in found
        found[tag] = exported[at + 6:at + 6 + size]
        at += 6 + size
    return found


def sid_read(data, at):
    """A SID (MS-DTYP 2.4.2.2) as text, and where it ends."""
    n = data[at + 1]
    end = at + 8 + 4 * n
    parts = [int.from_bytes(data[at + 8 + 4 * i:at + 12 + 4 * i], "little") for i in range(n)]
    return "-".join(map(str, ["S", data[at], int.from_bytes(data[at + 2:at + 8], "big"), *parts])), end


def identity_sids(exported):
    """The user's SID and the groups' of a record's identity."""
    identity = record_fields(exported)[11]
    user, at = sid_read(identity, 2)
    n, at, groups = int.from_bytes(identity[at + 16:at + 18], "little"), at + 18, []
    for _ in range(n):
        sid, at = sid_read(identity, at)
        groups.append(sid)
        at += 12  # attributes and gid
    assert at == len(identity)
    return user, groups


class Ours(KerberosHelper):
    program = "peer_opensspi"

    def granted(self):
        return int(self.say("attributes"), 16)

    def moved(self, world):
        """The same context in a new process."""
        record = self.data("export")
        heir = Ours(world)
        assert heir.answer("import", record.hex(), "package=Kerberos") is not None, heir.problem
        return heir


class Mit(KerberosHelper):
    program = "peer_gss"
    between = "@"

    def __init__(self, world, *options, **environment):
        super().__init__(world, *options, **{**environment, "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0"})


def establish(client, server, **options):
    return peers.establish(client, server, **{"flags": ALL_FLAGS, **options})


def flip(data, at, bit=0):
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1:]


class Der:
    """Where the parts of an encoded message lie: `find` walks tags inwards, `skip` tells a part's place by its tags."""

    @staticmethod
    def element(data, at):
        """Tag, start and end of the content of the element at `at`."""
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7f
            length, start = int.from_bytes(data[start:start + size], "big"), start + size
        return tag, start, start + length

    @classmethod
    def find(cls, data, *tags, start=0):
        end = len(data)
        for wanted in tags:
            at = start
            while True:
                assert at < end, f"no element {wanted:#x}"
                tag, start, stop = cls.element(data, at)
                if tag == wanted:
                    end = stop
                    break
                at = stop
        return start, end

    @staticmethod
    def write(tag, content):
        size = len(content)
        width = (size.bit_length() + 7) // 8
        length = bytes([size]) if size < 128 else bytes([0x80 | width]) + size.to_bytes(width, "big")
        return bytes([tag]) + length + content


# Where an AP-REQ (RFC 4120 5.5.1) has its parts
TICKET = (0x6e, 0x30, 0xa3, 0x61, 0x30)
OPTIONS = (0x6e, 0x30, 0xa2)
ENCRYPTED = (0x30, 0xa2, 0x04)
TICKET_USAGE, AUTHENTICATOR_USAGE = 2, 11


class Forger:
    """Opens AP-REQs with a service's key and closes them again, changed; every change keeps its length."""

    def __init__(self, world, realm, service):
        self.process = Process(world, [BUILD / "tests/interop/krb_crypt"], ASAN_OPTIONS="detect_leaks=0")
        listed = realm.run("klist", "-Kek", realm.env["KRB5_KTNAME"])
        self.key = next(re.search(r"\(0x([0-9a-f]+)\)", line)[1] for line in listed.splitlines()
                        if f"{service}@" in line and "(aes256-cts-hmac-sha1-96)" in line)

    def crypt(self, word, key, usage, data):
        answer = self.process.ask(word, "18", key, str(usage), data.hex()).split()
        assert answer[0] == "data", answer
        return bytes.fromhex(answer[1])

    @staticmethod
    def message(token):
        """Where the AP-REQ begins in its GSS frame."""
        return Der.find(token, 0x60, 0x06)[1] + 2

    def part(self, token, usage):
        start = self.message(token)
        outer = TICKET + (0xa3,) if usage == TICKET_USAGE else (0x6e, 0x30, 0xa4)
        return Der.find(token, *outer, *ENCRYPTED, start=start)

    def open(self, token, usage, key=None):
        start, end = self.part(token, usage)
        return self.crypt("decrypt", key or self.key, usage, token[start:end])

    def session_key(self, token):
        ticket = self.open(token, TICKET_USAGE)
        start, end = Der.find(ticket, 0x63, 0x30, 0xa1, 0x30, 0xa1, 0x04)
        return ticket[start:end].hex()

    def close(self, token, usage, plain, key=None):
        start, end = self.part(token, usage)
        sealed = self.crypt("encrypt", key or self.key, usage, plain)
        assert len(sealed) == end - start
        return token[:start] + sealed + token[end:]

    def change_ticket(self, token, change):
        return self.close(token, TICKET_USAGE, change(self.open(token, TICKET_USAGE)))

    def change_authenticator(self, token, change):
        key = self.session_key(token)
        return self.close(token, AUTHENTICATOR_USAGE, change(self.open(token, AUTHENTICATOR_USAGE, key)), key)

    @staticmethod
    def time_setter(seconds, *tags):
        """Sets a GeneralizedTime to so many seconds from now."""
        def change(plain):
            start, end = Der.find(plain, *tags, 0x18)
            text = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds)).encode()
            assert len(text) == end - start
            return plain[:start] + text + plain[end:]
        return change
