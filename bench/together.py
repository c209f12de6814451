"""Several messages of Kerberos in one call, beside as many calls, and beside MIT's GSSAPI, which has no such call. Figures are of one message."""
import contextlib

import kerberos

COUNT = 8
TITLE = f"Kerberos, {COUNT} messages in one call, time of each"
PEERS = ("one by one", "MIT")
MEMORY_GOAL = 0
GOALS = {}


@contextlib.contextmanager
def prepare(_build):
    with kerberos.private_realm.Realm() as realm:
        realm.addprinc("alice", "Password1!")
        target, environment = kerberos.service_make(realm, kerberos.USUAL)
        yield [("OpenSSPI", "together_opensspi", (target, str(COUNT)), environment),
               ("one by one", "together_opensspi", (target, "1"), environment),
               ("MIT", "kerberos_gss", (target,), environment)]
