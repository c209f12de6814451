"""KDC proxies (MS-KKDCP) as an attribute of a credential."""
import pathlib
import re
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from krb_credentials import TARGET, Holder, served  # noqa: E402
from krb_peers import KerberosWorld, refused  # noqa: E402
from pki import Authority  # noqa: E402
from realm import Realm, closed_port  # noqa: E402

NO_AUTHORITY, INVALID_TOKEN, TOO_SMALL, UNSUPPORTED = "0x80090311", "0x80090308", "0x80090321", "0x80090302"
LOGON_DENIED = "0x8009030c"
PATH = "/a/KdcProxy"
FORCED = 1


@pytest.fixture(scope="module", name="authority")
def authority_of_the_module():
    with tempfile.TemporaryDirectory(prefix="opensspi-pki-") as directory:
        authority = Authority(directory)
        authority.server()
        Authority(directory, "other")
        yield authority


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm() as realm:
        realm.addprinc(TARGET)
        realm.addprinc("alice", "Password1!")
        realm.keytab(TARGET)
        realm.kinit("alice", "Password1!")
        yield realm


@pytest.fixture(scope="module", name="proxy")
def proxy_of_the_module(realm, authority):
    script = pathlib.Path(__file__).parent / "kdc_proxy.py"
    with tempfile.TemporaryFile() as log, subprocess.Popen(
            [sys.executable, script, authority.path("server", "pem"), authority.path("server", "key"), str(realm.port), PATH],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as process:
        process.log = log
        process.port = int(process.stdout.readline())
        yield process
        process.stdin.close()
        assert process.wait(300) == 0


@pytest.fixture(name="world")
def world_of_the_test(realm):
    with KerberosWorld.opened(realm, ours="") as world:
        yield world


def asked(proxy):
    proxy.log.seek(0)
    return len(proxy.log.read().splitlines())


def settings(server, flags=0, version=1):
    text = server.encode("utf-16-le")
    head = version.to_bytes(4, "little") + flags.to_bytes(4, "little")
    offset = 16 if version == 1 else 20
    return head + b"".join(number.to_bytes(2, "little") for number in (offset, len(text), 0, 0)) + \
        (b"" if version == 1 else bytes(4)) + text


@pytest.fixture(name="nobody")
def port_of_nobody():
    with closed_port() as port:
        yield port


def client_of(world, realm, authority, kdc, anchor="ca", password="Password1!", **env):
    """A client whose krb5.conf knows the proxy's authority, and this port as the KDC's."""
    text = pathlib.Path(realm.env["KRB5_CONFIG"]).read_text(encoding="utf-8")
    line = f"kdc = 127.0.0.1:{kdc}\n  http_anchors = FILE:{authority.path(anchor, 'pem')}"
    world.put("proxied.conf", re.sub(r"kdc = .*", line, text))
    client = Holder(world, KRB5_CONFIG=f"{world.directory}/proxied.conf", **env)
    client.acquire(user="alice", password=password)
    return client


def server_of(world):
    server = Holder(world)
    assert server.acquire("in"), server.problem
    server.must("again")
    return server


@pytest.mark.parametrize("form", ("https://localhost:{}/a/KdcProxy", "localhost:{}:a/KdcProxy"))
@pytest.mark.parametrize("version", (1, 2))
@pytest.mark.parametrize("flags", (0, FORCED))
def test_proxy(world, realm, authority, nobody, proxy, form, version, flags):
    client = client_of(world, realm, authority, nobody)
    before = asked(proxy)
    assert client.answer("settings", settings(form.format(proxy.port), flags, version).hex()), client.problem
    assert served(client, server_of(world)) == "alice@EXAMPLE.TEST"
    assert asked(proxy) > before


def test_without_a_proxy(world, realm, authority, nobody):
    client = client_of(world, realm, authority, nobody)
    assert client.begin() is None and refused(client, NO_AUTHORITY)


def test_no_proxy_there(world, realm, authority, nobody):
    """The KDC itself is next, unless the proxy is forced."""
    url = f"https://localhost:{nobody}/a/KdcProxy"
    client = client_of(world, realm, authority, realm.port)
    assert client.answer("settings", settings(url).hex()), client.problem
    assert served(client, server_of(world)) == "alice@EXAMPLE.TEST"
    client = client_of(world, realm, authority, realm.port)
    assert client.answer("settings", settings(url, FORCED).hex()), client.problem
    assert client.begin() is None and refused(client, NO_AUTHORITY)


def test_refused_through_a_forced_proxy(world, realm, authority, nobody, proxy):
    """A refusal has no other KDC looked for: neither in DNS, whose answers nothing protects, nor the same one a second time."""
    trace = world.directory / "trace"
    client = client_of(world, realm, authority, nobody, password="wrong", KRB5_TRACE=str(trace))
    assert client.answer("settings", settings(f"https://localhost:{proxy.port}{PATH}", FORCED).hex()), client.problem
    before = asked(proxy)
    assert client.begin() is None and refused(client, LOGON_DENIED)
    assert asked(proxy) == before + 1
    said = trace.read_text(encoding="utf-8")
    assert "DNS" not in said and "UDP" not in said and "Retrying AS request" not in said, said


def test_proxy_of_an_unknown_authority(world, realm, authority, nobody, proxy):
    client = client_of(world, realm, authority, nobody, anchor="other")
    assert client.answer("settings", settings(f"https://localhost:{proxy.port}{PATH}").hex())
    before = asked(proxy)
    assert client.begin() is None and refused(client, NO_AUTHORITY)
    assert asked(proxy) == before


def test_proxy_is_taken_back(world, realm, authority, proxy):
    client = client_of(world, realm, authority, realm.port)
    assert client.answer("settings", settings(f"https://localhost:{proxy.port}{PATH}", FORCED).hex())
    assert client.answer("settings", settings("").hex()), client.problem
    before = asked(proxy)
    assert served(client, server_of(world)) == "alice@EXAMPLE.TEST"
    assert asked(proxy) == before


@pytest.mark.parametrize("data, code", (
    (settings("x")[:15], TOO_SMALL), (settings("x", version=2)[:18], TOO_SMALL), (settings("x", version=3), INVALID_TOKEN),
    (settings("x", flags=2), INVALID_TOKEN), (settings("x")[:-1], INVALID_TOKEN), (settings("http://x"), INVALID_TOKEN),
    (settings("x:y"), INVALID_TOKEN), (settings(":443"), INVALID_TOKEN), (settings("x" * 3000), INVALID_TOKEN),
    (settings("x")[:14] + b"\2\0" + settings("x")[16:], UNSUPPORTED)))
def test_bad_settings(world, data, code):
    client = Holder(world)
    client.acquire(user="alice", password="Password1!")
    assert client.answer("settings", data.hex()) is None and refused(client, code)
