"""Kerberos with MIT's GSSAPI as the client and as the server, in a private realm. Facts learnt stand in docs/interop.md."""
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from krb_peers import ALL_FLAGS, HOST, KerberosWorld, Mit, Ours, establish, flip  # noqa: E402
from peers import BUILD, handshake  # noqa: E402
from realm import ENCTYPES, Realm  # noqa: E402

BAD_BINDINGS, MESSAGE_ALTERED, OUT_OF_SEQUENCE = "0x80090346", "0x8009030f", "0x80090310"
UNSUPPORTED_FUNCTION = "0x80090302"
PAIRS = {"ours-ours": (Ours, Ours), "ours-mit": (Ours, Mit), "mit-ours": (Mit, Ours)}
pairs = pytest.mark.parametrize("pair", PAIRS)
enctypes = pytest.mark.parametrize("enctype", ENCTYPES)
TARGET = f"HTTP/{HOST}"
SIZES = (1, 0, 15, 16, 17, 4096, 1000, 65536 + 1)


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm(libdefaults="forwardable = true") as realm:
        realm.addprinc("alice", "Password1!")
        realm.addprinc(TARGET)
        realm.keytab(TARGET)
        for enctype in ENCTYPES:  # a service of each: ticket, session and messages have the one type
            service = f"HTTP/{enctype}.example.test"
            realm.addprinc(service, None, "-e", f"{enctype}:normal")
            realm.keytab(service)
        yield realm


class Worlds:
    """Makes worlds of one encryption type, each with its own ticket of alice's."""

    def __init__(self, realm, directory):
        self.realm, self.directory, self.made = realm, pathlib.Path(directory), []

    def __call__(self, enctype=None):
        directory = self.directory / str(len(self.made))
        directory.mkdir()
        default = dict(self.realm.env)
        try:
            self.realm.env["KRB5_CONFIG"] = self.realm.environment(enctype)["KRB5_CONFIG"]
            cache = self.realm.kinit("alice", "Password1!", cache=f"cache.{enctype}")
        finally:
            self.realm.env = default
        host = HOST if enctype is None else f"{enctype}.example.test"
        world = KerberosWorld(directory, self.realm, enctype, host)
        world.krb5["KRB5CCNAME"] = cache
        self.made.append(world)
        return world

    def close(self):
        for world in self.made:
            world.close()
        ours = [one for world in self.made for one in world.processes
                if str(one.process.args[0]).endswith("peer_opensspi")]
        assert all(one.close() == 0 for one in ours), "our helper died, or leaked under a sanitizer"


@pytest.fixture(name="worlds")
def worlds_of_the_test(realm):
    with tempfile.TemporaryDirectory(prefix="opensspi-interop-") as directory:
        worlds = Worlds(realm, directory)
        try:
            yield worlds
        finally:
            worlds.close()


def sides(world, pair):
    return tuple(side(world) for side in PAIRS[pair])


def ours_of(client, server):
    return (client, server) if isinstance(client, Ours) else (server, client)


def text_of(size):
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def converse(one, other, sizes=SIZES, sealing=True, mute=None):
    """Signed and sealed messages in turns, both ways; `mute` may not seal."""
    for size in sizes:
        text = text_of(size)
        for source, sink in ((one, other), (other, one)):
            signature = source.sign(text)
            assert signature is not None, source.problem
            assert sink.verify(text, signature), sink.problem
            if source is mute:
                assert source.seal(text) is None and "the same key streams" in source.problem, source.problem
            elif sealing:
                message = source.seal(text)
                assert message is not None, source.problem
                assert len(text) < 16 or text not in message
                assert sink.unseal(message) == text, sink.problem


def converse_dce(one, other, sizes=SIZES):
    head, tail = b"a header that is only signed", b"and a trailer"
    for size in sizes:
        text = text_of(size)
        for source, sink in ((one, other), (other, one)):
            sealed = source.dseal(head, text, tail)
            assert sealed is not None, source.problem
            token, cipher = sealed
            assert len(cipher) == len(text)
            assert sink.dunseal(head, cipher, tail, token) == text, sink.problem


