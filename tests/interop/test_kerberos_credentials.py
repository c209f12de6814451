"""Where a Kerberos client's tickets come from: caches of every type, keytabs, and credentials that are changed; a KDC of MIT's."""
import os
import pathlib
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from krb_credentials import CCACHE, CLIENT_KEYTAB, KEYTAB, PIN, TARGET, X509_IDENTITY, Holder, served  # noqa: E402
from krb_peers import KerberosWorld, refused  # noqa: E402
from peers import BUILD  # noqa: E402
from realm import Realm, keytab_keys  # noqa: E402

NO_CREDENTIALS, UNKNOWN_CREDENTIALS, UNSUPPORTED = "0x8009030e", "0x8009030d", "0x80090302"
LOGON_DENIED, INVALID_TOKEN, NO_AUTHORITY, DELEGATION_POLICY = "0x8009030c", "0x80090308", "0x80090311", "0x8009035e"
OTHER = "other.example.test"


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm() as realm:
        realm.addprinc(TARGET)
        realm.addprinc(f"HTTP/{OTHER}")
        realm.addprinc("alice", "Password1!")
        realm.addprinc("bob", "Password1!")
        realm.addprinc("robot", "Password1!")
        realm.keytab(TARGET)
        realm.keytab(f"HTTP/{OTHER}", "other.keytab")
        realm.keytab("robot", "robot.keytab")
        realm.kinit("bob", "Password1!", cache="bob")
        realm.kinit("alice", "Password1!")
        yield realm


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with KerberosWorld.opened(realm, ours="peer_") as world:
        cache = pathlib.Path(realm.env["KRB5CCNAME"].removeprefix("FILE:"))
        before = cache.read_bytes()
        yield world
    assert cache.read_bytes().startswith(before), "the default cache was written anew"
    if not getattr(world, "uses_default_cache", False):
        assert cache.read_bytes() == before, "explicit credentials touched the default cache"


def server_of(world, **options):
    server = Holder(world)
    assert server.acquire("in", **options), server.problem
    server.must("again")
    return server


def test_named_cache(world, realm):
    for wide in ((), ("wide",)):
        client = Holder(world)
        client.acquire()
        assert client.say("credential") == "alice@EXAMPLE.TEST"
        assert client.set(CCACHE, f"FILE:{realm.directory}/bob", *wide), client.problem
        assert client.say("credential") == "bob@EXAMPLE.TEST"
        assert client.say("cache") == f"FILE:{realm.directory}/bob"
        assert served(client, server_of(world)) == "bob@EXAMPLE.TEST"


def test_back_to_the_default_cache(world, realm):
    world.uses_default_cache = True
    client = Holder(world)
    client.acquire()
    assert client.set(CCACHE, f"FILE:{realm.directory}/bob") and client.set(CCACHE, "")
    assert served(client, server_of(world)) == "alice@EXAMPLE.TEST"


@pytest.mark.parametrize("kind", ("DIR", "KEYRING"))
def test_default_cache_of_any_type(world, realm, kind):
    name = f"DIR:{world.directory}/caches" if kind == "DIR" else f"KEYRING:process:opensspi{os.getpid()}"
    if kind == "KEYRING":
        client = Holder(world)  # a process keyring is one process's: it exports nothing, and is empty
        client.must("env", "KRB5CCNAME", name)
        client.acquire()
        assert client.begin() is None and refused(client, NO_CREDENTIALS)
        return
    (world.directory / "caches").mkdir(mode=0o700)
    for user in ("bob", "alice"):
        subprocess.run(["kinit", user], input="Password1!\n", env={**realm.env, "KRB5CCNAME": name}, text=True, check=True,
                       capture_output=True)
    client = Holder(world, KRB5CCNAME=name)
    client.acquire()
    assert served(client, server_of(world)) == client.say("credential")
    chosen = Holder(world, KRB5CCNAME=name)
    assert chosen.acquire(principal="bob"), chosen.problem
    assert served(chosen, server_of(world)) == "bob@EXAMPLE.TEST"
    absent = Holder(world, KRB5CCNAME=name)
    assert absent.acquire(principal="robot") and absent.begin() is None and refused(absent, NO_CREDENTIALS)


