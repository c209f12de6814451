"""Logging on with a certificate (RFC 4556): key files, PKCS#12 and PKCS#11 against MIT's KDC."""
import pathlib
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from krb_credentials import PIN, TARGET, X509_ANCHORS, X509_IDENTITY, Holder, served  # noqa: E402
from krb_peers import ALL_FLAGS, KerberosWorld, Mit, Ours, refused  # noqa: E402
from pki import Authority  # noqa: E402
from realm import Realm  # noqa: E402

UNKNOWN_CREDENTIALS, PKINIT_CLIENT_FAILURE, NAME_MISMATCH = "0x8009030d", "0x80090354", "0x8009033d"
LOGON_DENIED, NULL_SESSION = "0x8009030c", 0x100000
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
TOKEN_PIN = "248163"


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with tempfile.TemporaryDirectory(prefix="opensspi-pki-") as directory:
        authority = Authority(directory)
        certificate, key = authority.kdc("EXAMPLE.TEST")
        authority.user("alice", "EXAMPLE.TEST")
        authority.user("bob", "EXAMPLE.TEST")
        Authority(directory, "other")
        authority.openssl("pkcs12", "-export", "-in", authority.path("alice", "pem"), "-inkey", authority.path("alice", "key"),
                          "-out", authority.path("alice", "p12"), "-passout", "pass:open_sesame")
        authority.openssl("rsa", "-in", authority.path("alice", "key"), "-aes256", "-passout", "pass:open_sesame",
                          "-out", authority.path("alice", "closed"))
        kdc = f"pkinit_identity = FILE:{certificate},{key}\n  pkinit_anchors = FILE:{authority.anchor}"
        with Realm(kdc_realm=kdc, libdefaults=f"pkinit_anchors = FILE:{authority.anchor}") as realm:
            realm.addprinc(TARGET)
            realm.keytab(TARGET)
            for user in ("alice", "bob"):
                realm.addprinc(user, None, "+requires_preauth")
            realm.addprinc("carol", "Password1!")
            realm.kinit("carol", "Password1!")
            realm.authority = authority
            yield realm


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with KerberosWorld.opened(realm, ours="") as world:
        cache = pathlib.Path(realm.env["KRB5CCNAME"].removeprefix("FILE:"))
        before = cache.read_bytes()
        yield world
    assert cache.read_bytes() == before, "the default cache was touched"


def server_of(world):
    server = Holder(world)
    assert server.acquire("in"), server.problem
    server.must("again")
    return server


def files(realm, user="alice", key="key"):
    return f"FILE:{realm.authority.path(user, 'pem')},{realm.authority.path(user, key)}"


def certificate_data(name):
    """SEC_WINNT_AUTH_CERTIFICATE_DATA: two lengths, then offset and length of what it holds."""
    text = name.encode("utf-16-le")
    return (12).to_bytes(2, "little") + (12 + len(text)).to_bytes(2, "little") + (12).to_bytes(4, "little") + \
        len(text).to_bytes(2, "little") + b"\0\0" + text


@pytest.mark.parametrize("form", ("flag", "packed", "attribute"))
def test_files(world, realm, form):
    client = Holder(world)
    if form == "flag":
        acquired = client.acquire(user="alice", password=files(realm), **{"as": "x509"})
    elif form == "packed":
        acquired = client.acquire(user="alice", packed="cert", data=certificate_data(files(realm)))
    else:
        acquired = client.acquire(user="alice") and client.set(X509_IDENTITY, files(realm))
    assert acquired, client.problem
    assert served(client, server_of(world)) == "alice@EXAMPLE.TEST"


@pytest.mark.parametrize("kind", ("pkcs12", "key file"))
def test_pass_phrase(world, realm, kind):
    name = f"PKCS12:{realm.authority.path('alice', 'p12')}" if kind == "pkcs12" else files(realm, key="closed")
    for phrase, opens in (("open", False), ("open_sesame", True)):
        client = Holder(world)
        assert client.acquire(user="alice", password=name, **{"as": "x509"})
        assert client.set(PIN, phrase) is not None, client.problem
        if opens:
            assert served(client, server_of(world)) == "alice@EXAMPLE.TEST"
        else:
            assert client.begin() is None and refused(client, PKINIT_CLIENT_FAILURE)


