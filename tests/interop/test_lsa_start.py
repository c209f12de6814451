"""How the daemon starts: as a user of its own, with a socket that systemd opened, and not at all where its configuration is wrong."""
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import sys

import lsa

# What systemd does: the socket as descriptor 3, and the environment that says so; then the program in the same process.
ACTIVATE = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", NOTIFY_SOCKET=sys.argv[2])
os.execv(sys.argv[3], [sys.argv[3]])
"""


def answers(path):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(lsa.ANSWER_SECONDS)
        link.connect(str(path))
        link.sendall(lsa.GREETING)
        return link.recv(12)[7] == 0x80


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_a_user_of_its_own(tmp_path):
    """Root is given up for good; nobody's debugger looks in."""
    nobody = pwd.getpwnam("nobody")
    with lsa.Daemon(tmp_path, "user = nobody\n") as daemon:
        assert answers(daemon.socket)
        status = status_of(daemon.process.pid)
        assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
        assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
        assert "0" not in status["Groups"].split()
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
        maps = pathlib.Path(f"/proc/{daemon.process.pid}/maps").read_text()
        # A sanitizer's runtime, or valgrind, looks at its own process.
        if "libasan" not in maps and "libtsan" not in maps and "OPENSSPI_UNWATCHED" not in os.environ:
            assert os.stat(f"/proc/{daemon.process.pid}/environ").st_uid == 0  # not dumpable: its own user does not own it
            assert status["Seccomp"] == "2"
    # Root's directory is not that user's to remove the socket from, and the log says so.
    assert daemon.socket.exists()
    assert f"{daemon.socket}: stays: Permission denied\n" in daemon.output()


def test_socket_activation(tmp_path):
    daemon = lsa.Daemon(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "notify"))
        notices.settimeout(lsa.ANSWER_SECONDS)
        with subprocess.Popen([sys.executable, "-c", ACTIVATE, str(daemon.socket), str(tmp_path / "notify"), str(lsa.PROGRAM)], env=daemon.env,
                              stderr=subprocess.PIPE, text=True) as process:
            try:
                assert notices.recv(100) == b"READY=1"
                assert answers(daemon.socket)
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(lsa.ANSWER_SECONDS) == 0
    assert daemon.socket.exists()  # systemd's


def test_wrong_configurations(tmp_path):
    for lines, words in (("user = no-such-user-here\n", "there is no user"), ("workers = 0\n", "1 to 256"), ("mood = good\n", "unknown key"),
                         ("workers = 999\n", "1 to 256")):
        daemon = lsa.Daemon(tmp_path, lines)
        done = subprocess.run([str(lsa.PROGRAM)], env=daemon.env, capture_output=True, text=True, timeout=lsa.ANSWER_SECONDS, check=False)
        assert done.returncode == 1 and words in done.stderr
        assert not daemon.socket.exists()  # in the mode "auto" that would be a daemon that does not answer
    (tmp_path / "lsa.sock").write_text("no socket")
    done = subprocess.run([str(lsa.PROGRAM)], env=lsa.Daemon(tmp_path).env, capture_output=True, text=True, timeout=lsa.ANSWER_SECONDS, check=False)
    assert done.returncode == 1 and "no socket" in done.stderr
    assert (tmp_path / "lsa.sock").read_text() == "no socket"


def test_directory_of_the_socket(tmp_path):
    """It does not begin where others could put a socket in its place, and at its end removes no other's."""
    for mode, owner in ((0o1777, 0), (0o775, 0), (0o755, 61234)):
        daemon = lsa.Daemon(tmp_path)
        tmp_path.chmod(mode)
        os.chown(tmp_path, owner, 0)
        done = subprocess.run([str(lsa.PROGRAM)], env=daemon.env, capture_output=True, text=True, timeout=lsa.ANSWER_SECONDS, check=False)
        assert done.returncode == 1 and "its directory" in done.stderr
        assert not daemon.socket.exists()
    os.chown(tmp_path, 0, 0)
    with lsa.Daemon(tmp_path) as daemon:
        daemon.socket.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(daemon.socket))
            daemon.stop()
            assert daemon.socket.exists()
            daemon.socket.unlink()
    with lsa.Daemon(tmp_path) as daemon:
        daemon.stop()
        assert not daemon.socket.exists()
        assert "stays" not in daemon.output()


def test_words():
    assert subprocess.run([str(lsa.PROGRAM), "--version"], capture_output=True, text=True, timeout=lsa.ANSWER_SECONDS, check=True).stdout.startswith("opensspi-lsad")
    assert subprocess.run([str(lsa.PROGRAM), "--nonsense"], capture_output=True, text=True, timeout=lsa.ANSWER_SECONDS, check=False).returncode == 2
