"""Negotiate in an Active Directory domain: SASL GSS-SPNEGO to Samba's LDAP server (MS-ADTS 5.1.1.1.4), by Kerberos and by NTLM, then all sealed."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from ad import Ad  # noqa: E402
from krb_peers import establish, sid_read  # noqa: E402
from neg_peers import COMPLETED, KRB5, MS_KRB5, NTLM, Init, Mit, NegWorld, Ours, Resp  # noqa: E402
from test_kerberos_ad import SASL_IN_PROGRESS, Ldap  # noqa: E402

DOMAIN = "EXAMPLE.TEST"
TARGET = "ldap/dc1.example.test"


@pytest.fixture(scope="module", name="ad")
def ad_of_the_module():
    with Ad() as ad:
        ad.user("alice", "Password1!")
        ad.tool("spn", "add", TARGET, "DC1$")
        ad.service("server", "HTTP/server.example.test")
        ad.keytab("HTTP/server.example.test")
        ad.kinit("alice", "Password1!")
        yield ad


@pytest.fixture(name="world")
def world_of_the_test(ad):
    with NegWorld.opened(ad) as world:
        yield world


def spnego_ldap(world):
    return Ldap(world, b"GSS-SPNEGO")


def bind(client, ldap, **start):
    """The tokens of a bind that succeeds, the client's and the server's in turns."""
    answer = client.start("client", **start)
    assert answer is not None, client.problem
    tokens, code = [], SASL_IN_PROGRESS
    while True:
        tokens.append(answer[1])
        assert code == SASL_IN_PROGRESS
        code, token = ldap.bind(answer[1])
        assert code in (0, SASL_IN_PROGRESS), f"LDAP result {code}"
        tokens.append(token)
        answer = client.token(token)
        assert answer is not None, client.problem
        if answer[0] == "done":
            if answer[1]:  # our code over the list; Samba says thank you, and nobody needs that
                code, _ = ldap.bind(answer[1])
            assert code == 0
            return tokens


@pytest.mark.parametrize("mech", ("Kerberos", "Kerberos, DCE style", "NTLM"))
def test_sealed_ldap_search(world, ad, mech):
    """By NTLM, because the KDC knows no such service; Samba's server gives its code over the list too."""
    client, ldap = Ours(world), spnego_ldap(world)
    flags = "mutual,integrity,confidentiality,replay,sequence" + (",dce" if "DCE" in mech else "")
    try:
        if mech == "NTLM":
            tokens = bind(client, ldap, user="alice", domain="EXAMPLE", password="Password1!", target="ldap/10.0.0.1", flags=flags)
            assert Init(tokens[0]).mechs == [NTLM] and Resp(tokens[2]).mic is not None and Resp(tokens[3]).mic is not None
        else:
            tokens = bind(client, ldap, target=TARGET, flags=flags)
            assert Init(tokens[0]).mechs == [MS_KRB5, KRB5, NTLM]
        assert client.chosen() == mech.split(",", maxsplit=1)[0]
        if "DCE" in mech:  # three legs, then Samba's code over the list and ours; LDAP has no use for messages in this style
            assert Resp(tokens[-1]).mic is not None
            return
        assert Resp(tokens[-1]).state == COMPLETED
        ldap.seal_with(client)
        found = ldap.search(b"DC=example,DC=test", b"sAMAccountName", b"alice", b"objectSid")
        assert [sid_read(sid, 0)[0] for sid in found] == [ad.directory_sids("alice")[0]]
        assert len(ldap.search(b"DC=example,DC=test", b"objectClass", b"group", b"sAMAccountName")) > 10
    finally:
        ldap.close()


def test_wrong_password_by_ntlm(world):
    world.configure("[negotiate]\npackages = ntlm\n")
    client, ldap = Ours(world), spnego_ldap(world)
    try:
        _, token = client.start("client", user="alice", domain="EXAMPLE", password="wrong", target=TARGET)
        code, token = ldap.bind(token)
        word, token = client.token(token)
        assert (code, word) == (SASL_IN_PROGRESS, "token")
        assert ldap.bind(token)[0] not in (0, SASL_IN_PROGRESS)
    finally:
        ldap.close()


@pytest.mark.parametrize("pair", ((Ours, Ours), (Ours, Mit), (Mit, Ours)), ids=("ours-ours", "ours-mit", "mit-ours"))
def test_tickets_of_the_domain(world, pair):
    client, server = (side(world) for side in pair)
    establish(client, server)
    assert server.say("names") == f"alice@{DOMAIN}" and server.chosen() == "Kerberos"
    assert server.unseal(client.seal(b"text")) == b"text", server.problem
