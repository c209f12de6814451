"""Accounts, a realm's user and certificates in a directory, for tests/truth's programs."""
import os
import pathlib
import subprocess

import pki

BUILD = pathlib.Path(os.environ["OPENSSPI_BUILD"])
PASSWORD = "Truth-secret-7"


class World:
    """Accounts, a realm and certificates, in a directory."""

    def __init__(self, directory, realm):
        self.directory = pathlib.Path(directory)
        self.realm = realm
        authority = pki.Authority(directory)
        self.certificate, self.key = authority.issue("server", pki.SERVER_EXTENSIONS.replace("serverAuth", "serverAuth, clientAuth"))
        os.chmod(self.key, 0o600)
        self.config = self.directory / "opensspi.conf"
        (self.directory / "accounts").mkdir(mode=0o700)
        self.config.write_text(f"""[names]
computer = SERVER
domain = EXAMPLE
dns_computer = server.example.test
dns_domain = example.test
[accounts]
stores = sqlite:{self.directory}/accounts/accounts.db
[digest]
realms = example.test
[kerberos]
delegate = always
kdc_seconds = 60
[access]
name_domains = EXAMPLE.TEST, EXAMPLE
[credssp]
allow_fresh_ntlm = *
[certificates]
root = {authority.anchor}
""", encoding="utf-8")
        self.config.chmod(0o600)
        self.env = {**realm.env, "OPENSSPI_CONFIG": str(self.config), "TRUTH_USER": "daemon", "TRUTH_PASSWORD": PASSWORD,
                    "TRUTH_CERT": self.certificate, "TRUTH_KEY": self.key}
        added = subprocess.run([os.environ["OPENSSPI_SSPI"], "account", "add", "daemon", "--domain", "EXAMPLE", "--uid", "1", "--gid", "1"],
                               input=PASSWORD + "\n", env=self.env, capture_output=True, text=True, timeout=60, check=False)
        assert added.returncode == 0, added.stderr
