"""The daemon's units under systemd itself, in a computer of their own: the socket, the first client, its user, each wall of the sandbox, its end, and its death."""
import pathlib
import re
import resource
import stat
import time

import pytest
import systemd

PASSWORD = "Password1!"
SERVICE = "host/machine"
STORE = "/var/lib/opensspi/accounts.db"
REFUSED = "handshake 0x00000000 0x8009030c"  # SEC_E_LOGON_DENIED
EPERM, EAFNOSUPPORT = 1, 97
WRITTEN = "written", "written_store", "written_var", "written_shared"  # files of its own, mapped to be run
CAPABILITIES = 1 << 2 | 1 << 6 | 1 << 7 | 1 << 14  # dac_read_search, setgid, setuid, ipc_lock
CONFIG = f"""[names]
computer = MACHINE
domain = EXAMPLE
[accounts]
stores = sqlite:{STORE}
[lsa]
mode = daemon
accept = games
"""


@pytest.fixture(scope="module", name="computer")
def computer_of_the_module():
    with systemd.Machine(CONFIG) as machine:
        machine.run("chown", "opensspi:", "/var/lib/opensspi")
        machine.run("chmod", "700", "/var/lib/opensspi")
        account(machine, "add", "alice", text=PASSWORD)
        machine.run("systemctl", "enable", "--now", "opensspi-lsad.socket")
        yield machine


def account(machine, *words, text=""):
    return machine.run("sspi", "account", *words, "--store", STORE, user="opensspi", text=text + "\n").stdout


def handshake(machine, name="alice", password=PASSWORD):
    """Both sides are one process of user games, which can read no store."""
    return machine.run("lsa_secret", "NTLM", SERVICE, name, "EXAMPLE", user="games", text=password + "\n").stdout.splitlines()


def goes_through(machine, name="alice"):
    said = handshake(machine, name)
    assert said == ["handshake 0x00000000 0x00000000", "messages ok", f"client EXAMPLE\\{name}", "export ok"], machine.told()


def state(machine):
    return machine.shows("opensspi-lsad.service", "ActiveState", "SubState", "Result", "MainPID", "NRestarts", "ExecMainStatus")


def status_of(machine, pid):
    lines = machine.path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def is_sanitized(machine, pid):
    maps = machine.path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return "libasan" in maps or "libtsan" in maps


def test_socket_and_first_client(computer):
    """systemd listens, and nothing runs until somebody asks."""
    socket = computer.path("/run/opensspi/lsa.sock").stat()
    assert stat.S_ISSOCK(socket.st_mode) and stat.S_IMODE(socket.st_mode) == 0o666 and socket.st_uid == socket.st_gid == 0
    directory = computer.path("/run/opensspi").stat()
    assert stat.S_IMODE(directory.st_mode) == 0o755 and directory.st_uid == 0
    assert computer.shows("opensspi-lsad.socket", "SubState") == {"SubState": "listening"}
    assert state(computer)["ActiveState"] == "inactive"
    goes_through(computer)
    assert state(computer)["ActiveState"] == "active" and state(computer)["SubState"] == "running"
    assert computer.shows("opensspi-lsad.socket", "SubState") == {"SubState": "running"}
    assert handshake(computer, password="wrong")[-1] == REFUSED


def test_who_it_is(computer):
    goes_through(computer)
    pid = state(computer)["MainPID"]
    status = status_of(computer, pid)
    numbers = computer.run("id", "-u", "opensspi").stdout.split() + computer.run("id", "-g", "opensspi").stdout.split()
    assert status["Uid"].split() == [numbers[0]] * 4 and status["Gid"].split() == [numbers[1]] * 4 and status["Groups"].split() == [numbers[1]]
    assert int(numbers[0]) != 0
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and int(status["Seccomp_filters"]) > 1
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert int(status["CapBnd"], 16) == CAPABILITIES
    if not is_sanitized(computer, pid):
        assert computer.path(f"/proc/{pid}/environ").stat().st_uid == 0  # not dumpable
    look = ("setpriv", "--reuid=opensspi", "--regid=opensspi", "--clear-groups", "ls", "/proc")
    assert "1" in computer.run(*look).stdout.split()
    assert "1" not in computer.run("nsenter", "-t", pid, "--mount", *look).stdout.split()  # others' processes are not there for it


def test_memory_is_locked(computer):
    """Where the machine may lift the limit at all: who has no CAP_SYS_RESOURCE has its own, and the daemon says so."""
    goes_through(computer)
    pid = state(computer)["MainPID"]
    mine = int(next(line.split()[1] for line in pathlib.Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if line.startswith("CapEff")), 16)
    may = bool(mine >> 24 & 1) or resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY
    locked = may and not is_sanitized(computer, pid)
    assert computer.shows("opensspi-lsad.service", "LimitMEMLOCK") == {"LimitMEMLOCK": "infinity"}
    assert ("memory locked" if locked else "memory not locked") in computer.told()
    assert (int(status_of(computer, pid)["VmLck"].split()[0]) > 0) == locked


