"""S4U2Self and S4U2Proxy, also resource-based, with MIT's KDC and a database module that knows who may delegate to whom."""
import pathlib
import pwd
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import lsa  # noqa: E402
from delegating import DelegatingRealm  # noqa: E402
from krb_credentials import KEYTAB, Holder, served  # noqa: E402
from krb_peers import KerberosWorld, refused  # noqa: E402
from realm import PATIENCE, keytab_keys  # noqa: E402

FRONT, PLAIN, OTHER, BACK, RESOURCE = (f"HTTP/{name}.example.test" for name in ("front", "plain", "other", "back", "resource"))
DELEGATION_POLICY, LOGON_DENIED, NO_CREDENTIALS = "0x8009035e", "0x8009030c", "0x8009030e"
LOGON_FAILURE = "0xc000006d"
USER = "games"  # a Unix user that each Debian has, and a principal of the same name


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with DelegatingRealm(allowed_to=((FRONT, BACK), (PLAIN, BACK)), allowed_from=((PLAIN, RESOURCE), (OTHER, RESOURCE))) as realm:
        realm.addprinc(FRONT, None, "+ok_to_auth_as_delegate")
        for name in (PLAIN, OTHER, BACK, RESOURCE):
            realm.addprinc(name)
        for name in (FRONT, PLAIN, OTHER, BACK, RESOURCE):
            realm.keytab(name, f"{name.split('/')[1].split('.', maxsplit=1)[0]}.keytab")
        for user in ("alice", USER):
            realm.addprinc(user, "Password1!")
        realm.addprinc("guarded", "Password1!", "-allow_forwardable")
        yield realm


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with KerberosWorld.opened(realm, ours="") as world:
        world.krb5["KRB5CCNAME"] = f"FILE:{world.directory}/none"  # no tickets: services log on with their keytabs
        yield world
        assert not (world.directory / "none").exists()


def service(world, realm, name, use="both"):
    side = Holder(world)
    assert side.acquire(use), side.problem
    assert side.set(KEYTAB, f"FILE:{realm.directory}/{name}.keytab"), side.problem
    side.must("again")
    return side


def visited(world, realm, front, back, name):
    step = front.act(back)
    assert step is not None, front.problem
    return served(front, service(world, realm, name, "in"), step)


def client_at(world, front, target, user="alice"):
    client = Holder(world)
    client.acquire(target=target, user=user, password="Password1!")
    assert served(client, front) == f"{user}@EXAMPLE.TEST"


def test_constrained_delegation(world, realm):
    front = service(world, realm, "plain")
    client_at(world, front, PLAIN)
    front.must("delegated")
    assert visited(world, realm, front, BACK, "back") == "alice@EXAMPLE.TEST"


def test_protocol_transition(world, realm):
    front = service(world, realm, "front")
    front.must("s4u", "alice")
    assert visited(world, realm, front, BACK, "back") == "alice@EXAMPLE.TEST"


def test_protocol_transition_without_leave(world, realm):
    front = service(world, realm, "plain")
    front.must("s4u", "alice")
    assert front.act(BACK) is None and refused(front, DELEGATION_POLICY)


def test_resource_based(world, realm):
    front = service(world, realm, "plain")
    client_at(world, front, PLAIN)
    front.must("delegated")
    assert visited(world, realm, front, RESOURCE, "resource") == "alice@EXAMPLE.TEST"


def test_resource_based_after_protocol_transition(world, realm):
    """Of a service without a list of its own; tickets for the others' users are not forwardable."""
    front = service(world, realm, "other")
    front.must("s4u", "alice")
    assert visited(world, realm, front, RESOURCE, "resource") == "alice@EXAMPLE.TEST"


def test_resource_that_trusts_another(world, realm):
    front = service(world, realm, "front")
    client_at(world, front, FRONT)
    front.must("delegated")
    assert front.act(RESOURCE) is None and refused(front, DELEGATION_POLICY)


def test_user_whose_tickets_are_not_forwarded(world, realm):
    front = service(world, realm, "plain")
    client_at(world, front, PLAIN, "guarded")
    front.must("delegated")
    assert front.act(BACK) is None and refused(front, DELEGATION_POLICY)


