"""What ./run valgrind stands on (tools/memcheck.py and tools/memcheck_programs.py): a program that misuses memory fails the test that started it."""
import os
import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ["OPENSSPI_SOURCE"])
SECONDS = 300
GOOD, LEAK, LEAK_IN_CHILD, UNSET = "good", "leak", "leak in a child", "unset"
PROGRAM = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "leak") == 0)
        *(char *volatile *)&argv[0] = malloc(100), argv[0] = NULL;
    if (strcmp(what, "unset") == 0)
        return *(volatile char *)malloc(1) == 7 ? 1 : 0;
    if (strcmp(what, "leak in a child") == 0) {
        if (fork() == 0) {
            argv[0] = malloc(100);
            argv[0] = NULL;
            _exit(0);
        }
        wait(NULL);
    }
    return 0;
}
"""


@pytest.fixture(name="build", scope="module")
def build_of_one_program(tmp_path_factory):
    build = tmp_path_factory.mktemp("build")
    (build / "sspi.c").write_text(PROGRAM, encoding="utf-8")
    (build / "samples/one").mkdir(parents=True)
    subprocess.run(["cc", "-g", "-O0", "-o", build / "sspi", build / "sspi.c"], check=True, timeout=SECONDS)
    (build / "samples/one/program").write_bytes((build / "sspi").read_bytes())
    (build / "samples/one/program").chmod(0o755)
    return build


def run(build, *words):
    return subprocess.run([sys.executable, SOURCE / "tools" / words[0], *words[1:]], capture_output=True, text=True, timeout=SECONDS, check=False,
                          env={**os.environ, "OPENSSPI_BUILD": str(build), "OPENSSPI_SOURCE": str(SOURCE)})


@pytest.mark.parametrize("what, code", ((GOOD, 0), (LEAK, 99), (LEAK_IN_CHILD, 0), (UNSET, 99)))
def test_the_test_itself(build, what, code):
    done = run(build, "memcheck.py", str(build / "sspi"), what)
    assert done.returncode == code, done.stderr


@pytest.mark.parametrize("place", ("sspi", "samples/one/program"))
@pytest.mark.parametrize("what, code", ((GOOD, 0), (LEAK, 99), (LEAK_IN_CHILD, 0), (UNSET, 99)))
def test_what_it_starts(build, place, what, code):
    done = run(build, "memcheck_programs.py", "a.test", "sh", "-c", f'"$OPENSSPI_BUILD/{place}" "{what}"')
    assert done.returncode == code, done.stderr
    assert "1 starts of programs under valgrind" in done.stdout
    assert ("malloc" in done.stderr or "uninitialised" in done.stderr) == (code != 0)


def test_its_status_stays(build):
    assert run(build, "memcheck_programs.py", "a.test", "sh", "-c", '"$OPENSSPI_SSPI" leak; exit 3').returncode == 3
