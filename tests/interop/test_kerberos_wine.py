"""sockauth built for Windows, under Wine, as a Kerberos client of our server. Wine's Kerberos calls MIT's GSSAPI, which finds krb5.conf and the ticket in the
environment.

What Wine 8 can: the handshake on one, two and three legs; in DCE style also messages. What it cannot: messages outside DCE style. It says that a trailer has
49 bytes whatever the encryption type, where AES needs 60; and what fits (rc4-hmac) it puts the wrong way round into the buffers: the beginning of the
token where the text was, its end where the token belongs. The tests show both, and so will tell when Wine learns it. Facts stand in docs/interop.md."""
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import wine  # noqa: E402
from realm import Realm  # noqa: E402
from test_sockauth import SAMPLE, TARGET, TEXT, Server, client, value, wires  # noqa: E402

USER, SERVICE = "alice@EXAMPLE.TEST", f"{TARGET}@EXAMPLE.TEST"
PASSWORD = "Password1!"
RC4_TARGET = "host/rc4.example.test"
FLAGS = "integrity,confidentiality,replay_detect,sequence_detect"


@pytest.fixture(scope="module", name="world")
def world_of_the_module():
    with tempfile.TemporaryDirectory(prefix="opensspi-wine-") as name, Realm() as realm:
        place = Path(name)
        realm.addprinc("alice", "Password1!")
        realm.addprinc(TARGET)
        realm.keytab(TARGET)
        realm.addprinc(RC4_TARGET, None, "-e", "arcfour-hmac:normal")
        realm.keytab(RC4_TARGET)
        realm.kinit("alice", "Password1!")
        (place / "opensspi.conf").write_text("[names]\ncomputer = SERVER\n")
        wine.build(SAMPLE, place / "exe")
        with wine.started(place) as (program, environment):
            yield {"place": place, "realm": realm, "wine": program, "exe": place / "exe", "environment": environment,
                   "server": {**realm.env, "OPENSSPI_CONFIG": str(place / "opensspi.conf")}}


def server_of(world, package="Kerberos", **more):
    return Server(world, "-p", package, "-n", "1", environment={**world["server"], **more})


def windows_client(world, port, flags, target=TARGET, package="Kerberos", **more):
    krb5 = {key: world["realm"].env[key] for key in ("KRB5_CONFIG", "KRB5CCNAME")}
    return client(world, port, "-p", package, "-t", target, "-f", flags, "-m", TEXT, user=None, password=None,
                  command=[world["wine"], str(world["exe"] / "sockauth_client.exe")],
                  environment={**world["environment"], **krb5, **more})


def check_names(served):
    assert value(served, "server", "user") == USER
    assert value(served, "server", "target") == SERVICE


def test_dce_style(world):
    """Three legs, then both sides open what the other sealed and signed."""
    with server_of(world) as server:
        code, shown = windows_client(world, server.port, FLAGS + ",dce_style,mutual_auth")
        assert (code, server.wait()) == (0, 0), shown + server.text()
    served = server.text()
    check_names(served)
    assert f"server: unseals    {TEXT}\n" in served and f"server: verifies   {TEXT}\n" in served
    assert "client: unseals    Yes: " in shown and "client: verifies   Yes: " in shown
    assert value(shown, "client", "sizes").startswith("signature 28, trailer 76")
    assert value(served, "server", "sizes").startswith("signature 28, trailer 76")
    assert wires(shown, "client", "sends") == wires(served, "server", "receives")
    assert {"MUTUAL_AUTH", "DCE_STYLE", "CONFIDENTIALITY"} <= set(value(served, "server", "flags").split())


@pytest.mark.parametrize("flags, legs", [(FLAGS, 1), (FLAGS + ",mutual_auth", 2)])
def test_handshake(world, flags, legs):
    """Both sides end it well; then Wine's trailer is too small for its own message, and the client gives up."""
    with server_of(world) as server:
        code, shown = windows_client(world, server.port, flags)
        server.wait()
    served = server.text()
    check_names(served)
    assert shown.count("client: step ") == legs and served.count("server: step ") == 1
    assert "bytes out: SEC_E_OK" in shown and "bytes out: SEC_E_OK" in served
    assert ("MUTUAL_AUTH" in value(shown, "client", "flags")) == (legs == 2)
    assert "CONFIDENTIALITY" in value(served, "server", "flags")
    assert code == 1 and "client: EncryptMessage: SEC_E_BUFFER_TOO_SMALL" in shown
    assert value(shown, "client", "sizes").startswith("signature 37, trailer 49")
    assert value(served, "server", "sizes").startswith("signature 28, trailer 60")


@pytest.fixture(scope="module", name="rc4")
def client_with_rc4(world):
    """What a client needs whose ticket and session key are of that type."""
    realm = world["realm"]
    config = realm.environment("arcfour-hmac")["KRB5_CONFIG"]
    before = dict(realm.env)
    try:
        realm.env["KRB5_CONFIG"] = config
        cache = realm.kinit("alice", "Password1!", cache="cache.rc4")
    finally:
        realm.env = before
    return {"KRB5_CONFIG": config, "KRB5CCNAME": cache}