def test_nobody(world, realm):
    front = service(world, realm, "front")
    assert front.answer("s4u", "nobody") is None and refused(front, LOGON_DENIED)


@pytest.fixture(name="logon_service", params=("embedded", "daemon"))
def logon_service_of_the_test(world, realm, request):
    """Makes a service with nothing but its keytab, which it has itself, or a daemon of its own for it."""
    daemons = []

    def make(name, kerberos=""):
        keytab, access = f"FILE:{realm.directory}/{name}.keytab", "[access]\nname_domains = EXAMPLE.TEST\n"
        if request.param == "embedded":
            world.configure(f"keytab = {keytab}\n{kerberos}{access}")
            return Holder(world)
        place = pathlib.Path(world.directory) / f"lsa-{len(daemons)}"
        place.mkdir()
        environment = {**realm.env, "KRB5_KTNAME": f"FILE:{place}/none"}
        environment.pop("KRB5CCNAME", None)
        daemons.append(lsa.Daemon(place, more=f"[kerberos]\n{PATIENCE}keytab = {keytab}\n{kerberos}", env=environment))
        daemons[-1].start()
        world.configure(f"keytab = FILE:{place}/none\n{kerberos}{access}[lsa]\nmode = daemon\nsocket = {daemons[-1].socket}\n")
        side = Holder(world)
        side.kept_keys = {f"{name} {n}": key for n, key in enumerate(keytab_keys(keytab.removeprefix("FILE:")))}
        return side

    yield make
    for daemon in daemons:
        assert daemon.stop() == 0, daemon.output()


def go_on(front, package="Kerberos"):
    """The first step at the back, with the thread's own credentials; None when the KDC or we refuse."""
    return front.act(BACK) if front.answer("acting", package) is not None else None


@pytest.mark.parametrize("package", ("Kerberos", "Negotiate"))
def test_logon_without_a_password(world, realm, logon_service, package):
    """KERB_S4U_LOGON: the token makes the thread the user, and its credentials go on by S4U2Proxy."""
    front, back = logon_service("front"), Holder(world)
    front.must("s4u-log-on", USER)
    assert back.acquire("in", package=package), back.problem
    assert back.set(KEYTAB, f"FILE:{realm.directory}/back.keytab"), back.problem
    back.must("again")
    step = go_on(front, package)
    assert step is not None, front.problem
    assert front.say("who").startswith(f"{pwd.getpwnam(USER).pw_uid} ")
    assert served(front, back, step) == f"{USER}@EXAMPLE.TEST"
    front.must("revert")
    assert front.say("who").startswith("0 ")
    if hasattr(front, "kept_keys"):
        assert lsa.memory_holds(front.process.process.pid, front.kept_keys) == set()


def test_logon_without_a_password_and_without_leave(logon_service):
    plain = logon_service("plain")
    plain.must("s4u-log-on", USER)
    assert go_on(plain) is None and refused(plain, DELEGATION_POLICY)
    off = logon_service("front", "s4u2proxy = no\n")
    off.must("s4u-log-on", USER)
    assert go_on(off) is None and refused(off, NO_CREDENTIALS)


def test_protocol_transition_switched_off(logon_service):
    """s4u2proxy = no: no credentials in a user's name either; to prove a user by S4U2Self alone goes on."""
    on = logon_service("front")
    assert on.acquire("both"), on.problem
    on.must("s4u", "alice")
    off = logon_service("front", "s4u2proxy = no\n")
    assert off.acquire("both"), off.problem
    assert off.answer("s4u", "alice") is None and refused(off, NO_CREDENTIALS)
    assert "s4u2proxy" in off.problem
    off.must("s4u-log-on", USER)
    assert off.say("who").startswith(f"{pwd.getpwnam(USER).pw_uid} ")
    off.must("revert")


def test_logon_of_nobody(logon_service):
    front = logon_service("front")
    assert front.answer("s4u-log-on", "nobody") is None and refused(front, LOGON_FAILURE)
    assert front.answer("s4u-log-on", "alice") is None  # no Unix user is it
    assert front.say("who").startswith("0 ")
