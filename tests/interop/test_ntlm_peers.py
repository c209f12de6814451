"""NTLM with implementations that nobody here wrote: gss-ntlmssp, Samba and WinPR, each as the client and as the server.

What every peer is and does differently stands in docs/interop.md."""
import hashlib
import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import ntlm_reference as reference  # noqa: E402
from peers import BUILD, Gss, NtlmAuth, Ours, Samba, Winpr, World, establish, handshake, parse_authenticate  # noqa: E402

LOGON_DENIED, BAD_BINDINGS, MESSAGE_ALTERED, OUT_OF_SEQUENCE = "0x8009030c", "0x80090346", "0x8009030f", "0x80090310"
UNSUPPORTED_FUNCTION = "0x80090302"
PAIRS = {
    "ours-gss": (Ours, Gss),
    "gss-ours": (Gss, Ours),
    "ours-winpr": (Ours, Winpr),
    "winpr-ours": (Winpr, Ours),
    "ours-ntlm_auth": (Ours, NtlmAuth),
    "ntlm_auth-ours": (NtlmAuth, Ours),
    "samba-ours": (Samba, Ours),
}
pairs = pytest.mark.parametrize("pair", PAIRS)
SIZES = (1, 0, 5, 65536, 1000, 17)


@pytest.fixture
def world():
    with World.opened() as made:
        yield made


def sides(world, pair):
    return tuple(side(world) for side in PAIRS[pair])


def ours_of(client, server):
    return (client, server) if isinstance(client, Ours) else (server, client)


def refused_by_us(side, code):
    return isinstance(side, Ours) and side.problem.startswith(code)


