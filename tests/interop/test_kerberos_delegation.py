"""Services that act for their users in an Active Directory domain: forwarded tickets, S4U2Self, S4U2Proxy."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from ad import Ad  # noqa: E402
from krb_credentials import CLIENT_KEYTAB, KEYTAB, Holder, served  # noqa: E402
from krb_peers import ALL_FLAGS, KerberosWorld, refused  # noqa: E402

DOMAIN = "EXAMPLE.TEST"
FRONT, BACK, CLOSED = (f"HTTP/{name}.example.test" for name in ("front", "back", "closed"))
NO_CREDENTIALS, LOGON_DENIED, DELEGATION_POLICY = "0x8009030e", "0x8009030c", "0x8009035e"
TARGET_UNKNOWN = "0x80090303"
FIRST_UID = 200000  # of the range that the domain's accounts have here


@pytest.fixture(scope="module", name="ad")
def ad_of_the_module():
    with Ad() as ad:
        for user in ("alice", "guarded"):
            ad.user(user, "Password1!")
        for account, principal in (("front", FRONT), ("back", BACK), ("closed", CLOSED), ("plain", "HTTP/plain.example.test")):
            ad.service(account, principal)
            ad.keytab(principal, f"{account}.keytab")
        ad.keytab("front", "front-account.keytab")
        # the front may act at the back for anybody, however they came (protocol transition)
        ad.tool("delegation", "add-service", "front", BACK)
        ad.tool("delegation", "for-any-protocol", "front", "on")
        # "plain" may only pass on what came by Kerberos
        ad.tool("delegation", "add-service", "plain", BACK)
        ad.tool("delegation", "add-service", "back", CLOSED)
        ad.not_delegated("guarded")
        ad.kinit("alice", "Password1!", "-f")
        yield ad


@pytest.fixture(name="world")
def world_of_the_test(ad):
    with KerberosWorld.opened(ad, ours="") as world:
        yield world


def server_of(world, ad, account, use="in", **options):
    server = Holder(world)
    assert server.acquire(use, **options), server.problem
    assert server.set(KEYTAB, f"FILE:{ad.directory}/{account}.keytab"), server.problem
    server.must("again")
    return server


def front_of(world, ad, account="front"):
    """A service that is client and server, by its own password and its keytab."""
    return server_of(world, ad, account, "both", user=account, password=f"{account}-Password1!", domain=DOMAIN)


def visited(world, ad, front, back=BACK, account="back"):
    """Whom the back sees when the front acts."""
    server = server_of(world, ad, account)
    step = front.act(back)
    assert step is not None, front.problem
    return served(front, server, step)


def test_forwarded_ticket(world, ad):
    world.configure("delegate = always\n")
    front = server_of(world, ad, "front")
    client = Holder(world)
    client.acquire(flags=f"deleg,{ALL_FLAGS}", target=FRONT, user="alice", password="Password1!", domain=DOMAIN)
    assert served(client, front) == "alice@EXAMPLE.TEST"
    front.must("delegated", "alone")
    assert visited(world, ad, front, CLOSED, "closed") == "alice@EXAMPLE.TEST"


def test_forwarded_ticket_by_negotiate(world, ad):
    """What Negotiate came to is Kerberos: so is the credential."""
    world.configure(f"delegate = always\nkeytab = FILE:{ad.directory}/front.keytab\n")
    front, client = Holder(world), Holder(world)
    assert front.acquire("in", package="Negotiate"), front.problem
    front.must("again")
    client.acquire(flags=f"deleg,{ALL_FLAGS}", target=FRONT, user="alice", password="Password1!", domain=DOMAIN,
                   package="Negotiate")
    assert served(client, front) == "alice@EXAMPLE.TEST"
    front.must("delegated", "alone")
    assert visited(world, ad, front, CLOSED, "closed") == "alice@EXAMPLE.TEST"


def client_at(world, front, target=FRONT, user="alice"):
    client = Holder(world)
    client.acquire(target=target, user=user, password="Password1!", domain=DOMAIN)
    assert served(client, front) == f"{user}@EXAMPLE.TEST"


def test_constrained_delegation(world, ad):
    front = front_of(world, ad)
    client_at(world, front)
    assert front.answer("delegated", "alone") is None and refused(front, NO_CREDENTIALS)
    front.must("delegated")
    assert visited(world, ad, front) == "alice@EXAMPLE.TEST"
    assert front.say("credential") == "alice@EXAMPLE.TEST"


def test_constrained_delegation_elsewhere(world, ad):
    front = front_of(world, ad)
    client_at(world, front)
    front.must("delegated")
    assert front.act(CLOSED) is None and refused(front, DELEGATION_POLICY)
    assert front.act("HTTP/nobody.example.test") is None and refused(front, TARGET_UNKNOWN)
    assert visited(world, ad, front) == "alice@EXAMPLE.TEST"  # the credential is as good as before


def test_a_service_that_may_not(world, ad):
    front = front_of(world, ad, "closed")
    client_at(world, front, CLOSED)
    front.must("delegated")
    assert front.act(BACK) is None and refused(front, DELEGATION_POLICY)


def test_user_who_may_not_be_acted_for(world, ad):
    front = front_of(world, ad)
    client_at(world, front, user="guarded")
    front.must("delegated")
    assert front.act(BACK) is None and refused(front, DELEGATION_POLICY)


@pytest.mark.parametrize("user", ("alice", "alice@EXAMPLE.TEST", "EXAMPLE.TEST\\alice", "EXAMPLE\\alice"))
@pytest.mark.parametrize("wide", ((), ("wide",)), ids=("utf8", "utf16"))
def test_protocol_transition(world, ad, user, wide):
    front = front_of(world, ad)
    front.must("s4u", user, *wide)
    assert visited(world, ad, front) == "alice@EXAMPLE.TEST"


def test_protocol_transition_with_a_keytab(world, ad):
    front = Holder(world)
    front.acquire("both")
    assert front.set(CLIENT_KEYTAB, f"FILE:{ad.directory}/front-account.keytab"), front.problem
    front.must("s4u", "alice")
    assert visited(world, ad, front) == "alice@EXAMPLE.TEST"


def test_protocol_transition_of_nobody(world, ad):
    front = front_of(world, ad)
    assert front.answer("s4u", "nobody") is None and refused(front, LOGON_DENIED)
    assert front.answer("s4u", "nobody@elsewhere.test") is None and refused(front, LOGON_DENIED)
    assert front.answer("s4u", "\\") is None and refused(front, LOGON_DENIED)


def test_protocol_transition_without_leave(world, ad):
    """S4U2Self gives "plain" a ticket, but one that cannot be passed on."""
    plain = front_of(world, ad, "plain")
    plain.must("s4u", "alice")
    assert plain.act(BACK) is None and refused(plain, DELEGATION_POLICY)


def test_protocol_transition_of_who_may_not(world, ad):
    front = front_of(world, ad)
    front.must("s4u", "guarded")
    assert front.act(BACK) is None and refused(front, DELEGATION_POLICY)


def test_service_with_a_wrong_password(world, ad):
    front = server_of(world, ad, "front", "both", user="front", password="wrong", domain=DOMAIN)
    assert front.answer("s4u", "alice") is None and refused(front, LOGON_DENIED)


def impersonating(world, ad, kerberos=""):
    """Servers' configuration with which the domain's accounts are Unix users; alice's number."""
    domain, relative = ad.directory_sids("alice")[0].rsplit("-", 1)
    world.configure(f"{kerberos}[access]\nranges = {domain}:{FIRST_UID}:100000\n")
    return FIRST_UID + int(relative)


