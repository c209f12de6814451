"""What tests of the command share: a private place, and a terminal."""
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

SSPI = os.environ["OPENSSPI_SSPI"]
SOURCE = os.environ["OPENSSPI_SOURCE"]
BUILD = os.environ["OPENSSPI_BUILD"]
UNWATCHED = os.environ.get("OPENSSPI_UNWATCHED", BUILD) + "/sspi"  # the program itself: valgrind stops nobody


class Place:
    """A private directory with a configuration, a store and an account EXAMPLE\\alice."""

    def __init__(self, directory):
        self.directory = directory
        os.chmod(directory, 0o700)
        (directory / "conf").write_text(f"[names]\ncomputer = HOST\n[accounts]\nstores = sqlite:{directory}/accounts.db\n")
        (directory / "krb5.conf").write_text("[libdefaults]\n")
        self.environment = {
            "PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(directory), "OPENSSPI_CONFIG": str(directory / "conf"),
            "KRB5_CONFIG": str(directory / "krb5.conf"), "KRB5CCNAME": f"FILE:{directory}/none",
            "KRB5_KTNAME": f"FILE:{directory}/none.keytab"}
        self.environment.update({k: v for k, v in os.environ.items() if k.endswith("_OPTIONS") or k == "LD_LIBRARY_PATH"})

    def run(self, *words, stdin=b""):
        return subprocess.run([SSPI, *words], input=stdin, capture_output=True, env=self.environment, timeout=60)

    def good(self, *words, stdin=b""):
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def bad(self, code, *words, stdin=b""):
        done = self.run(*words, stdin=stdin)
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert done.stderr
        return done.stderr.decode()

    def certificate(self, name="cert", key="key", subject="localhost", kind=("rsa:2048",)):
        """A fresh one for localhost that is its own authority, and its key: their files."""
        files = str(self.directory / f"{name}.pem"), str(self.directory / f"{key}.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", files[1], "-out", files[0], "-subj",
                        f"/CN={subject}", "-addext", "subjectAltName=DNS:localhost", "-days", "3"], check=True, capture_output=True)
        return files

    def listen(self, *words):
        server = subprocess.Popen([SSPI, "listen", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=self.environment)
        first = server.stderr.readline().decode()
        found = re.match(r"listening: (\S+) port (\d+)", first)
        assert found, first + server.stderr.read().decode()
        return server, found.group(2)

    def talk(self, words, to_server, to_client, listen):
        """Runs both sides; each side says one thing. Gives (client's result, server's output, server's messages, server's code)."""
        server, port = self.listen(*listen)
        server.stdin.write(to_client)
        server.stdin.close()
        server.stdin = None
        client = subprocess.run([SSPI, "connect", f"localhost:{port}", *words], input=to_server, capture_output=True,
                                env=self.environment, timeout=60)
        out, messages = server.communicate(timeout=60)
        return client, out, messages.decode(), server.returncode


def shell(environment, words):
    """A shell's part, in the child of a fork: the command is its job in the foreground, which stops once, with the echo on, and is let go on. Ends as it ends, or with 99."""
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execve(UNWATCHED, [UNWATCHED, *words], environment)
    status = os.waitpid(job, os.WUNTRACED)[1]
    if not os.WIFSTOPPED(status) or not termios.tcgetattr(0)[3] & termios.ECHO:
        os._exit(99)
    os.kill(job, signal.SIGCONT)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))


def on_terminal(environment, words, answers, stopped=False):
    """Runs the command on a terminal; after each prompt in `answers` types what belongs to it. Gives its code and all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0 and stopped:
        shell(environment, words)
    if pid == 0:
        os.execve(SSPI, [SSPI, *words], environment)
    shown, answered, deadline = b"", 0, time.monotonic() + 300
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if answers and answers[0][0] in shown[answered:]:
            answered = len(shown)
            os.write(terminal, answers.pop(0)[1])
    else:
        os.kill(pid, signal.SIGKILL)  # it waits for what nobody says
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return code, shown.decode()
