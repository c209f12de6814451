"""samples/httpauth: our client and our server, curl, Apache, TLS and its bindings, and who must stay out."""
import concurrent.futures
import json
import pathlib
import socket
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from peers import BUILD  # noqa: E402
from realm import Realm  # noqa: E402
from web import ARRANGEMENTS, HOST, SAMPLE, MergingProxy, Mute, SharingProxy, Web  # noqa: E402

ALICE = ("-u", "EXAMPLE\\alice")
PASSWORD = "Password1!"
# Client and server are one machine here: another name than the server's looks like a reflection.
ANY_NAME = "[ntlm]\nrefuse_reflection = no\n"
NTLM, KERBEROS = "EXAMPLE\\alice", "alice@EXAMPLE.TEST"


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm() as realm:
        realm.addprinc("alice", PASSWORD)
        realm.addprinc(f"HTTP/{HOST}")
        realm.keytab(f"HTTP/{HOST}")
        realm.kinit("alice", PASSWORD)
        yield realm


@pytest.fixture(name="web")
def web_of_the_test(realm):
    with tempfile.TemporaryDirectory(prefix="opensspi-web-") as directory, Web(directory, realm) as web:
        yield web


def who(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(done, *words):
    assert done.returncode == 1 and done.stdout == "", done.stdout
    assert all(word in done.stderr for word in words), done.stderr


# Our client, our server.

@pytest.mark.parametrize("tls", (None, "web"))
@pytest.mark.parametrize("scheme,package,user", (("NTLM", "NTLM", NTLM), ("Negotiate", "Kerberos", KERBEROS)))
def test_sign_on(web, scheme, package, user, tls):
    site = web.ours(tls=tls)
    words = ALICE if package == "NTLM" else ()
    trust = ("-c", web.certificate("web")[0]) if tls else ()
    told = who(web.get(site.url("/who.json"), "-s", scheme, *words, *trust, password=PASSWORD))
    assert (told["user"], told["package"], told["scheme"]) == (user, package, scheme)
    assert told["target"].startswith(f"HTTP/{HOST}")
    assert (told["tls"], told["bound"]) == (tls is not None, tls is not None)
    assert f"signed on: {user}, {package}" in site.text()


def test_negotiate_by_ntlm(web):
    """Without a ticket Negotiate comes to NTLM."""
    web.configure(ANY_NAME)
    site = web.ours("-s", "Negotiate")
    told = who(web.get(site.url("/who.json"), *ALICE, "-t", "HTTP/unknown.example.test", password=PASSWORD,
                       KRB5CCNAME=f"FILE:{web.directory}/none"))
    assert (told["user"], told["package"], told["scheme"]) == (NTLM, "NTLM", "Negotiate")


def test_page(web):
    site = web.ours()
    done = web.get(site.url(), *ALICE, "-s", "NTLM", password=PASSWORD)
    assert done.returncode == 0 and "<h1 id=\"user\">EXAMPLE\\alice</h1>" in done.stdout
    assert '<dd id="package">NTLM</dd>' in done.stdout and "In the clear" in done.stdout
    refused(web.get(site.url("/other"), *ALICE, "-s", "NTLM", password=PASSWORD), "404")


def test_groups(web):
    """The account store's groups are on the page, with their numbers here."""
    web.configure()
    config = web.directory / "opensspi.conf"
    config.write_text(config.read_text(encoding="utf-8").replace(f"sam:{web.directory}/sam", f"sqlite:{web.directory}/accounts.db"),
                      encoding="utf-8")
    for words, text in ((("account", "add", "alice", "--domain", "EXAMPLE"), f"{PASSWORD}\n"), (("group", "add", "staff", "--gid", "50"), None),
                        (("group", "add", "net", "--sid", "S-1-5-21-1-2-3-513"), None), (("group", "join", "staff", NTLM), None),
                        (("group", "join", "net", NTLM), None)):
        done = web.run(BUILD / "sspi", *words, text=text)
        assert done.returncode == 0, done.stderr
    site = web.ours("-s", "NTLM")
    told = who(web.get(site.url("/who.json"), *ALICE, password=PASSWORD))
    assert told["sid"].startswith("S-1-5-21-") and len(told["groups"]) >= 2 and "S-1-5-21-1-2-3-513" in told["groups"]
    page = web.get(site.url(), *ALICE, password=PASSWORD).stdout
    assert "Domain users" in page and "gid 50" in page and all(f"<code>{sid}</code>" in page for sid in told["groups"])


def test_markup_in_names(web):
    """What a client says of itself is text."""
    web.configure(ANY_NAME)
    site = web.ours("-s", "NTLM")
    done = web.get(site.url(), *ALICE, "-t", "HTTP/<script>alert(1)</script>\"'&", password=PASSWORD)
    assert done.returncode == 0 and "<script>" not in done.stdout
    assert "HTTP/&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;" in done.stdout


@pytest.mark.parametrize("scheme", ("NTLM", "Negotiate"))
def test_wrong_password(web, scheme):
    site = web.ours()
    refused(web.get(site.url(), "-s", scheme, *ALICE, "-t", "HTTP/unknown.example.test", password="wrong",
                    KRB5CCNAME=f"FILE:{web.directory}/none"), "refuses")
    assert "refused: SEC_E_LOGON_DENIED" in site.text()


def test_no_credentials(web):
    site = web.ours("-s", "Negotiate")
    done = web.get(site.url(), KRB5CCNAME=f"FILE:{web.directory}/none")
    assert done.returncode == 1 and "Negotiate: SEC_E_NO_CREDENTIALS" in done.stderr, done.stderr


def test_many_clients_at_once(web):
    site = web.ours("-t", "4")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        ntlm = [pool.submit(web.get, site.url("/who.json"), "-s", "NTLM", *ALICE, password=PASSWORD) for _ in range(24)]
        bob = [pool.submit(web.get, site.url("/who.json"), "-s", "NTLM", "-u", "EXAMPLE\\bob", password="Other2?")
               for _ in range(24)]
        kerberos = [pool.submit(web.get, site.url("/who.json"), "-s", "Negotiate") for _ in range(24)]
        for jobs, user in ((ntlm, NTLM), (bob, "EXAMPLE\\bob"), (kerberos, KERBEROS)):
            assert [who(job.result())["user"] for job in jobs] == [user] * 24


# The TLS connection.

def test_certificate_is_verified(web):
    site = web.ours(tls="web")
    refused(web.get(site.url(), "-s", "NTLM", *ALICE, password=PASSWORD), "TLS")


@pytest.mark.parametrize("kind", (("-newkey", "rsa:2048", "-sha1"), ("-newkey", "rsa:2048", "-sha384"),
                                  ("-newkey", "rsa:2048", "-sha256", "-sigopt", "rsa_padding_mode:pss"),
                                  ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha512")),
                         ids=("rsa-sha1", "rsa-sha384", "pss-sha256", "ecdsa-sha512"))
def test_bindings_by_certificate(web, kind):
    web.certificate("kind", *kind)
    site = web.ours(tls="kind")
    assert who(web.get(site.url("/who.json"), "-s", "Negotiate", "-k"))["bound"]


@pytest.mark.parametrize("scheme,words", (("NTLM", ALICE), ("Negotiate", ())))
def test_relay(web, scheme, words):
    """Somebody in the middle with another certificate, which the user even trusts: the server notices."""
    site = web.ours(tls="web")
    relay = web.relay(site, tls="evil")
    refused(web.get(relay.url(), "-s", scheme, *words, "-k", password=PASSWORD), "refuses")
    assert "SEC_E_BAD_BINDINGS" in site.text() and "another channel" in site.text()
    assert "signed on" not in site.text()


@pytest.mark.parametrize("scheme,words", (("NTLM", ALICE), ("Negotiate", ())))
def test_relay_from_http(web, scheme, words):
    """A client that came without TLS is not passed on into it."""
    site = web.ours(tls="web")
    relay = web.relay(site)
    refused(web.get(relay.url(), "-s", scheme, *words, password=PASSWORD), "refuses")
    assert "SEC_E_BAD_BINDINGS" in site.text() and "signed on" not in site.text()


@pytest.mark.parametrize("binding,comes_in", (("required", False), ("allowed", True), ("off", True)))
def test_unbound_client(web, binding, comes_in):
    """A Kerberos client without bindings."""
    site = web.ours("-b", binding, tls="web")
    done = web.get(site.url("/who.json"), "-s", "Negotiate", "-k", "-b")
    if comes_in:
        assert who(done)["bound"] is False
    else:
        refused(done, "refuses")


def test_behind_a_proxy_that_ends_tls(web):
    """The client is bound to the proxy's certificate; the service's name stands for it."""
    web.configure(ANY_NAME + "targets = HTTP/server.example.test\n")
    site = web.ours("-b", "proxy", tls="web")
    relay = web.relay(site, tls="front")
    assert who(web.get(relay.url("/who.json"), "-s", "NTLM", *ALICE, "-k", password=PASSWORD))["user"] == NTLM
    assert who(web.get(relay.url("/who.json"), "-s", "Negotiate", "-k"))["user"] == KERBEROS
    refused(web.get(relay.url("/who.json"), "-s", "NTLM", *ALICE, "-k", "-t", "HTTP/other.example.test", password=PASSWORD),
            "refuses")


def test_service_binding(web):
    """A sign-on that was meant for another service."""
    web.configure(ANY_NAME + "service_binding = always\ntargets = HTTP/server.example.test\n")
    site = web.ours("-s", "NTLM")
    assert who(web.get(site.url("/who.json"), *ALICE, password=PASSWORD))["target"] == f"HTTP/{HOST}"
    refused(web.get(site.url("/who.json"), *ALICE, "-t", "cifs/files.example.test", password=PASSWORD), "refuses")
    assert "SEC_E_WRONG_PRINCIPAL" in site.text()


# curl on the client's side. Its NTLM and its Negotiate of this age know no bindings.

@pytest.mark.parametrize("tls", (None, "web"))
def test_curl_negotiate(web, tls):
    site = web.ours("-b", "allowed", tls=tls) if tls else web.ours()
    told = who(web.curl(site.url("/who.json"), "-k", "--negotiate", "-u", ":"))
    assert (told["user"], told["package"]) == (KERBEROS, "Kerberos")


@pytest.mark.parametrize("tls", (None, "web"))
def test_curl_ntlm(web, tls):
    site = web.ours("-b", "allowed", tls=tls) if tls else web.ours()
    url = site.url("/who.json")
    done = web.curl(url, "-k", "--ntlm", "-u", f"EXAMPLE\\alice:{PASSWORD}")
    assert (who(done)["user"], who(done)["package"]) == (NTLM, "NTLM")


def test_curl_stays_out_without_bindings(web):
    site = web.ours(tls="web")
    for words in (("--ntlm", "-u", f"EXAMPLE\\alice:{PASSWORD}"), ("--negotiate", "-u", ":")):
        done = web.curl(site.url("/who.json"), "-k", "-o", "/dev/null", "-w", "%{http_code}", *words)
        assert done.stdout == "401", done.stdout
    assert site.text().count("SEC_E_BAD_BINDINGS") == 2


def test_ntlm_is_its_connections(web):
    """Two pages on one connection by one sign-on; by Kerberos each has its own."""
    site = web.ours()
    url = site.url("/who.json")
    done = web.curl(url, url, "--ntlm", "-u", f"EXAMPLE\\alice:{PASSWORD}")
    assert done.stdout.count('"user"') == 2, done.stderr
    assert site.text().count("signed on") == 1
    done = web.curl(url, url, "--negotiate", "-u", ":")
    assert done.stdout.count(KERBEROS) == 2, done.stderr
    assert site.text().count("signed on") == 3


@pytest.mark.parametrize("words,line", ((("-b", "proxy"), ""), ((), "Via: 1.1 front\r\n"), ((), "X-Forwarded-For: 192.0.2.1\r\n"),
                                        ((), "Forwarded: for=192.0.2.1\r\n")))
def test_ntlm_through_a_proxy_is_its_requests(web, words, line):
    """A connection that a proxy shares among its users says nothing of who asks next."""
    web.configure(ANY_NAME + "targets = HTTP/server.example.test\n")
    proxy = SharingProxy(web.ours("-s", "NTLM", *words).port, line)
    web.relays.append(proxy)
    told = who(web.get(f"http://{HOST}:{proxy.port}/who.json", "-s", "NTLM", *ALICE, password=PASSWORD))
    assert told["user"] == NTLM
    assert proxy.answered.wait(60)
    assert proxy.answer.startswith(b"HTTP/1.1 401"), proxy.answer


@pytest.mark.parametrize("program", ("sample", "command"))
@pytest.mark.parametrize("scheme,package,user", (("NTLM", "NTLM", NTLM), ("Negotiate", "Kerberos", KERBEROS)))
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_several_challenges_in_one_header(web, arrangement, scheme, package, user, program):
    """RFC 9110 11.6.1; proxies merge lines. What stands in quotes offers nothing."""
    proxy = MergingProxy(web.ours().port, ARRANGEMENTS[arrangement])
    web.relays.append(proxy)
    url = proxy.url("/who.json")
    if program == "sample":
        done = web.get(url, "-s", scheme, *(ALICE if package == "NTLM" else ()), password=PASSWORD)
    else:
        words = ("--user", "EXAMPLE\\alice") if package == "NTLM" else ()
        done = web.run(BUILD / "sspi", "get", url.replace(HOST, "127.0.0.1"), "--package", scheme, "--target", f"HTTP/{HOST}", *words,
                       text=PASSWORD + "\n")
    told = who(done)
    assert (told["user"], told["package"], told["scheme"]) == (user, package, scheme), proxy.sent


# Those who do not keep to the rules.

@pytest.mark.parametrize("header,ending,tls,whole", (
    ("", "close", None, True), ("", "silent", None, False), ("", "close", "web", True), ("", "cut", "web", False),
    ("Content-Length: 9\r\n", "close", None, False), ("Content-Length: 4\r\n", "cut", "web", True),
    ("Transfer-Encoding: gzip, chunked\r\n", "close", None, False)))
def test_document_that_is_cut(web, header, ending, tls, whole):
    """Where only the connection's end tells the document's, the end must be the server's own."""
    server = Mute(f"HTTP/1.1 200 OK\r\n{header}\r\nhalf".encode(), ending, own=web.certificate(tls) if tls else None)
    web.relays.append(server)
    done = web.get(server.url(), "-k", *(("-w", "2") if ending == "silent" else ()))
    assert done.returncode == (0 if whole else 1), (done.stdout, done.stderr)
    assert whole or "ends too early" in done.stderr or "does not speak HTTP" in done.stderr


def test_silent_client(web):
    """A connection on which nothing is asked is ended; -w says when."""
    site = web.ours("-w", "1")
    with socket.create_connection(("127.0.0.1", site.port)) as silent:
        silent.settimeout(20)  # shorter than without -w
        assert silent.recv(1) == b""
    assert web.run(SAMPLE / "httpauth_server", "-w", "0").returncode == 2


@pytest.mark.parametrize("header", ("Negotiate", "Negotiate ", "Negotiate =", "Negotiate YII", "NTLM TlRMTVNTUAAD",
                                    "NTLM " + "A" * 70000, "Basic YWxpY2U6UGFzc3dvcmQxIQ==", "NTLMX AAAA", "", "Negotiate AAAA BBBB"))
def test_wrong_headers(web, header):
    site = web.ours()
    done = web.curl(site.url("/who.json"), "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: {header}")
    assert done.stdout in ("401", "400"), done.stderr
    assert who(web.get(site.url("/who.json")))["user"] == KERBEROS


def test_other_methods(web):
    site = web.ours()
    for method, wanted in (("POST", "405"), ("DELETE", "405"), ("OPTIONS", "405")):
        done = web.curl(site.url(), "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "-d", "x=y")
        assert done.stdout == wanted, (method, done.stderr)
    done = web.curl(site.url("/style.css"), "-o", "/dev/null", "-w", "%{http_code} %{content_type}")
    assert done.stdout == "200 text/css; charset=utf-8"
    done = web.curl(site.url(), "-i")
    assert "HTTP/1.1 401" in done.stdout and "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM" in done.stdout.replace(
        "\n", "\r\n").replace("\r\r", "\r")
    assert "no-store" in done.stdout and "default-src 'none'" in done.stdout


# Apache on the server's side.

@pytest.mark.parametrize("tls", (None, "web"))
def test_apache(web, tls):
    site = web.apache(tls)
    done = web.get(site.url("/index.html"), "-s", "Negotiate", "-k")
    assert done.returncode == 0 and done.stdout == "a page of Apache's\n", done.stderr
    done = web.get(site.url("/index.html"), "-s", "Negotiate", "-k", KRB5CCNAME=f"FILE:{web.directory}/none")
    assert done.returncode == 1 and done.stdout == ""
    for password, good in ((PASSWORD, True), ("wrong", False)):
        done = web.get(site.url("/index.html"), "-s", "NTLM", *ALICE, "-k", password=password)
        assert (done.returncode == 0 and "a page" in done.stdout) == good, done.stderr
