"""Certificates for tests, made by openssl: an authority, a KDC's and users' (RFC 4556), and TLS servers'."""
import pathlib
import subprocess

KDC_EXTENSIONS = """keyUsage = digitalSignature, keyEncipherment, keyAgreement
extendedKeyUsage = 1.3.6.1.5.2.3.5
subjectAltName = otherName:1.3.6.1.5.2.2;SEQUENCE:kdc_name
[kdc_name]
realm = EXP:0, GeneralString:{realm}
name = EXP:1, SEQUENCE:kdc_principal
[kdc_principal]
type = EXP:0, INTEGER:2
string = EXP:1, SEQUENCE:kdc_strings
[kdc_strings]
first = GeneralString:krbtgt
second = GeneralString:{realm}
"""
USER_EXTENSIONS = """keyUsage = digitalSignature, keyEncipherment, keyAgreement
extendedKeyUsage = 1.3.6.1.5.2.3.4
subjectAltName = otherName:1.3.6.1.5.2.2;SEQUENCE:user_name
[user_name]
realm = EXP:0, GeneralString:{realm}
name = EXP:1, SEQUENCE:user_principal
[user_principal]
type = EXP:0, INTEGER:1
string = EXP:1, SEQUENCE:user_strings
[user_strings]
first = GeneralString:{user}
"""
SERVER_EXTENSIONS = "extendedKeyUsage = serverAuth\nsubjectAltName = DNS:localhost, IP:127.0.0.1\n"


class Authority:
    """A certificate authority in a directory; name.pem and name.key are what it made."""

    def __init__(self, directory, name="ca"):
        self.directory, self.name = pathlib.Path(directory), name
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.path(name, "key"), "-out", self.path(name, "pem"),
                     "-days", "2", "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:true",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def path(self, name, kind):
        return str(self.directory / f"{name}.{kind}")

    @property
    def anchor(self):
        return self.path(self.name, "pem")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)

    def issue(self, name, extensions, days=2):
        """name.pem and name.key, signed."""
        (self.directory / f"{name}.ext").write_text(f"[all]\nbasicConstraints = CA:false\n{extensions}", encoding="ascii")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", self.path(name, "key"), "-out", self.path(name, "csr"),
                     "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", self.path(name, "csr"), "-CA", self.anchor, "-CAkey", self.path(self.name, "key"),
                     "-CAcreateserial", "-days", str(days), "-extfile", self.path(name, "ext"), "-extensions", "all",
                     "-out", self.path(name, "pem"))
        return self.path(name, "pem"), self.path(name, "key")

    def kdc(self, realm, name="kdc"):
        return self.issue(name, KDC_EXTENSIONS.format(realm=realm))

    def user(self, user, realm, name=None):
        return self.issue(name or user, USER_EXTENSIONS.format(user=user, realm=realm))

    def server(self, name="server"):
        return self.issue(name, SERVER_EXTENSIONS)
