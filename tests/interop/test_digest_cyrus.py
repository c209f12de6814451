"""SASL DIGEST-MD5 against Cyrus SASL's client and server: each protection and cipher, wrong passwords, letters beyond ASCII."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import sasl_peers  # noqa: E402
from peers import BUILD, Helper, World  # noqa: E402
from sasl_peers import SaslSends  # noqa: E402

TARGET, REALM = "ldap/server.example.test", "example.test"
TEXTS = (b"text" * 8, b"x", b"1234567", b"12345678", bytes(range(256)) * 16)
PEOPLE = {"alice": "Password1!", "J\u00e4s\u00f8n": "Gehe\u00efm"}


class Ours(SaslSends, Helper):
    def begin(self, role, layer=None, **more):
        words = {"package": "WDigest", "target": TARGET}
        if role == "client":
            words.update(user="alice", password=PEOPLE["alice"])
        flags = self.with_sasl(layer)
        if flags:
            words["flags"] = flags
        return self.stepped(self.answer(role, *(f"{key}={value}" for key, value in {**words, **more}.items())))


class Cyrus(sasl_peers.Cyrus):
    strengths, least = {"none": 0, "integrity": 1, "confidentiality": 128}, 112

    def begin(self, role, layer=None, **more):
        return super().begin(role, layer, **{"mechanism": "DIGEST-MD5", "target": TARGET, "user": "alice", "password": PEOPLE["alice"], "realm": REALM, **more})


class DigestWorld(World):
    def __init__(self, directory):
        super().__init__(directory)
        self.put("opensspi.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
                 f"[accounts]\nstores = sqlite:{directory}/accounts/accounts.db\n[digest]\nrealms = {REALM}\n")
        for user, password in PEOPLE.items():
            subprocess.run([BUILD / "sspi", "account", "add", user], env=self.environment(), input=password + "\n", text=True,
                           check=True, timeout=60)


@pytest.fixture(name="world")
def world_of_the_test():
    with DigestWorld.opened() as world:
        yield world


def exchange(client, server, answer):
    """Runs it to the end; who refused, or None."""
    assert answer is not None, client.problem
    to, sender, finished = server, client, set()
    for _ in range(8):
        word, token = answer
        if word == "done":
            finished.add(sender)
        if finished == {client, server}:
            return None
        answer = to.token(token)
        if answer is None:
            return to
        to, sender = sender, to
    raise AssertionError("no end")


def meet(world, kinds, client_layer, server_layer=None, client_words=None, server_words=None):
    client, server = (kind(world) for kind in kinds)
    assert server.begin("server", server_layer, **(server_words or {})) is not None, server.problem
    refused = exchange(client, server, client.begin("client", client_layer, **(client_words or {})))
    return client, server, refused


PAIRS = {"ours-ours": (Ours, Ours), "ours-cyrus": (Ours, Cyrus), "cyrus-ours": (Cyrus, Ours)}
pairs = pytest.mark.parametrize("kinds", PAIRS.values(), ids=PAIRS)


def talk(client, server, seals=True):
    for text in TEXTS:
        for source, sink in ((client, server), (server, client)):
            message = source.send(text)
            assert message is not None, source.problem
            assert len(text) < 16 or (text in message) != seals
            assert sink.unseal(message) == text, sink.problem


@pytest.mark.parametrize("layer", Cyrus.strengths)
@pairs
def test_layers(world, kinds, layer):
    client, server, refused = meet(world, kinds, layer)
    assert refused is None, refused.problem
    server.layer = layer
    for side in (client, server):
        if isinstance(side, Cyrus):
            assert int(side.say("ssf")) in {"none": (0,), "integrity": (1,), "confidentiality": (112, 128)}[layer]
    if layer != "none":
        talk(client, server, seals=layer == "confidentiality")


@pytest.mark.parametrize("kinds", ((Ours, Cyrus), (Cyrus, Ours)), ids=("ours-cyrus", "cyrus-ours"))
def test_triple_des(world, kinds):
    """A Cyrus that wants 112 bits and no more offers 3des alone, and takes it where rc4 is offered too."""
    limits = {"minssf": 112, "maxssf": 112}
    layer = [None if kind is Cyrus else "confidentiality" for kind in kinds]
    words = [limits if kind is Cyrus else None for kind in kinds]
    layer[1] = None  # our server offers what it has
    client, server, refused = meet(world, kinds, *layer, *words)
    assert refused is None, refused.problem
    server.layer = "confidentiality"
    cyrus = client if kinds[0] is Cyrus else server
    assert int(cyrus.say("ssf")) == 112
    talk(client, server)
    # one altered message ends the direction of ours that received it
    ours = client if kinds[0] is Ours else server
    messages = [cyrus.send(b"some text of more than one block"), cyrus.send(b"more")]
    assert ours.unseal(messages[0][:3] + bytes([messages[0][3] ^ 1]) + messages[0][4:]) is None
    assert ours.problem.startswith("0x8009030f"), ours.problem
    assert ours.unseal(messages[0]) is None
    assert ours.problem.startswith("0x80090317"), ours.problem


@pairs
def test_wrong_password(world, kinds):
    client, server, refused = meet(world, kinds, "none", client_words={"password": "wrong"})
    assert refused is server
    if isinstance(server, Ours):
        assert server.problem.startswith("0x8009030c"), server.problem
    client, server, refused = meet(world, kinds, "none", client_words={"user": "nobody"})
    assert refused is server
    if isinstance(server, Ours):
        assert server.problem.startswith("0x8009030c"), server.problem


@pytest.mark.parametrize("layer", ("integrity", "confidentiality"))
@pytest.mark.parametrize("kinds", ((Ours, Cyrus), (Cyrus, Ours)), ids=("ours-cyrus", "cyrus-ours"))
def test_server_insists(world, kinds, layer):
    client, server, refused = meet(world, kinds, "none", layer)
    ours = client if isinstance(client, Ours) else server
    if isinstance(client, Cyrus):
        assert refused is client  # it wants none, and none is offered
    else:
        assert refused is None, refused.problem  # what was not asked for may be had all the same
        ours.layer = layer
        talk(client, server, seals=layer == "confidentiality")


@pytest.mark.parametrize("kinds", ((Ours, Cyrus), (Cyrus, Ours)), ids=("ours-cyrus", "cyrus-ours"))
def test_letters(world, kinds):
    """Names and passwords of ISO 8859-1 are hashed in it (RFC 2831 2.1.2.1)."""
    user, password = list(PEOPLE.items())[1]
    words = {"user": user, "password": password}
    client, server, refused = meet(world, kinds, "none", client_words=words,
                                   server_words=words if kinds[1] is Cyrus else None)
    assert refused is None, refused.problem
    if isinstance(server, Ours):
        assert server.say("names").endswith(user)
