"""Two threads beside one: contexts that have nothing to do with each other should share nothing."""
import contextlib
import os
import tempfile

import kerberos
import ntlm

TITLE = "Two threads, time of both together"
PEERS = ("one thread",)
MEMORY_GOAL = 0
GOAL = 1.8  # "near 2x", on two processors that nothing else uses


def verdict_of(ours, peers):
    return f"{'met' if peers[0] / ours >= GOAL else 'MISSED'} ({GOAL}x)" if peers[0] is not None else ""


@contextlib.contextmanager
def prepare(build):
    with kerberos.private_realm.Realm() as realm, tempfile.TemporaryDirectory() as directory:
        realm.addprinc("alice", "Password1!")
        target, with_ticket = kerberos.service_make(realm, kerberos.USUAL)
        config = ntlm.put(directory, "opensspi.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n"
                          f"[accounts]\nstores = sqlite:{directory}/store/accounts.db\n")
        account = dict(os.environ, OPENSSPI_CONFIG=config)
        ntlm.account_make(build, account)
        yield [(column, "threads_opensspi", (*words, count), environment)
               for words, environment in ((("NTLM", "test/server"), account), (("Kerberos", target), with_ticket))
               for column, count in (("OpenSSPI", "2"), ("one thread", "1"))]
