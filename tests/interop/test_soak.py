"""A random walk of eight threads over all packages (tests/truth/soak.c). SOAK_SECONDS says how long (`./run soak 3600` for an hour, which also judges memory); SOAK_SEED another walk."""
import os
import subprocess
import tempfile

import realm as private_realm
import support_world as world_of

SECONDS = int(os.environ.get("SOAK_SECONDS", "15"))
THREADS = 8


def test_soak():
    with private_realm.Realm(kdc_realm="default_principal_flags = +forwardable") as realm, tempfile.TemporaryDirectory(prefix="opensspi-soak-") as directory:
        realm.addprinc("daemon", world_of.PASSWORD)
        realm.addprinc("host/server.example.test")
        realm.keytab("host/server.example.test")
        world = world_of.World(directory, realm)
        done = subprocess.run([world_of.BUILD / "tests/truth/soak", str(SECONDS), str(THREADS), "NTLM,EXAMPLE,host/server.example.test",
                               "Negotiate,EXAMPLE,host/server.example.test", "Negotiate,EXAMPLE.TEST,host/server.example.test",
                               "Kerberos,EXAMPLE.TEST,host/server.example.test", "Schannel,,localhost", "CREDSSP,EXAMPLE,TERMSRV/localhost",
                               "WDigest,example.test,ldap/server.example.test"],
                              env=world.env, stdout=None, stderr=subprocess.PIPE, text=True, timeout=SECONDS * 2 + 300, check=False)
    assert done.returncode == 0, done.stderr