def go_on(front, server, target, uid, flags=ALL_FLAGS):
    """The front impersonates its client and goes on with the thread's credentials; whom the next one sees."""
    front.must("impersonate")
    front.must("acting", "Negotiate")
    assert front.say("who") == f"{uid} alice@EXAMPLE.TEST"
    step = front.act(target, flags)
    assert step is not None, front.problem
    return served(front, server, step)


def negotiating(world, ad, account, use):
    """A service that takes what Negotiate sends; as client it is the account."""
    server = Holder(world)
    named = {"user": account, "password": f"{account}-Password1!", "domain": DOMAIN} if use == "both" else {}
    assert server.acquire(use, package="Negotiate", **named), server.problem
    assert server.set(KEYTAB, f"FILE:{ad.directory}/{account}.keytab"), server.problem
    server.must("again")
    return server


def test_chain_of_forwarded_tickets(world, ad):
    uid = impersonating(world, ad, "delegate = always\n")
    flags = f"deleg,{ALL_FLAGS}"
    front, back, closed = (negotiating(world, ad, account, "in") for account in ("front", "back", "closed"))
    client = Holder(world)
    client.acquire(flags=flags, target=FRONT, user="alice", password="Password1!", domain=DOMAIN)
    assert served(client, front) == "alice@EXAMPLE.TEST"
    assert go_on(front, back, BACK, uid, flags) == "alice@EXAMPLE.TEST"
    assert go_on(back, closed, CLOSED, uid, flags) == "alice@EXAMPLE.TEST"
    closed.must("impersonate")
    assert closed.say("who") == f"{uid} -"


