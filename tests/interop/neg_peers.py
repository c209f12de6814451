"""Negotiate's two sides in interop tests: the helpers of peers.py, with NTLM accounts and a Kerberos realm at once."""
import base64

from krb_peers import ALL_FLAGS, HOST, Der, KerberosWorld, Mit as KerberosMit, Ours as KerberosOurs
from peers import ACCOUNTS, PASSWORDS, Process
from realm import PATIENCE

KRB5, MS_KRB5, NTLM = (bytes.fromhex(text) for text in ("2a864886f712010202", "2a864882f712010202", "2b06010401823702020a"))
SPNEGO = bytes.fromhex("2b0601050502")
COMPLETED, INCOMPLETE, REJECT, REQUEST_MIC = range(4)


class NegWorld(KerberosWorld):
    """A private directory in a realm's environment, with NTLM accounts beside it."""

    def configure(self, extra):
        self.put("sam", ACCOUNTS)
        patience = "" if "kdc_seconds" in extra else f"[kerberos]\n{PATIENCE}"
        self.put("opensspi.conf", f"{patience}[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
                 f"dns_domain = example.test\n[accounts]\nstores = sam:{self.directory}/sam\n{extra}")

    def without_ticket(self):
        self.krb5["KRB5CCNAME"] = f"FILE:{self.directory}/none"


class _Side:
    def start(self, role, user=None, password=None, domain="EXAMPLE", flags=ALL_FLAGS, bindings=None, target=None,
              mechs=None):
        named = {"bindings": bindings.hex() if bindings is not None else None, "mechs": mechs}
        if role == "client":
            named["target"] = target or self.target
            if user is not None:
                named.update(user=user, domain=domain, password=password or PASSWORDS.get(user))
        words = [f"{name}={value}" for name, value in named.items() if value is not None]
        return self.stepped(self.answer(role, "package=Negotiate", f"flags={flags}", *words))

    def chosen(self):
        return self.say("chosen").split()[0]


class Ours(_Side, KerberosOurs):
    def moved(self, world):
        record = self.data("export")
        heir = Ours(world)
        assert heir.answer("import", record.hex(), "package=Negotiate") is not None, heir.problem
        return heir


class Mit(_Side, KerberosMit):
    """`mechs` is what it offers or accepts, most preferred first."""

    def __init__(self, world, mechs=None, **environment):
        super().__init__(world, **environment)
        self.mechs = mechs

    def start(self, role, mechs=None, **more):
        more.pop("password", None)  # gss-ntlmssp reads passwords from NTLM_USER_FILE alone
        return super().start(role, mechs=mechs or self.mechs, **more)


class NtlmAuth:
    """Samba's ntlm_auth as the client (gss-spnego-client) or the server (gss-spnego) of SPNEGO: it gives no keys away, so that there are no
    messages with it."""
    target = f"HTTP/{HOST}"

    def __init__(self, world, password=PASSWORDS["alice"]):
        self.world, self.password, self.problem, self.user = world, password, "", None

    def start(self, role, user="alice", password=None, domain="EXAMPLE", flags=None, bindings=None, target=None):
        self.role = role
        argv = ["ntlm_auth", f"--configfile={self.world.directory}/smb.conf"]
        if role == "client":
            service, _, host = (target or self.target).partition("/")
            argv += ["--helper-protocol=gss-spnego-client", f"--username={user}", f"--domain={domain}",
                     f"--password={password or self.password}", f"--target-service={service}", f"--target-hostname={host}"]
        else:
            argv += ["--helper-protocol=gss-spnego", f"--password={self.password}"]
        self.process = Process(self.world, argv)
        return self.send("YR", b"") if role == "client" else ("ok", b"")

    def send(self, word, data):
        answer = self.process.ask(f"{word} {base64.b64encode(data).decode()}".rstrip())
        code, *rest = answer.split(" ")
        if code in ("YR", "TT", "KK"):
            return "token", base64.b64decode(rest[0])
        if code != "AF":
            self.problem = answer
            return None
        token = rest[0] if rest else "*"
        self.user = " ".join(rest[1:])
        return "done", b"" if token in ("*", "") else base64.b64decode(token)

    def token(self, data):
        word = "TT" if self.role == "client" else "YR" if self.fresh else "KK"
        self.fresh = False
        return self.send(word, data)

    fresh = True


class Resp:
    """The fields of a NegTokenResp (RFC 4178 4.2.2); what is missing is None."""

    def __init__(self, token):
        assert token[0] == 0xa1, token.hex()
        start, end = Der.find(token, 0xa1, 0x30)
        self.state = self.mech = self.token = self.mic = None
        while start < end:
            tag, inner, start_next = Der.element(token, start)
            _, at, stop = Der.element(token, inner)
            content = token[at:stop]
            name = {0xa0: "state", 0xa1: "mech", 0xa2: "token", 0xa3: "mic"}[tag]
            setattr(self, name, content[0] if name == "state" else content)
            start = start_next

    def write(self):
        fields = [(0xa0, 0x0a, None if self.state is None else bytes([self.state])), (0xa1, 0x06, self.mech),
                  (0xa2, 0x04, self.token), (0xa3, 0x04, self.mic)]
        return Der.write(0xa1, Der.write(0x30, b"".join(Der.write(outer, Der.write(inner, content))
                                                        for outer, inner, content in fields if content is not None)))


class Init:
    """The fields of a NegTokenInit: mechanisms, token, code."""

    def __init__(self, token):
        start, end = Der.find(token, 0x60, 0xa0, 0x30)
        self.mechs, self.token, self.mic = [], None, None
        while start < end:
            tag, inner, start_next = Der.element(token, start)
            _, at, stop = Der.element(token, inner)
            while tag == 0xa0 and at < stop:
                _, oid, oid_end = Der.element(token, at)
                self.mechs.append(token[oid:oid_end])
                at = oid_end
            if tag == 0xa2:
                self.token = token[at:stop]
            if tag == 0xa3:
                self.mic = token[at:stop]
            start = start_next

    def write(self):
        fields = Der.write(0xa0, Der.write(0x30, b"".join(Der.write(0x06, mech) for mech in self.mechs)))
        for tag, content in ((0xa2, self.token), (0xa3, self.mic)):
            if content is not None:
                fields += Der.write(tag, Der.write(0x04, content))
        return Der.write(0x60, Der.write(0x06, SPNEGO) + Der.write(0xa0, Der.write(0x30, fields)))