def test_wrong_certificates(world, realm):
    for name, code in ((files(realm, "bob"), NAME_MISMATCH), ("FILE:/nowhere.pem,/nowhere.key", PKINIT_CLIENT_FAILURE),
                       ("NOSUCHTYPE:x", PKINIT_CLIENT_FAILURE), (f"FILE:{realm.authority.anchor}", PKINIT_CLIENT_FAILURE)):
        client = Holder(world)
        assert client.acquire(user="alice", password=name, **{"as": "x509"})
        assert client.begin() is None and refused(client, code)
    client = Holder(world)
    assert client.acquire(password=files(realm), **{"as": "x509"}) is None
    assert client.problem.split()[0] == UNKNOWN_CREDENTIALS


def test_anchors(world, realm):
    for name, trusted in (("other", False), ("ca", True)):
        # the plug-in leaks when it does not trust (kinit does too, as valgrind tells)
        client = Holder(world, **({} if trusted else {"ASAN_OPTIONS": "detect_leaks=0"}))
        client.acquire(user="alice", password=files(realm), **{"as": "x509"})
        assert client.set(X509_ANCHORS, f"FILE:{realm.authority.path(name, 'pem')}"), client.problem
        if trusted:
            assert served(client, server_of(world)) == "alice@EXAMPLE.TEST"
        else:
            assert client.begin() is None and refused(client, PKINIT_CLIENT_FAILURE)


@pytest.mark.parametrize("lines,flags,good", (
    ("", ALL_FLAGS, False), ("allow_anonymous = yes\n", ALL_FLAGS, False), ("", ALL_FLAGS + ",null-session", False),
    ("allow_anonymous = yes\n", ALL_FLAGS + ",null-session", True)))
@pytest.mark.parametrize("side", (Ours, Mit))
def test_anonymous_ticket(world, realm, side, lines, flags, good):
    """RFC 8062: whoever asks the KDC for nobody's ticket gets it, and is nobody."""
    try:
        realm.addprinc("WELLKNOWN/ANONYMOUS")
    except RuntimeError:
        pass  # another case has added it
    cache = f"FILE:{world.directory}/nobodys"
    realm.run("kinit", "-n", "-c", cache, "@EXAMPLE.TEST")
    world.configure(lines)
    world.krb5["KRB5CCNAME"] = cache
    client, server = side(world), Ours(world)
    answer = client.start("client")
    assert answer is not None, client.problem
    assert server.start("server", flags=flags) is not None
    done = server.token(answer[1])
    if not good:
        assert done is None and server.problem.split()[0] == LOGON_DENIED, server.problem
        return
    assert done is not None and client.token(done[1]) is not None, (server.problem, client.problem)
    assert server.say("names") == "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS"
    assert server.granted() & NULL_SESSION and " user=S-1-5-7 " in f"{server.say('who')} "


@pytest.fixture(name="token")
def token_of_the_test(world, realm):
    store = world.directory / "tokens"
    store.mkdir()
    world.put("softhsm2.conf", f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {**world.environment(), "SOFTHSM2_CONF": f"{world.directory}/softhsm2.conf"}

    def run(*words):
        subprocess.run(words, env=environment, check=True, capture_output=True, timeout=60)
    run("softhsm2-util", "--init-token", "--free", "--label", "card", "--so-pin", "12345678", "--pin", TOKEN_PIN)
    tool = ("pkcs11-tool", "--module", SOFTHSM, "--token-label", "card", "--login", "--pin", TOKEN_PIN, "--id", "01", "--label", "alice")
    for kind, name in (("privkey", "key"), ("cert", "pem")):
        der = str(world.directory / f"alice.{kind}")
        words = ("rsa",) if kind == "privkey" else ("x509",)
        realm.authority.openssl(*words, "-in", realm.authority.path("alice", name), "-outform", "DER", "-out", der)
        run(*tool, "--write-object", der, "--type", kind)
    return environment["SOFTHSM2_CONF"]


def test_pkcs11(world, token):
    name = f"PKCS11:module_name={SOFTHSM}:token=card:certlabel=alice"
    for pin, opens in (("000000", False), (TOKEN_PIN, True)):
        client = Holder(world, SOFTHSM2_CONF=token)
        assert client.acquire(user="alice", password=name, **{"as": "x509"})
        assert client.set(PIN, pin), client.problem
        if opens:
            assert served(client, server_of(world)) == "alice@EXAMPLE.TEST"
        else:
            assert client.begin() is None and refused(client, PKINIT_CLIENT_FAILURE)
