"""A private Kerberos realm: MIT's KDC in a temporary directory on a free port of the loopback interface.

with Realm() as realm:
    realm.addprinc("alice", "password")
    realm.addprinc("host/server.example.test")
    keytab = realm.keytab("host/server.example.test")
    cache = realm.kinit("alice", "password")
    subprocess.run([...], env=realm.env)

realm.env is a whole environment that points at nothing outside the directory: KRB5_CONFIG, KRB5_KDC_PROFILE, KRB5CCNAME (the last kinit's cache),
KRB5_KTNAME (one keytab for all). Several realms may run at once. Needs krb5-kdc, krb5-admin-server (kadmin.local) and krb5-user."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from private import Private

ENCTYPES = ("aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96", "aes256-cts-hmac-sha384-192",
            "aes128-cts-hmac-sha256-128", "arcfour-hmac")
NO_KERBEROS = "[libdefaults]\ndns_lookup_kdc = false\ndns_lookup_realm = false\n"  # a krb5.conf of programs that know no KDC
START_SECONDS = 300  # a bound on waiting, never waited for
COMMAND_SECONDS = 300
PORT_TRIES = 5
SLOWNESS = int(os.environ.get("OPENSSPI_SLOWNESS", "1"))  # how much slower than otherwise our programs are (cmake/Tests.cmake)
PATIENCE = f"kdc_seconds = {5 * SLOWNESS}\n" if SLOWNESS > 1 else ""  # for a section [kerberos]: KDCs may be slow, too


def free_port():
    """A port free for both UDP and TCP at this moment; whoever takes it before the KDC does makes it try another."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