def texts(*sides_of_it):
    return [bytes(range(256)) * (size // 256) + b"message"[:1] * (size % 256) for size in SIZES
            if size > 0 or all(side.empty_messages for side in sides_of_it)]


def converse(one, other, signing=True, sealing=True):
    """Signed and sealed messages in turns, both ways, on the same streams."""
    for text in texts(one, other):
        for source, sink in ((one, other), (other, one)):
            if signing:
                signature = source.sign(text)
                assert signature is not None and len(signature) == 16, source.problem
                assert sink.verify(text, signature), sink.problem
            if sealing:
                message = source.seal(text)
                assert message is not None and len(message) == len(text) + 16, source.problem
                assert len(text) < 16 or text not in message
                assert sink.unseal(message) == text, sink.problem


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


@pairs
def test_conversation(world, pair):
    client, server = sides(world, pair)
    establish(client, server)
    converse(client, server, signing=client.signs_beside_sealing and server.signs_beside_sealing)


@pairs
def test_who_and_where(world, pair):
    client, server = sides(world, pair)
    establish(client, server)
    names = server.say("names")
    assert names == "EXAMPLE\\alice" or isinstance(server, Winpr)
    if isinstance(server, Ours):
        # Samba 4.17 and gss-ntlmssp take service and host apart and put them together again
        assert server.say("target") == "HTTP/server"
    keys = {side.key() for side in (client, server) if not isinstance(side, (Gss, Winpr))}
    assert len(keys) == 1 and len(keys.pop()) == 16


CONFIDENTIALITY = 0x10  # of ISC_RET_ and of ASC_RET_


@pairs
def test_attributes_tell_what_was_agreed(world, pair):
    for flags, wanted in (("integrity,confidentiality", CONFIDENTIALITY), ("integrity", 0)):
        client, server = sides(world, pair)
        establish(client, server, flags=flags)
        ours, _ = ours_of(client, server)
        granted = int(ours.say("attributes"), 16)
        assert granted & CONFIDENTIALITY == wanted
        assert granted & (0x10000 if ours is client else 0x20000) != 0, "integrity"


@pytest.mark.parametrize("server", (Gss, Winpr, NtlmAuth))
def test_default_credentials(world, server):
    """Nobody named: ours takes the first line of the file that gss-ntlmssp reads too."""
    client, server = Ours(world), server(world)
    establish(client, server, user=None)
    assert server.say("names") == "EXAMPLE\\alice" or isinstance(server, Winpr)


@pairs
def test_altered_and_repeated_messages(world, pair):
    client, server = sides(world, pair)
    establish(client, server)
    ours, peer = ours_of(client, server)
    # Ours: refuses, says why, and goes on with the genuine message.
    message = peer.seal(b"a sealed message")
    for at, code in ((20, MESSAGE_ALTERED), (6, MESSAGE_ALTERED), (12, OUT_OF_SEQUENCE), (0, MESSAGE_ALTERED)):
        assert ours.unseal(flip(message, at)) is None and ours.problem.startswith(code)
    assert ours.unseal(message[:15]) is None
    assert ours.unseal(message) == b"a sealed message"
    assert ours.unseal(message) is None and ours.problem.startswith(OUT_OF_SEQUENCE)
    assert ours.unseal(peer.seal(b"the next one")) == b"the next one"
    # The peer: refuses ours when altered.
    assert peer.unseal(flip(ours.seal(b"a sealed message"), 20)) is None


@pairs
def test_integrity_without_confidentiality(world, pair):
    client, server = sides(world, pair)
    establish(client, server, flags="integrity")
    ours, peer = ours_of(client, server)
    if isinstance(peer, Winpr):
        # its EncryptMessage signs where no confidentiality was asked for: the text goes behind the signature
        for text in texts(ours, peer):
            assert peer.unseal(ours.sign(text) + text) == text
            message = peer.seal(text)
            assert message[16:] == text and ours.verify(text, message[:16])
            assert ours.unseal(peer.seal(text)) == text
    else:
        converse(client, server, sealing=False)
    assert ours.seal(b"text") is None and ours.problem.startswith(UNSUPPORTED_FUNCTION)
    assert not ours.verify(b"text", bytes(16))


@pytest.mark.parametrize("pair", ("ours-gss", "gss-ours"))
def test_neither_integrity_nor_confidentiality(world, pair):
    """ALWAYS_SIGN alone: the same empty signature on every message. (WinPR always asks for integrity.)"""
    client, server = sides(world, pair)
    establish(client, server, flags="connection")
    for source, sink in ((client, server), (server, client)):
        signature = source.sign(b"text")
        assert signature == b"\x01" + bytes(15)
        assert sink.verify(b"text", signature)
        assert not sink.verify(b"text", flip(signature, 5))


@pairs
def test_wrong_password(world, pair):
    client, server = sides(world, pair)
    outcome = handshake(client, server, password="Password2!")
    assert outcome.refused is server
    assert not isinstance(server, Ours) or refused_by_us(server, LOGON_DENIED)
    # No trace of the difference between a wrong password and an unknown user.
    client, server = sides(world, pair)
    if not isinstance(server, NtlmAuth):  # which knows no users, only one password
        outcome = handshake(client, server, user="mallory", password="Password1!")
        assert outcome.refused is server
        assert not isinstance(server, Ours) or refused_by_us(server, LOGON_DENIED)


@pairs
def test_another_users_password(world, pair):
    client, server = sides(world, pair)
    if isinstance(server, NtlmAuth):
        server.password = "Other2?"
    outcome = handshake(client, server, user="alice" if isinstance(server, NtlmAuth) else "bob", password="Password1!")
    assert outcome.refused is server


@pytest.mark.parametrize("user", ("carol", "jörg"), ids=("password", "name"))
@pairs
def test_letters_beyond_ascii(world, pair, user):
    if (pair, user) == ("ours-winpr", "jörg"):
        pair = "ours-ntlm_auth"  # WinPR 2 finds no such name in its SAM file
    client, server = sides(world, pair)
    if isinstance(server, NtlmAuth):
        server.password = "Pässwörd€1"
    establish(client, server, user=user)
    converse(client, server, signing=client.signs_beside_sealing and server.signs_beside_sealing)
    assert server.say("names") == f"EXAMPLE\\{user}" or isinstance(server, Winpr)


CHANNEL, OTHER_CHANNEL = b"tls-server-end-point:" + b"\x5a" * 32, b"tls-server-end-point:" + b"\xa5" * 32


@pairs
def test_right_channel_bindings(world, pair):
    client, server = sides(world, pair)
    outcome = handshake(client, server, client_bindings=CHANNEL, server_bindings=CHANNEL)
    if isinstance(client, (Samba, NtlmAuth)):  # Samba's client knows no bindings and sends zeros
        assert refused_by_us(outcome.refused, BAD_BINDINGS)
        assert parse_authenticate(outcome.tokens[2])[10] == bytes(16)
        return
    assert outcome.good, outcome.refused.problem
    fields = bytes(16) + len(CHANNEL).to_bytes(4, "little") + CHANNEL
    assert parse_authenticate(outcome.tokens[2])[10] == hashlib.md5(fields).digest()
    converse(client, server, signing=client.signs_beside_sealing and server.signs_beside_sealing)


@pairs
def test_wrong_channel_bindings(world, pair):
    client, server = sides(world, pair)
    outcome = handshake(client, server, client_bindings=OTHER_CHANNEL, server_bindings=CHANNEL)
    if server.checks_bindings:
        assert outcome.refused is server
        assert not isinstance(server, Ours) or refused_by_us(server, BAD_BINDINGS)
    else:  # what the client sent is right all the same
        fields = bytes(16) + len(OTHER_CHANNEL).to_bytes(4, "little") + OTHER_CHANNEL
        assert outcome.good and parse_authenticate(outcome.tokens[2])[10] == hashlib.md5(fields).digest()


@pairs
def test_missing_channel_bindings(world, pair):
    client, server = sides(world, pair)
    outcome = handshake(client, server, server_bindings=CHANNEL)
    if isinstance(server, Ours):
        assert refused_by_us(outcome.refused, BAD_BINDINGS)
    else:  # gss-ntlmssp takes zeros for "none", and lets them in
        assert outcome.good
    client, server = sides(world, pair)
    establish(client, server, client_bindings=CHANNEL)  # a server without a channel does not ask


@pytest.mark.parametrize("leg", (0, 1))
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair != "gss-ours"])  # which sends none
def test_integrity_code_over_the_messages(world, pair, leg):
    """Somebody between turns a bit that no check but the MIC sees, one of VERSION in the first or second message."""
    client, server = sides(world, pair)
    at = (36, 50)[leg]
    outcome = handshake(client, server, alter=lambda n, token: flip(token, at) if n == leg else token)
    assert outcome.refused is server
    assert not isinstance(server, Ours) or refused_by_us(server, MESSAGE_ALTERED)


