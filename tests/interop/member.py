"""A member of a private Active Directory domain: winbindd of its own, joined to the controller of ad.py in the same network namespace.

with Member() as member:
    member.ad.user("alice", "Password1!")
    subprocess.run([*member.prefix, "wbinfo", "-t"])

libwbclient knows one socket directory, so both sides have mount namespaces in which their own stands there; the controller's DNS server is the only one that either knows. Needs what ad.py needs."""
import contextlib
import os
import signal
import subprocess
import time

from ad import PASSWORD, STOP_SECONDS, Ad
from private import Private
from realm import COMMAND_SECONDS, program

SOCKETS = "/run/samba/winbindd"
PRIVILEGED = "winbindd_privileged"
COMPUTER = "SERVER"
START_SECONDS = 300  # bounds on waiting, never waited for
PLACES = {"private dir": "private", "winbindd socket directory": "sockets", "lock directory": "lock", "state directory": "state",
          "cache directory": "cache", "pid directory": "pid", "ncalrpc dir": "ncalrpc"}
HOLD = "exec cat"


def held(argv):
    """A process that does nothing but hold namespaces; it ends when its input does."""
    holder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if holder.stdout.readline() != b"up\n":
        raise RuntimeError("no namespaces of one's own: this needs root")
    return holder


def let_go(holder):
    holder.stdin.close()
    holder.wait()
    holder.stdout.close()


def living(session):
    """The processes of a session, but for those that have ended and that nobody has looked at yet."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                state, _, _, leader = stat.read().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if state != "Z" and int(leader) == session:
            found.append(int(pid))
    return found


def end_session(leader):
    """Waits for the last process of a session that was told to end, and ends those that stay."""
    until = time.monotonic() + STOP_SECONDS
    while left := living(leader):
        if time.monotonic() > until:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def end_namespace(holder):
    """Ends what is still in the mount namespace that somebody holds: winbindd's helpers (samba-dcerpcd) have sessions of their own and outlive it."""
    def others():
        found, place = [], os.readlink(f"/proc/{holder.pid}/ns/mnt")
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            try:
                if pid != holder.pid and os.readlink(f"/proc/{pid}/ns/mnt") == place:
                    found.append(pid)
            except OSError:
                continue
        return found
    until = time.monotonic() + STOP_SECONDS
    while (left := others()) and time.monotonic() < until:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


class Controller(Ad):
    """A controller that members can join: with SMB, DNS and winbindd."""

    def namespace(self):
        self.directory.chmod(0o711)  # its SMB server looks into it as the client's user
        for name in ("sockets", "empty"):
            (self.directory / name).mkdir()
        self.put("resolv.conf", "nameserver 127.0.0.1\n").chmod(0o644)
        self.holder = held([program("unshare"), "--net", "--mount", "sh", "-ec", '"$1" link set lo up\nmkdir -p /run/samba\n'
                            f'mount -t tmpfs none /run/samba\nmkdir {SOCKETS}\nmount --bind "$2/sockets" {SOCKETS}\n'
                            f'mount --bind "$2/resolv.conf" /etc/resolv.conf\necho up\n{HOLD}', "sh", program("ip"), str(self.directory)])
        self.prefix = (program("nsenter"), "-t", str(self.holder.pid), "-n", "-m", "--")

    def configure_server(self):
        super().configure_server()
        lines = self.config.read_text(encoding="utf-8").replace("cldap, rpc\n", "cldap, rpc, winbindd, s3fs, dns\n").splitlines(True)
        self.config.write_text("".join(line for line in lines if "/var/log" not in line and "winbindd socket" not in line), encoding="utf-8")

    def start_kdc(self):
        super().start_kdc()
        until = time.monotonic() + START_SECONDS
        while not all(self.listens(port) for port in (53, 135, 445)):
            if time.monotonic() > until:
                raise RuntimeError("samba's SMB and DNS servers do not start")
            time.sleep(0.1)

    def name_dns(self):
        """Provisioning leaves the loopback address out."""
        self.tool("dns", "add", "127.0.0.1", self.dns, "dc1", "A", "127.0.0.1", "-U", f"Administrator%{PASSWORD}")

    def users(self, names, password):
        """Many at once, without a program for each."""
        database = self.database()
        for name in names:
            database.newuser(name, password)

    def change(self, account, **attributes):
        """Sets attributes of an account, or of the domain (None)."""
        database = self.database()
        where = database.domain_dn() if account is None else self.distinguished_name(account)
        for name, value in attributes.items():
            database.modify_ldif(f"dn: {where}\nchangetype: modify\nreplace: {name}\n{name}: {value}\n")

    def stop_kdc(self):
        leader = self.process.pid if self.process is not None else None
        super().stop_kdc()
        if leader is not None:
            end_session(leader)


class Member(Private):
    def __init__(self):
        self.ad, self.holder, self.process, self.prefix = Controller(), None, None, ()
        self.directory = self.ad.directory / "member"

    def start(self):
        self.ad.start()
        self.ad.name_dns()
        self.directory.mkdir()
        self.directory.chmod(0o711)
        for place in PLACES.values():
            (self.directory / place).mkdir(mode=0o755)
        domain = self.ad.name.split(".", maxsplit=1)[0]
        places = "".join(f"\t{name} = {self.directory / place}\n" for name, place in PLACES.items())
        self.ad.put("member/smb.conf", f"""[global]
\tnetbios name = {COMPUTER}
\tworkgroup = {domain}
\trealm = {self.ad.name}
\tsecurity = ads
\tinterfaces = lo 127.0.0.1/8
\tbind interfaces only = yes
\tname resolve order = host
\tcreate krb5 conf = no
\tlog file = {self.directory}/log
\tidmap config * : backend = tdb
\tidmap config * : range = 3000-7999
\tidmap config {domain} : backend = rid
\tidmap config {domain} : range = 100000-999999
{places}""").chmod(0o644)
        self.holder = held([*self.ad.prefix, program("unshare"), "--mount", "sh", "-ec",
                            f'umount {SOCKETS}\nmount --bind "$1/sockets" {SOCKETS}\necho up\n{HOLD}', "sh", str(self.directory)])
        # nsenter and unshare have become the shell: this is its process
        self.prefix = (program("nsenter"), "-t", str(self.holder.pid), "-n", "-m", "--")
        self.run("net", "ads", "join", f"--configfile={self.directory}/smb.conf", "-U", f"Administrator%{PASSWORD}", "--no-dns-updates")
        self.start_winbind()

    def run(self, name, *words):
        done = subprocess.run([*self.prefix, program(name), *words], env=self.ad.env, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stdout}{done.stderr}")
        return done.stdout

    def start_winbind(self):
        with open(self.directory / "out", "ab") as log:
            self.process = subprocess.Popen([*self.prefix, program("winbindd"), "--foreground", "--no-process-group",
                                             f"--configfile={self.directory}/smb.conf"], env=self.ad.env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.run("wbinfo", "-t")
                return
            except RuntimeError:
                time.sleep(0.1)
        raise RuntimeError(f"winbindd does not start: {(self.directory / 'out').read_text(errors='replace')[-2000:]}")

    def signal(self, number):
        """To winbindd and its children."""
        os.killpg(self.process.pid, number)

    def stop_winbind(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
                self.process.wait()
        end_session(self.process.pid)
        self.process = None

    def pipe(self):
        """The directory of the socket over which passwords are verified."""
        return self.directory / "state" / PRIVILEGED

    def close(self):
        self.stop_winbind()
        if self.holder is not None:
            end_namespace(self.holder)
            let_go(self.holder)
            self.holder = None
        self.ad.close()