@contextlib.contextmanager
def closed_port():
    """A TCP port that nobody listens on, and that nobody can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def program(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")
    if not found:
        raise FileNotFoundError(f"{name}: not installed")
    return found


def keytab_keys(path):
    """The keys of a keytab file (MIT's format 0x0502)."""
    data, at, keys = pathlib.Path(path).read_bytes(), 2, []
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big", signed=True)
        entry, at = data[at + 4:at + 4 + abs(size)], at + 4 + abs(size)
        if size <= 0:
            continue
        n_components, where = int.from_bytes(entry[:2], "big"), 2
        for _ in range(n_components + 1):
            where += 2 + int.from_bytes(entry[where:where + 2], "big")
        where += 4 + 4 + 1 + 2
        length = int.from_bytes(entry[where:where + 2], "big")
        keys.append(entry[where + 2:where + 2 + length])
    return keys


class Realm(Private):
    def __init__(self, name="EXAMPLE.TEST", directory=None, enctypes=ENCTYPES, libdefaults="", kdc_realm=""):
        """`libdefaults` are more lines for clients' [libdefaults], `kdc_realm` for the KDC's part of [realms]."""
        self.name, self.enctypes, self.libdefaults, self.kdc_realm = name, tuple(enctypes), libdefaults, kdc_realm
        self.owned = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="opensspi-realm-"))
        self.process = None
        kept = {key: value for key, value in os.environ.items()
                if key.endswith("_OPTIONS") or key in ("PATH", "LD_LIBRARY_PATH", "OPENSSPI_BUILD", "OPENSSPI_SOURCE")}
        self.env = {**kept, "LC_ALL": "C.UTF-8", "HOME": str(self.directory), "TMPDIR": str(self.directory),
                    "KRB5_CONFIG": str(self.directory / "krb5.conf"),
                    "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf"),
                    "KRB5CCNAME": f"FILE:{self.directory}/cache", "KRB5_KTNAME": f"FILE:{self.directory}/keytab",
                    "KRB5RCACHEDIR": str(self.directory), "KRB5RCACHENAME": f"dfl:{self.directory}/rcache"}

    def put(self, name, text):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    def client_config(self, name, enctypes):
        """A krb5.conf for clients and servers that accept these encryption types only; its path."""
        return str(self.put(name, f"""[libdefaults]
default_realm = {self.name}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
kdc_timeout = 5
allow_weak_crypto = true
allow_rc4 = true
permitted_enctypes = {" ".join(enctypes)}
{self.libdefaults}
[realms]
{self.name} = {{
  kdc = 127.0.0.1:{self.port}
}}
[domain_realm]
.{self.name.lower()} = {self.name}
{self.name.lower()} = {self.name}
"""))

    def configure(self):
        self.client_config("krb5.conf", self.enctypes)
        self.put("kdc.conf", f"""[kdcdefaults]
kdc_listen = 127.0.0.1:{self.port}
kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
{self.name} = {{
  database_name = {self.directory}/principal
  key_stash_file = {self.directory}/stash
  acl_file = {self.directory}/acl
  master_key_type = {self.enctypes[0]}
  supported_enctypes = {" ".join(enctype + ":normal" for enctype in self.enctypes)}
  max_life = 10h
  max_renewable_life = 7d
  {self.kdc_realm}
}}
[logging]
kdc = FILE:{self.directory}/kdc.log
admin_server = FILE:{self.directory}/kadmin.log
default = FILE:{self.directory}/kdc.log
""")

    def run(self, name, *words, text=None):
        """Runs a program of the realm's; its output. What it complains about is in the exception."""
        done = subprocess.run([program(name), *map(str, words)], input=text, env=self.env, text=True, timeout=COMMAND_SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{name} {' '.join(map(str, words))}: {done.stdout.strip()}")
        return done.stdout

    def start(self):
        for attempt in range(PORT_TRIES):
            self.port = free_port()
            self.configure()
            if attempt == 0:
                self.run("kdb5_util", "-r", self.name, "-P", "master", "create", "-W", "-s")
            if self.start_kdc():
                return
        raise RuntimeError(f"krb5kdc does not start: {self.output()}")

    def output(self):
        return (self.directory / "krb5kdc.out").read_text(encoding="utf-8", errors="replace").strip()

    def start_kdc(self):
        """Starts (or after stop_kdc restarts) the KDC and waits until it answers; False when it ended at once."""
        with open(self.directory / "krb5kdc.out", "wb") as log:
            self.process = subprocess.Popen([program("krb5kdc"), "-n", "-r", self.name], env=self.env,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                return False
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self.process.poll() is None
            time.sleep(0.02)
        self.stop_kdc()
        return False

    def stop_kdc(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def close(self):
        self.stop_kdc()
        if self.owned:
            shutil.rmtree(self.directory, ignore_errors=True)

    def kadmin(self, query):
        """One query of kadmin.local, which answers 0 whatever happened: a text that only failures have is looked for."""
        output = self.run("kadmin.local", "-r", self.name, "-q", query)
        failed = [line for line in output.splitlines() if " while " in line or line.startswith("usage:")]
        if failed:
            raise RuntimeError(f"kadmin.local: {query}: {failed[0]}")
        return output

    def addprinc(self, principal, password=None, *options):
        """With a password, or with random keys; `options` are addprinc's, such as +ok_as_delegate or -e LIST."""
        secret = ("-pw", password) if password is not None else ("-randkey",)
        self.kadmin(" ".join(("addprinc", *options, *secret, principal)))

    def keytab(self, principal, name="keytab"):
        """Appends the principal's keys, unchanged, to the keytab; its path. KRB5_KTNAME names the default one."""
        path = self.directory / name
        self.kadmin(f"ktadd -k {path} -norandkey {principal}")
        return path

    def kinit(self, principal, password=None, *options, cache="cache"):
        """A ticket by password, else by keytab, in a cache that KRB5CCNAME names from then on; its name."""
        name = f"FILE:{self.directory}/{cache}"
        words = ["-c", name, *options] + ([] if password is not None else ["-k"]) + [principal]
        self.run("kinit", *words, text=None if password is None else password + "\n")
        self.env["KRB5CCNAME"] = name
        return name

    def environment(self, enctype=None, **more):
        """realm.env, for programs that accept one encryption type only where one is named."""
        env = {**self.env, **more}
        if enctype is not None:
            env["KRB5_CONFIG"] = self.client_config(f"krb5.{enctype}.conf", [enctype])
        return env