COMBINATIONS = [
    without
    for n in range(5)
    for without in itertools.combinations(("keyexchange", "128bit", "56bit", "ntlm2"), n)
]


@pytest.mark.parametrize("without", COMBINATIONS, ids="-".join)
def test_key_combinations_of_a_server(world, without):
    """Samba's server grants less than our client offers. Without "ntlm2" there is no extended session security."""
    world.configure("require_128 = no\n")
    client, server = Ours(world), NtlmAuth(world, *[f"ntlmssp_server:{flag}=no" for flag in without])
    establish(client, server)
    bits = {"keyexchange": reference.KEY_EXCH, "128bit": reference.KEY_128, "56bit": reference.KEY_56,
            "ntlm2": reference.EXTENDED}
    assert all((server.flags & bit == 0) == (name in without) for name, bit in bits.items())
    assert client.key() == server.key()
    converse(client, server)


@pytest.mark.parametrize("without", COMBINATIONS, ids="-".join)
def test_key_combinations_of_a_client(world, without):
    """Samba's client offers fewer flags; without "ntlm2" it goes back to NTLMv1."""
    world.configure("require_128 = no\n" + ("allow_v1 = yes\n" if "ntlm2" in without else ""))
    client, server = Samba(world, *[f"ntlmssp_client:{flag}=no" for flag in without]), Ours(world)
    establish(client, server)
    assert client.key() == server.key()
    converse(client, server)


def test_weak_keys_need_permission(world):
    for client, server in ((Ours(world), NtlmAuth(world, "ntlmssp_server:128bit=no")),
                           (Samba(world, "ntlmssp_client:128bit=no"), Ours(world))):
        outcome = handshake(client, server)
        assert refused_by_us(outcome.refused, UNSUPPORTED_FUNCTION)


@pytest.mark.parametrize("option", ("client ntlmv2 auth=no", "ntlmssp_client:ntlm2=no"), ids=("session", "plain"))
def test_older_responses_need_permission(world, option):
    """NTLMv1, with extended session security and without."""
    client, server = Samba(world, option), Ours(world)
    assert refused_by_us(handshake(client, server).refused, LOGON_DENIED)
    world.configure("allow_v1 = yes\n")
    client, server = Samba(world, option), Ours(world)
    establish(client, server)
    converse(client, server)


@pytest.mark.parametrize("without", [flags for flags in COMBINATIONS if "ntlm2" in flags], ids="-".join)
def test_lan_manager_keys_are_not_offered(world, without):
    """A client that offers LM_KEY: both sides come to keys without it (MS-NLMP 3.4.5.1), also where LM is allowed."""
    world.configure("require_128 = no\nallow_v1 = yes\nallow_lm = yes\n")
    client = Samba(world, "client lanman auth=yes", "ntlmssp_client:lm_key=yes",
                   *[f"ntlmssp_client:{flag}=no" for flag in without])
    server = Ours(world)
    establish(client, server)
    assert client.key() == server.key()
    converse(client, server)


