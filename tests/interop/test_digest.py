"""HTTP Digest: our client and our server, curl, Apache's mod_auth_digest, `sspi get`; wrong passwords, bindings, replays. All of it twice: within the
processes, and with a daemon that has the passwords."""
import contextlib
import json
import pathlib
import re
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import lsa  # noqa: E402
from peers import BUILD  # noqa: E402
from realm import Realm  # noqa: E402
from web import ARRANGEMENTS, HOST, MergingProxy, Web  # noqa: E402

PASSWORD, REALM = "Password1!", "test realm"
ALICE = ("-u", "alice")


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm() as realm:
        yield realm


class Authority(lsa.Daemon):
    """A daemon under the configuration that is there."""

    def __init__(self, web):
        self.directory, self.socket, self.env, self.process, self.prefix = web.directory, web.directory / "lsa.sock", web.env, None, ()


@pytest.fixture(name="web", params=("embedded", "daemon"))
def web_of_the_test(realm, request):
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="opensspi-web-"))
        web = Web(directory, realm)
        web.lsa = f"[lsa]\nmode = {request.param}\nsocket = {directory}/lsa.sock\n"
        configure(web)
        done = sspi(web, "account", "add", "--domain", "EXAMPLE", "alice", text=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
        if request.param == "daemon":
            stack.enter_context(Authority(web))
        yield stack.enter_context(web)


def configure(web, more=""):
    web.put("opensspi.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
            f"{web.lsa}[accounts]\nstores = sqlite:{web.directory}/accounts/accounts.db\n[digest]\nrealms = {REALM}\n{more}")


def sspi(web, *words, text=None):
    return web.run(BUILD / "sspi", *words, text=text)


def who(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_accounts_tell_of_hashes(web):
    shown = sspi(web, "account", "show", "alice")
    assert shown.returncode == 0 and re.search(r"Digest realms: +test realm\n", shown.stdout), shown.stdout + shown.stderr
    assert json.loads(sspi(web, "account", "show", "--json", "alice").stdout)["digest_realms"] == [REALM]


@pytest.mark.parametrize("tls", (None, "web"))
def test_ours(web, tls):
    site = web.ours("-s", "Digest", tls=tls)
    trust = ("-c", web.certificate("web")[0]) if tls else ()
    told = who(web.get(site.url("/who.json?a=%20b"), "-s", "Digest", *ALICE, *trust, password=PASSWORD))
    assert (told["user"], told["package"], told["scheme"]) == ("EXAMPLE\\alice", "WDigest", "Digest")
    assert (told["tls"], told["bound"]) == (tls is not None, tls is not None)
    done = web.get(site.url("/who.json"), "-s", "Digest", *ALICE, *trust, password="wrong")
    assert done.returncode == 1 and "refuses" in done.stderr, done.stderr
    if tls:  # a sign-on that is bound to nothing
        done = web.get(site.url("/who.json"), "-s", "Digest", "-b", *ALICE, *trust, password=PASSWORD)
        assert done.returncode == 1 and "channel bindings" in site.text(), done.stderr


def test_relay_stays_out(web):
    """Somebody between with a certificate of his own: the client is bound to that one."""
    site = web.ours("-s", "Digest", tls="web")
    relay = web.relay(site, tls="relay")
    done = web.get(relay.url("/who.json"), "-s", "Digest", "-k", *ALICE, password=PASSWORD)
    assert done.returncode == 1 and "another channel" in site.text(), site.text()


@pytest.mark.parametrize("algorithms", ("SHA-256", "MD5", "MD5-sess", "SHA-256-sess"))
def test_curl(web, algorithms):
    configure(web, f"algorithms = {algorithms}\n")
    site = web.ours("-s", "Digest")
    url = site.url("/who.json?x=y,z")
    told = who(web.curl(url, "--digest", "-u", f"alice:{PASSWORD}"))
    assert (told["user"], told["package"]) == ("EXAMPLE\\alice", "WDigest")
    done = web.curl(url, url, url, "--digest", "-u", f"alice:{PASSWORD}")  # one connection, one nonce, three counts
    assert done.stdout.count('"user"') == 3, done.stdout + done.stderr
    done = web.curl(url, "-o", "/dev/null", "-w", "%{http_code}", "--digest", "-u", "alice:wrong")
    assert done.stdout == "401"


def test_several_algorithms(web):
    """One header a challenge: curl takes the first, our client the strongest."""
    configure(web, "algorithms = MD5, SHA-512-256\n")
    site = web.ours("-s", "Digest,NTLM")
    head = web.curl(site.url("/who.json"), "-i").stdout
    offers = re.findall(r"(?im)^www-authenticate: (.*?)\r?$", head)
    assert [offer.split()[0] for offer in offers] == ["Digest", "Digest", "NTLM"]
    assert "SHA-512-256" in offers[0] and "algorithm=MD5" in offers[1]
    told = who(web.get(site.url("/who.json"), "-s", "Digest", *ALICE, password=PASSWORD))
    assert told["package"] == "WDigest"
    configure(web, "algorithms = MD5, SHA-256\n")
    site = web.ours("-s", "Digest,NTLM")
    done = web.curl(site.url("/who.json"), "-v", "--digest", "-u", f"alice:{PASSWORD}")
    assert who(done)["user"] == "EXAMPLE\\alice" and "algorithm=SHA-256" in re.search(r"(?m)^> (Authorization: Digest .*?)\r?$", done.stderr)[1]


def test_curl_domain_name(web):
    """The other spelling that there are hashes for."""
    site = web.ours("-s", "Digest")
    assert who(web.curl(site.url("/who.json"), "--digest", "-u", f"EXAMPLE\\alice:{PASSWORD}"))["user"] == "EXAMPLE\\alice"


def test_curl_hashed_name(web):
    """RFC 7616 3.4.4: the name goes as its hash, and the server finds whose it is."""
    configure(web, "userhash = yes\n")
    site = web.ours("-s", "Digest")
    done = web.curl(site.url("/who.json"), "-v", "--digest", "-u", f"alice:{PASSWORD}")
    assert who(done)["user"] == "EXAMPLE\\alice"
    header = re.search(r"(?m)^> (Authorization: Digest .*?)\r?$", done.stderr)[1]
    assert "userhash=true" in header and "alice" not in header
    wrong = web.curl(site.url("/who.json"), "-o", "/dev/null", "-w", "%{http_code}", "--digest", "-u", f"nobody:{PASSWORD}")
    assert wrong.stdout == "401"


@pytest.mark.parametrize("algorithm", ("MD5", "SHA-256"))
def test_curl_letters(web, algorithm):
    """Letters beyond ASCII, in UTF-8 as our challenge says."""
    user, password = "J\u00e4s\u00f8n", "Gehe\u00efm"
    assert sspi(web, "account", "add", "--domain", "EXAMPLE", user, text=password + "\n").returncode == 0
    configure(web, f"algorithms = {algorithm}\n")
    site = web.ours("-s", "Digest")
    assert who(web.curl(site.url("/who.json"), "--digest", "-u", f"{user}:{password}"))["user"] == f"EXAMPLE\\{user}"
    assert who(web.get(site.url("/who.json"), "-s", "Digest", "-u", user, password=password))["user"] == f"EXAMPLE\\{user}"


def test_curl_stale(web):
    """A nonce that served its time, under a right password: the server says so, and curl goes on with the next one as often as it goes on."""
    configure(web, "nonce_seconds = 0\n")
    site = web.ours("-s", "Digest")
    done = web.curl(site.url("/who.json"), "-v", "--digest", "-u", f"alice:{PASSWORD}")
    assert "stale=true" in done.stderr
    done = web.curl(site.url("/who.json"), "-v", "--digest", "-u", "alice:wrong")
    assert "stale=true" not in done.stderr


def test_opaque(web):
    """curl gives back what came with the challenge."""
    site = web.ours("-s", "Digest")
    done = web.curl(site.url("/who.json"), "-v", "--digest", "-u", f"alice:{PASSWORD}")
    sent, returned = (re.search(rf'(?m)^{mark} .*?opaque="(\w+)"', done.stderr)[1] for mark in "<>")
    assert sent == returned


def test_replay(web):
    """A header that was overheard gets nobody in."""
    site = web.ours("-s", "Digest")
    url = site.url("/who.json")
    done = web.curl(url, "-v", "--digest", "-u", f"alice:{PASSWORD}")
    header = re.search(r"(?m)^> (Authorization: Digest .*?)\r?$", done.stderr)[1]
    for words in ((), ("-X", "HEAD", "-I")):
        again = web.curl(url, "-o", "/dev/null", "-w", "%{http_code}", "-H", header, *words)
        assert again.stdout == "401"
    assert "a replay" in site.text()
    other = web.curl(site.url("/"), "-o", "/dev/null", "-w", "%{http_code}", "-H", header)
    assert other.stdout == "401" and "another URI" in site.text()


def test_sspi_get(web):
    site = web.ours("-s", "Digest", tls="web")
    ca = web.certificate("web")[0]
    words = ("get", "--package", "Digest", "--user", "alice", "--ca", ca, site.url("/who.json?q").replace(HOST, "127.0.0.1"))
    done = sspi(web, *words, text=PASSWORD + "\n")
    assert done.returncode == 0 and json.loads(done.stdout)["bound"] is True, done.stderr
    done = sspi(web, *words, text="wrong\n")
    assert done.returncode == 3 and "did not accept" in done.stderr, (done.returncode, done.stderr)


@pytest.mark.parametrize("program", ("sample", "command"))
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_several_challenges_in_one_header(web, arrangement, program):
    """Two of Digest and one of NTLM, in one header with others."""
    configure(web, "algorithms = MD5, SHA-256\n")
    proxy = MergingProxy(web.ours("-s", "Digest,NTLM").port, ARRANGEMENTS[arrangement])
    web.relays.append(proxy)
    url = proxy.url("/who.json")
    if program == "sample":
        done = web.get(url, "-s", "Digest", *ALICE, password=PASSWORD)
    else:
        done = sspi(web, "get", "--package", "Digest", "--user", "alice", url.replace(HOST, "127.0.0.1"), text=PASSWORD + "\n")
    told = who(done)
    assert (told["user"], told["package"], told["scheme"]) == ("EXAMPLE\\alice", "WDigest", "Digest"), proxy.sent


# Apache's server: MD5, qop=auth, and a proof in Authentication-Info.

@pytest.mark.parametrize("scheme", ("ours", "sspi"))
def test_apache(web, scheme):
    site = web.apache_digest("alice", REALM, PASSWORD)
    url = site.url("/index.html?a=b")
    if scheme == "ours":
        done = web.get(url, "-v", "-s", "Digest", *ALICE, password=PASSWORD)
        wrong = web.get(url, "-s", "Digest", *ALICE, password="wrong")
        assert "uthentication-Info" in done.stderr
    else:
        words = ("get", "--package", "Digest", "--user", "alice", url.replace(HOST, "127.0.0.1"))
        done = sspi(web, *words, text=PASSWORD + "\n")
        wrong = sspi(web, *words, text="wrong\n")
    assert done.returncode == 0 and done.stdout == "a page of Apache's\n", done.stderr
    assert wrong.returncode != 0 and wrong.stdout == ""


def test_md5_refused_by_policy(web):
    site = web.apache_digest("alice", REALM, PASSWORD)
    configure(web, "allow_md5 = no\n")
    done = web.get(site.url("/index.html"), "-s", "Digest", *ALICE, password=PASSWORD)
    assert done.returncode == 1 and "allow_md5" in done.stderr, done.stderr