def muted(server, enctype):
    """After one leg both sides' messages have the same numbers, of which RC4 makes its key streams: our server seals none."""
    return server if enctype == "arcfour-hmac" and isinstance(server, Ours) else None


@enctypes
@pairs
def test_mutual(worlds, pair, enctype):
    client, server = sides(worlds(enctype), pair)
    outcome = establish(client, server)
    assert len(outcome.tokens) == 2
    assert client.key() == server.key()
    converse(client, server)


@enctypes
@pairs
def test_one_leg(worlds, pair, enctype):
    client, server = sides(worlds(enctype), pair)
    outcome = establish(client, server, flags="integrity,confidentiality,replay,sequence")
    assert len(outcome.tokens) == 1
    assert client.key() == server.key()
    converse(client, server, mute=muted(server, enctype))


@enctypes
@pairs
def test_dce_style(worlds, pair, enctype):
    client, server = sides(worlds(enctype), pair)
    outcome = establish(client, server, flags="dce," + ALL_FLAGS)
    assert [token[0] for token in outcome.tokens] == [0x6e, 0x6f, 0x6f], "raw AP-REQ, AP-REP and AP-REP"
    assert client.key() == server.key()
    converse_dce(client, server)


@enctypes
@pairs
def test_header_signing(worlds, pair, enctype):
    """DCE style: what is only signed is protected as well."""
    client, server = sides(worlds(enctype), pair)
    establish(client, server, flags="dce," + ALL_FLAGS)
    ours, peer = ours_of(client, server)
    token, cipher = peer.dseal(b"head", b"the text", b"tail")
    for parts in ((b"HEAD", cipher, b"tail", token), (b"head", cipher, b"tael", token),
                  (b"head", flip(cipher, 3), b"tail", token), (b"head", cipher, b"tail", flip(token, len(token) - 1))):
        assert ours.dunseal(*parts) is None
        assert ours.problem.startswith(MESSAGE_ALTERED), ours.problem
    assert ours.dunseal(b"head", cipher, b"tail", token) == b"the text", ours.problem
    token, cipher = ours.dseal(b"head", b"the text", b"tail")
    assert peer.dunseal(b"HEAD", cipher, b"tail", token) is None


@enctypes
@pairs
def test_a_mebibyte(worlds, pair, enctype):
    client, server = sides(worlds(enctype), pair)
    establish(client, server)
    converse(client, server, sizes=(1 << 20, 0))


@pairs
def test_names(worlds, pair):
    client, server = sides(worlds(), pair)
    establish(client, server)
    assert server.say("names") == "alice@EXAMPLE.TEST"
    if isinstance(server, Ours):
        assert server.say("target") == f"{TARGET}@EXAMPLE.TEST"


@pytest.mark.parametrize("target", (f"{TARGET}@EXAMPLE.TEST", f"HTTP@{HOST}", f"http/{HOST}", TARGET))
def test_target_names(worlds, target):
    """`http/` is another principal, which MIT's KDC does not know; the others are one."""
    world = worlds()
    outcome = handshake(Ours(world), Ours(world), flags=ALL_FLAGS, target=target)
    assert outcome.good == (not target.startswith("http/")), outcome.refused and outcome.refused.problem


MUTUAL, REPLAY, SEQUENCE, CONFIDENTIALITY = 0x2, 0x4, 0x8, 0x10
CLIENT_INTEGRITY, SERVER_INTEGRITY = 0x10000, 0x20000


@pairs
@pytest.mark.parametrize("flags", ("mutual", "integrity", "mutual,integrity", "mutual,confidentiality", "replay",
                                   "mutual,sequence", "confidentiality,sequence", ALL_FLAGS, ""))
