"""A private LSA daemon in a directory of its own, with the account EXAMPLE\\alice "Password1!".

with Daemon(directory, "more lines of [lsa]") as daemon:
    subprocess.run([...], env=daemon.env)"""
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

BUILD = pathlib.Path(os.environ.get("OPENSSPI_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build/release"))
PROGRAM = BUILD / "opensspi-lsad"
START_SECONDS, STOP_SECONDS, ANSWER_SECONDS = 300, 300, 300  # bounds on waiting, never waited for
GREETING = bytes([0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0])
ALICE = "alice:EXAMPLE::7facdc498ed1680c4fd1448319a8c04f:::\n"


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def memory_holds(pid, needles):
    """Which of the needles are in a process's memory. Larger regions than the limit are a sanitizer's notes about memory."""
    chunk, limit, overlap = 1 << 22, 1 << 36, 4096
    found = set()
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            area, rights = line.split()[:2]
            start, end = (int(number, 16) for number in area.split("-"))
            if not rights.startswith("r") or line.rstrip().endswith(("[vvar]", "[vsyscall]")) or end - start > limit:
                continue
            for at in range(start, end, chunk):
                try:
                    memory.seek(at)
                    data = memory.read(min(end - at, chunk + overlap))
                except OSError:
                    continue
                found |= {name for name, needle in needles.items() if needle in data}
    return found


class Daemon:
    def __init__(self, directory, lsa="", more="", env=None, mode="daemon", prefix=()):
        self.directory = pathlib.Path(directory)
        self.directory.chmod(0o755)
        self.socket = self.directory / "lsa.sock"
        self.config = self.directory / "opensspi.conf"
        accounts = self.directory / "sam"
        accounts.write_text(ALICE, encoding="utf-8")
        accounts.chmod(0o600)
        self.config.write_text(f"""[names]
computer = SERVER
domain = EXAMPLE
dns_computer = server.example.test
[accounts]
stores = sam:{accounts}
{more}
[lsa]
mode = {mode}
socket = {self.socket}
{lsa}
""", encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if key.endswith("_OPTIONS") or key in ("PATH", "LD_LIBRARY_PATH")}
        self.env = {**kept, **(env or {}), "OPENSSPI_CONFIG": str(self.config), "HOME": str(self.directory), "LC_ALL": "C.UTF-8"}
        self.process, self.prefix = None, prefix  # words before the command

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *problem):
        code = self.stop()
        assert problem[0] is not None or code == 0, self.output()

    def start(self):
        with open(self.directory / "lsad.log", "ab") as log:
            self.process = subprocess.Popen([*self.prefix, str(PROGRAM)], env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.settimeout(until - time.monotonic())
                    probe.connect(str(self.socket))
                    probe.sendall(GREETING)
                    if probe.recv(12) != b"":  # it listens before it is ready
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f"the daemon does not start: {self.output()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def output(self):
        return (self.directory / "lsad.log").read_text(encoding="utf-8", errors="replace")
