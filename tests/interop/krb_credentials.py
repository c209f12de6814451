"""A side whose credential is acquired, changed and used in steps (peer_credentials.c)."""
from krb_peers import ALL_FLAGS, HOST, Ours

CCACHE, CLIENT_KEYTAB, KEYTAB, X509_IDENTITY, X509_ANCHORS, PIN = (str(0x4F530101 + number) for number in range(6))
TARGET = f"HTTP/{HOST}"


class Holder(Ours):
    program = "peer_credentials"

    def acquire(self, use="out", flags=ALL_FLAGS, target=TARGET, **named):
        """Acquires alone; None when that fails."""
        words = [f"{name}={value.hex() if isinstance(value, bytes) else value}" for name, value in named.items()]
        return self.answer("acquire", f"use={use}", f"flags={flags}", f"target={target}", *words)

    def set(self, attribute, text, *wide):
        return self.answer("set", attribute, text or "-", *wide)

    def begin(self):
        """The first step with what was acquired."""
        return self.again()

    def must(self, *words):
        answer = self.answer(*words)
        assert answer is not None, f"{words}: {self.problem}"
        return answer[1]

    def act(self, target, flags=ALL_FLAGS):
        return self.stepped(self.answer("act", f"target={target}", f"flags={flags}"))


def served(client, server, first=None):
    """Runs a handshake that the client has begun, or begins, against a server that waits; whom the server sees."""
    step = first if first is not None else client.begin()
    assert step is not None, client.problem
    while True:
        word, token = step
        if word == "done" and not token:
            break
        answer = server.token(token)
        assert answer is not None, server.problem
        if word == "done":
            break
        step = client.token(answer[1])
        assert step is not None, client.problem
        if answer[0] == "done" and not step[1]:
            break
    mic = client.sign(b"who is there")
    assert server.verify(b"who is there", mic), server.problem
    return server.say("names")
