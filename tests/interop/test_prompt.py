"""PROMPT_FOR_CREDS at a terminal: asked there under the flag, without echo, and nowhere else."""
import os
import pathlib
import pty
import select
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

PEER = os.path.join(os.environ["OPENSSPI_BUILD"], "tests", "interop", "peer_opensspi")


class Terminal:
    """The peer program under a terminal of its own, spoken to through pipes."""

    def __init__(self, directory):
        config = pathlib.Path(directory) / "opensspi.conf"
        config.write_text("[names]\ncomputer = SERVER\n")
        to_read, self.to_peer = os.pipe()
        self.from_peer, to_write = os.pipe()
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.dup2(to_read, 0)
            os.dup2(to_write, 1)
            os.execve(PEER, [PEER], {"OPENSSPI_CONFIG": str(config), "PATH": os.environ["PATH"], "HOME": str(directory)})
        os.close(to_read)
        os.close(to_write)
        self.shown = b""

    def say(self, line):
        os.write(self.to_peer, line.encode() + b"\n")

    def until(self, wanted, descriptor=None, seconds=20):
        source = self.screen if descriptor is None else descriptor
        got, end = b"", time.monotonic() + seconds
        while wanted not in got:
            assert time.monotonic() < end, (wanted, got)
            if select.select([source], [], [], 0.1)[0]:
                got += os.read(source, 4096)
        if descriptor is None:
            self.shown += got
        return got

    def close(self):
        os.close(self.to_peer)
        os.waitpid(self.pid, 0)
        os.close(self.from_peer)
        os.close(self.screen)


@pytest.fixture
def terminal(tmp_path):
    peer = Terminal(tmp_path)
    yield peer
    peer.close()


def test_asks_for_name_and_password(terminal):
    terminal.say("client target=HTTP/server flags=integrity,prompt")
    terminal.until(b"User name for HTTP/server: ")
    os.write(terminal.screen, b"EXAMPLE\\alice\n")
    terminal.until(b"Password of EXAMPLE\\alice for HTTP/server: ")
    os.write(terminal.screen, b"Unseen1!\n")
    assert terminal.until(b"\n", terminal.from_peer).startswith(b"token 4e544c4d53535000")
    time.sleep(0.2)
    if select.select([terminal.screen], [], [], 0)[0]:
        terminal.shown += os.read(terminal.screen, 4096)
    assert b"Unseen1!" not in terminal.shown


def test_never_asks_without_the_flag(terminal):
    terminal.say("client target=HTTP/server flags=integrity")
    assert terminal.until(b"\n", terminal.from_peer).startswith(b"error 0x8009030e")
    assert not select.select([terminal.screen], [], [], 0.2)[0]