def test_attributes_tell_what_was_agreed(worlds, pair, flags):
    client, server = sides(worlds(), pair)
    establish(client, server, flags=flags)
    asked = flags.split(",")
    wanted = sum(bit for word, bit in (("mutual", MUTUAL), ("replay", REPLAY), ("sequence", SEQUENCE),
                                       ("confidentiality", CONFIDENTIALITY)) if word in asked)
    bits = MUTUAL | REPLAY | SEQUENCE | CONFIDENTIALITY
    for side, integrity in ((client, CLIENT_INTEGRITY), (server, SERVER_INTEGRITY)):
        if isinstance(side, Ours):
            if isinstance(client, Ours):
                assert side.granted() & bits == wanted
                assert (side.granted() & integrity != 0) == (flags not in ("mutual", "")), "integrity"
            else:  # MIT's client gives integrity and confidentiality unasked
                assert side.granted() & wanted == wanted


@pairs
def test_integrity_without_confidentiality(worlds, pair):
    client, server = sides(worlds(), pair)
    establish(client, server, flags="mutual,integrity")
    if not isinstance(client, Ours):  # MIT's client always asks for confidentiality too
        return converse(client, server)
    converse(client, server, sealing=False)
    assert client.seal(b"text") is None and client.problem.startswith(UNSUPPORTED_FUNCTION), client.problem


CHANNEL, OTHER_CHANNEL = b"tls-server-end-point:" + b"\x5a" * 32, b"tls-server-end-point:" + b"\xa5" * 32


@pytest.mark.parametrize("flags", ("integrity", "mutual,integrity", "dce,mutual,integrity"))
@pairs
def test_channel_bindings(worlds, pair, flags):
    world = worlds()
    client, server = sides(world, pair)
    establish(client, server, client_bindings=CHANNEL, server_bindings=CHANNEL, flags=flags)
    client, server = sides(world, pair)
    establish(client, server, client_bindings=CHANNEL, flags=flags)  # a server without a channel does not ask
    client, server = sides(world, pair)
    outcome = handshake(client, server, client_bindings=OTHER_CHANNEL, server_bindings=CHANNEL, flags=flags)
    assert outcome.refused is server
    assert not isinstance(server, Ours) or server.problem.startswith(BAD_BINDINGS), server.problem


@pairs
def test_missing_channel_bindings(worlds, pair):
    world = worlds()
    client, server = sides(world, pair)
    outcome = handshake(client, server, server_bindings=CHANNEL, flags=ALL_FLAGS)
    if isinstance(server, Ours):
        assert outcome.refused is server and server.problem.startswith(BAD_BINDINGS), server.problem
        client, server = PAIRS[pair][0](world), Ours(world)
        establish(client, server, server_bindings=CHANNEL, flags=ALL_FLAGS + ",missing-bindings")
        client, server = PAIRS[pair][0](world), Ours(world)
        outcome = handshake(client, server, client_bindings=OTHER_CHANNEL, server_bindings=CHANNEL,
                            flags=ALL_FLAGS + ",missing-bindings")
        assert outcome.refused is server and server.problem.startswith(BAD_BINDINGS), "missing ones may be forgiven, wrong ones never"
    else:  # MIT takes zeros for "none", and lets them in
        assert outcome.good


@pytest.mark.parametrize("acceptor", (Ours, Mit))
def test_promised_channel_bindings(worlds, acceptor):
    """MIT's client says like Windows that it gives bindings; then none are wrong ones, and no flag of the server's forgives them."""
    world = worlds()
    plain = pathlib.Path(world.krb5["KRB5_CONFIG"]).read_text(encoding="utf-8")
    world.put("aware.conf", plain.replace("[libdefaults]\n", "[libdefaults]\nclient_aware_channel_bindings = true\n", 1))
    aware = {"KRB5_CONFIG": f"{world.directory}/aware.conf"}
    flags = ALL_FLAGS + ",missing-bindings"
    for given in (None, CHANNEL, OTHER_CHANNEL):
        client, server = Mit(world, **aware), acceptor(world)
        outcome = handshake(client, server, client_bindings=given, server_bindings=CHANNEL, flags=flags)
        assert outcome.good == (given == CHANNEL), (given, client.problem, server.problem)
        if not outcome.good:
            assert outcome.refused is server
            assert acceptor is Mit or server.problem.startswith(BAD_BINDINGS), server.problem
    client, server = Mit(world, **aware), acceptor(world)
    establish(client, server, flags=ALL_FLAGS)  # a server without a channel compares nothing


