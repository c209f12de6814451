"""tools/leaves_nothing.py, by which CI knows that the tests leave nothing behind: it finds what stays, tells nothing of what does not, and ends what still runs. Needs root."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("OPENSSPI_SOURCE", pathlib.Path(__file__).parents[2]))
SECONDS = 300


def run(script, *options, **variables):
    return subprocess.run([sys.executable, SOURCE / "tools/leaves_nothing.py", *options, "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False, env={**os.environ, **variables})


def left(done):
    """What was left behind; other tests, which run meanwhile, have other names."""
    return {line.removeprefix("left behind: ") for line in done.stdout.splitlines() if line.startswith("left behind: ")}


def test_finds_what_stays():
    name = f"opensspi-left-{os.getpid()}"
    done = run(f"touch /tmp/{name} /dev/shm/{name}; mkdir -p /var/tmp/{name}/below; sleep 1234 & setsid sh -c '(sleep 1235 &) & sleep 1236 &'; mkdir /tmp/m; mount -t tmpfs none /tmp/m", "--seconds", "0.1")
    found = left(done)
    assert done.returncode == 1, done.stdout
    assert {f"file /tmp/{name}", f"file /dev/shm/{name}", f"file /var/tmp/{name}", f"file /var/tmp/{name}/below", "mount /tmp/m"} <= found
    processes = {match[2]: int(match[1]) for one in found if (match := re.fullmatch(r"process (\d+) (.+)", one))}
    assert {"sleep 1234", "sleep 1235", "sleep 1236"} <= set(processes)
    assert not any(pathlib.Path(f"/proc/{pid}/cmdline").exists() and pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0123")
                   for pid in processes.values())


def test_tells_nothing_of_what_goes():
    """The command's places are its own, and the source tree is where it was."""
    with tempfile.NamedTemporaryFile(dir="/tmp") as seen:
        done = run(f"test ! -e {seen.name} && test -e run && touch /tmp/x && mkdir /dev/shm/y && rm /tmp/x && rmdir /dev/shm/y; code=$?; sleep 0.5 & exit $code")
    assert not [one for one in left(done) if one.startswith(("process", "file /tmp", "file /dev/shm", "file /var/tmp"))], done.stdout
    assert done.returncode == 0 or left(done), done.stdout


def test_everybodys_places():
    """What appears there may be another program's: it is told, and counts under the project's name."""
    for name, counts in (f"left-{os.getpid()}", False), (f"opensspi-left-{os.getpid()}", True):
        path = pathlib.Path("/var/lib", name)
        try:
            done = run(f"touch {path}", "--seconds", "0.1")
        finally:
            path.unlink()
        assert (f"file {path}" in left(done)) == counts, done.stdout
        assert counts or f"left behind, by whomever: file {path}" in done.stdout


def test_places_that_are_not_there():
    cache = pathlib.Path(f"/tmp/opensspi-cache-{os.getpid()}")
    try:
        assert run('rmdir "$(mktemp -d)"', TMPDIR="/tmp/not-there", CCACHE_DIR=str(cache)).returncode == 0
    finally:
        cache.rmdir()


def test_failure_of_the_command():
    assert run("exit 7").returncode == 1
    assert run("kill -9 $$").returncode == 1
    assert subprocess.run([sys.executable, SOURCE / "tools/leaves_nothing.py"], capture_output=True, timeout=SECONDS, check=False).returncode == 2