def test_memory_cache_of_this_process(world):
    """The cache that one credential shows is the named cache of another."""
    client = Holder(world)
    client.acquire(user="robot", password="Password1!")
    cache = client.say("cache")
    assert cache.startswith("MEMORY:") and client.say("cache") == cache
    other = Holder(world)
    other.acquire()
    assert other.set(CCACHE, cache) and other.begin() is None and refused(other, NO_CREDENTIALS)  # that of another process
    assert served(client, server_of(world)) == "robot@EXAMPLE.TEST"


def utf16(text):
    return str(text).encode("utf-16-le")


@pytest.mark.parametrize("form", ("flag", "packed name", "packed file", "attribute", "default user"))
def test_client_keytab(world, realm, form):
    keytab = f"{realm.directory}/robot.keytab"
    client = Holder(world)
    if form == "flag":
        acquired = client.acquire(user="robot", password=f"FILE:{keytab}", **{"as": "keytab"})
    elif form == "packed name":
        acquired = client.acquire(user="robot", packed="keytab", data=utf16(f"FILE:{keytab}"))
    elif form == "packed file":
        acquired = client.acquire(user="robot", packed="keytab", data=pathlib.Path(keytab).read_bytes())
    elif form == "default user":  # the first in the keytab
        acquired = client.acquire(packed="keytab", data=pathlib.Path(keytab).read_bytes())
    else:
        acquired = client.acquire() and client.set(CLIENT_KEYTAB, f"FILE:{keytab}")
    assert acquired, client.problem
    assert served(client, server_of(world)) == "robot@EXAMPLE.TEST"


def test_configured_client_keytab(world, realm):
    world.configure(f"client_keytab = FILE:{realm.directory}/robot.keytab\n")
    world.uses_default_cache = True
    with_tickets, without = Holder(world), Holder(world, KRB5CCNAME=f"FILE:{world.directory}/nothing")
    with_tickets.acquire()
    without.acquire()
    assert served(with_tickets, server_of(world)) == "alice@EXAMPLE.TEST"
    assert served(without, server_of(world)) == "robot@EXAMPLE.TEST"
    assert not (world.directory / "nothing").exists()
    named = Holder(world, KRB5CCNAME=f"FILE:{world.directory}/nothing")
    assert named.acquire(principal="alice") and named.begin() is None and refused(named, NO_CREDENTIALS)


def test_keytab_that_is_none(world, realm):
    bad = world.directory / "bad.keytab"
    bad.write_bytes(b"no keytab at all")
    for name in (bad, world.directory / "missing", world.directory):
        client = Holder(world)
        assert client.acquire(user="robot", password=f"FILE:{name}", **{"as": "keytab"}), client.problem
        assert client.begin() is None and refused(client, NO_CREDENTIALS)
        assert str(name) in client.problem or "keytab" in client.problem.lower()
    good = (realm.directory / "robot.keytab").read_bytes()
    for damaged in (good[:-1], good[:2], b"\x05\x01" + good[2:], good[:2] + b"\x7f" + good[3:]):
        client = Holder(world)
        assert client.acquire(user="robot", packed="keytab", data=damaged) is None
        refused(client, UNKNOWN_CREDENTIALS, NO_CREDENTIALS)
    other = Holder(world)  # keys of another principal
    assert other.acquire(user="alice", packed="keytab", data=good) and other.begin() is None and refused(other, NO_CREDENTIALS)


def test_cache_that_is_none(world):
    bad = world.directory / "bad"
    bad.write_bytes(b"no cache at all")
    for name in (f"FILE:{bad}", f"FILE:{world.directory}/missing", f"FILE:{world.directory}", "NOSUCHTYPE:x"):
        client = Holder(world)
        assert client.acquire() and client.set(CCACHE, name), client.problem
        assert client.begin() is None and refused(client, NO_CREDENTIALS)
        assert client.problem.split(":", 2)[2].strip() != ""


def test_ntlm_takes_neither(world, realm):
    client = Holder(world)
    assert client.acquire(package="NTLM", user="robot", password="FILE:x", **{"as": "keytab"}) is None
    refused(client, UNKNOWN_CREDENTIALS)
    assert client.acquire(package="NTLM", user="robot", packed="keytab", data=utf16("FILE:x")) is None
    refused(client, UNKNOWN_CREDENTIALS)


