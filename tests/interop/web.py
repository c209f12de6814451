"""The web servers and clients of the HTTP tests: our sample's two programs, curl, Apache with mod_auth_gssapi or mod_auth_digest, and a relay between.

with Web(directory, realm) as web:
    site = web.ours("-s", "Negotiate")
    web.get(site.url("/who.json"), "-u", "EXAMPLE\\\\alice")

Everything lives in the directory and on free ports of the loopback interface."""
import hashlib
import os
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time

from peers import ACCOUNTS, BUILD, PASSWORDS
from realm import PATIENCE, PORT_TRIES, SLOWNESS, free_port, program

SAMPLE = BUILD / "samples/httpauth"
HOST = "server.example.test"
START_SECONDS, COMMAND_SECONDS = 300, 300  # bounds on waiting, never waited for
SILENCE = ("-w", str(60 * SLOWNESS))  # how long our client and our server wait for a word of the other one


class Site:
    """A running server."""

    def __init__(self, process, port, secure, log):
        self.process, self.port, self.secure, self.log = process, port, secure, log

    def url(self, path="/", host=HOST):
        return f"http{'s' if self.secure else ''}://{host}:{self.port}{path}"

    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -9


class Web:
    def __init__(self, directory, realm):
        self.directory, self.realm, self.sites, self.relays = pathlib.Path(directory), realm, [], []
        self.env = {**realm.env, "LC_ALL": "C.UTF-8", "HOME": str(self.directory), "TMPDIR": str(self.directory),
                    "OPENSSPI_CONFIG": str(self.directory / "opensspi.conf")}
        self.put("sam", ACCOUNTS)
        self.configure()

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()

    def close(self):
        for relay in self.relays:
            relay.close()
        codes = [site.stop() for site in self.sites]
        ours = [code for code, site in zip(codes, self.sites) if "httpauth_server" in str(site.process.args[0])]
        self.sites, self.relays = [], []
        assert all(code == 0 for code in ours), "our server died, or leaked under a sanitizer"

    def put(self, name, text, mode=0o600):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def configure(self, more=""):
        self.put("opensspi.conf", f"[kerberos]\n{PATIENCE}[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
                 f"dns_domain = example.test\n[accounts]\nstores = sam:{self.directory}/sam\n{more}")

    def certificate(self, name, *more, host=HOST):
        """A self-signed certificate and its key: two paths."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        if not certificate.exists():
            subprocess.run([program("openssl"), "req", "-x509", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                            "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1",
                            *(more or ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha256"))],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=COMMAND_SECONDS)
        return certificate, key

    def run(self, *words, env=None, text=None):
        return subprocess.run([str(word) for word in words], env={**self.env, **(env or {})}, input=text, timeout=COMMAND_SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)

    def ours(self, *words, tls=None, **env):
        """Our server; `tls` names a certificate."""
        more = []
        if tls is not None:
            certificate, key = self.certificate(tls)
            more = ["-c", str(certificate), "-k", str(key)]
        log = self.directory / f"server.{len(self.sites)}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen([str(SAMPLE / "httpauth_server"), "-p", "0", *SILENCE, *more, *words], env={**self.env, **env},
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        site = Site(process, 0, tls is not None, log)
        self.sites.append(site)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.poll() is None:
            found = re.search(r"listens on https?://[^:]*:(\d+)/", site.text())
            if found:
                site.port = int(found[1])
                return site
            time.sleep(0.02)
        raise AssertionError(f"our server does not start: {site.text()}")

    def get(self, url, *words, password=None, **env):
        """Our client. It knows the host's name by its address: what it is called goes into -t."""
        host = re.match(r"https?://([^:/]+)", url)[1]
        env = {**env, **({} if password is None else {"HTTPGET_PASSWORD": password})}
        return self.run(SAMPLE / "httpauth_client",
                        *SILENCE, *(() if "-t" in words else ("-t", f"HTTP/{HOST}")), *words, url.replace(host, "127.0.0.1"), env=env)

    def curl(self, url, *words, **env):
        """curl, with the host's name resolved by its own table."""
        port = re.search(r":(\d+)/", url)[1]
        return self.run(program("curl"), "-sS", "--noproxy", "*", "--resolve", f"{HOST}:{port}:127.0.0.1", *words, url, env=env)

    def relay(self, site, tls=None):
        """Somebody between; its port. With TLS it shows a certificate of its own."""
        relay = Relay(site.port, site.secure, self.certificate(tls) if tls is not None else None)
        self.relays.append(relay)
        return Site(None, relay.port, tls is not None, None)

    def apache(self, tls=None):
        """Apache with mod_auth_gssapi. What it reads is made readable to its user."""
        place = self.apache_place()
        keytab = place / "keytab"
        keytab.write_bytes(pathlib.Path(self.env["KRB5_KTNAME"].removeprefix("FILE:")).read_bytes())
        krb5 = place / "krb5.conf"
        krb5.write_bytes(pathlib.Path(self.env["KRB5_CONFIG"]).read_bytes())
        users = self.put("apache/users", f"EXAMPLE:alice:{PASSWORDS['alice']}\n")  # gss-ntlmssp's accounts
        for path in (keytab, krb5, users):
            path.chmod(0o644)
        secure = ""
        if tls is not None:
            certificate, key = self.certificate(tls)
            secure = f"SSLEngine on\nSSLCertificateFile {certificate}\nSSLCertificateKeyFile {key}\nSSLSessionCache none\n"
        return self.apache_start(["auth_gssapi"] + (["ssl"] if tls else []), secure, """AuthType GSSAPI
AuthName "private"
GssapiConnectionBound On
GssapiAllowedMech krb5
GssapiAllowedMech ntlmssp""", KRB5_CONFIG=str(krb5), KRB5_KTNAME=f"FILE:{keytab}", KRB5RCACHENAME="none:", NTLM_USER_FILE=str(users))

    def apache_digest(self, user, realm, password):
        """Apache with mod_auth_digest, for one user."""
        place = self.apache_place()
        secret = hashlib.md5(f"{user}:{realm}:{password}".encode()).hexdigest()
        self.put("apache/users", f"{user}:{realm}:{secret}\n", 0o644)
        return self.apache_start(["authn_file", "auth_digest"], "", f"""AuthType Digest
AuthName "{realm}"
AuthDigestProvider file
AuthUserFile {place}/users""")

    def apache_place(self):
        place = self.directory / "apache"
        place.mkdir(exist_ok=True)
        (place / "index.html").write_text("a page of Apache's\n", encoding="utf-8")
        for path in (self.directory, place):
            path.chmod(0o755)
        return place

    def apache_start(self, modules, secure, location, **environment):
        """As root it is www-data. It has its port when its file of the process's number is there; else another one is tried."""
        place = self.directory / "apache"
        names = ["mpm_event", "authn_core", "authz_core", "authz_user", *modules]
        loads = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in names)
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        for _ in range(PORT_TRIES):
            port, log, pid = free_port(), self.directory / "apache.out", place / "pid"
            pid.unlink(missing_ok=True)
            config = self.put("apache/httpd.conf", f"""ServerRoot {place}
ServerName {HOST}
Listen 127.0.0.1:{port}
PidFile {pid}
DefaultRuntimeDir {place}
ErrorLog {place}/error.log
{user}{loads}DocumentRoot {place}
{secure}<Location />
{location}
Require valid-user
</Location>
""", 0o644)
            with open(log, "wb") as out:
                process = subprocess.Popen([program("apache2"), "-f", str(config), "-DFOREGROUND"], env={**self.env, **environment},
                                           stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            site = Site(process, port, secure != "", log)
            self.sites.append(site)
            until = time.monotonic() + START_SECONDS
            while time.monotonic() < until and process.poll() is None:
                if pid.exists():
                    return site
                time.sleep(0.02)
        errors = place / "error.log"
        raise AssertionError(f"Apache does not start: {site.text()}{errors.read_text(encoding='utf-8') if errors.exists() else ''}")


class Relay:
    """Passes everything on, both ways; TLS ends here on either side."""

    def __init__(self, port, secure, own):
        self.target, self.secure, self.own = port, secure, own
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                here = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=(here,), daemon=True).start()

    def pass_on(self, here):
        try:
            if self.own is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.own)
                here = context.wrap_socket(here, server_side=True)
            there = socket.create_connection(("127.0.0.1", self.target))
            if self.secure:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                there = context.wrap_socket(there)
        except OSError:
            here.close()
            return
        back = threading.Thread(target=self.pump, args=(there, here), daemon=True)
        back.start()
        self.pump(here, there)
        back.join(START_SECONDS)
        here.close()
        there.close()

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(START_SECONDS)


