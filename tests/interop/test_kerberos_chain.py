"""A client, and three servers that go on to one another in its name: while a thread impersonates, its default credentials are the client's. With MIT's KDC."""
import pathlib
import pwd
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from delegating import DelegatingRealm  # noqa: E402
from krb_credentials import CCACHE, KEYTAB, Holder, served  # noqa: E402
from krb_peers import ALL_FLAGS, KerberosWorld, refused  # noqa: E402

REALM, PASSWORD = "EXAMPLE.TEST", "Password1!"
USER, GUARDED = "games", "daemon"  # Unix users that each Debian has; principals of the same names
CLIENT, UID = f"{USER}@{REALM}", pwd.getpwnam(USER).pw_uid
FIRST, SECOND, THIRD, RESOURCE = (f"HTTP/{name}.example.test" for name in ("first", "second", "third", "resource"))
DELEG = f"deleg,{ALL_FLAGS}"
NO_CREDENTIALS, NO_IMPERSONATION, DELEGATION_POLICY, UNSUPPORTED = "0x8009030e", "0x8009030b", "0x8009035e", "0x80090302"
INTERACTIVE, NETWORK, NETWORK_CLEARTEXT, BY_KERBEROS = "2", "3", "8", "3"
IMPERSONATION, DELEGATION = "2", "3"


def name_of(service):
    return service.split("/")[1].split(".", maxsplit=1)[0]


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with DelegatingRealm(allowed_to=((FIRST, SECOND), (SECOND, THIRD)), allowed_from=((FIRST, RESOURCE),)) as realm:
        for service, *options in ((FIRST, "+ok_as_delegate"), (SECOND, "+ok_as_delegate"), (THIRD,), (RESOURCE,)):
            realm.addprinc(service, None, *options)
            realm.keytab(service, f"{name_of(service)}.keytab")
        realm.addprinc(USER, PASSWORD)
        realm.addprinc(GUARDED, PASSWORD, "-allow_forwardable")
        yield realm


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with KerberosWorld.opened(realm, ours="") as world:
        world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/none"  # no tickets: services log on with their keytabs
        configure(world, realm)
        yield world
        assert not (world.directory / "none").exists()


def configure(world, realm, kerberos=""):
    world.configure(f"keytab = FILE:{realm.directory}/first.keytab\n{kerberos}"
                    f"[access]\nname_domains = {REALM}\nlogon_service = {FIRST}\n")


def service(world, realm, target, use="in", package="Kerberos"):
    side = Holder(world)
    assert side.acquire(use, package=package), side.problem
    assert side.set(KEYTAB, f"FILE:{realm.directory}/{name_of(target)}.keytab"), side.problem
    side.must("again")
    return side


def visit(world, server, flags=DELEG, target=FIRST, user=USER, package="Kerberos"):
    """The client itself comes."""
    client = Holder(world)
    assert client.acquire(flags=flags, target=target, user=user, password=PASSWORD, domain=REALM, package=package), client.problem
    assert served(client, server) == f"{user}@{REALM}"


def go_on(front, target, server, flags=DELEG, package="Kerberos"):
    """A server impersonates its client and goes on; whom the next one sees."""
    front.must("impersonate")
    front.must("acting", package)
    assert front.say("who") == f"{UID} {CLIENT}"
    step = front.act(target, flags)
    assert step is not None, front.problem
    return served(front, server, step)


@pytest.mark.parametrize("package", ("Kerberos", "Negotiate"))
def test_forwarded_tickets(world, realm, package):
    """ok-as-delegate services get the client's ticket; the third is none of them, and gets none."""
    first, second, third = (service(world, realm, target, package=package) for target in (FIRST, SECOND, THIRD))
    visit(world, first, package=package)
    assert go_on(first, SECOND, second, package=package) == CLIENT
    assert go_on(second, THIRD, third, package=package) == CLIENT
    third.must("impersonate")
    assert third.say("who") == f"{UID} -"
    assert third.answer("acting", package) is None and refused(third, NO_CREDENTIALS)
    assert "delegated no credentials" in third.problem


@pytest.mark.parametrize("package", ("Kerberos", "Negotiate"))
def test_constrained_delegation(world, realm, package):
    """No ticket is forwarded anywhere: each service asks the KDC by its own right."""
    first, second = (service(world, realm, target, "both", package) for target in (FIRST, SECOND))
    third = service(world, realm, THIRD)
    visit(world, first, ALL_FLAGS, package=package)
    assert go_on(first, SECOND, second, ALL_FLAGS, package) == CLIENT
    assert go_on(second, THIRD, third, ALL_FLAGS) == CLIENT
    third.must("impersonate")
    assert third.say("who") == f"{UID} -"


def test_constrained_delegation_of_the_resource(world, realm):
    first, resource = service(world, realm, FIRST, "both"), service(world, realm, RESOURCE)
    visit(world, first, ALL_FLAGS)
    assert go_on(first, RESOURCE, resource, ALL_FLAGS) == CLIENT


def test_package_that_is_asked_for_later(world, realm):
    """What came by Kerberos goes on by Negotiate, and the reverse."""
    first, second, third = (service(world, realm, target, "both", "Negotiate") for target in (FIRST, SECOND, THIRD))
    visit(world, first, ALL_FLAGS, package="Negotiate")
    assert go_on(first, SECOND, second, ALL_FLAGS, "Kerberos") == CLIENT
    assert go_on(second, THIRD, third, ALL_FLAGS, "Negotiate") == CLIENT


