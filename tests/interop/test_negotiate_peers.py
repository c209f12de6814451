"""Negotiate with MIT's SPNEGO (over its Kerberos and over gss-ntlmssp) and Samba's ntlm_auth, each as the client and as the server.
Facts learnt stand in docs/interop.md."""
import pathlib
import socket
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from krb_peers import ALL_FLAGS, HOST, establish, flip  # noqa: E402
from neg_peers import (COMPLETED, KRB5, MS_KRB5, NTLM, REQUEST_MIC, Init, Mit, NegWorld, NtlmAuth, Ours,  # noqa: E402
                       Resp)
from peers import BUILD, handshake, walk  # noqa: E402
from realm import Realm, closed_port  # noqa: E402

LOGON_DENIED, BAD_BINDINGS, MESSAGE_ALTERED, INVALID_TOKEN = "0x8009030c", "0x80090346", "0x8009030f", "0x80090308"
TARGET = f"HTTP/{HOST}"
PAIRS = {"ours-ours": (Ours, Ours), "ours-mit": (Ours, Mit), "mit-ours": (Mit, Ours)}
pairs = pytest.mark.parametrize("pair", PAIRS)
ALICE = {"user": "alice"}


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm(libdefaults="forwardable = true") as realm:
        realm.addprinc("alice", "Password1!")
        realm.addprinc(TARGET)
        realm.keytab(TARGET)
        realm.kinit("alice", "Password1!")
        yield realm


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with NegWorld.opened(realm) as made:
        yield made


def sides(world, pair):
    return tuple(side(world) for side in PAIRS[pair])


def ours_of(client, server):
    return (client, server) if isinstance(client, Ours) else (server, client)


