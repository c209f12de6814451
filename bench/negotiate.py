"""Negotiate beside the package that it chooses by itself, and beside MIT's SPNEGO over its Kerberos and over gss-ntlmssp."""
import contextlib
import os
import tempfile

import kerberos
import ntlm

TITLE = "Negotiate, client and server, 1 thread"
PEERS = ("package alone", "MIT SPNEGO")
GOALS = {}
MORE = {"handshake, NTLM": 5000, "handshake, Kerberos": 5000}  # nanoseconds more than the package alone
MEMORY_GOAL = 8192


@contextlib.contextmanager
def prepare(build):
    with kerberos.private_realm.Realm() as realm, tempfile.TemporaryDirectory() as directory:
        realm.addprinc("alice", "Password1!")
        target, with_ticket = kerberos.service_make(realm, kerberos.USUAL)
        config = ntlm.put(directory, "opensspi.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n"
                          f"[accounts]\nstores = sqlite:{directory}/store/accounts.db\n[negotiate]\npackages = ntlm\n")
        without = dict(realm.env, OPENSSPI_CONFIG=config, KRB5CCNAME=f"FILE:{directory}/none",
                       NTLM_USER_FILE=ntlm.put(directory, "users", "EXAMPLE:alice:Password1!\n"),
                       NETBIOS_COMPUTER_NAME="SERVER", NETBIOS_DOMAIN_NAME="EXAMPLE")
        ntlm.account_make(os.path.abspath(build), without)
        yield [("OpenSSPI", "negotiate_opensspi", ("Negotiate", "Kerberos", target), with_ticket),
               ("package alone", "negotiate_opensspi", ("Kerberos", "Kerberos", target), with_ticket),
               ("MIT SPNEGO", "negotiate_gss", ("Kerberos", target), with_ticket),
               ("OpenSSPI", "negotiate_opensspi", ("Negotiate", "NTLM", "test/server"), without),
               ("package alone", "negotiate_opensspi", ("NTLM", "NTLM", "test/server"), without),
               ("MIT SPNEGO", "negotiate_gss", ("NTLM", "test@server"), without)]