def test_packed_credentials_of_another_kind(world):
    client = Holder(world)
    assert client.acquire(user="robot", packed="fido", data=b"\0" * 16) is None and refused(client, UNKNOWN_CREDENTIALS)
    assert client.acquire(user="robot", packed="cert", data=b"\0" * 6) is None and refused(client, INVALID_TOKEN)
    assert client.acquire(user="robot", packed="keytab", data=b"\xff\xd8") is None and refused(client, UNKNOWN_CREDENTIALS)


def test_attributes_that_cannot_be_set(world, realm):
    client = Holder(world)
    client.acquire()
    assert client.set("77", "x") is None and refused(client, UNSUPPORTED)
    assert client.set(KEYTAB, f"FILE:{realm.directory}/keytab") is None and refused(client, UNSUPPORTED)
    assert client.set(X509_IDENTITY, "FILE:a,b") is None and refused(client, UNKNOWN_CREDENTIALS)  # of nobody
    assert client.set(PIN, "1234") is not None


def test_keytab_of_a_server(world, realm):
    world.uses_default_cache = True
    server = server_of(world)
    assert server.set(KEYTAB, f"FILE:{realm.directory}/other.keytab"), server.problem
    client = Holder(world)
    client.acquire(target=f"HTTP/{OTHER}")
    assert served(client, server) == "alice@EXAMPLE.TEST"
    server.must("again")
    client = Holder(world)
    client.acquire()
    step = client.begin()
    assert server.token(step[1]) is None and refused(server, "0x80090322")


def test_password_of_a_server_and_then_a_keytab(world, realm):
    world.uses_default_cache = True
    server = server_of(world, user="robot", password="Password1!")
    client = Holder(world)
    client.acquire(target="robot")
    assert served(client, server) == "alice@EXAMPLE.TEST"
    assert server.set(KEYTAB, f"FILE:{realm.directory}/keytab"), server.problem
    server.must("again")
    client = Holder(world)
    client.acquire()
    assert served(client, server) == "alice@EXAMPLE.TEST"


def test_identitys_keytab_for_a_server(world, realm):
    world.uses_default_cache = True
    server = Holder(world)
    data = (realm.directory / "other.keytab").read_bytes()
    assert server.acquire("in", packed="keytab", data=data), server.problem
    server.must("again")
    client = Holder(world)
    client.acquire(target=f"HTTP/{OTHER}")
    assert served(client, server) == "alice@EXAMPLE.TEST"


def test_expiry(world, realm):
    client = Holder(world)
    client.acquire()
    never = 0x7FFFFFFFFFFFFFFF
    assert 0 < int(client.say("expiry")) < never  # the default cache's
    client = Holder(world)
    client.acquire(user="robot", password="Password1!")
    assert int(client.say("expiry")) == never  # not logged on yet, and it can again


def test_new_password(world):
    changer = Holder(world)
    assert changer.answer("change", "nobody", "a", "b") is None and refused(changer, LOGON_DENIED)
    assert changer.answer("change", "bob", "wrong", "b") is None and refused(changer, LOGON_DENIED)