def converse(one, other, sizes=(1, 100, 4096, 17)):
    """Signed and sealed messages in turns, both ways."""
    for size in sizes:
        text = (bytes(range(256)) * (size // 256 + 1))[:size]
        for source, sink in ((one, other), (other, one)):
            signature = source.sign(text)
            assert signature is not None and sink.verify(text, signature), source.problem + sink.problem
            message = source.seal(text)
            assert message is not None, source.problem
            assert len(text) < 16 or text not in message
            assert sink.unseal(message) == text, sink.problem


def check_chosen(wanted, *those):
    assert [side.chosen() for side in those] == [wanted] * len(those)


@pairs
def test_kerberos_in_one_round_trip(world, pair):
    client, server = sides(world, pair)
    outcome = establish(client, server)
    assert len(outcome.tokens) == 2
    check_chosen("Kerberos", client, server)
    assert server.say("names") == "alice@EXAMPLE.TEST"
    if isinstance(client, Ours):
        init = Init(outcome.tokens[0])
        assert init.mechs == [MS_KRB5, KRB5, NTLM] and init.token is not None and init.mic is None
    answer = Resp(outcome.tokens[1])
    assert answer.state == COMPLETED and answer.token is not None and answer.mic is None
    if isinstance(server, Ours):
        assert answer.mech == Init(outcome.tokens[0]).mechs[0], "the name that the client used"
    assert client.key() == server.key()
    converse(client, server)


@pairs
def test_kerberos_without_mutual_authentication(world, pair):
    client, server = sides(world, pair)
    outcome = establish(client, server, flags="integrity,confidentiality,replay,sequence")
    assert len(outcome.tokens) == 2, "the server's word that it is Kerberos comes all the same"
    converse(client, server)


@pairs
def test_kerberos_dce_style(world, pair):
    client, server = sides(world, pair)
    establish(client, server, flags="dce," + ALL_FLAGS)
    check_chosen("Kerberos", client, server)
    for source, sink in ((client, server), (server, client)):
        token, cipher = source.dseal(b"head", b"the text", b"tail")
        assert sink.dunseal(b"head", cipher, b"tail", token) == b"the text", sink.problem


@pairs
def test_ntlm_where_there_is_no_ticket(world, pair):
    world.without_ticket()
    client, server = sides(world, pair)
    if isinstance(client, Mit):
        client.mechs = "ntlm"
    outcome = establish(client, server, **ALICE)
    check_chosen("NTLM", client, server)
    assert server.say("names") == "EXAMPLE\\alice"
    if isinstance(client, Ours):
        assert Init(outcome.tokens[0]).mechs == [NTLM]
        assert Resp(outcome.tokens[2]).mic is not None, "a MIC in AUTHENTICATE wants one over the list"
        assert Resp(outcome.tokens[3]).mic is not None
    converse(client, server)


@pytest.mark.parametrize("target", ("HTTP/nobody.example.test", "HTTP/127.0.0.1", "cifs/10.0.0.1", "nonsense"))
def test_ntlm_where_kerberos_knows_no_such_service(world, target):
    world.configure("[ntlm]\nrefuse_reflection = no\n")  # these are not this computer's names
    client, server = Ours(world), Ours(world)
    outcome = establish(client, server, target=target, **ALICE)
    assert Init(outcome.tokens[0]).mechs == [NTLM]
    check_chosen("NTLM", client, server)


def test_ntlm_where_no_kdc_answers(world, realm):
    world.without_ticket()
    world.krb5["KRB5_CONFIG"] = str(world.directory / "krb5.conf")
    text = pathlib.Path(realm.env["KRB5_CONFIG"]).read_text(encoding="utf-8")
    with closed_port() as closed:
        world.put("krb5.conf", text.replace(f"127.0.0.1:{realm.port}", f"127.0.0.1:{closed}"))
        client, server = Ours(world), Ours(world)
        establish(client, server, user="alice", domain="EXAMPLE.TEST", password="Password1!", target=TARGET)
        check_chosen("NTLM", client, server)


def test_ntlm_where_the_kdc_is_silent(world, realm):
    """The wait before falling back is Negotiate's own, where that is shorter than Kerberos'."""
    world.without_ticket()
    world.configure("[kerberos]\nkdc_seconds = 100\n[negotiate]\nkdc_seconds = 1\n")
    world.krb5["KRB5_CONFIG"] = str(world.directory / "krb5.conf")
    trace = world.directory / "trace"
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        text = pathlib.Path(realm.env["KRB5_CONFIG"]).read_text(encoding="utf-8")
        world.put("krb5.conf", text.replace(f"127.0.0.1:{realm.port}", f"127.0.0.1:{silent.getsockname()[1]}"))
        client, server = Ours(world, SSPI_TRACE=str(trace)), Ours(world)
        establish(client, server, user="alice", domain="EXAMPLE.TEST", password="Password1!", target=TARGET)
    check_chosen("NTLM", client, server)
    assert "because Kerberos: no KDC answered" in trace.read_text(encoding="utf-8")


def test_a_wrong_password_is_no_reason_for_ntlm(world):
    """The KDC has spoken: the password is not tried a second time elsewhere."""
    world.without_ticket()
    client = Ours(world)
    assert client.start("client", user="alice", domain="EXAMPLE.TEST", password="wrong") is None
    assert client.problem.startswith(LOGON_DENIED), client.problem
    assert "Kerberos: " in client.problem


def test_both_causes_are_told(world):
    world.without_ticket()
    world.put("users", "")
    client = Ours(world)
    assert client.start("client") is None
    assert "Kerberos: " in client.problem and "NTLM: " in client.problem, client.problem


def test_the_cause_of_the_fallback_stays(world):
    world.without_ticket()
    client, server = Ours(world), Ours(world)
    outcome = handshake(client, server, user="alice", password="wrong")
    assert outcome.refused is server and server.problem.startswith(LOGON_DENIED), server.problem
    assert client.token(b"\xa1\x03\x30\x01\x00") is None
    assert "because Kerberos: " in client.problem, client.problem


@pairs
def test_another_mechanism_than_the_first(world, pair):
    """The client would have Kerberos, the server has NTLM alone."""
    if pair != "ours-mit":
        world.configure("[negotiate]\npackages = ntlm\n" if pair == "mit-ours" else "")
    client, server = sides(world, pair)
    if isinstance(server, Mit):
        server.mechs = "ntlm"
    elif pair == "ours-ours":
        client, server = Ours(world), None
        world.put("server.conf", (world.directory / "opensspi.conf").read_text() + "[negotiate]\npackages = ntlm\n")
        server = Ours(world, OPENSSPI_CONFIG=f"{world.directory}/server.conf")
    # a ticket and a password: Kerberos by the cache, NTLM by the user file
    world.put("opensspi.conf", (world.directory / "opensspi.conf").read_text() +
              f"[credentials]\nuser_file = {world.directory}/users\n")
    if isinstance(client, Mit):
        client.mechs = "krb5,ntlm"
    outcome = establish(client, server)
    check_chosen("NTLM", client, server)
    first = Resp(outcome.tokens[1])
    assert first.mech == NTLM and first.state == REQUEST_MIC
    last = [Resp(token) for token in outcome.tokens[1:]]
    assert last[-1].mic is not None and last[-2].mic is not None and last[-1].state == COMPLETED
    converse(client, server)


def test_kerberos_although_it_is_not_the_first(world):
    """A client that prefers NTLM: the server's order decides, and the code over the list goes to and fro behind the AP-REP."""
    client, server = Mit(world, "ntlm,krb5"), Ours(world)
    outcome = establish(client, server, flags=ALL_FLAGS)
    check_chosen("Kerberos", client, server)
    answers = [Resp(token) for token in outcome.tokens[1:]]
    assert answers[0].state == REQUEST_MIC and answers[0].mech == KRB5
    assert any(answer.mic is not None for answer in answers)
    converse(client, server)


@pytest.mark.parametrize("mech", ("NTLM", "Kerberos"))
@pytest.mark.parametrize("pair", ("ours-ours", "mit-ours"))
def test_changed_list(world, pair, mech):
    """Somebody between takes Kerberos out of the list, or puts something in."""
    if mech == "NTLM":
        world.without_ticket()
    client, server = sides(world, pair)
    if isinstance(client, Mit):
        client.mechs = "ntlm" if mech == "NTLM" else "krb5,ntlm"

    def alter(number, token):
        if number != 0:
            return token
        init = Init(token)
        if mech == "NTLM":
            init.mechs.append(bytes.fromhex("2b0601040182372a"))
        else:
            init.mechs, init.token = [NTLM], None
        return init.write()

    if mech == "Kerberos":
        world.put("opensspi.conf", (world.directory / "opensspi.conf").read_text() +
                  f"[credentials]\nuser_file = {world.directory}/users\n")
    outcome = handshake(client, server, flags=ALL_FLAGS, alter=alter, **(ALICE if mech == "NTLM" else {}))
    assert not outcome.good
    if isinstance(outcome.refused, Ours):
        assert outcome.refused.problem.startswith((MESSAGE_ALTERED, INVALID_TOKEN)), outcome.refused.problem


@pytest.mark.parametrize("leg", (2, 3))
@pytest.mark.parametrize("pair", ("ours-ours", "mit-ours", "ours-mit"))
def test_removed_code(world, pair, leg):
    world.without_ticket()
    client, server = sides(world, pair)
    if isinstance(client, Mit):
        client.mechs = "ntlm"

    def alter(number, token):
        if number != leg:
            return token
        resp = Resp(token)
        assert resp.mic is not None
        resp.mic = None
        return resp.write()

    outcome = handshake(client, server, alter=alter, **ALICE)
    # MIT's server does without the client's code, and then sends none: its client notices.
    assert outcome.refused is (server if leg == 2 and isinstance(server, Ours) else client)
    if isinstance(outcome.refused, Ours):
        assert outcome.refused.problem.startswith(MESSAGE_ALTERED), outcome.refused.problem


CHANNEL, OTHER_CHANNEL = b"tls-server-end-point:" + b"\x5a" * 32, b"tls-server-end-point:" + b"\xa5" * 32


@pytest.mark.parametrize("mech", ("krb5", "ntlm"))
@pairs
def test_channel_bindings(world, pair, mech):
    if mech == "ntlm":
        world.without_ticket()
    who = ALICE if mech == "ntlm" else {}
    for theirs, good in ((CHANNEL, True), (OTHER_CHANNEL, False)):
        client, server = sides(world, pair)
        for side in (client, server):
            if isinstance(side, Mit):
                side.mechs = mech
        outcome = handshake(client, server, flags=ALL_FLAGS, client_bindings=theirs, server_bindings=CHANNEL, **who)
        assert outcome.good == good, outcome.refused and outcome.refused.problem
        assert good or outcome.refused is server
        assert good or not isinstance(server, Ours) or server.problem.startswith(BAD_BINDINGS), server.problem


@pytest.mark.parametrize("mech", ("krb5", "ntlm"))
@pairs
def test_export_and_import_in_mid_conversation(world, pair, mech):
    if mech == "ntlm":
        world.without_ticket()
    client, server = sides(world, pair)
    for side in (client, server):
        if isinstance(side, Mit):
            side.mechs = mech
    establish(client, server, **(ALICE if mech == "ntlm" else {}))
    ours, peer = ours_of(client, server)
    for _ in range(2):
        converse(ours, peer, sizes=(10, 100))
        old, ours = ours, ours.moved(world)
        assert old.sign(b"text") is None, "an exported context must not go on"
        check_chosen("Kerberos" if mech == "krb5" else "NTLM", ours)
    converse(ours, peer, sizes=(10, 100))


@pytest.mark.parametrize("package", ("NTLM", "Kerberos"))
def test_a_client_without_spnego(world, package):
    import krb_peers  # pylint: disable=import-outside-toplevel
    import peers  # pylint: disable=import-outside-toplevel
    server = Ours(world)
    client = krb_peers.Ours(world) if package == "Kerberos" else peers.Ours(world)
    who = {} if package == "Kerberos" else ALICE
    outcome = handshake(client, server, flags=ALL_FLAGS, **who)
    assert outcome.good, outcome.refused.problem
    check_chosen(package, server)
    assert outcome.tokens[1][:7] == b"NTLMSSP" or outcome.tokens[1][0] == 0x60
    converse(client, server)


def test_ntlm_auth_client(world):
    """Samba's client, which has no ticket: NTLM inside SPNEGO."""
    world.without_ticket()
    client, server = NtlmAuth(world), Ours(world)
    establish(client, server, **ALICE)
    check_chosen("NTLM", server)
    assert server.say("names") == "EXAMPLE\\alice"
    client, server = NtlmAuth(world), Ours(world)
    outcome = handshake(client, server, password="wrong", **ALICE)
    assert outcome.refused is server and server.problem.startswith(LOGON_DENIED), server.problem


def test_ntlm_auth_server(world):
    world.without_ticket()
    client, server = Ours(world), NtlmAuth(world)
    establish(client, server, **ALICE)
    check_chosen("NTLM", client)
    client, server = Ours(world), NtlmAuth(world)
    outcome = handshake(client, server, user="alice", password="wrong")
    assert outcome.refused is server and "NT_STATUS_LOGON_FAILURE" in server.problem, server.problem


def test_fallback_forbidden(world):
    world.without_ticket()
    world.configure("[negotiate]\nntlm_fallback = no\n")
    client = Ours(world)
    assert client.start("client", **ALICE) is None
    assert "ntlm_fallback in [negotiate] is no" in client.problem, client.problem


def test_fallback_audited(world):
    world.without_ticket()
    world.configure("[negotiate]\nntlm_fallback = audit\n")
    trace = world.directory / "trace"
    client, server = Ours(world, SSPI_TRACE=str(trace)), Ours(world)
    establish(client, server, **ALICE)
    assert "audit: NTLM for HTTP/" in trace.read_text(encoding="utf-8")


@pytest.mark.parametrize("mech", ("krb5", "ntlm"))
def test_turned_bits(world, mech):
    """Of each byte of each token one bit. Whatever is accepted after a change means the same: who, by which package, under which key. The tokens of a new handshake
    each time."""
    if mech == "ntlm":
        world.without_ticket()
    who = ALICE if mech == "ntlm" else {}
    client, server = Ours(world), Ours(world)
    honest, n_refused = establish(client, server, **who), 0
    name, places = server.say("names"), [(number, at, at % 8) for number, token in enumerate(honest.tokens) for at in range(len(token))]
    for number, at, bit in places:
        assert server.again() is not None
        outcome = walk(client, server, client.again(), lambda n, t, place=(number, at, bit): flip(t, *place[1:]) if n == place[0] and place[1] < len(t) else t)
        if outcome.good:
            assert client.key() == server.key() and server.say("names") == name
            check_chosen("NTLM" if mech == "ntlm" else "Kerberos", client, server)
        n_refused += not outcome.good
    assert n_refused > len(places) * 8 // 10


def test_the_helpers_are_there():
    for program in ("peer_opensspi", "peer_gss"):
        assert (BUILD / "tests/interop" / program).exists(), f"{program} was not built: its library is missing"