def test_no_delegation(world, realm):
    """The server is not client as well: it may serve the client, and no more."""
    first = service(world, realm, FIRST)
    visit(world, first, ALL_FLAGS)
    first.must("impersonate")
    for package in ("Kerberos", "Negotiate", "NTLM"):
        assert first.answer("acting", package) is None and refused(first, NO_CREDENTIALS)
        assert "delegated no credentials" in first.problem
    first.must("revert")
    assert first.say("who").startswith("0 ")
    first.must("acting", "Kerberos")


def test_switched_off(world, realm):
    configure(world, realm, "s4u2proxy = no\n")
    first = service(world, realm, FIRST, "both")
    visit(world, first, ALL_FLAGS)
    first.must("impersonate")
    assert first.answer("acting", "Kerberos") is None and refused(first, NO_CREDENTIALS)


def test_client_that_identifies(world, realm):
    for use in ("in", "both"):
        first = service(world, realm, FIRST, use)
        visit(world, first, f"identify,{DELEG}")
        assert first.answer("impersonate") is None and refused(first, NO_IMPERSONATION)


def test_kdc_that_refuses(world, realm):
    first = service(world, realm, FIRST, "both")
    visit(world, first, ALL_FLAGS)
    first.must("impersonate")
    first.must("acting", "Kerberos")
    assert first.act(THIRD) is None and refused(first, DELEGATION_POLICY)
    assert "S4U2Proxy" in first.problem
    second = service(world, realm, SECOND)
    step = first.act(SECOND)
    assert step is not None, first.problem  # the credential is as good as before
    assert served(first, second, step) == CLIENT


def test_client_who_may_not_be_acted_for(world, realm):
    """Its tickets cannot be forwarded: none comes along, and the KDC refuses S4U2Proxy."""
    first = service(world, realm, FIRST, "both")
    visit(world, first, DELEG, user=GUARDED)
    first.must("impersonate")
    first.must("acting", "Kerberos")
    assert first.act(SECOND) is None and refused(first, DELEGATION_POLICY)


def test_lower_level(world, realm):
    """Who makes it a token of impersonation level gives away what was delegated; an impersonating thread can't get it back."""
    first = service(world, realm, FIRST)
    visit(world, first)
    first.must("impersonate")
    first.must("duplicate", DELEGATION)
    first.must("acting", "Kerberos")
    first.must("duplicate", IMPERSONATION)
    assert first.answer("acting", "Kerberos") is None and refused(first, NO_CREDENTIALS)
    assert first.answer("duplicate", DELEGATION) is None


def test_package_lists_and_uses(world, realm):
    """An identity that is nothing but a list of packages names nobody: the thread's credentials are meant."""
    first, second = service(world, realm, FIRST), service(world, realm, SECOND, package="Negotiate")
    visit(world, first)
    first.must("impersonate")
    assert first.answer("acting", "Kerberos", "both") is None and refused(first, NO_CREDENTIALS)
    assert first.answer("acting", "NTLM") is None and refused(first, NO_CREDENTIALS)
    assert first.answer("acting", "Negotiate", "list=ntlm") is None and refused(first, NO_CREDENTIALS)
    assert first.answer("acting", "CREDSSP") is None and refused(first, NO_CREDENTIALS)
    first.must("acting", "Negotiate", "list=!ntlm")
    assert first.say("who") == f"{UID} {CLIENT}"
    step = first.act(SECOND)
    assert step is not None, first.problem
    assert served(first, second, step) == CLIENT


def test_explicit_identity_wins(world, realm):
    first, second = service(world, realm, FIRST), service(world, realm, SECOND)
    visit(world, first)
    first.must("impersonate")
    assert first.acquire(target=SECOND, user=GUARDED, password=PASSWORD, domain=REALM), first.problem
    assert first.say("credential") == f"{GUARDED}@{REALM}"
    first.must("acting", "Kerberos")
    assert first.say("who") == f"{UID} {CLIENT}"
    step = first.act(SECOND)
    assert step is not None, first.problem
    assert served(first, second, step) == CLIENT


def test_deleted_context(world, realm):
    """Neither the credential nor the thread's token need the context any more."""
    first, second = service(world, realm, FIRST, "both"), service(world, realm, SECOND, package="Negotiate")
    visit(world, first, ALL_FLAGS)
    first.must("impersonate")
    first.must("acting", "Kerberos")
    first.must("again")
    first.must("acting", "Negotiate")
    step = first.act(SECOND)
    assert step is not None, first.problem
    first.must("revert")  # what was acquired stays the client's
    assert served(first, second, step) == CLIENT


def test_credential_that_nobody_changes(world, realm):
    """It is one for all who impersonate the client."""
    first = service(world, realm, FIRST)
    visit(world, first)
    first.must("impersonate")
    first.must("acting", "Kerberos")
    assert first.act(SECOND, ALL_FLAGS) is not None, first.problem
    assert first.set(CCACHE, "MEMORY:other") is None and refused(first, UNSUPPORTED)


@pytest.mark.parametrize("kind", (INTERACTIVE, NETWORK_CLEARTEXT))
@pytest.mark.parametrize("package", ("Kerberos", "Negotiate"))
def test_logon_with_a_password(world, realm, kind, package):
    first, second = Holder(world), service(world, realm, SECOND, package="Negotiate")
    first.must("log-on", USER, REALM, PASSWORD, kind, BY_KERBEROS)
    first.must("duplicate", IMPERSONATION)  # it is the logon's own
    first.must("acting", package)
    assert first.say("who") == f"{UID} {CLIENT}"
    step = first.act(SECOND)
    assert step is not None, first.problem
    assert served(first, second, step) == CLIENT


def test_network_logon_leaves_nothing(world):
    first = Holder(world)
    first.must("log-on", USER, REALM, PASSWORD, NETWORK, BY_KERBEROS)
    assert first.answer("acting", "Kerberos") is None and refused(first, NO_CREDENTIALS)
