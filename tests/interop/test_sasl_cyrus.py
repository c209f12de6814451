"""The SASL functions against Cyrus SASL's client and server, over a private MIT realm: each security layer, sizes, names."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import sasl_peers  # noqa: E402
from krb_peers import KerberosHelper, KerberosWorld  # noqa: E402
from peers import hex_of  # noqa: E402
from realm import Realm  # noqa: E402
from sasl_peers import SaslSends  # noqa: E402

HOST = "server.example.test"
TARGET = f"ldap/{HOST}"
SEND_SIZE, RECV_SIZE, AUTHZ_STRING = 1, 2, 3
LAYERS = ("none", "integrity", "confidentiality")
TEXTS = (b"text" * 8, b"x", bytes(range(256)) * 16)


class Ours(SaslSends, KerberosHelper):
    def begin(self, role, layer=None, **more):
        return self.start(role, flags=self.with_sasl(layer), target=TARGET, **more)

    def option(self, number, value=None):
        if value is None:
            return self.data("option", str(number))
        return self.answer("option", str(number), hex_of(value)) is not None


class Cyrus(sasl_peers.Cyrus):
    strengths, least = {"none": 0, "integrity": 1, "confidentiality": 256}, 56

    def begin(self, role, layer=None, **more):
        return super().begin(role, layer, **{"mechanism": "GSSAPI", "target": TARGET, **more})


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm() as realm:
        realm.addprinc("alice", "Password1!")
        realm.addprinc(TARGET)
        realm.keytab(TARGET)
        realm.kinit("alice", "Password1!")
        yield realm


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with KerberosWorld.opened(realm, host=HOST) as world:
        yield world


def exchange(client, server, answer):
    """Runs it to the end; who refused, or None. A message may be empty (RFC 4752), and the last word is the server's."""
    assert answer is not None, client.problem
    to, sender, finished = server, client, set()
    for _ in range(10):
        word, token = answer
        if word == "done":
            finished.add(sender)
        if server in finished:
            assert client in finished and not (sender is server and token)
            return None
        answer = to.token(token)
        if answer is None:
            return to
        to, sender = sender, to
    raise AssertionError("no end")


def meet(world, kinds, client_layer, server_layer, **client_words):
    client, server = (kind(world) for kind in kinds)
    assert server.begin("server", server_layer) is not None, server.problem
    answer = client.begin("client", client_layer, **client_words)
    refused = exchange(client, server, answer)
    assert refused is None, refused.problem
    return client, server


PAIRS = {"ours-ours": (Ours, Ours), "ours-cyrus": (Ours, Cyrus), "cyrus-ours": (Cyrus, Ours)}
pairs = pytest.mark.parametrize("kinds", PAIRS.values(), ids=PAIRS)


@pytest.mark.parametrize("layer", LAYERS)
@pairs
def test_layers(world, kinds, layer):
    client, server = meet(world, kinds, layer, None)
    server.layer = layer
    for side in (client, server):
        if isinstance(side, Cyrus):
            ssf = int(side.say("ssf"))
            assert ssf >= 56 if layer == "confidentiality" else ssf == LAYERS.index(layer)
    if layer == "none":
        ours = client if isinstance(client, Ours) else server
        assert ours.send(b"text") is None and ours.problem.startswith("0x80090302"), ours.problem
        return
    for text in TEXTS:
        for source, sink in ((client, server), (server, client)):
            message = source.send(text)
            assert message is not None, source.problem
            assert len(text) < 16 or (text in message) == (layer == "integrity")
            assert sink.unseal(message) == text, sink.problem


@pytest.mark.parametrize("layer", ("integrity", "confidentiality"))
@pytest.mark.parametrize("kinds", ((Ours, Cyrus), (Cyrus, Ours)), ids=("ours-cyrus", "cyrus-ours"))
def test_server_insists(world, kinds, layer):
    """Who wants none gets in nowhere."""
    client, server = (kind(world) for kind in kinds)
    assert server.begin("server", layer) is not None
    refused = exchange(client, server, client.begin("client", "none"))
    # Cyrus' client asks for integrity all the same, and refuses the offer; our server sees at once that it lacks confidentiality
    assert refused is (server if isinstance(server, Ours) and layer == "confidentiality" else client)


@pytest.mark.parametrize("kinds", ((Ours, Cyrus), (Cyrus, Ours)), ids=("ours-cyrus", "cyrus-ours"))
def test_sizes(world, kinds):
    """Each side keeps to what the other takes, and refuses more than it takes itself."""
    client, server = (kind(world) for kind in kinds)
    words = {Ours: {}, Cyrus: {"maxbuf": 2000}}
    assert server.begin("server", "confidentiality", **words[kinds[1]]) is not None
    answer = client.begin("client", "confidentiality", **words[kinds[0]])
    ours, cyrus = (client, server) if isinstance(client, Ours) else (server, client)
    if ours is client:
        assert ours.option(RECV_SIZE, (1000).to_bytes(4, "little"))
    else:  # the server's context is there after its first step
        answer = server.token(answer[1])
        assert answer is not None and ours.option(RECV_SIZE, (1000).to_bytes(4, "little")), ours.problem
        answer = client.token(answer[1])
    assert exchange(client, server, answer) is None, (client.problem, server.problem)
    assert int(cyrus.say("maxout")) <= 1000
    fits = int.from_bytes(ours.option(SEND_SIZE), "little")
    assert 1800 < fits < 2000
    message = ours.send(b"a" * fits)
    assert len(message) <= 2000 and cyrus.unseal(message) == b"a" * fits, cyrus.problem
    assert ours.send(b"a" * 2000) is None and ours.problem.startswith("0x80090308"), ours.problem
    text = b"b" * int(cyrus.say("maxout"))
    assert ours.unseal(cyrus.send(text)) == text, ours.problem
    assert ours.unseal(bytes(1001)) is None and "1000" in ours.problem


@pairs
def test_authorization_identity(world, kinds):
    client, server = (kind(world) for kind in kinds)
    assert server.begin("server") is not None
    answer = client.begin("client", "integrity", **({"authzid": "bob"} if kinds[0] is Cyrus else {}))
    if kinds[0] is Ours:
        assert client.option(AUTHZ_STRING, b"bob"), client.problem
    assert exchange(client, server, answer) is None, (client.problem, server.problem)
    if kinds[1] is Ours:
        assert server.option(AUTHZ_STRING) == b"bob"
        assert server.say("names") == "alice@EXAMPLE.TEST"
    else:
        assert server.say("names") == "bob"