@pytest.mark.parametrize("flags", ("integrity,confidentiality", "integrity"))
@pytest.mark.parametrize("level", range(6))
@pytest.mark.parametrize("pair", ("ours-gss", "gss-ours"))
def test_levels_of_gss_ntlmssp(world, pair, level, flags):
    """LM_COMPAT_LEVEL 0 has no extended session security; clients of 0 to 2 answer with NTLMv1."""
    world.configure("allow_v1 = yes\nrequire_128 = no\n")
    client, server = (Gss(world, LM_COMPAT_LEVEL=str(level)) if side is Gss else side(world) for side in PAIRS[pair])
    establish(client, server, flags=flags)
    converse(client, server, sealing="confidentiality" in flags)


def test_oem_names(world):
    """A client without Unicode: names travel in the OEM character set."""
    client, server = Samba(world, "ntlmssp_client:unicode=no"), Ours(world)
    establish(client, server)
    assert server.say("names") == "EXAMPLE\\alice"
    converse(client, server)


@pairs
def test_export_and_import_in_mid_conversation(world, pair):
    client, server = sides(world, pair)
    establish(client, server)
    ours, peer = ours_of(client, server)
    signing = peer.signs_beside_sealing
    for number in range(3):
        text = f"before {number}".encode()
        assert ours.unseal(peer.seal(text)) == text and peer.unseal(ours.seal(text)) == text
    for move in range(2):  # into a second process, and from there into a third
        record = ours.data("export")
        assert ours.seal(b"text") is None, "an exported context must not go on"
        heir = Ours(world)
        assert heir.answer("import", record.hex()) is not None, heir.problem
        ours = heir
        converse(ours, peer, signing=signing)
    assert ours.say("names") == "EXAMPLE\\alice"


def test_datagrams_of_a_gss_client(world):
    client, server = Gss(world), Ours(world)
    flags = "integrity,confidentiality,datagram"
    outcome = establish(client, server, flags=flags)
    assert len(outcome.tokens[0]) == 0
    datagrams_signed(client, server)
    agreed = int.from_bytes(outcome.tokens[2][60:64], "little")
    datagrams_sealed(server, reference.Session(agreed, server.key(), "client"))


def plugin():
    """The path of gss-ntlmssp's mechanism, as GSSAPI is told."""
    for file in pathlib.Path("/etc/gss/mech.d").glob("*.conf"):
        for line in file.read_text().splitlines():
            words = line.split()
            if len(words) >= 3 and words[1] == "1.3.6.1.4.1.311.2.2.10":
                return words[2]
    raise AssertionError("gss-ntlmssp is not registered in /etc/gss/mech.d")


def test_datagrams_of_a_gss_server(world):
    """GSSAPI's own layer refuses the empty first token, so that the mechanism is called without it."""
    client, server = Ours(world), Gss(world, LD_PRELOAD=plugin())
    flags = "integrity,confidentiality,datagram"
    outcome = establish(client, server, flags=flags)
    datagrams_signed(client, server)
    agreed = int.from_bytes(outcome.tokens[2][60:64], "little")
    datagrams_sealed(client, reference.Session(agreed, client.key(), "server"))


def datagrams_signed(client, server):
    """Each message keyed by its own number: in any order, and any of them lost."""
    for number in (0, 7, 3, 3, 1000000):
        for source, sink in ((client, server), (server, client)):
            assert client.say("seq", str(number)) is not None and server.say("seq", str(number)) is not None
            signature = source.sign(b"datagram")
            assert sink.verify(b"datagram", signature), sink.problem


def datagrams_sealed(ours, judge):
    """gss-ntlmssp does not key a sealed datagram's text by its number (docs/interop.md): the specification judges."""
    for number in (5, 2, 2, 70000):
        ours.say("seq", str(number))
        judge.out.number = judge.back.number = number
        assert judge.unseal(ours.seal(b"a sealed datagram")) == b"a sealed datagram"
        assert ours.unseal(judge.seal(b"a sealed datagram")) == b"a sealed datagram"


def test_the_helpers_are_there():
    """A peer that is not installed is a failure, not a test less."""
    for program in ("peer_opensspi", "peer_gss", "peer_winpr"):
        assert (BUILD / "tests/interop" / program).exists(), f"{program} was not built: its library is missing"
