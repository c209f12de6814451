"""A private Wine: its prefix made in a directory, everything of it gone afterwards."""
import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

BOOT_SECONDS = 900  # a bound on waiting, never waited for
BUILD_SECONDS = 900
END_SECONDS = 60


def processes_of(prefix):
    """Whatever runs with this WINEPREFIX."""
    found, marker = [], b"WINEPREFIX=" + os.fsencode(prefix)
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def leave_no_socket(prefix):
    """The Wine server's directory of sockets, which is named by the prefix's device and inode, is outside the prefix."""
    if not prefix.exists():
        return
    status = prefix.stat()
    folder = Path(f"/tmp/.wine-{os.getuid()}")
    shutil.rmtree(folder / f"server-{status.st_dev:x}-{status.st_ino:x}", ignore_errors=True)
    try:
        folder.rmdir()  # only when no other Wine is at work
    except OSError:
        pass


@contextlib.contextmanager
def started(place, path="/usr/bin:/bin", **more):
    """Wine with its prefix in `place`: (the program that runs Windows programs, its environment)."""
    wine = shutil.which("wine64") or shutil.which("wine") or "/usr/lib/wine/wine64"
    wineserver = shutil.which("wineserver") or "/usr/lib/wine/wineserver"
    assert os.path.exists(wine) and os.path.exists(wineserver), "Wine is not installed"
    for folder in "home", "run":
        (place / folder).mkdir(mode=0o700, exist_ok=True)
    prefix = place / "prefix"
    environment = {"PATH": path, "HOME": f"{place}/home", "LC_ALL": "C.UTF-8", "TMPDIR": str(place),
                   "XDG_RUNTIME_DIR": f"{place}/run", "WINEPREFIX": str(prefix), "WINEDEBUG": "-all",
                   "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=", **more}
    try:
        made = subprocess.run([wine, "wineboot", "-i"], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=BOOT_SECONDS, start_new_session=True)
        assert made.returncode == 0 and (prefix / "system.reg").exists(), made.stderr.decode()
        yield wine, environment
    finally:
        subprocess.run([wineserver, "-k"], env=environment, capture_output=True, timeout=END_SECONDS)
        end = time.monotonic() + 20
        while (left := processes_of(prefix)) and time.monotonic() < end:
            time.sleep(0.1)
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        leave_no_socket(prefix)


def build(sample, folder):
    """The sample's programs for Windows."""
    folder.mkdir(mode=0o700, exist_ok=True)
    built = subprocess.run([str(sample / "build-mingw.sh"), str(folder)], capture_output=True, timeout=BUILD_SECONDS,
                           env={"PATH": "/usr/bin:/bin", "TMPDIR": str(folder),
                                "CFLAGS": "-O2 -Wconversion -Wshadow -Werror"})
    assert built.returncode == 0, built.stderr.decode()