def test_chain_of_constrained_delegation(world, ad):
    uid = impersonating(world, ad)
    front, back, closed = (negotiating(world, ad, account, use) for account, use in (("front", "both"), ("back", "both"), ("closed", "in")))
    client_at(world, front)
    assert go_on(front, back, BACK, uid) == "alice@EXAMPLE.TEST"
    assert go_on(back, closed, CLOSED, uid) == "alice@EXAMPLE.TEST"
    closed.must("impersonate")
    assert closed.answer("acting", "Kerberos") is None and refused(closed, NO_CREDENTIALS)


def test_chain_that_the_domain_refuses(world, ad):
    """A target that is on nobody's list, and a client who may not be acted for."""
    impersonating(world, ad)
    front = front_of(world, ad)
    client_at(world, front)
    front.must("impersonate")
    front.must("acting", "Kerberos")
    assert front.act(CLOSED) is None and refused(front, DELEGATION_POLICY)
    guarded = front_of(world, ad)
    client_at(world, guarded, user="guarded")
    guarded.must("impersonate")
    guarded.must("acting", "Kerberos")
    assert guarded.act(BACK) is None and refused(guarded, DELEGATION_POLICY)


def test_forwarding_that_the_domain_refuses(world, ad):
    """No account here is trusted for delegation: nothing comes along, and the thread has nothing to go on with."""
    impersonating(world, ad)
    front, client = server_of(world, ad, "front"), Holder(world)
    client.acquire(flags=f"deleg,{ALL_FLAGS}", target=FRONT, user="alice", password="Password1!", domain=DOMAIN)
    assert served(client, front) == "alice@EXAMPLE.TEST"
    front.must("impersonate")
    assert front.answer("acting", "Kerberos") is None and refused(front, NO_CREDENTIALS)


@pytest.mark.parametrize("user", ("alice", "alice@EXAMPLE.TEST"))
def test_logon_without_a_password(world, ad, user):
    """KERB_S4U_LOGON: the PAC says who the user is, whose credentials go on to the back, and from there to the next."""
    uid = impersonating(world, ad, f"keytab = FILE:{ad.directory}/front-account.keytab\n")
    world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/none"
    front, back, closed = Holder(world), negotiating(world, ad, "back", "both"), negotiating(world, ad, "closed", "in")
    front.must("s4u-log-on", user)
    front.must("acting", "Kerberos")
    assert front.say("who") == f"{uid} alice@EXAMPLE.TEST"
    step = front.act(BACK)
    assert step is not None, front.problem
    assert served(front, back, step) == "alice@EXAMPLE.TEST"
    assert go_on(back, closed, CLOSED, uid) == "alice@EXAMPLE.TEST"


def test_logon_without_a_password_of_who_may_not(world, ad):
    impersonating(world, ad, f"keytab = FILE:{ad.directory}/front-account.keytab\n")
    world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/none"
    front = Holder(world)
    front.must("s4u-log-on", "guarded")
    front.must("acting", "Kerberos")
    assert front.act(BACK) is None and refused(front, DELEGATION_POLICY)