class SharingProxy(Relay):
    """A proxy that keeps its connection to the server when its client goes, and asks for /who.json on it for somebody else. `line` is
    what it adds to each request's header."""

    def __init__(self, port, line=""):
        self.line, self.answered, self.answer = line.encode(), threading.Event(), b""
        super().__init__(port, False, None)

    def pass_on(self, here):
        with here, socket.create_connection(("127.0.0.1", self.target)) as there:
            for one in (here, there):
                one.settimeout(START_SECONDS)
            while request := here.recv(65536):
                there.sendall(request.replace(b"Accept:", self.line + b"Accept:"))
                here.sendall(self.reply(there))
            there.sendall(b"GET /who.json HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\n" + self.line + b"\r\n")
            self.answer = self.reply(there)
            self.answered.set()

    @staticmethod
    def reply(there):
        def more():
            if data := there.recv(65536):
                return data
            raise ConnectionError("the server ended in the middle of its answer")
        got = b""
        while b"\r\n\r\n" not in got:
            got += more()
        head, body = got.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])
        while len(body) < length:
            body += more()
        return head + b"\r\n\r\n" + body


class MergingProxy(Relay):
    """A proxy that writes the challenges of each answer anew: `arrange` makes, of the list of WWW-Authenticate's values that the server sent, the list
    of those that go on. `sent` is what went on."""

    def __init__(self, port, arrange):
        self.arrange, self.sent = arrange, []
        super().__init__(port, False, None)

    def pass_on(self, here):
        with here, socket.create_connection(("127.0.0.1", self.target)) as there:
            for one in (here, there):
                one.settimeout(START_SECONDS)
            while request := here.recv(65536):
                while b"\r\n\r\n" not in request and (data := here.recv(65536)):
                    request += data
                there.sendall(request)
                here.sendall(self.arranged(SharingProxy.reply(there)))

    def arranged(self, answer):
        head, body = answer.decode("latin-1").split("\r\n\r\n", 1)
        lines = head.split("\r\n")
        values = [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("www-authenticate:")]
        lines = [line for line in lines if not line.lower().startswith("www-authenticate:")]
        new = [f"WWW-Authenticate: {value}" for value in (self.arrange(values) if values else [])]
        self.sent += new
        return "\r\n".join([*lines, *new, "", body]).encode("latin-1")

    def url(self, path="/"):
        return f"http://{HOST}:{self.port}{path}"


