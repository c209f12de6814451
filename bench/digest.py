"""SASL DIGEST-MD5 beside Cyrus SASL. Its server's account lies in the program's memory, ours in a database of SQLite, which is asked once a handshake: no goal for that."""
import contextlib
import os
import tempfile

from ntlm import account_make, put

TITLE = "SASL DIGEST-MD5 with auth-conf (rc4), client and server, 1 thread"
PEERS = ("Cyrus SASL",)
GOALS = {f"{half} {size}": goal for half in ("seal", "unseal") for size, goal in ((64, 1.5), (16384, 1.0))}
MEMORY_GOAL = 4096


@contextlib.contextmanager
def prepare(build):
    with tempfile.TemporaryDirectory() as directory:
        config = put(directory, "opensspi.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n"
                     f"[accounts]\nstores = sqlite:{directory}/store/accounts.db\n[digest]\ntargets = *\nrealms = example.test\n")
        environment = dict(os.environ, OPENSSPI_CONFIG=config)
        account_make(build, environment)
        yield [("OpenSSPI", "digest_opensspi", (), environment), ("Cyrus SASL", "digest_cyrus", (), environment)]