@pairs
@enctypes
def test_altered_and_repeated_messages(worlds, pair, enctype):
    client, server = sides(worlds(enctype), pair)
    establish(client, server)
    ours, peer = ours_of(client, server)
    message = peer.seal(b"a sealed message")
    for at in range(len(message)):
        # RFC 4121 4.2.5: the rotation is not protected, and a turn by whole lengths of the message is none
        assert at == 6 or ours.unseal(flip(message, at)) is None, at
        assert ours.unseal(message[:at]) is None, at
    assert ours.unseal(message) == b"a sealed message", ours.problem
    assert ours.unseal(message) is None and ours.problem.startswith(OUT_OF_SEQUENCE), ours.problem
    signature = peer.sign(b"a signed message")
    for at in range(len(signature)):
        assert not ours.verify(b"a signed message", flip(signature, at)), at
        assert not ours.verify(b"a signed message", signature[:at]), at
    assert not ours.verify(b"another message", signature)
    assert ours.verify(b"a signed message", signature), ours.problem
    assert ours.unseal(peer.seal(b"the next one")) == b"the next one"
    assert peer.unseal(flip(ours.seal(b"a sealed message"), 30)) is None


@pairs
def test_messages_out_of_order(worlds, pair):
    """With SEQUENCE_DETECT a gap is told; with REPLAY_DETECT alone any order is right, but nothing twice."""
    client, server = sides(worlds(), pair)
    establish(client, server)
    ours, peer = ours_of(client, server)
    one, two = (peer.seal(text) for text in (b"one", b"two"))
    assert ours.unseal(two) is None and ours.problem.startswith(OUT_OF_SEQUENCE), ours.problem
    assert ours.unseal(one) == b"one", ours.problem
    assert ours.unseal(two) == b"two", ours.problem
    client, server = sides(worlds(), pair)
    establish(client, server, flags="mutual,integrity,confidentiality,replay")
    ours, peer = ours_of(client, server)
    one, two, three = (peer.seal(text) for text in (b"one", b"two", b"three"))
    for message, text in ((three, b"three"), (one, b"one"), (two, b"two")):
        assert ours.unseal(message) == text, ours.problem
    for message in (one, two, three):
        assert ours.unseal(message) is None and ours.problem.startswith(OUT_OF_SEQUENCE), ours.problem


@pytest.mark.parametrize("style", ("one-leg", "mutual", "dce"))
@enctypes
@pairs
def test_export_and_import_in_mid_conversation(worlds, pair, enctype, style):
    world = worlds(enctype)
    client, server = sides(world, pair)
    flags = ALL_FLAGS.replace("mutual,", "") if style == "one-leg" else ALL_FLAGS
    establish(client, server, flags="dce," + flags if style == "dce" else flags)
    ours, peer = ours_of(client, server)
    mute = muted(server, enctype) if style == "one-leg" else None
    moves = mute is ours

    def say_all():
        if style == "dce":
            converse_dce(ours, peer, sizes=(10, 0, 100))
        else:
            converse(ours, peer, sizes=(10, 0, 100), mute=ours if moves else mute)

    for _ in range(2):  # into a second process, and from there into a third
        say_all()
        old, ours = ours, ours.moved(world)
        assert old.sign(b"text") is None, "an exported context must not go on"
    say_all()
    assert ours.say("names") == "alice@EXAMPLE.TEST"
    assert ours.key() == peer.key()


def test_a_delegated_credential_does_no_harm(worlds):
    """MIT's client puts a forwarded ticket into the checksum."""
    world = worlds()
    client, server = Mit(world), Ours(world)
    plain = establish(client, server)
    client, server = Mit(world), Ours(world)
    outcome = establish(client, server, flags="deleg," + ALL_FLAGS)
    assert len(outcome.tokens[0]) > len(plain.tokens[0]) + 400
    converse(client, server, sizes=(100,))


