"""PROMPT_FOR_CREDS at a terminal: asked there under the flag, without echo, and nowhere else; what is typed is who signs on."""
import os
import pty
import select
import signal
import termios
import time

import pytest
from peers import ANSWER_SECONDS, BUILD, Ours, World, data_of

PASSWORD = "Password1!"


class Terminal:
    """The peer program under a terminal of its own, spoken to through pipes."""

    def __init__(self, world):
        to_read, self.to_peer = os.pipe()
        self.from_peer, to_write = os.pipe()
        program = str(BUILD / "tests/interop/peer_opensspi")
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            try:
                os.dup2(to_read, 0)
                os.dup2(to_write, 1)
                os.execve(program, [program], world.environment())
            finally:
                os._exit(127)
        os.close(to_read)
        os.close(to_write)
        self.shown = b""

    def say(self, line):
        os.write(self.to_peer, line.encode() + b"\n")

    def type(self, line):
        os.write(self.screen, line.encode() + b"\n")

    def until(self, wanted, descriptor):
        got, end = b"", time.monotonic() + ANSWER_SECONDS
        while wanted not in got:
            ready = select.select([descriptor], [], [], max(0, end - time.monotonic()))[0]
            more = os.read(descriptor, 4096) if ready else b""
            assert more, (wanted, got)
            got += more
        return got

    def prompts(self, wanted):
        self.shown += self.until(wanted, self.screen)

    def answer(self):
        return self.until(b"\n", self.from_peer).decode()

    def end(self):
        """All that the terminal showed, once the program has ended well."""
        os.close(self.to_peer)
        try:
            while more := os.read(self.screen, 4096):
                self.shown += more
        except OSError:  # nobody has the terminal any more
            pass
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = None
        assert code == 0, (code, self.shown)
        return self.shown

    def close(self):
        if self.pid is not None:  # a test that failed in the middle
            os.close(self.to_peer)
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.from_peer)
        os.close(self.screen)


@pytest.fixture(name="world")
def world_of_the_test():
    with World.opened() as world:
        world.put("users", "")  # nobody has default credentials
        yield world


@pytest.fixture(name="terminal")
def terminal_of_the_test(world):
    terminal = Terminal(world)
    yield terminal
    terminal.close()


@pytest.mark.parametrize("typed, good", ((PASSWORD, True), ("Unseen1!", False)))
def test_asks_for_name_and_password(world, terminal, typed, good):
    server = Ours(world)
    assert server.start("server", flags="integrity") is not None
    terminal.say("client target=HTTP/server flags=integrity,prompt")
    terminal.prompts(b"User name for HTTP/server: ")
    terminal.type("EXAMPLE\\alice")
    terminal.prompts(b"Password of EXAMPLE\\alice for HTTP/server: ")
    terminal.type(typed)
    word, token = terminal.answer().split()
    assert word == "token"
    challenge = server.token(data_of(token))
    terminal.say(f"token {challenge[1].hex()}")
    word, token = terminal.answer().split()
    assert word == "done"
    signed_on = server.token(data_of(token))
    if good:
        assert signed_on is not None and server.say("names") == "EXAMPLE\\alice", server.problem
    else:
        assert signed_on is None and server.problem.startswith("0x8009030c"), server.problem
    shown = terminal.end()
    assert typed.encode() not in shown and shown.count(b"HTTP/server: ") == 2, shown


def test_never_asks_without_the_flag(terminal):
    terminal.say("client target=HTTP/server flags=integrity")
    assert terminal.answer().startswith("error 0x8009030e")
    assert terminal.end() == b""


@pytest.mark.parametrize("words", (("samples/httpauth/httpauth_client", "-u", "EXAMPLE\\alice", "http://127.0.0.1:1/"),
                                   ("samples/sockauth/sockauth_client", "-u", "EXAMPLE\\alice", "127.0.0.1", "1")), ids=("httpget", "sockauth"))
@pytest.mark.parametrize("typed, ended", ((PASSWORD + "\n", 1), (PASSWORD + "\x03", -signal.SIGINT), (PASSWORD + "\x1a\n", 1)), ids=("answered", "interrupted", "stopped"))
def test_samples_ask_unseen(world, words, typed, ended):
    """Whatever ends the question of a sample leaves the terminal with its echo, without what was typed on it."""
    program = str(BUILD / words[0])
    pid, screen = pty.fork()
    if pid == 0:
        try:
            os.execve(program, [program, *words[1:]], world.environment())
        finally:
            os._exit(127)
    shown, end = b"", time.monotonic() + ANSWER_SECONDS
    while b"Password: " not in shown or select.select([screen], [], [], max(0, end - time.monotonic()))[0]:
        try:
            more = os.read(screen, 4096)
        except OSError:  # it has ended
            break
        if b"Password: " not in shown and b"Password: " in shown + more:
            assert not termios.tcgetattr(screen)[3] & termios.ECHO
            os.write(screen, typed.encode())
        shown += more
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    echoes = termios.tcgetattr(screen)[3] & termios.ECHO
    os.close(screen)
    assert code == ended and echoes and PASSWORD.encode() not in shown, (code, echoes, shown)