# How one list of challenges may be written (RFC 9110 11.6.1): with others in front or behind, within one line or several, and with names in quotes
# that are no schemes.
ARRANGEMENTS = {
    "one line": lambda values: [", ".join(values)],
    "others in front": lambda values: ['Basic realm="a \\", Negotiate, NTLM b, Digest realm=c", charset="UTF-8" , ' + ", ".join(values)],
    "others behind": lambda values: [",".join(values) + ',, Basic realm="r, Negotiate", Custom a = b'],
    "several lines": lambda values: ['Custom, Basic realm = "Digest realm=x"', ", ".join(values) + " ,Bearer", 'Basic realm="r"'],
}


class Mute(Relay):
    """A server that answers every request with `bytes`, and then ends: "close" as TLS wants it, "cut" without a word of TLS, "silent"
    not at all."""

    def __init__(self, answer, ending, own=None):
        self.answer, self.ending, self.gone = answer, ending, threading.Event()
        super().__init__(None, own is not None, own)

    def pass_on(self, here):
        if self.own is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.own)
            here = context.wrap_socket(here, server_side=True)
        with here:
            here.recv(65536)
            here.sendall(self.answer)
            if self.ending == "silent":
                self.gone.wait(START_SECONDS)
            elif self.ending == "close" and self.own is not None:
                here = here.unwrap()

    def url(self, path="/"):
        return f"http{'s' if self.secure else ''}://{HOST}:{self.port}{path}"

    def close(self):
        self.gone.set()
        super().close()
