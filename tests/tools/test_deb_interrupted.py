"""tools/deb.sh --check that is interrupted while its daemon runs: the daemon ends with it. What the packages' tools do stands in for them, so that it comes so far at once."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

SOURCE = pathlib.Path(os.environ.get("OPENSSPI_SOURCE", pathlib.Path(__file__).parents[2]))
SECONDS = 120

TOOLS = {
    "dpkg-buildpackage": """
        for name in libopensspi0 libopensspi-win32-0 libopensspi-dev opensspi-tools opensspi-lsad tcl-opensspi; do : >../${name}_1.deb; done
        : >../opensspi_1.changes""",
    "lintian": "mktemp >/dev/null",
    "dpkg-architecture": "echo here",
    "dpkg": """
        place=${1#--root=}
        for file in usr/share/bash-completion/completions/sspi usr/share/man/man8/opensspi-lsad.8.gz lib/systemd/system/opensspi-lsad.socket; do
            mkdir -p "$(dirname "$place/$file")"
            : >"$place/$file"
        done
        for page in man1/sspi.1 man3/sspi.3 man3/EncryptMessage.3 man5/opensspi.conf.5 man7/opensspi.7 man7/opensspi-accounts.7 man7/opensspi-win32.7 \\
            man3/win32_modules.3 man3/GetProcAddress.3; do
            mkdir -p "$place/usr/share/man/$(dirname $page)"
            : >"$place/usr/share/man/$page.gz"
        done
        echo 'opensspi:x:1:1::/:' >"$place/etc/passwd"
        echo 'ExecStart=/usr/sbin/opensspi-lsad --user opensspi' >"$place/lib/systemd/system/opensspi-lsad.service"
        mkdir -p "$place/usr/bin" "$place/usr/sbin"
        cp "$FAKES/sspi" "$place/usr/bin/sspi"
        cp "$FAKES/opensspi-lsad" "$place/usr/sbin/opensspi-lsad" """,
    "cc": """
        while [ "$1" != -o ]; do shift; done
        printf '#!/bin/sh\\n' >"$2"
        chmod +x "$2" """,
    "pkg-config": "echo",
    "tclsh": "cat >/dev/null",
    # The command says that it has come so far, and waits as one does that waits for the daemon.
    "sspi": """
        if [ "$1" = logon ]; then
            : >"$FAKES/came"
            exec sleep 300
        fi""",
    "opensspi-lsad": """
        echo $$ >"$FAKES/daemon"
        exec python3 -c 'import os, socket, sys, time
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        time.sleep(300)' "$(sed -n 's/^socket = //p' "$OPENSSPI_CONFIG")" """.replace("\n        listener", "\nlistener").replace("\n        time", "\ntime"),
}


def wait_for(what):
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def runs(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_interrupted(tmp_path):
    tree, fakes, temporary = tmp_path / "tree", tmp_path / "fakes", tmp_path / "temporary"
    for folder in (tree / "tools", tree / "tests/install", fakes, temporary):
        folder.mkdir(parents=True)
    shutil.copy(SOURCE / "tools/deb.sh", tree / "tools/deb.sh")
    (tree / "README.md").write_text("```c\nint main(void);\n```\n")
    for name in ("hello.c", "hello_win32.c"):
        (tree / "tests/install" / name).write_text("")
    for name, does in TOOLS.items():
        (fakes / name).write_text("#!/bin/sh\nset -e\n" + does + "\n")
        (fakes / name).chmod(0o755)
    with open(tmp_path / "said", "wb") as said:
        script = subprocess.Popen(["sh", tree / "tools/deb.sh", "--check"], stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
                                  env={"PATH": f"{fakes}:{os.environ['PATH']}", "FAKES": str(fakes), "TMPDIR": str(temporary), "LC_ALL": "C.UTF-8"})
    try:
        wait_for(lambda: (fakes / "came").exists() or script.poll() is not None)
        assert script.poll() is None, (tmp_path / "said").read_text()
        daemon = int((fakes / "daemon").read_text())
        assert runs(daemon)
        os.killpg(script.pid, signal.SIGINT)  # as Ctrl+C at the terminal does; what a script has in the background does not hear that one
        assert script.wait(SECONDS) != 0
        wait_for(lambda: not runs(daemon))
        assert not list(temporary.iterdir())
    finally:
        try:
            os.killpg(script.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        script.wait(SECONDS)
