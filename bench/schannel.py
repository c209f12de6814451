"""TLS 1.3 beside OpenSSL through memory BIOs and GnuTLS, each with the same keys."""
import contextlib
import os
import subprocess
import tempfile

TITLE = "TLS 1.3, client and server, 1 thread"
PEERS = ("OpenSSL", "GnuTLS")
GOAL_PEERS = 1  # what the package stands on
GOALS = {**{f"handshake {kind}": 0.97 for kind in ("ECDSA", "RSA", "resumed")},
         **{f"{half} {size}": 1.0 for half in ("seal", "unseal") for size in (1024, 16384)}}
MEMORY_GOAL = 0


def pair(directory, name, algorithm, option):
    files = [os.path.join(directory, f"{name}.{ending}") for ending in ("pem", "key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", algorithm, "-pkeyopt", option, "-nodes", "-keyout", files[1], "-out", files[0],
                    "-subj", "/CN=server.test", "-days", "2"], check=True, stderr=subprocess.DEVNULL)
    os.chmod(files[1], 0o600)
    return files


@contextlib.contextmanager
def prepare(build):
    del build
    with tempfile.TemporaryDirectory() as directory:
        words = (*pair(directory, "ec", "ec", "ec_paramgen_curve:P-256"), *pair(directory, "rsa", "rsa", "rsa_keygen_bits:2048"))
        config = os.path.join(directory, "opensspi.conf")
        with open(config, "w", encoding="utf-8"):
            pass
        environment = dict(os.environ, OPENSSPI_CONFIG=config)
        yield [("OpenSSPI", "schannel_opensspi", words, environment),
               ("OpenSSL", "schannel_openssl", words, environment),
               ("GnuTLS", "schannel_gnutls", words, environment)]