@pytest.mark.parametrize("flags, legs", [(FLAGS, 1), (FLAGS + ",mutual_auth", 2)])
def test_rc4_messages_come_in_the_wrong_order(world, rc4, flags, legs):
    with server_of(world, KRB5_CONFIG=rc4["KRB5_CONFIG"]) as server:
        code, shown = windows_client(world, server.port, flags, RC4_TARGET, **rc4)
        assert (code, server.wait()) == (1, 1), shown
    assert value(server.text(), "server", "user") == USER and shown.count("client: step ") == legs
    assert "client: the server refused: SEC_E_INVALID_TOKEN" in shown
    sent = wires(shown, "client", "sends")[0]
    trailer = int(sent[:8], 16)
    mechanism = "06092a864886f712010202"
    assert mechanism not in sent[8:8 + 2 * trailer]  # the framing with which a token begins comes behind the trailer
    assert sent[8 + 2 * trailer:].startswith("60") and sent[8 + 2 * trailer + 4:].startswith(mechanism)


def test_rc4_in_dce_style(world, rc4):
    with server_of(world, KRB5_CONFIG=rc4["KRB5_CONFIG"]) as server:
        code, shown = windows_client(world, server.port, FLAGS + ",dce_style,mutual_auth", RC4_TARGET, **rc4)
        assert (code, server.wait()) == (1, 1), shown
    served = server.text()
    assert value(served, "server", "user") == USER and shown.count("client: step ") == 2 and served.count("server: step ") == 2
    assert f"server: unseals    {TEXT}\n" in served and "client: unseals    Yes: " in shown
    assert value(shown, "client", "sizes").startswith("signature 28") and wires(shown, "client", "sends")[1].startswith("00000025")  # 37
    assert "server: VerifySignature: SEC_E_MESSAGE_ALTERED" in served  # what it signed is no longer what it sends


def test_no_ticket(world):
    with server_of(world) as server:
        code, shown = windows_client(world, server.port, FLAGS, KRB5CCNAME=f"FILE:{world['place']}/none")
        assert code == 1 and "SEC_E_" in shown
    assert "server: user" not in server.text()


def test_wrong_key(world):
    """A server whose keytab has another key."""
    realm = world["realm"]
    realm.addprinc("host/other.example.test")
    keytab = realm.keytab("host/other.example.test", "other.keytab")
    with server_of(world, KRB5_KTNAME=f"FILE:{keytab}") as server:
        code, shown = windows_client(world, server.port, FLAGS)
        assert (code, server.wait()) == (1, 1)
    assert "server: AcceptSecurityContext: SEC_E_WRONG_PRINCIPAL" in server.text()
    assert "client: the server refused: SEC_E_WRONG_PRINCIPAL" in shown


# Negotiate. Wine's, where it has Kerberos, is MIT's SPNEGO with whatever mechanisms MIT's GSSAPI knows; gss-ntlmssp is one. Wine calls each of them Kerberos.

def windows_server(world, *words):
    users = world["place"] / "users"
    users.write_text(f"EXAMPLE:alice:{PASSWORD}\n")
    own = {"NTLM_USER_FILE": str(users), "NETBIOS_COMPUTER_NAME": "SERVER", "NETBIOS_DOMAIN_NAME": "EXAMPLE",
           **{key: world["realm"].env[key] for key in ("KRB5_CONFIG", "KRB5_KTNAME")}}
    return Server(world, "-p", "Negotiate", "-n", "1", *words, command=[world["wine"], str(world["exe"] / "sockauth_server.exe")],
                  environment={**world["environment"], **own})


def our_client(world, port, flags, password=None):
    """By ticket; with a password there is none."""
    environment = dict(world["server"])
    if password:
        environment["KRB5CCNAME"] = f"FILE:{world['place']}/none"
    return client(world, port, "-p", "Negotiate", "-t", TARGET, "-f", flags, "-m", TEXT, environment=environment,
                  user="EXAMPLE\\alice" if password else None, password=password)


def test_negotiate_server_in_dce_style(world):
    with windows_server(world) as server:
        code, shown = our_client(world, server.port, FLAGS + ",dce_style,mutual_auth")
        assert (code, server.wait()) == (0, 0), shown + server.text()
    served = server.text()
    assert value(shown, "client", "chosen") == "Kerberos" and shown.count("client: step ") == 3
    assert f"server: unseals    {TEXT}\n" in served and f"server: verifies   {TEXT}\n" in served
    assert "client: unseals    Yes: " in shown and "client: verifies   Yes: " in shown


@pytest.mark.parametrize("password, chosen", [(None, "Kerberos"), (PASSWORD, "NTLM")])
def test_negotiate_server_signs(world, password, chosen):
    """By ticket, and without one by password with the codes over the list; then signed messages both ways."""
    with windows_server(world, "-f", "connection") as server:
        code, shown = our_client(world, server.port, "connection", password)
        assert (code, server.wait()) == (0, 0), shown + server.text()
    assert value(shown, "client", "chosen") == chosen
    assert f"server: verifies   {TEXT}\n" in server.text() and "client: verifies   Yes: " in shown


def test_negotiate_server_refuses(world):
    with windows_server(world, "-f", "connection") as server:
        code, shown = our_client(world, server.port, "connection", "wrong")
        assert (code, server.wait()) == (1, 1), shown
    assert "client: the server refused: SEC_E_" in shown and "verifies" not in server.text()


def test_negotiate_client_in_dce_style(world):
    with server_of(world, "Negotiate") as server:
        code, shown = windows_client(world, server.port, FLAGS + ",dce_style,mutual_auth", package="Negotiate")
        assert (code, server.wait()) == (0, 0), shown + server.text()
    served = server.text()
    check_names(served)
    assert value(served, "server", "chosen") == "Kerberos"
    assert f"server: unseals    {TEXT}\n" in served and f"server: verifies   {TEXT}\n" in served
    assert "client: unseals    Yes: " in shown and "client: verifies   Yes: " in shown
