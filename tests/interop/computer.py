"""A computer of its own for commands that stand in documents: they run as they stand there, with nothing of this machine's in their way.

with Computer(directory) as computer:
    computer.run("sspi account add alice", answers=["Password1!", "Password1!"])

It is a set of namespaces: a network with nothing but a loopback interface, the host name server.example.test, own processes, /etc as a copy, empty /var,
/run, /root, /home, /srv and /tmp, OpenSSPI and its samples in /usr/local; all the rest can be read only. What runs on it ends with it. Needs root, util-linux and
iproute2; python3 is a peer of its terminals."""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import time

BUILD = pathlib.Path(os.environ.get("OPENSSPI_UNWATCHED", os.environ["OPENSSPI_BUILD"]))  # the programs themselves: valgrind's logs are not on it
SOURCE = pathlib.Path(os.environ["OPENSSPI_SOURCE"])
START_SECONDS, COMMAND_SECONDS, END_SECONDS = 240, 240, 60
NAME = "server.example.test"
PROMPT = re.compile(rb"(?:[Pp]assword|[Oo]nce more|[Rr]etype|master key)[^\n]*: ?\Z")

# $1 the private place, $2 the build, $3 the source; then the samples' programs.
SETUP = r"""
set -eu
place=$1 build=$2 source=$3
shift 3
ip link set lo up
hostname server.example.test
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$place"
cd "$place"
mkdir -p usr-local/bin var/lib var/log var/cache var/spool run root home srv
mkdir -m 1777 tmp var/tmp
ln -s /run var/run
cp -a /etc etc
rm -rf etc/opensspi etc/krb5.conf etc/krb5.conf.d etc/krb5.keytab etc/krb5kdc etc/samba/smb.conf etc/ld.so.cache
mkdir -p etc/krb5kdc etc/opensspi etc/samba
printf '127.0.0.1 server.example.test server localhost\n' >etc/hosts
printf 'server.example.test\n' >etc/hostname
: >etc/resolv.conf
mount --bind usr-local /usr/local
manifest=$build/install_manifest.txt
[ ! -f "$manifest" ] || cp "$manifest" manifest
cmake --install "$build" --prefix /usr/local >/dev/null
if [ -f manifest ]; then cp manifest "$manifest"; else rm -f "$manifest"; fi
for sample in "$@"; do
    cp "$sample" /usr/local/bin/
done
mkdir -p /usr/local/share/opensspi
cp -r "$source/samples" /usr/local/share/opensspi/samples
if [ -n "$SANITIZE" ]; then
    printf '#!/bin/sh\nexec /usr/bin/cc -fsanitize=%s "$@"\n' "$SANITIZE" >/usr/local/bin/cc
    chmod 755 /usr/local/bin/cc
fi
for folder in etc var run root home srv tmp; do
    mount --bind "$folder" "/$folder"
done
cd /root
mkdir -p work
mount -o remount,bind,ro /
ldconfig
echo up
exec cat >/dev/null
"""


def sanitizers():
    for line in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("OPENSSPI_SANITIZE:"):
            return line.split("=", 1)[1]
    return ""


class Computer:
    def __init__(self, directory):
        self.place = pathlib.Path(directory) / "computer"
        self.background, self.n_scripts = [], 0
        kept = {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}
        self.env = {**kept, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                    "TERM": "dumb", "USER": "root", "LOGNAME": "root"}

    def __enter__(self):
        self.place.mkdir(parents=True)
        samples = [str(path) for path in sorted((BUILD / "samples").glob("*/*")) if path.is_file() and path.suffix == "" and os.access(path, os.X_OK)]
        words = [str(self.place), str(BUILD), str(SOURCE), *samples]
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", SETUP, "sh", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**self.env, "SANITIZE": sanitizers()})
        try:
            if not select.select([self.holder.stdout], [], [], START_SECONDS)[0] or self.holder.stdout.readline() != b"up\n":
                self.holder.stdin.close()
                raise RuntimeError(f"no computer of one's own: {self.holder.stderr.read().decode()}")
            self.first = (pathlib.Path("/proc") / str(self.holder.pid) / "task" / str(self.holder.pid) / "children").read_text().split()[0]
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *problem):
        self.close()

    def close(self):
        """The first process ends with its input, and takes all others along."""
        if not self.holder.stdin.closed:
            self.holder.stdin.close()
        self.holder.wait(END_SECONDS)
        for process in self.background:
            process.close()
        for stream in (self.holder.stdout, self.holder.stderr):
            stream.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def path(self, name):
        """A file of the computer's, as seen from here."""
        return pathlib.Path(f"/proc/{self.first}/root") / os.path.join("/root/work", name).lstrip("/")

    def put(self, name, text):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def start(self, script, answers=(), then=None):
        """A shell script on a terminal of its own; `answers` are typed at prompts for passwords, and of `then` (pattern, text) the text when the pattern
        has been shown."""
        self.n_scripts += 1
        name = f"/tmp/.script-{self.n_scripts}.sh"
        self.put(name, script)
        words = ["nsenter", "-t", self.first, "-m", "-n", "-u", "-i", "-p", "--", "sh", "-c", 'cd /root/work && exec sh -e "$1"', "sh", name]
        return Terminal(words, self.env, answers, then)

    def run(self, script, answers=(), then=None):
        """(exit status, all that the terminal showed)."""
        terminal = self.start(script, answers, then)
        try:
            code = terminal.end(COMMAND_SECONDS)
        finally:
            terminal.close()
        assert code is not None, f"still running after {COMMAND_SECONDS} s:\n{script}\n{terminal.text()}"
        return code, terminal.text()

    def serve(self, script, until, answers=()):
        """Starts what goes on running, and waits for the pattern in what it shows."""
        terminal = self.start(script, answers)
        self.background.append(terminal)
        found = terminal.wait_for(until, COMMAND_SECONDS)
        assert found, f"never said {until!r}:\n{script}\n{terminal.text()}"
        return terminal


class Terminal:
    """A program, and what it says on its terminal."""

    def __init__(self, words, environment, answers, then):
        self.answers, self.then, self.shown, self.at, self.code = list(answers), then, b"", 0, None
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(words[0], words, environment)
            finally:
                os._exit(127)

    def text(self):
        return self.shown.decode("utf-8", "replace").replace("\r\n", "\n")

    def step(self):
        """Takes what is there within a moment; False at the end of the program's output."""
        if not select.select([self.file], [], [], 0.2)[0]:
            return True
        try:
            piece = os.read(self.file, 65536)
        except OSError:
            piece = b""
        self.shown += piece
        if self.answers and PROMPT.search(self.shown, self.at):
            self.at = len(self.shown)
            os.write(self.file, self.answers.pop(0).encode() + b"\n")
        if self.then is not None and re.search(self.then[0] + ".*\n", self.text()):
            os.write(self.file, self.then[1].encode() + b"\n\x04")
            self.then = None
        return piece != b""

    def wait_for(self, pattern, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if re.search(pattern, self.text()):
                return True
            if not self.step():
                return bool(re.search(pattern, self.text()))
        return False

    def end(self, seconds):
        """The exit status, or None when it has not ended."""
        until = time.monotonic() + seconds
        while self.step():
            if time.monotonic() > until:
                return None
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def close(self):
        if self.file >= 0:
            os.close(self.file)  # whoever still runs gets SIGHUP
            self.file = -1
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
