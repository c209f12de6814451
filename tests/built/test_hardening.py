"""
What is built, and what is installed, has the protection of the compiler and of the linker: seen in the files, not in the flags alone. Each check is tried on a small
program that lacks what it looks for.
"""

import functools
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["OPENSSPI_BUILD"])
CACHE = dict(re.findall(r"^(\w+):\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), flags=re.M))
CC = CACHE["CMAKE_C_COMPILER"]
X86_64 = os.uname().machine == "x86_64"
ENDBR64 = b"\xf3\x0f\x1e\xfa"
# Where the installed library lies, seen from those of its users that programs load by name.
SEARCHED = {"libtwapi_crypto.so": "$ORIGIN/../..", "libopensspi-win32.so": "$ORIGIN"}
FLAGS = ("-fstack-protector-strong", "-fstack-clash-protection", "-D_FORTIFY_SOURCE=2") + (("-fcf-protection",) if X86_64 else ())


def tool(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def properties(text):
    """What an object says that it keeps to, of control-flow enforcement."""
    return set(re.findall(r"\b(IBT|SHSTK)\b", text))


@functools.cache
def start_files_track_branches():
    """Whether the C library was built for indirect branch tracking; where it was not, nothing that is linked with it can be."""
    return all("IBT" in properties(tool("readelf", "-nW", tool(CC, f"-print-file-name={name}").strip())) for name in ("Scrt1.o", "crti.o", "crtn.o"))


def entries_without_endbr(path, segments, symbols):
    """Functions that others find by name, and so reach by an indirect branch, which do not begin with the instruction that allows it."""
    data = path.read_bytes()
    found = []
    for address, name in symbols:
        offset = next(at + address - start for at, start, size in segments if start <= address < start + size)
        if data[offset:offset + 4] != ENDBR64:
            found.append(name)
    return found


def complaints(path, program):
    """What is wrong with a program or a shared library, in words."""
    text = tool("readelf", "-hldnW", "--dyn-syms", path)
    loads = re.findall(r"^ +LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x\w+ (...) ", text, flags=re.M)
    imported = set(re.findall(r" UND (\w+)", text))
    stack = re.search(r"^ +GNU_STACK .* 0x\w+ (...) 0x\w+$", text, flags=re.M)
    flags = " ".join(re.findall(r"\(FLAGS(?:_1)?\) +(.*)", text))
    search = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", text)
    exported = [(int(address, 16), name) for address, name in re.findall(r": (\w+) +\d+ FUNC +GLOBAL DEFAULT +\d+ (\w+)", text)
                if name not in ("_start", "_init", "_fini")]
    places = [(int(at, 16), int(start, 16), int(size, 16)) for at, start, size, _ in loads]
    wrong = {
        "its place is fixed": not re.search(r"Type: +DYN", text) or program and not re.search(r"\bPIE\b", flags),
        "its tables can be written": "GNU_RELRO" not in text or not re.search(r"\b(BIND_)?NOW\b", flags),
        "its stack can be executed": stack is None or "E" in stack.group(1),
        "a segment can be written and executed": any("W" in access and "E" in access for *_, access in loads),
        "its text is relocated": "TEXTREL" in text,
        "no stack protector": "__stack_chk_fail" not in imported,
        "no checked functions": not any(re.fullmatch(r"__\w+_chk", name) for name in imported),
        "an empty part in the search path": any("" in part.split(":") for part in search),
        "no shadow stack": X86_64 and "SHSTK" not in properties(text),
        "no branch tracking": X86_64 and (bool(entries_without_endbr(path, places, exported)) or
                                          start_files_track_branches() and "IBT" not in properties(text)),
    }
    return [what for what, is_so in wrong.items() if is_so], search


def linked_files():
    """The libraries, programs, modules and samples; tests and measurements are nobody's."""
    folders = [BUILD / "samples", BUILD / "tcl" / "opensspi"]
    files = list(BUILD.glob("lib*.so*")) + [BUILD / "sspi", BUILD / "opensspi-lsad"]
    files += [path for folder in folders for path in folder.rglob("*") if "CMakeFiles" not in path.parts]
    return sorted(path for path in files if path.is_file() and not path.is_symlink() and is_elf(path))


def names(files):
    return {re.sub(r"\.so\..*", ".so", path.name) for path in files}


ALL = {"libopensspi.so", "libopensspi-win32.so", "sspi", "opensspi-lsad", "libtwapi_crypto.so"}


def is_program(path):
    return ".so" not in path.name


def test_what_was_built():
    files = linked_files()
    assert names(files) >= ALL | {"sharedkey.so", "sharedkey_lsa.so", "sockauth_server", "delegation_server", "httpauth_server"}
    assert {path.name: wrong for path in files if (wrong := complaints(path, is_program(path))[0])} == {}


def test_what_is_installed(tmp_path):
    tool("cmake", "--install", str(BUILD), "--prefix", str(tmp_path))
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink() and is_elf(path)]
    assert names(files) == ALL
    for path in files:
        wrong, search = complaints(path, is_program(path))
        name = names([path]).pop()
        assert (name, wrong, search) == (name, [], [SEARCHED[name]] if name in SEARCHED else [])


def test_every_file_is_compiled_so():
    """The flags, of each C file: a built file tells only of some."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    ours = [(entry["file"], shlex.split(entry["command"])) for entry in commands if "/tests/" not in entry["file"] and "/bench/" not in entry["file"]]
    assert len(ours) > 300
    assert [file for file, words in ours if not set(FLAGS) <= set(words) or not {"-fPIC", "-fPIE"} & set(words)] == []
    assert [file for file, words in ours for word in words if re.fullmatch(r"-fno-(stack-protector.*|stack-clash.*|pic|pie)|-fcf-protection=none|-U_FORTIFY_SOURCE=.*", word)] == []


def objects_without(text, wanted):
    """Of readelf's notes on archives: the objects that do not say all of it."""
    parts = re.split(r"^File: (.*)$", text, flags=re.M)[1:]
    assert parts
    return [name for name, notes in zip(parts[::2], parts[1::2]) if not wanted <= properties(notes)]


def executable_stacks(text):
    """Of readelf's sections of archives: the objects that ask for an executable stack, or say nothing of it, which is the same."""
    parts = re.split(r"^File: (.*)$", text, flags=re.M)[1:]
    marks = [(name, re.search(r"\.note\.GNU-stack +PROGBITS +\w+ \w+ \w+ \w+ +(\w*) +\d+ +\d+ +\d+$", sections, flags=re.M))
             for name, sections in zip(parts[::2], parts[1::2])]
    assert marks
    return [name for name, mark in marks if mark is None or "X" in mark.group(1)]


def link_anywhere(tmp_path, archive):
    """Whether all of an archive can stand in a library whose text is not relocated."""
    return subprocess.run([CC, "-shared", "-nostdlib", "-Wl,-z,text", "-o", str(tmp_path / "whole.so"), "-Wl,--whole-archive", str(archive)],
                          capture_output=True).returncode == 0


def test_archives(tmp_path):
    archives = sorted(BUILD.glob("lib*.a"))
    assert {"libopensspi.a", "libopensspi-win32.a"} <= {path.name for path in archives}
    if X86_64:
        assert objects_without(tool("readelf", "-nW", *archives), {"IBT", "SHSTK"}) == []
    assert executable_stacks(tool("readelf", "-SW", *archives)) == []
    for name in ("libopensspi.a", "libopensspi-win32.a"):
        assert link_anywhere(tmp_path, BUILD / name), name
        assert "__stack_chk_fail" in tool("nm", "-u", BUILD / name)
        assert re.search(r"U __\w+_chk\b", tool("nm", "-u", BUILD / name))


PROGRAM = """
#include <stdio.h>
#include <string.h>
EXTRA
__attribute__((visibility("default"))) int said(const char *text)
{
    char copy[16];
    strcpy(copy, text);
    return puts(copy);
}
int main(int n, char **words) { return said(words[n - 1]); }
"""
GOOD = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-fPIE", "-pie", "-rdynamic", "-Wl,-z,relro,-z,now,-z,noexecstack"]
GOOD += ["-fcf-protection", "-Wl,-z,shstk"] if X86_64 else []
# What is left out or put in, and what the check says to it.
BAD = {
    "fixed": (["-no-pie", "-fno-pie"], "", "its place is fixed"),
    "relro": (["-Wl,-z,norelro"], "", "its tables can be written"),
    "lazy": (["-Wl,-z,lazy"], "", "its tables can be written"),
    "stack": (["-Wl,-z,execstack"], "", "its stack can be executed"),
    "segment": ([], r'__asm__(".section .both,\"awx\",@progbits\n.byte 0\n.text");', "a segment can be written and executed"),
    "text": (["-Wl,-z,notext"], r'extern int word; __asm__(".data\n.globl word\nword: .long 0\n.text\n.quad word");', "its text is relocated"),
    "protector": (["-fno-stack-protector"], "", "no stack protector"),
    "fortify": (["-U_FORTIFY_SOURCE"], "", "no checked functions"),
    "search": (["-Wl,-rpath,/nowhere:"], "", "an empty part in the search path"),
}
if X86_64:
    BAD["shadow"] = (["-Wl,-z,noexecstack"], "", "no shadow stack")
    BAD["branches"] = (["-fcf-protection=none"], "", "no branch tracking")


def compiled(tmp_path, words, extra=""):
    source = tmp_path / "program.c"
    source.write_text(PROGRAM.replace("EXTRA", extra))
    tool(CC, "-w", "-o", str(tmp_path / "program"), str(source), *words)
    return tmp_path / "program"


def test_a_good_program(tmp_path):
    assert complaints(compiled(tmp_path, GOOD), True) == ([], [])


@pytest.mark.parametrize("name", BAD)
def test_a_bad_program(tmp_path, name):
    words, extra, complaint = BAD[name]
    flags = [word for word in GOOD if name != "shadow" or "shstk" not in word] + words
    if name == "shadow" and start_files_track_branches():
        flags.append("-fcf-protection=branch")  # else the linker sees it by itself
    assert complaint in complaints(compiled(tmp_path, flags, extra), True)[0]


def test_a_bad_archive(tmp_path):
    archive = tmp_path / "libbad.a"
    source = tmp_path / "bad.c"
    source.write_text('extern char other[]; int at(int i) { return other[i]; }\n__asm__(".section .note.GNU-stack,\\"x\\",@progbits\\n.text");\n')
    tool(CC, "-w", "-O2", "-c", "-fno-pic", "-fno-pie", *(["-fcf-protection=none"] if X86_64 else []), "-o", str(tmp_path / "bad.o"), str(source))
    tool("ar", "rcs", str(archive), str(tmp_path / "bad.o"))
    assert len(executable_stacks(tool("readelf", "-SW", archive, archive))) == 2
    assert not link_anywhere(tmp_path, archive) or not X86_64
    if X86_64:
        assert len(objects_without(tool("readelf", "-nW", archive, archive), {"IBT", "SHSTK"})) == 2
