"""Our message tokens against MIT's, both directions, every encryption type, with and without DCE style (krb_messages.c)."""
import os
import pathlib
import subprocess

import pytest

from realm import Realm

PROGRAM = pathlib.Path(os.environ["OPENSSPI_BUILD"]) / "tests/interop/krb_messages"
ENCTYPES = {"aes128-cts-hmac-sha1-96": 17, "aes256-cts-hmac-sha1-96": 18, "aes128-cts-hmac-sha256-128": 19,
            "aes256-cts-hmac-sha384-192": 20, "arcfour-hmac": 23}


def service(enctype):
    """A principal with a key of this type only: so are its tickets."""
    return f"host/{enctype}.example.test"


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module(tmp_path_factory):
    with Realm(directory=tmp_path_factory.mktemp("realm")) as realm:
        realm.addprinc("alice", "Password1!")
        for enctype in ENCTYPES:
            realm.addprinc(service(enctype), None, "-e", f"{enctype}:normal")
            realm.keytab(service(enctype))
        yield realm


@pytest.mark.parametrize("style", ["", "dce"])
@pytest.mark.parametrize("enctype", ENCTYPES)
def test_messages(realm, enctype, style):
    realm.env["KRB5_CONFIG"] = realm.environment(enctype)["KRB5_CONFIG"]
    cache = realm.kinit("alice", "Password1!", cache=f"cache.{enctype}")
    done = subprocess.run([PROGRAM, service(enctype), style], env=realm.environment(KRB5CCNAME=cache), text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    assert f"enctype {ENCTYPES[enctype]}{' dce' if style else ''}:" in done.stdout
