"""A browser signs on to the page of samples/httpauth: by a ticket without a word, by a typed password, over TLS with its bindings. Pictures are kept in
the build's folder `screenshots`."""
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from browser import Browser  # noqa: E402
from peers import BUILD  # noqa: E402
from realm import Realm  # noqa: E402
from web import HOST, Web  # noqa: E402

NTLM, KERBEROS = "EXAMPLE\\alice", "alice@EXAMPLE.TEST"
TYPED = (NTLM, "Password1!")


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Realm() as realm:
        realm.addprinc("alice", "Password1!")
        realm.addprinc(f"HTTP/{HOST}")
        realm.keytab(f"HTTP/{HOST}")
        realm.kinit("alice", "Password1!")
        yield realm


@pytest.fixture(name="web")
def web_of_the_test(realm):
    with tempfile.TemporaryDirectory(prefix="opensspi-web-") as directory, Web(directory, realm) as web:
        yield web


def browser_of(web, ticket=True, trusted=(HOST,)):
    env = dict(web.env)
    if not ticket:
        env["KRB5CCNAME"] = f"FILE:{web.directory}/none"
    return Browser(web.directory, env, *trusted)


def picture(browser, name):
    for scheme in ("light", "dark"):
        assert browser.screenshot(BUILD / f"screenshots/{name}-{scheme}.png", scheme).startswith(b"\x89PNG")
    light, dark = ((BUILD / f"screenshots/{name}-{scheme}.png").read_bytes() for scheme in ("light", "dark"))
    assert light != dark


@pytest.mark.parametrize("tls", (None, "web"))
def test_ticket(web, tls):
    """Nothing is typed. Over TLS the server must let in who is not bound: Chromium gives MIT's GSSAPI no bindings."""
    site = web.ours("-b", "allowed", tls=tls) if tls else web.ours()
    with browser_of(web) as browser:
        browser.open(site.url())
        assert (browser.text("user"), browser.text("package")) == (KERBEROS, "Kerberos")
        assert browser.text("scheme") == "Negotiate" and browser.asked == 0
        assert browser.text("target").startswith(f"HTTP/{HOST}")
        assert browser.text("connection") == ("TLS, not bound to it" if tls else "In the clear")
        assert browser.value("getComputedStyle(document.querySelector('.hero')).display") == "flex"  # the style sheet came
        picture(browser, "ticket-tls" if tls else "ticket")


@pytest.mark.parametrize("schemes", ("NTLM", "Negotiate,NTLM"))
@pytest.mark.parametrize("tls", (None, "web"))
def test_password(web, tls, schemes):
    """No ticket: the browser asks."""
    site = web.ours("-s", schemes, tls=tls)
    with browser_of(web, ticket=False) as browser:
        browser.open(site.url(), TYPED)
        assert (browser.text("user"), browser.text("package"), browser.text("scheme")) == (NTLM, "NTLM", "NTLM")
        assert browser.asked == 1
        assert browser.text("target") in (f"HTTP/{HOST}", f"HTTP/{HOST}:{site.port}")
        assert browser.text("connection") == ("TLS, bound to it" if tls else "In the clear")
        picture(browser, f"password{'-tls' if tls else ''}")


def test_unbound_ticket(web):
    """Where bindings are required Chromium's ticket is refused, and its NTLM, which is bound, comes in."""
    site = web.ours(tls="web")
    with browser_of(web) as browser:
        browser.open(site.url(), TYPED)
        assert (browser.text("user"), browser.text("package")) == (NTLM, "NTLM")
    assert "the client sent no channel bindings" in site.text()


def test_wrong_password(web):
    site = web.ours("-s", "NTLM")
    with browser_of(web, ticket=False) as browser:
        browser.open(site.url(), (NTLM, "wrong"))
        assert browser.text("user") is None and browser.asked == 2
        assert browser.value("document.title") == "Please sign on"
        picture(browser, "refused")
    assert "SEC_E_LOGON_DENIED" in site.text()


def test_server_that_is_not_trusted(web):
    """A browser gives tickets to those it was told to."""
    site = web.ours("-s", "Negotiate")
    with browser_of(web, trusted=("other.example.test",)) as browser:
        browser.open(site.url())
        assert browser.text("user") is None
    assert "signed on" not in site.text()


def test_relay(web):
    """A relay with a certificate of its own, behind which the browser does not see: neither its ticket nor its password opens the server."""
    site = web.ours(tls="web")
    relay = web.relay(site, tls="evil")
    with browser_of(web) as browser:
        browser.open(relay.url(), TYPED)
        assert browser.text("user") is None
    assert "SEC_E_BAD_BINDINGS" in site.text() and "signed on" not in site.text()
