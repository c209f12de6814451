"""The manual pages: well-formed, whole, and about what there is. And the examples that stand in documents."""
import os
import pathlib
import re
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ["OPENSSPI_SOURCE"])
BUILD = pathlib.Path(os.environ["OPENSSPI_BUILD"])
MANUAL = BUILD / "man"
SSPI = os.environ["OPENSSPI_SSPI"]


def made():
    """The pages as a sanitized build, which makes none, would make them."""
    if MANUAL.exists():
        return MANUAL
    output = BUILD / "Testing" / "man"
    subprocess.run(["/usr/bin/python3", SOURCE / "tools" / "make_manual.py", SOURCE, SSPI, output], check=True)
    return output


PAGES = made()
WHOLE = [page for page in sorted(PAGES.iterdir()) if re.search(r"\.[13578]$", page.name) and not page.read_text().startswith(".so ")]


@pytest.mark.parametrize("page", WHOLE, ids=lambda page: page.name)
def test_lint(page):
    # References to pages beside it are checked by test_references.
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    assert done.stdout + done.stderr == "" and done.returncode == 0
    shown = subprocess.run(["man", "-l", "-P", "cat", page] if os.path.exists("/usr/bin/man") else ["mandoc", "-T", "utf8", page],
                           capture_output=True, text=True)
    assert shown.returncode == 0 and len(shown.stdout) > 400


def test_there_are_all():
    assert {"sspi.1", "opensspi.conf.5", "opensspi.7", "opensspi-accounts.7", "opensspi-lsad.8", "sspi.3"} < {page.name for page in WHOLE}


def test_references():
    for page in WHOLE:
        for name, section in re.findall(r"^\.(?:It )?Xr (\S+) (\d)", page.read_text(), re.M):
            assert (PAGES / f"{name}.{section}").exists(), f"{page.name}: {name}({section})"
    for page in PAGES.glob("*.3"):
        text = page.read_text()
        if text.startswith(".so "):
            target = PAGES / text.split("/")[1].strip()
            assert f".Ss {page.stem}\n" in target.read_text()


def test_every_exported_function_has_a_page():
    script = re.sub(r"/\*.*?\*/|#[^\n]*", " ", (SOURCE / "src" / "api" / "exports.map").read_text(), flags=re.S)
    names = re.findall(r"\b([A-Za-z_]\w+)\s*;", script.split("global:")[1].split("local:")[0])
    assert len(names) > 100
    missing = [name for name in names if not (PAGES / f"{name}.3").exists()]
    assert missing == []


def test_every_key_of_the_configuration_is_there():
    text = (PAGES / "opensspi.conf.5").read_text()
    keys = re.findall(r'\{"\w+", "(\w+)"', (SOURCE / "src" / "core" / "config_parse.c").read_text())
    assert len(keys) > 30
    for key in keys:
        assert re.search(rf"^\.It Cm .*\b{key}\b", text, re.M), key


def test_every_command_is_there():
    text = (PAGES / "sspi.1").read_text()
    listed = subprocess.run([SSPI, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  sspi (\w+)", listed, re.M)
    assert len(commands) >= 13
    for command in commands:
        assert re.search(rf"^\.It Nm {command}\b", text, re.M), command


def test_first_program_of_the_readme(tmp_path):
    """It compiles as it stands, and says what the README says."""
    text = (SOURCE / "README.md").read_text()
    program = re.search(r"```c\n(.*?)```", text, re.S).group(1)
    (tmp_path / "first.c").write_text(program)
    flags = [option for option in ("-fsanitize=address,undefined",) if "asan" in BUILD.name]
    subprocess.run(["cc", "-Wall", "-Werror", *flags, "-I", SOURCE / "include" / "opensspi", tmp_path / "first.c", "-o", tmp_path / "first", "-L", BUILD,
                    "-lopensspi", f"-Wl,-rpath,{BUILD}"], check=True)
    (tmp_path / "conf").write_text("")
    done = subprocess.run([tmp_path / "first"], capture_output=True, text=True, env={**os.environ, "OPENSSPI_CONFIG": str(tmp_path / "conf")})
    assert done.returncode == 0 and "send these 40 bytes" in done.stdout, done