def test_control_group(computer):
    goes_through(computer)
    pid = state(computer)["MainPID"]
    places = [line.split(":", 2) for line in computer.path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines()]
    assert any(path.endswith("/system.slice/opensspi-lsad.service") for _, _, path in places)
    shown = computer.shows("opensspi-lsad.service", "TasksMax", "MemoryMax", "TasksCurrent")
    assert int(shown["MemoryMax"]) == 2 << 30
    # Threads at the worst: workers, work of theirs that has not ended yet, and what was left behind (core/late.h: root's share, of both kinds).
    workers, left_behind = 256, 2 * 4 * 64
    assert int(shown["TasksMax"]) >= 2 * workers + left_behind + 2
    found = 0
    for place in computer.groups.places:
        for name, value in (("pids.max", shown["TasksMax"]), ("memory.max", shown["MemoryMax"]), ("memory.limit_in_bytes", shown["MemoryMax"])):
            file = place / "system.slice/opensspi-lsad.service" / name
            if file.exists():
                assert file.read_text(encoding="ascii").strip() == value
                found += 1
    assert found > 0


def settings(text):
    """The daemon's [Service], for another program."""
    kept = [line for line in text.split("[Service]\n")[1].split("[Install]")[0].splitlines()
            if not line.startswith(("Type=", "ExecStart=", "Restart=", "#"))]
    return "\n".join(kept) + "\n"


def probed(text):
    return dict((line.split(" ", 1) + [""])[:2] for line in text.splitlines())


def test_walls(computer):
    """A program in the daemon's place, root's still and without the daemon's own filter, finds each wall; one beside it finds none."""
    unit = computer.path("/usr/lib/systemd/system/opensspi-lsad.service").read_text(encoding="utf-8")
    computer.path("/usr/local/bin/unit_probe.py").write_bytes((systemd.SOURCE / "tests/interop/unit_probe.py").read_bytes())
    computer.path("/etc/systemd/system/probe.service").write_text(
        f"[Service]\nType=oneshot\nExecStart=/usr/bin/python3 /usr/local/bin/unit_probe.py\nStandardOutput=append:/var/probed\n{settings(unit)}",
        encoding="utf-8")
    computer.path("/dev/marker").write_bytes(b"")
    computer.path("/tmp/of-somebody").write_bytes(b"")
    computer.path("/var/lib/opensspi/mapped").write_bytes(bytes(4096))
    computer.run("systemctl", "daemon-reload")
    computer.run("systemctl", "start", "probe.service")
    found = probed(computer.path("/var/probed").read_text(encoding="utf-8"))
    for name in ("mmap", "mprotect", *WRITTEN, "set_user_id", "personality", "ptrace", "user_namespace", "hostname", "mount", "device"):
        assert found[name] == str(EPERM), name
    assert found["netlink"] == str(EAFNOSUPPORT)
    for name in ("/", "/usr", "/etc", "/var", "/var/lib", "/root", "/home", "/sys", "/proc/sys", "/run"):
        assert found[name] == "read-only", name
    for name in ("/tmp", "/var/tmp", "/var/lib/opensspi"):
        assert found[name] == "writable", name
    assert found["tmp"] == "" and found["marked"] == "False"
    assert found["umask"] == "0o77" and found["core"] == "0 0" and 0 < int(found["files"].split()[1]) <= 65536
    free = probed(computer.run("python3", "/usr/local/bin/unit_probe.py").stdout)
    for name in ("mmap", "mprotect", *WRITTEN, "netlink", "set_user_id", "personality", "ptrace", "hostname", "mount"):
        assert free[name] == "0", name
    assert free["/etc"] == "writable" and "of-somebody" in free["tmp"] and free["marked"] == "True"


def test_stop(computer):
    goes_through(computer)
    computer.run("systemctl", "stop", "opensspi-lsad.service")
    now = state(computer)
    assert (now["ActiveState"], now["Result"], now["ExecMainStatus"]) == ("inactive", "success", "0"), computer.told()
    goes_through(computer)  # the socket is systemd's still: the next client starts it anew
    assert state(computer)["ActiveState"] == "active"
    computer.run("systemctl", "restart", "opensspi-lsad.service")
    goes_through(computer)


def test_killed(computer):
    """It comes back by itself, and picks the store up, with what came into it meanwhile."""
    goes_through(computer)
    before = state(computer)
    account(computer, "add", "bob", text=PASSWORD)
    computer.run("systemctl", "kill", "--signal=KILL", "opensspi-lsad.service")
    until = time.monotonic() + systemd.SECONDS
    while (now := state(computer))["MainPID"] in (before["MainPID"], "0") or now["SubState"] != "running":
        assert time.monotonic() < until, f"{now} {computer.told()}"
        time.sleep(0.02)
    assert int(now["NRestarts"]) == int(before["NRestarts"]) + 1
    goes_through(computer, "alice")
    goes_through(computer, "bob")
    assert int(state(computer)["NRestarts"]) == int(before["NRestarts"]) + 1


def test_wrong_passwords_count(computer):
    """The store is writable for it, and for it alone."""
    account(computer, "add", "carol", text=PASSWORD)
    for _ in range(3):
        assert handshake(computer, "carol", "wrong")[-1] == REFUSED
    assert re.search(r"^Wrong passwords: +3$", account(computer, "show", "carol"), re.MULTILINE)
    assert computer.run("cat", STORE, user="games", check=False).returncode != 0


def test_every_worker(computer):
    """As many as the configuration takes, and TasksMax lets them be."""
    path = computer.path("/etc/opensspi/opensspi.conf")
    path.write_text(CONFIG + "workers = 256\n", encoding="utf-8")
    try:
        computer.run("systemctl", "restart", "opensspi-lsad.service")
        goes_through(computer)
        assert int(status_of(computer, state(computer)["MainPID"])["Threads"]) > 256
    finally:
        path.write_text(CONFIG, encoding="utf-8")
        computer.run("systemctl", "restart", "opensspi-lsad.service")
    goes_through(computer)
