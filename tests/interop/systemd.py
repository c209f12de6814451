"""A computer of its own for the daemon's units: systemd as process 1, with a private /etc, /run, /tmp, /var, /dev, network and control groups.

with Machine(config="[lsa]\\nmode = daemon\\n") as machine:
    machine.run("systemctl", "enable", "--now", "opensspi-lsad.socket")

Nothing of the host is touched: what systemd writes to is the machine's, the kernel's settings are read-only. Its units are those of lsad/systemd, and
targets in the place of systemd's own that these stand on. Needs root, systemd, util-linux and iproute2."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from lsa import BUILD, die_with_parent
from private import Private
from realm import program

SOURCE = pathlib.Path(__file__).parents[2]
SECONDS = 120  # a bound on waiting, never waited for
UNITS = "/usr/lib/systemd/system"
DAEMON = "/usr/local/sbin/opensspi-lsad"
ETC = ("passwd", "group", "nsswitch.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "ssl")
PROGRAMS = ("sspi", "tests/interop/lsa_secret")
TARGETS = {"sysinit": "", "sockets": "", "shutdown": "DefaultDependencies=no\n", "basic": "Requires=sysinit.target\nWants=sockets.target\n",
           "default": "Requires=basic.target\nAfter=basic.target\n"}
UNWANTED = "-sys_time,-sys_module,-sys_rawio,-syslog,-wake_alarm,-audit_control,-audit_write,-audit_read"
BEGIN = r"""
here=$1
shift
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -o remount,bind,ro /sys
mount -t tmpfs -o mode=755 none /sys/fs/cgroup
while read -r name type options; do
    mkdir -p "/sys/fs/cgroup/$name"
    mount -t "$type" ${options:+-o "$options"} cgroup "/sys/fs/cgroup/$name"
done <"$here/groups"
mount -t tmpfs -o mode=755 none "$here/dev"
for name in null zero full random urandom tty; do
    : >"$here/dev/$name"
    mount --bind "/dev/$name" "$here/dev/$name"
