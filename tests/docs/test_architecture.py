"""docs/architecture.md names only files and functions that are there, each function in the file it says, and every room of src/ and every file in it."""
import fnmatch
import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ["OPENSSPI_SOURCE"])
PAGE = re.sub(r"```.*?```", "", (SOURCE / "docs/architecture.md").read_text(), flags=re.S)
PLACES = ("", "src", "include/opensspi", "docs", "tests")
FOLDERS = ("src", "include", "cli", "tcl", "win32", "lsad", "tests", "tools", "cmake")
ROOMS = re.findall(r"^\| `(src/\w+)/` \|(.*)\|$", PAGE, flags=re.M)


def path_of(name):
    return next((SOURCE / place / name for place in PLACES if (SOURCE / place / name).exists()), None)


def names(text):
    return re.findall(r"`([^`\n]+)`", text)


def test_paths_are_there():
    assert [name for name in names(PAGE) if "/" in name and not re.search("[ *]", name) and path_of(name) is None] == []


def test_functions_are_in_their_files():
    pairs = re.findall(r"`(\w+)` (?:\(|in )`([\w/]+\.[ch])`", PAGE)
    assert len(pairs) > 25
    missing = []
    for function, file in pairs:
        path = path_of(file)
        if path is None or not re.search(rf"^[a-zA-Z].*\b{function}\(|^#define {function}\b", path.read_text(), flags=re.M):
            missing.append(f"{function} in {file}")
    assert missing == []


def test_words_are_of_the_code():
    files = [file for folder in FOLDERS for file in (SOURCE / folder).rglob("*.*")]
    words = {file.stem for file in files} | {file.stem.removeprefix("test_") for file in files}
    for file in files:
        if file.suffix in (".c", ".h"):
            words.update(re.findall(r"\w+", file.read_text()))
    known = lambda name: name in words or name.endswith("_") and any(word.startswith(name) for word in words)
    assert [name for name in set(names(PAGE)) if re.fullmatch(r"\w+", name) and not known(name) and not (SOURCE / name).exists()] == []


def test_every_folder_at_the_top_is_named():
    folders = {folder.name for folder in SOURCE.iterdir() if folder.is_dir() and not folder.name.startswith((".", "_"))} - {"build", "docs"}
    named = {name.split("/")[0] for row in re.findall(r"^\| (`[^|]*) \|", PAGE, flags=re.M) for name in names(row)}
    assert sorted(folders - named) == []


def test_every_room_and_file_of_src_is_named():
    folders = {f"src/{folder.name}" for folder in (SOURCE / "src").iterdir() if folder.is_dir()}
    assert folders == {room for room, _ in ROOMS}
    missing = []
    for room, text in ROOMS:
        patterns = [name.removesuffix(".h") for name in names(text)]
        stems = {file.stem for file in (SOURCE / room).glob("*") if file.suffix in (".c", ".h")}
        missing += [f"{room}/{stem}" for stem in sorted(stems) if not any(fnmatch.fnmatch(stem, pattern) for pattern in patterns)]
    assert missing == []
