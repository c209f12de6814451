"""Handshakes whose secrets another process keeps: through opensspi-lsad, beside gssproxy, and beside the same within the process.

All in private places: a realm, a daemon, a proxy. The service ticket is in hand everywhere: in the daemon's logon session, in the cache that the proxy holds."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "interop"))
import realm as private_realm  # pylint: disable=wrong-import-position

TITLE = "Handshakes through a daemon, 1 thread"
PEERS = ("gssproxy", "in process")
MEMORY_GOAL = 0
START_SECONDS = 20
TARGET = "host/server.example.test"
KERBEROS = "Kerberos handshake, mutual"


def verdict_of(ours, peers):
    """Only the first peer keeps secrets elsewhere too; the second says what keeping them there costs."""
    return f"{'met' if peers[0] / ours >= 5.0 else 'MISSED'} (5x gssproxy)" if peers[0] is not None else ""


@contextlib.contextmanager
def running(command, socket_path, environment):
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while not pathlib.Path(socket_path).exists():
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{command[0]} does not start")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def proxy_command(realm, directory):
    """gssproxy with the same keytab and tickets, for root's processes alone; a user of its own is no matter here."""
    config = directory / "gssproxy.conf"
    config.write_text(f"""[gssproxy]
[service/bench]
  mechs = krb5
  cred_store = keytab:{realm.env["KRB5_KTNAME"]}
  cred_store = ccache:FILE:{directory}/proxy-cache
  cred_usage = both
  euid = {os.geteuid()}
""", encoding="utf-8")
    (directory / "empty").mkdir()
    return [shutil.which("gssproxy", path="/usr/sbin:/usr/bin:/sbin"), "-i", "-c", str(config), "-C", str(directory / "empty"), "-s", f"{directory}/proxy.sock"]


@contextlib.contextmanager
def prepare(build):
    with private_realm.Realm() as realm, contextlib.ExitStack() as stack:
        directory = pathlib.Path(realm.directory)
        realm.addprinc("alice", "Password1!")
        realm.addprinc(TARGET)
        realm.keytab(TARGET)
        plain = f"[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n[accounts]\nstores = sqlite:{directory}/accounts.db\n"
        embedded = dict(realm.env, OPENSSPI_CONFIG=str(realm.put("embedded.conf", plain)))
        through = dict(realm.env, OPENSSPI_CONFIG=str(realm.put("daemon.conf", f"{plain}[lsa]\nmode = daemon\nsocket = {directory}/lsa.sock\n")))
        subprocess.run([f"{build}/sspi", "account", "add", "alice", "--domain", "EXAMPLE"], input="Password1!\n", text=True, check=True,
                       stdout=subprocess.DEVNULL, env=embedded)
        realm.run("kinit", "-c", f"FILE:{directory}/cache", "alice", text="Password1!\n")
        realm.run("kvno", "-q", TARGET)
        shutil.copy(directory / "cache", directory / "proxy-cache")
        stack.enter_context(running([f"{build}/opensspi-lsad"], directory / "lsa.sock", through))
        subprocess.run([f"{build}/sspi", "logon", "--package", "Kerberos", f"{realm.name}\\alice"], input="Password1!\n", text=True, check=True,
                       stdout=subprocess.DEVNULL, env=through)
        jobs = [("OpenSSPI", "lsad_opensspi", ("Kerberos", TARGET), through),
                ("OpenSSPI", "lsad_opensspi", ("NTLM", TARGET), through),
                ("in process", "lsad_opensspi", ("Kerberos", TARGET), embedded),
                ("in process", "lsad_opensspi", ("NTLM", TARGET), embedded)]
        command = proxy_command(realm, directory)
        if command[0] is not None:
            stack.enter_context(running(command, directory / "proxy.sock", realm.env))
            asked = dict(realm.env, GSS_USE_PROXY="yes", GSSPROXY_BEHAVIOR="REMOTE_ONLY", GSSPROXY_SOCKET=f"{directory}/proxy.sock",
                         KRB5CCNAME=f"FILE:{directory}/nobody", KRB5_KTNAME=f"FILE:{directory}/nothing")
            jobs.append(("gssproxy", "lsad_gss", (f"{TARGET}@{realm.name}",), asked))
        yield jobs