done
mkdir "$here/dev/shm" "$here/dev/pts"
mount -t tmpfs none "$here/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 none "$here/dev/pts"
ln -s pts/ptmx "$here/dev/ptmx"
mount --bind "$here/etc" /etc
mount --bind "$here/units" /usr/lib/systemd/system
mount --bind "$here/nothing" /usr/lib/systemd/system-generators
mount --bind "$here/local" /usr/local
mount --bind "$here/var" /var
mount -t tmpfs -o mode=755 none /run
mount --rbind "$here/dev" /dev
mount -t tmpfs -o mode=1777 none /tmp
ip link set lo up
hostname machine
systemd-sysusers /usr/local/lib/sysusers.d/opensspi-lsad.conf
exec "$@"
"""


class Groups:
    """A control group of this test's in each hierarchy that there is; of hierarchies without one the machine would see the host's."""

    def __init__(self):
        self.places, self.mounts, name = [], [], f"opensspi-{os.getpid()}"
        own = [line.rstrip("\n").split(":", 2)[1:] for line in pathlib.Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()]
        paths = {frozenset(names.split(",")) - {""}: path for names, path in own}
        for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
            words, _, kind = line.partition(" - ")
            root, point = words.split()[3:5]
            if not kind.startswith("cgroup"):
                continue
            kind, _, options = kind.split()
            names = [word for word in options.split(",") if word.startswith("name=") or word in {one for key in paths for one in key}]
            path = paths.pop(frozenset(names) if kind == "cgroup" else frozenset(), None)
            if path is None:
                continue  # seen already
            place = pathlib.Path(point, path.removeprefix(root).lstrip("/"))
            self.add(place if place.is_dir() else pathlib.Path(point), name)
            if kind == "cgroup":
                titled = [word.removeprefix("name=") for word in names if word.startswith("name=")]
                self.mounts.append(("".join(titled) or ",".join(names), kind, ",".join(("none", *names) if titled else names)))
            else:
                self.mounts.append(("unified", kind, ""))
        if len(self.mounts) == 1:
            self.mounts = [(".", *self.mounts[0][1:])]

    def add(self, parent, name):
        place = parent / name
        place.mkdir()
        self.places.append(place)
        for one in ("cpuset.cpus", "cpuset.mems"):
            if (parent / one).exists() and (place / one).exists() and not (place / one).read_text(encoding="ascii").strip():
                (place / one).write_text((parent / one).read_text(encoding="ascii"), encoding="ascii")

    def enter(self):
        for place in self.places:
            (place / "cgroup.procs").write_text("0", encoding="ascii")

    def remove(self):
        """Once the last process is gone, which the kernel takes its time for."""
        until = time.monotonic() + SECONDS
        for place in self.places:
            for directory, _, _ in os.walk(place, topdown=False):
                while True:
                    try:
                        os.rmdir(directory)
                        break
                    except FileNotFoundError:
                        break
                    except OSError:
                        if time.monotonic() > until:
                            raise
                        time.sleep(0.02)


def child_of(parent):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            if int(stat.read().rpartition(")")[2].split()[1]) == parent:
                return int(pid)
    return None


class Machine(Private):
    def __init__(self, config):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="opensspi-machine-"))
        self.directory.chmod(0o755)
        self.groups = self.process = self.init = None
        self.config = config
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/",
                    **{key: value for key, value in os.environ.items() if key.endswith("_OPTIONS")}}

    def put(self, name, text, mode=0o644):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def furnish(self):
        for name in ("nothing", "dev", "var/tmp", "var/lib/opensspi", "etc/systemd/system", "local/bin", "local/sbin"):
            (self.directory / name).mkdir(parents=True)
        for name in ETC:
            path = pathlib.Path("/etc", name)
            if path.is_dir():
                shutil.copytree(path, self.directory / "etc" / name, symlinks=True, ignore=shutil.ignore_patterns("private"))
            elif path.exists():
                shutil.copy(path, self.directory / "etc" / name)
        shutil.copy(BUILD / "opensspi-lsad", self.directory / "local/sbin")
        for name in PROGRAMS:
            shutil.copy(BUILD / name, self.directory / "local/bin")
        self.put("etc/opensspi/opensspi.conf", self.config)
        for name, lines in TARGETS.items():
            self.put(f"units/{name}.target", f"[Unit]\nDescription={name}\n{lines}")
        units = SOURCE / "lsad/systemd"
        shutil.copy(units / "opensspi-lsad.socket", self.directory / "units")
        self.put("units/opensspi-lsad.service", (units / "opensspi-lsad.service.in").read_text(encoding="utf-8").replace("@DAEMON@", DAEMON))
        self.put("local/lib/sysusers.d/opensspi-lsad.conf", (units / "opensspi-lsad.sysusers").read_text(encoding="utf-8"))
        # Where its words go, without a journal; a sanitizer looks for leaks with calls that the unit forbids.
        self.put("etc/systemd/system/opensspi-lsad.service.d/words.conf",
                 "[Service]\nStandardError=append:/var/lsad.log\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n")

    def start(self):
        self.furnish()
        self.groups = Groups()
        self.put("groups", "".join(f"{name} {kind} {options}\n" for name, kind, options in self.groups.mounts))
        groups = self.groups

        def begin():
            die_with_parent()
            groups.enter()

        with open(self.directory / "out", "wb") as log:
            self.process = subprocess.Popen(
                [program("unshare"), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork", "--kill-child=KILL", "--mount-proc",
                 "sh", "-euc", BEGIN, "sh", str(self.directory), program("setpriv"), f"--bounding-set={UNWANTED}", program("env"), "-i",
                 "container=opensspi", f"PATH={self.env['PATH']}", "/lib/systemd/systemd", "--system", "--unit=default.target",
                 "--log-target=console", "--log-level=info", "--show-status=no"],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=begin)  # pylint: disable=subprocess-popen-preexec-fn
        until = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            self.init = self.init or child_of(self.process.pid)
            if self.init is not None and (pathlib.Path(f"/proc/{self.init}/comm").read_text(encoding="utf-8") == "systemd\n" and
                                          self.run("systemctl", "is-active", "default.target", check=False).stdout == "active\n"):
                return
            time.sleep(0.02)
        raise RuntimeError(f"systemd does not start here: {self.told()}")

    def told(self):
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in (self.directory / "out", self.directory / "var/lsad.log")
                       if path.exists())

    def run(self, *words, user=None, text="", check=True):
        """A program in the machine, of one of its users."""
        become = (program("setpriv"), f"--reuid={user}", f"--regid={user}", "--clear-groups") if user is not None else ()
        done = subprocess.run([program("nsenter"), "-t", str(self.init), "--all", "--", *become, *words], env=self.env, input=text,
                              capture_output=True, text=True, timeout=SECONDS, check=False)
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}{self.told()}"
        return done

    def shows(self, unit, *names):
        lines = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def path(self, name):
        """A file of the machine's."""
        return pathlib.Path(f"/proc/{self.init}/root{name}")

    def close(self):
        if self.process is not None:
            self.process.kill()  # process 1 ends with it, and with process 1 all others
            self.process.wait()
        if self.groups is not None:
            self.groups.remove()
        shutil.rmtree(self.directory, ignore_errors=True)
