"""Kerberos beside MIT's GSSAPI, with tickets in hand: a FILE cache that holds the service ticket already, and a keytab file.

One private realm for all; each encryption type has a service, a cache and a krb5.conf that permits nothing else."""
import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "interop"))
import realm as private_realm  # pylint: disable=wrong-import-position

TITLE = "Kerberos, client and server, 1 thread"
PEERS = ("MIT", "MIT in place")
GOALS = {"handshake, mutual": 3.0, "seal 64": 3.0, "unseal 64": 3.0, "seal 65536": 3.0, "unseal 65536": 6.0,
         "sign 16384": 2.0, "verify 16384": 2.0}
MEMORY_GOAL = 8192
USUAL = "aes256-cts-hmac-sha1-96"
OTHERS = {"aes128-sha1": "aes128-cts-hmac-sha1-96", "aes128-sha256": "aes128-cts-hmac-sha256-128",
          "aes256-sha384": "aes256-cts-hmac-sha384-192", "rc4": "arcfour-hmac"}


def service_make(realm, enctype):
    """A service whose only key is of this type; its name, and an environment with a ticket for it."""
    target = f"host/{enctype}.example.test@{realm.name}"
    realm.addprinc(target, None, "-e", f"{enctype}:normal")
    realm.keytab(target)
    cache = f"FILE:{realm.directory}/cache.{enctype}"
    environment = realm.environment(enctype, KRB5CCNAME=cache, OPENSSPI_CONFIG=str(realm.put("opensspi.conf", "")))
    usual, realm.env = realm.env, environment
    try:
        realm.run("kinit", "-c", cache, "alice", text="Password1!\n")
        realm.run("kvno", "-q", target)
    finally:
        realm.env = usual
    return target, environment


def jobs_of(target, environment, *label):
    return [("OpenSSPI", "kerberos_opensspi", (target, *label), environment),
            ("MIT", "kerberos_gss", (target, *label), environment),
            ("MIT in place", "kerberos_gss", (target, *label), dict(environment, BENCH_IN_PLACE="yes"))]


@contextlib.contextmanager
def prepare(_build):
    with private_realm.Realm() as realm:
        realm.addprinc("alice", "Password1!")
        jobs = jobs_of(*service_make(realm, USUAL))
        for label, enctype in OTHERS.items():
            jobs += jobs_of(*service_make(realm, enctype), label)
        yield jobs
