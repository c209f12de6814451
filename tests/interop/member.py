"""A member of a private Active Directory domain: winbindd of its own, joined to the controller of ad.py in the same network namespace.

with Member() as member:
    member.ad.user("alice", "Password1!")
    subprocess.run([*member.prefix, "wbinfo", "-t"])

libwbclient knows one socket directory, so both sides have mount namespaces in which their own stands there; the controller's DNS server is the only one that either knows. Needs what ad.py needs."""
import os
import signal
import subprocess
import time

from ad import PASSWORD, START_SECONDS, STOP_SECONDS, Ad
from realm import program

SOCKETS = "/run/samba/winbindd"
PRIVILEGED = "winbindd_privileged"
COMPUTER = "SERVER"
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

    def run(self, name, *words, text=None):
        return super().run(name, *("--dns-backend=SAMBA_INTERNAL" if word == "--dns-backend=NONE" else word for word in words), text=text)

    def provision(self):
        super().provision()
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
        for name in ("dc1", "@"):
            self.tool("dns", "add", "127.0.0.1", self.dns, name, "A", "127.0.0.1", "-U", f"Administrator%{PASSWORD}")


class Member:
    def __init__(self):
        self.ad, self.holder, self.process, self.prefix = Controller(), None, None, ()
        self.directory = self.ad.directory / "member"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *problem):
        self.close()

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
        done = subprocess.run([*self.prefix, program(name), *words], env=self.ad.env, capture_output=True, text=True, timeout=120, check=False)
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
        self.process = None

    def pipe(self):
        """The directory of the socket over which passwords are verified."""
        return self.directory / "state" / PRIVILEGED

    def close(self):
        self.stop_winbind()
        if self.holder is not None:
            let_go(self.holder)
            self.holder = None
        self.ad.close()


