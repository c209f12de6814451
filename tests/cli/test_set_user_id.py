"""
A set-user-ID program is configured by its owner, not by who starts it: the command as one, with an environment that would lead it elsewhere. The same file without
the bit believes that environment, or this would show nothing.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from place import BUILD

# The program itself: where valgrind watches, OPENSSPI_SSPI is a script, which no such bit concerns.
SSPI = pathlib.Path(os.environ.get("OPENSSPI_UNWATCHED", BUILD)) / "sspi"
NOBODY = "65534"


@pytest.fixture
def folder():
    """Where others may start programs, wherever the build is; what the user wrote is in "his"."""
    with tempfile.TemporaryDirectory(prefix="opensspi-set-user-id-", dir="/tmp") as directory:
        folder = pathlib.Path(directory)
        folder.chmod(0o755)
        his = folder / "his"
        (his / "opensspi").mkdir(parents=True)
        (his / "damaged.conf").write_text("[names]\ncolour = red\n")
        shutil.copy(his / "damaged.conf", his / "opensspi" / "opensspi.conf")
        (his / "sane.conf").write_text("[names]\ncomputer = HIS\n")
        (his / "users").write_text("HIS:mallory:pw\n")
        (his / "users").chmod(0o600)
        for path in [his, *his.rglob("*")]:
            os.chown(path, int(NOBODY), int(NOBODY))
        for name, mode in (("plain", 0o755), ("owned", 0o4755)):
            shutil.copyfile(SSPI, folder / name)
            (folder / name).chmod(mode)
        yield folder


def creds(folder, name, **environment):
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "KRB5_CONFIG": "/dev/null", **environment}
    environment.update({k: v for k, v in os.environ.items() if k.endswith("_OPTIONS")})
    done = subprocess.run(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", folder / name, "creds"], env=environment,
                          capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


@pytest.mark.parametrize("variables", [{"OPENSSPI_CONFIG": "damaged.conf"}, {"XDG_CONFIG_HOME": "."}])
def test_configuration(folder, variables):
    environment = {name: str(folder / "his" / path) for name, path in variables.items()}
    assert "colour" in creds(folder, "plain", **environment)
    assert "colour" not in creds(folder, "owned", **environment) and "NTLM" in creds(folder, "owned", **environment)


def test_users_and_trace(folder):
    his = folder / "his"
    environment = {"OPENSSPI_CONFIG": str(his / "sane.conf"), "OPENSSPI_NTLM_USER_FILE": str(his / "users")}
    assert "mallory" in creds(folder, "plain", SSPI_TRACE=str(his / "trace.plain"), **environment)
    owned = creds(folder, "owned", SSPI_TRACE=str(his / "trace.owned"), **environment)
    assert "mallory" not in owned and "NTLM" in owned
    assert (his / "trace.plain").exists() and not (his / "trace.owned").exists()
