"""NTLM beside WinPR and gss-ntlmssp, each with an account in a private place."""
import contextlib
import os
import subprocess
import tempfile

TITLE = "NTLM, client and server, 1 thread"
PEERS = ("WinPR", "gss-ntlmssp")
GOALS = {"handshake": 3.0, **{f"{half} {size}": goal for half in ("seal", "unseal")
                              for size, goal in ((64, 3.0), (16384, 1.5), (65536, 1.5))}}
MEMORY_GOAL = 4096


def put(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o600)
    return path


def account_make(build, environment):
    command = [os.path.join(build, "sspi"), "account", "add", "alice", "--domain", "EXAMPLE"]
    subprocess.run(command, input="Password1!\n", text=True, check=True, stdout=subprocess.DEVNULL, env=environment)


@contextlib.contextmanager
def prepare(build):
    with tempfile.TemporaryDirectory() as directory:
        config = put(directory, "opensspi.conf", "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n"
                     f"[accounts]\nstores = sqlite:{directory}/store/accounts.db\n")
        environment = dict(os.environ, OPENSSPI_CONFIG=config, WLOG_LEVEL="OFF",
                           NTLM_USER_FILE=put(directory, "users", "EXAMPLE:alice:Password1!\n"),
                           NETBIOS_COMPUTER_NAME="SERVER", NETBIOS_DOMAIN_NAME="EXAMPLE")
        account_make(build, environment)
        yield [("OpenSSPI", "ntlm_opensspi", (), environment),
               ("WinPR", "ntlm_winpr", (), environment),
               ("gss-ntlmssp", "ntlm_gss", (), environment)]