@pytest.fixture(name="silent")
def silent_world(world):
    """Clients whose KDC takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        world.put("silent.conf", "[libdefaults]\ndefault_realm = SILENT.TEST\ndns_lookup_kdc = false\nudp_preference_limit = 1\n"
                  f"[realms]\nSILENT.TEST = {{\n  kdc = 127.0.0.1:{listener.getsockname()[1]}\n"
                  f"  kpasswd_server = 127.0.0.1:{listener.getsockname()[1]}\n}}\n")
        world.configure("kdc_seconds = 1\n")
        yield Holder(world, KRB5_CONFIG=f"{world.directory}/silent.conf")


def test_silent_kdc_holds_nobody(silent):
    """Each is left behind in its own thread, and the next may ask again."""
    assert silent.answer("change", "alice", "a", "b") is None and refused(silent, NO_AUTHORITY)
    assert silent.acquire("both", user="alice", password="Password1!")
    assert silent.answer("s4u", "bob") is None and refused(silent, NO_AUTHORITY)
    assert silent.say("cache") is None and refused(silent, NO_AUTHORITY)
    assert "kdc_seconds" in silent.problem


def secrets(world, user, **environment):
    done = subprocess.run([BUILD / "tests/interop/krb_secrets", user, "Password1!"], env=world.environment(**environment),
                          capture_output=True, text=True, check=True, timeout=60)
    return [(int(number), key) for _, number, key in (line.split() for line in done.stdout.splitlines())]


def keys_of(realm, name):
    return {key.hex() for key in keytab_keys(realm.directory / f"{name}.keytab")}


def test_keys_of_a_password(world, realm):
    """With the salt that the KDC names: a renamed account keeps the old one. The usual one, where it is another, comes after it."""
    world.configure("kdc_seconds = 60\n")  # without an answer in time the usual salts are taken
    keys = secrets(world, "robot")
    assert sorted(number for number, _ in keys) == [17, 18, 19, 20, 23]
    assert {key for _, key in keys} == keys_of(realm, "robot")
    realm.addprinc("maiden", "Password1!")
    realm.kadmin("renprinc -force maiden married")
    realm.keytab("married", "married.keytab")
    renamed = secrets(world, "married")
    assert sorted(number for number, _ in renamed) == [17, 17, 18, 18, 19, 19, 20, 20, 23]
    assert set({number: key for number, key in reversed(renamed)}.values()) == keys_of(realm, "married")
    realm.addprinc("narrow", "Password1!", "-e", "aes128-cts-hmac-sha1-96:normal")
    realm.keytab("narrow", "narrow.keytab")
    narrow = secrets(world, "narrow")  # that it has keys of one type is a word of the KDC's, which might be forged: no type is left out for it
    assert sorted(number for number, _ in narrow) == [17, 18, 19, 20, 23]
    assert keys_of(realm, "narrow") < {key for _, key in narrow}


def delegating(world, realm, keytab_use="in", **options):
    server = Holder(world)
    server.acquire(keytab_use)
    server.must("again")
    client = Holder(world)
    assert client.acquire(flags="mutual,integrity,confidentiality,deleg", user="alice", password="Password1!", **options)
    return client, server


def test_forwarded_ticket(world, realm):
    world.configure("delegate = always\n")
    client, server = delegating(world, realm)
    assert served(client, server) == "alice@EXAMPLE.TEST"
    server.must("delegated", "alone")
    other = server_of(world, principal=f"HTTP/{OTHER}")
    assert other.set(KEYTAB, f"FILE:{realm.directory}/other.keytab"), other.problem
    first = server.act(f"HTTP/{OTHER}")
    assert first is not None, server.problem
    assert server.say("credential") == "alice@EXAMPLE.TEST"
    assert served(server, other, first) == "alice@EXAMPLE.TEST"
    assert server.say("cache").startswith("MEMORY:")
    assert server.set(CCACHE, "FILE:/nowhere") is None and refused(server, UNSUPPORTED)


@pytest.mark.parametrize("policy", ("never", "ok_as_delegate"))
def test_ticket_that_is_not_forwarded(world, realm, policy):
    world.configure(f"delegate = {policy}\n")
    client, server = delegating(world, realm)
    assert served(client, server) == "alice@EXAMPLE.TEST"
    assert server.answer("delegated", "alone") is None and refused(server, NO_CREDENTIALS)


def test_clients_have_nobody_to_act_for(world):
    client, server = Holder(world), server_of(world)
    client.acquire(user="alice", password="Password1!")
    served(client, server)
    assert client.answer("delegated") is None and refused(client, UNSUPPORTED)


def test_user_to_service_without_s4u(world, realm):
    """MIT's db2 knows no protocol transition for others than the service itself; the ticket may be got, not passed on."""
    service = Holder(world)
    service.acquire("both", user="robot", password="Password1!")
    assert service.answer("s4u", "nobody") is None
    refused(service, LOGON_DENIED)
    service.must("s4u", "alice")
    assert service.act(TARGET) is None and refused(service, DELEGATION_POLICY)


def test_s4u_by_ntlm(world):
    plain = Holder(world)
    plain.acquire(package="NTLM", user="alice", password="x")
    assert plain.answer("s4u", "alice") is None and refused(plain, UNSUPPORTED)


def test_negotiate_is_ours_too(world, realm):
    """The attribute reaches the Kerberos half."""
    client = Holder(world)
    client.acquire(package="Negotiate")
    assert client.set(CCACHE, f"FILE:{realm.directory}/bob"), client.problem
    assert served(client, server_of(world, package="Negotiate")) == "bob@EXAMPLE.TEST"