@pytest.mark.parametrize("peer", (Ours, Mit))
def test_password_identity(worlds, peer):
    world = worlds()
    world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/none"
    client, server = Ours(world), peer(world)
    establish(client, server, user="alice", password="Password1!", domain="EXAMPLE.TEST")
    assert server.say("names") == "alice@EXAMPLE.TEST"
    converse(client, server, sizes=(100,))


@pytest.mark.parametrize("principal", (TARGET, f"{TARGET}@EXAMPLE.TEST", f"HTTP@{HOST}"))
def test_a_server_named_by_its_principal(worlds, principal):
    world = worlds()
    server = Ours(world)
    assert server.start("server", principal=principal) is not None, server.problem
    word, token = Mit(world).start("client")
    assert word == "token" and server.token(token)[0] == "done", server.problem


def test_caches_by_type_and_principal(worlds, realm):
    """The default cache may be a collection; a principal chooses in it."""
    world = worlds()
    realm.addprinc("bob", "Other2?")
    (world.directory / "caches").mkdir(mode=0o700)
    world.krb5["KRB5CCNAME"] = f"DIR:{world.directory}/caches"
    for user, password in (("alice", "Password1!"), ("bob", "Other2?")):
        realm.run("kinit", "-c", f"DIR::{world.directory}/caches/tkt{user}", user, text=password + "\n")
    for wanted in ("alice", "bob", "bob@EXAMPLE.TEST", "alice"):
        client, server = Ours(world), Ours(world)
        assert server.start("server") is not None
        answer = client.start("client", principal=wanted)
        assert answer is not None, client.problem
        assert server.token(answer[1]) is not None, server.problem
        assert server.say("names") == wanted.split("@")[0] + "@EXAMPLE.TEST"
    client = Ours(world)
    assert client.start("client", principal="carol") is None
    assert client.problem.startswith("0x8009030e"), client.problem


def test_encryption_types_that_are_not_permitted(worlds, realm):
    """A server whose krb5.conf has no rc4-hmac refuses a ticket that has it, also when its keytab has the key."""
    world = worlds("arcfour-hmac")
    world.krb5["KRB5_CONFIG"] = realm.environment("aes256-cts-hmac-sha1-96")["KRB5_CONFIG"]
    strict = Ours(world)
    world.krb5["KRB5_CONFIG"] = realm.environment("arcfour-hmac")["KRB5_CONFIG"]
    outcome = handshake(Ours(world), strict, flags=ALL_FLAGS)
    assert outcome.refused is strict, "rc4 came in by the back door"
    assert strict.problem.startswith("0x80090342"), strict.problem  # SEC_E_KDC_UNKNOWN_ETYPE


def test_delegation_is_not_granted_where_none_is(worlds):
    world = worlds()
    client, server = Ours(world), Ours(world)
    establish(client, server, flags="deleg," + ALL_FLAGS)
    assert client.granted() & 1 == 0 and server.granted() & 1 == 0


@pytest.mark.parametrize("side", (Ours, Mit))
def test_raw_request(worlds, side):
    """An AP-REQ without its GSS frame is answered in kind; ours understands that too."""
    world = worlds()
    client, server = side(world), Ours(world)
    token = client.start("client")[1]
    assert server.start("server") is not None
    answer = server.token(token[token.index(b"\x01\x00\x6e") + 2:])
    assert answer is not None and answer[1][0] == 0x6f, server.problem
    if side is Ours:
        assert client.token(answer[1]) is not None, client.problem
        converse(client, server, sizes=(100,))


def test_many_contexts_of_one_credential(worlds):
    world = worlds()
    client, server = Ours(world), Ours(world)
    establish(client, server)
    for _ in range(50):
        assert server.again() is not None
        answer = server.token(client.again()[1])
        assert answer is not None, server.problem
        assert client.token(answer[1]) is not None, client.problem
        converse(client, server, sizes=(10,))


def test_the_helpers_are_there():
    for program in ("peer_opensspi", "peer_gss"):
        assert (BUILD / "tests/interop" / program).exists(), f"{program} was not built: its library is missing"
