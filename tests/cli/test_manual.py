"""The manual pages: well-formed, whole, and about what there is."""
import json
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
    assert {"sspi.1", "opensspi.conf.5", "opensspi.7", "opensspi-win32.7", "opensspi-accounts.7", "opensspi-errors.7", "opensspi-lsad.8", "sspi.3"} < {page.name for page in WHOLE}


def test_references():
    for page in WHOLE:
        for name, section in re.findall(r"^\.(?:It )?Xr (\S+) (\d)", page.read_text(), re.M):
            assert (PAGES / f"{name}.{section}").exists(), f"{page.name}: {name}({section})"
    for page in PAGES.glob("*.3"):
        text = page.read_text()
        if text.startswith(".so "):
            target = PAGES / text.split("/")[1].strip()
            assert re.search(rf"^\.Ss (?:.* )?{page.stem}(?: ,.*)?$", target.read_text(), re.M), page.name


def test_every_exported_function_has_a_page():
    script = re.sub(r"/\*.*?\*/|#[^\n]*", " ", (SOURCE / "src" / "api" / "exports.map").read_text(), flags=re.S)
    names = re.findall(r"\b([A-Za-z_]\w+)\s*;", script.split("global:")[1].split("local:")[0])
    assert len(names) > 100
    missing = [name for name in names if not (PAGES / f"{name}.3").exists()]
    assert missing == []


def test_every_function_of_the_porting_kit_is_described():
    """Under the name that programs write: libopensspi-win32's symbols bear a prefix. Names that the C library has, too, have no page of their own."""
    listed = re.findall(r"^ opensspi_(\w+)@", (SOURCE / "debian" / "libopensspi-win32-0.symbols").read_text(), re.M)
    assert len(listed) > 180
    crt = "".join((SOURCE / "include/opensspi/win32" / name).read_text() for name in ("crt.h", "tchar.h", "process.h", "conio.h"))
    written = {symbol: name for name, symbol in reversed(re.findall(r"^#define (\w+)(?:\(\.\.\.\))? opensspi_(\w+)", crt, re.M))}
    headings = [name for page in PAGES.glob("win32_*.3") for line in re.findall(r"^\.Ss (.*)$", page.read_text(), re.M) for name in line.split(" , ")]
    assert len(headings) == len(set(headings))
    missing = [name for name in listed if written.get(name, name) not in {*headings, "run_wmain"}]
    assert missing == [] and "wmain" in headings
    index = (PAGES / "opensspi-win32.7").read_text()
    for page in PAGES.glob("win32_*.3"):
        assert f"Xr {page.stem} 3" in index, page.stem
    for name in ("LoadLibraryA", "FormatMessageW", "_snwprintf", "strcpy_s", "StringCchCopyW", "WSAStartup", "GetLastError", "CloseHandle"):
        assert (PAGES / f"{name}.3").exists(), name
    for name in ("printf", "wcslen", "send"):
        assert not (PAGES / f"{name}.3").exists(), f"{name}(3) is the C library's"


def test_every_key_of_the_configuration_is_there():
    text = (PAGES / "opensspi.conf.5").read_text()
    keys = re.findall(r'\{"\w+", "(\w+)"', (SOURCE / "src" / "core" / "config_parse.c").read_text())
    assert len(keys) > 30
    for key in keys:
        assert re.search(rf"^\.It Cm .*\b{key}\b", text, re.M), key


def test_no_key_is_there_twice_or_does_not_exist():
    known = set(re.findall(r'\{"(\w+)", "(\w+)"', (SOURCE / "src" / "core" / "config_parse.c").read_text()))
    listed, section = [], None
    for line in (PAGES / "opensspi.conf.5").read_text().split("\n"):
        heading = re.match(r"\.Ss \[(\w+)\]", line)
        section = heading.group(1) if heading else section
        if line.startswith(".It Cm "):
            listed += [(section, key) for key in re.findall(r"\w+", line[len(".It Cm "):].split(" No ")[0])]
    assert sorted(listed) == sorted(known)


def test_every_command_is_there():
    text = (PAGES / "sspi.1").read_text()
    listed = subprocess.run([SSPI, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  sspi (\w+)", listed, re.M)
    assert len(commands) >= 13
    for command in commands:
        assert re.search(rf"^\.It Nm {command}\b", text, re.M), command


def called(*words):
    return subprocess.run([SSPI, *words, "--help"], capture_output=True, text=True, check=True).stdout


def test_every_sub_command_and_option_is_there():
    """Each, under its own heading, as the command's help tells them."""
    text, n_options = (PAGES / "sspi.1").read_text(), 0
    for command in re.findall(r"^  sspi (\w+)", called(), re.M):
        subs = re.findall(r"^  (\w+)", called(command), re.M) if called(command).startswith(f"usage: sspi {command} COMMAND") else [None]
        for sub in subs:
            words = [command] + ([sub] if sub else [])
            entry = re.search(rf"^\.It Nm {' '.join(words)}(?: .*)?\n((?:(?!\.It Nm ).*\n)*)", text, re.M)
            assert entry, words
            options = set(re.findall(r"^  --([\w-]+)", called(*words), re.M)) - {"help"}
            assert options == set(re.findall(r"^\.It Fl -([\w-]+)", entry.group(1), re.M)), words
            n_options += len(options)
    assert n_options > 60


def test_every_public_function_is_listed():
    """sspi(3) names each function that has a page, and no header with functions was forgotten."""
    index = (PAGES / "sspi.3").read_text()
    for page in PAGES.glob("*.3"):
        if page.read_text().startswith(".so "):
            assert re.search(rf"\b{page.stem}\b", index), page.stem


def test_every_status_that_is_explained_is_there():
    text = (PAGES / "opensspi-errors.7").read_text()
    entries = json.loads(subprocess.run([SSPI, "error", "--json"], capture_output=True, text=True, check=True).stdout)
    assert len(entries) > 80
    for entry in entries:
        assert f".It Dv {entry['name']} No ({entry['hex']})" in text, entry["name"]
