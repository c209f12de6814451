"""Runs a command and fails when that does, or when it leaves something behind: processes, files outside the source tree, mounts, names of network
namespaces, control groups, keys, shared memory.

usage: leaves_nothing.py [--seconds N] COMMAND...

/tmp, /var/tmp and /dev/shm are the command's own: empty ones in a mount namespace (that takes root), in which the source tree and CCACHE_DIR stay where they are.
Of all other places the names before and after are compared. Whatever its descendants start, in whatever session, comes to this process when its parent
ends. Others may work on the same machine: only what stays for N seconds counts (30), and what appears where every program and the system itself leave things
(/etc, /run, /var, the home directory, control groups, keys) is told, and counts where it bears this project's name."""
import contextlib
import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
OWN = ("/tmp", "/var/tmp", "/dev/shm")
DEPTHS = {"/": 1, "/etc": 3, "/home": 2, "/mnt": 1, "/opt": 2, "/run": 4, "/srv": 2, "/tmp": 2, "/usr/local": 4, "/var": 3, "/var/lib": 3, "/var/tmp": 2, "/dev/shm": 2,
          "/dev/mqueue": 1, "/sys/fs/cgroup": 4}
HOME_DEPTH = 3
EVERYBODYS = ("key ", "System V ", "file /etc/", "file /run/", "file /var/", "file /sys/fs/cgroup/", f"file {pwd.getpwuid(os.getuid()).pw_dir}/")
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind, flags):
    if libc.mount(source.encode(), str(target).encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), None) != 0:
        raise OSError(ctypes.get_errno(), f"cannot mount {target}")


def own_places(alone):
    """Empty places of one's own, but for what the command works in and with."""
    kept = [ROOT, *(pathlib.Path(path).resolve() for path in (os.environ.get("CCACHE_DIR"),) if path)]
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace of one's own: this needs root")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    for path in kept:
        path.mkdir(parents=True, exist_ok=True)
    held = {path: os.open(path, os.O_PATH) for path in kept if any(path.is_relative_to(place) for place in OWN)}
    for number, place in enumerate(OWN):
        own = alone / str(number)
        own.mkdir()
        own.chmod(0o1777)
        mounted = "tmpfs" if place == "/dev/shm" else None
        mount("none" if mounted else str(own), place, mounted, 0 if mounted else MS_BIND)
        for path, file in held.items():
            if path.is_relative_to(place):
                path.mkdir(parents=True, exist_ok=True)
                mount(f"/proc/self/fd/{file}", path, None, MS_BIND | MS_REC)
    for file in held.values():
        os.close(file)
    os.chdir(ROOT)
    os.environ["TMPDIR"] = "/tmp"  # the own one


def names(place, depth):
    """Everything below a place, down to a depth; not the source tree."""
    found, left = set(), [(place, depth)]
    while left:
        directory, deeper = left.pop()
        try:
            entries = list(os.scandir(directory))
        except OSError:
            continue
        for entry in entries:
            if entry.path == str(ROOT) or entry.path == os.environ.get("CCACHE_DIR"):
                continue
            found.add(f"file {entry.path}")
            if deeper > 1 and entry.is_dir(follow_symlinks=False):
                left.append((entry.path, deeper - 1))
    return found


def lines(path, kind, words):
    """Of each line of one of the kernel's tables the words that stay the same."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    return {f"{kind} {' '.join(line.split()[first] for first in words if first < len(line.split()))}" for line in text.splitlines()}


def state():
    home = pwd.getpwuid(os.getuid()).pw_dir
    found = set().union(*(names(place, depth) for place, depth in {**DEPTHS, home: HOME_DEPTH}.items()))
    found |= lines("/proc/self/mountinfo", "mount", (4,)) | lines("/proc/keys", "key", (0, 7, 8))
    for kind in ("shm", "sem", "msg"):
        found |= lines(f"/proc/sysvipc/{kind}", f"System V {kind}", (0, 1))
    return found


def descendants():
    """Processes that come from this one, as text by their number."""
    parents, ended = {}, set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            status, parent = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        parents.setdefault(int(parent), []).append(int(pid))
        if status == "Z":
            ended.add(int(pid))
    found, left = {}, [os.getpid()]
    while left:
        for pid in parents.get(left.pop(), ()):
            left.append(pid)
            if pid not in ended:
                try:
                    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                    found[pid] = f"process {pid} {' '.join(words).strip()}"
                except OSError:
                    continue
    return found


def wait_for(child):
    """The exit code of a child, to which signals are passed on. What its descendants left without a parent is waited for as well, as it ends."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def left_over(before, seconds):
    """What is there now and stays."""
    until, stays = time.monotonic() + seconds, None
    while stays is None or (stays and time.monotonic() < until):
        if stays is not None:
            time.sleep(0.5)
        reap()
        now = (state() - before) | set(descendants().values())
        stays = now if stays is None else stays & now
    return stays


def anybodys(one):
    return one.startswith(EVERYBODYS) and not one.startswith("file /var/tmp/") and "sspi" not in one


def run(command, seconds, alone):
    own_places(alone)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot be the parent of orphans")
    before = state()
    process = subprocess.Popen(command)
    process.returncode = code = wait_for(process.pid)
    left = left_over(before, seconds)
    for pid in descendants():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + seconds
    while descendants() and time.monotonic() < until:
        time.sleep(0.01)
        reap()
    counted = {one for one in left if not anybodys(one)}
    for one in sorted(left):
        print(f"left behind{'' if one in counted else ', by whomever'}: {one}", flush=True)
    return 1 if counted or code != 0 else 0


def main():
    words, seconds = sys.argv[1:], 30
    if words[:1] == ["--seconds"] and len(words) > 1:
        seconds, words = float(words[1]), words[2:]
    if not words:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    (ROOT / "build").mkdir(exist_ok=True)
    alone = pathlib.Path(tempfile.mkdtemp(prefix="alone-", dir=ROOT / "build"))
    child = os.fork()
    if child == 0:
        return run(words, seconds, alone)
    code = wait_for(child)
    shutil.rmtree(alone)  # here nothing is mounted in it
    return 1 if code != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
