"""The command `sspi account` and `sspi group`: every sub-command, rightly and wrongly used.

OPENSSPI_SSPI names the built command."""
import json
import os
import re
import stat
import subprocess

import pytest

from place import BUILD, SSPI, on_terminal

NT_OF_PW = "8CC19B6A8CFEAC299C2871C86B38DE28"  # MD4 of "pw" in UTF-16LE


class Store:
    def __init__(self, directory):
        self.file = directory / "private" / "accounts.db"
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nonexistent"}
        self.environment.update({k: v for k, v in os.environ.items() if k.endswith("_OPTIONS") or k == "LD_LIBRARY_PATH"})

    def run(self, *words, stdin="", store=True):
        words = list(words)
        if store:
            words[2:2] = ["--store", str(self.file)]
        return subprocess.run([SSPI, *words], input=stdin.encode(), capture_output=True, env=self.environment, timeout=60)

    def on_terminal(self, word, name, answers):
        return on_terminal(self.environment, ["account", word, "--store", str(self.file), name], answers)

    def good(self, *words, stdin=""):
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stderr == b""
        return done.stdout.decode()

    def bad(self, code, *words, stdin=""):
        done = self.run(*words, stdin=stdin)
        text = done.stderr.decode()
        assert done.returncode == code, text
        assert text.startswith(("sspi: ", "usage: ")), text
        return text

    def show(self, name):
        return json.loads(self.good("account", "show", name, "--json"))


@pytest.fixture
def store(tmp_path):
    os.chmod(tmp_path, 0o700)
    return Store(tmp_path)


@pytest.fixture
def bob(store):
    store.good("account", "add", "bob", stdin="pw\n")
    return store


def test_no_file_where_it_would_be_refused(store):
    store.file.parent.mkdir()
    store.file.parent.chmod(0o1777)
    assert "others may write in the directory of an account file; chmod 0700 it" in store.bad(1, "account", "add", "bob", stdin="pw\n")
    assert list(store.file.parent.iterdir()) == []
    store.file.parent.chmod(0o700)
    store.good("account", "add", "bob", stdin="pw\n")


def hashes(store):
    out = {}
    for line in store.good("account", "export").splitlines():
        fields = line.split("\t")
        if fields[0] == "account":
            out[fields[1]] = fields[4]
    return out


def test_general(store):
    for words in (["--help"], ["help"], ["--version"], ["account", "--help"], ["group", "--help"], ["account", "add", "--help"], ["packages", "--help"]):
        done = store.run(*words, store=False)
        assert done.returncode == 0 and done.stdout and not done.stderr
    for words in ([], ["nonsense"], ["account"], ["account", "nonsense"], ["group"], ["group", "nonsense"], ["packages", "nonsense"]):
        done = store.run(*words, store=False)
        assert done.returncode == 2 and not done.stdout and done.stderr


@pytest.mark.parametrize("words", [
    ["account", "add"], ["account", "add", "a", "b"], ["account", "add", "a", "--nonsense"], ["account", "add", "a", "--uid"],
    ["account", "add", "a", "--uid", "x"], ["account", "add", "a", "--uid", "-1"], ["account", "add", "a", "--uid", "4294967295"],
    ["account", "add", "a", "--expires", "tomorrow"], ["account", "add", "a", "--expires", "2026-02-30"],
    ["account", "add", "a", "--expires", "1600-12-31"], ["account", "add", "a", "--sid", "S-1"],
    ["account", "add", "D\\a", "--domain", "D"], ["account", "add", "a", "--json"], ["account", "list", "x"], ["account", "show"],
    ["account", "passwd"], ["account", "set", "a", "--lock", "--unlock"], ["account", "disable"], ["account", "enable"], ["account", "remove"],
    ["account", "import"], ["account", "export", "--format", "nonsense"], ["group", "add"], ["group", "join", "a"], ["group", "leave", "a"],
    ["group", "show"], ["group", "remove"], ["group", "add", "g", "--gid", "x"], ["group", "add", "g", "--sid", "x"],
    ["account", "passwd", "a", "--password", "x"],
])
def test_wrong_usage(bob, words):
    if "set" in words:
        bob.good("account", "add", "a", "--no-password")
    bob.bad(2, *words, stdin="pw\n")


def test_add(store):
    store.good("account", "add", "Alice", "--uid", "1000", "--gid", "100", "--full-name", 'A "B" \\ ä', "--expires", "2099-01-31", "--must-change",
               stdin="pw\nnot part of it\n")
    alice = store.show("aLICE")
    assert alice["name"] == "Alice" and alice["full_name"] == 'A "B" \\ ä' and alice["uid"] == 1000 and alice["gid"] == 100
    assert alice["expires"] == "2099-01-31T00:00:00Z" and alice["must_change"] and alice["password"] and not alice["disabled"]
    assert alice["sid"].startswith("S-1-5-21-") and alice["sid"].endswith("-1000")
    assert hashes(store) == {"Alice": NT_OF_PW}
    assert stat.S_IMODE(os.stat(store.file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(store.file.parent).st_mode) == 0o700
    store.good("account", "add", "CORP\\alice", "--sid", "S-1-5-21-1-2-3-4444", "--no-password")
    other = store.show("corp\\ALICE")
    assert other["domain"] == "CORP" and other["sid"] == "S-1-5-21-1-2-3-4444" and not other["password"]
    assert [a["name"] for a in json.loads(store.good("account", "list", "--json"))] == ["Alice", "alice"]
    assert "already" in store.bad(1, "account", "add", "ALICE", stdin="pw\n")
    assert "SID" in store.bad(1, "account", "add", "bob", "--sid", "S-1-5-21-1-2-3-4444", stdin="pw\n")
    for name in ("a@b", "a/b", "", "...", "a\tb", "x" * 257):
        assert "name" in store.bad(1, "account", "add", name, stdin="pw\n")
    assert store.good("account", "list").count("\n") == 2


def test_password_input(bob):
    bob.bad(1, "account", "add", "a", stdin="")
    bob.bad(1, "account", "add", "a", stdin="\n")
    bob.bad(1, "account", "add", "a", stdin="x" * 257 + "\n")
    bob.bad(1, "account", "add", "a", stdin="x" * 5000)
    bob.bad(1, "account", "add", "a", stdin="a\0b\n")
    bob.good("account", "add", "b", stdin="x" * 256 + "\n")
    bob.good("account", "add", "c", stdin="pw")      # no end of line
    bob.good("account", "add", "d", stdin="pw\r\n")  # Windows' end of line
    assert hashes(bob)["c"] == hashes(bob)["d"] == NT_OF_PW


def test_passwd(bob):
    bob.good("account", "passwd", "BOB", "--must-change", stdin="other\n")
    assert hashes(bob)["bob"] != NT_OF_PW and bob.show("bob")["must_change"]
    bob.good("account", "passwd", "bob", stdin="pw\n")
    assert hashes(bob)["bob"] == NT_OF_PW and not bob.show("bob")["must_change"]
    assert "no account" in bob.bad(1, "account", "passwd", "eve", stdin="pw\n")
    assert "empty" in bob.bad(1, "account", "passwd", "bob", stdin="\n")


def test_texts_steer_no_terminal(store):
    """What a store holds is shown so that it moves no terminal and turns no text around; a pipe gets it as it is."""
    store.good("account", "add", "b\u202eob", stdin="pw\n")
    store.good("account", "set", "b\u202eob", "--full-name", "F\u2066x")
    store.good("group", "add", "g\u202dr", "--comment", "C\u202ex")
    store.good("group", "join", "g\u202dr", "b\u202eob")
    for words in (["account", "show", "b\u202eob"], ["account", "list"], ["group", "list"], ["group", "show", "g\u202dr"]):
        assert re.search("[\u202d\u202e]", store.good(*words)), words
        code, shown = on_terminal(store.environment, [words[0], words[1], "--store", str(store.file), *words[2:]], [])
        assert code == 0 and "S-1-5-21" in shown and "u202" in shown and not re.search("[\u202d\u202e\u2066]", shown), (words, shown)


def test_terminal(store):
    code, shown = store.on_terminal("add", "bob", answers=[(b"New password for bob: ", b"pw\n"), (b"Once more: ", b"pw\n")])
    assert code == 0 and "New password for bob" in shown and "Once more" in shown and "pw" not in shown
    assert hashes(store) == {"bob": NT_OF_PW}
    code, shown = store.on_terminal("passwd", "bob", answers=[(b"New password for bob: ", b"secret-1\n"), (b"Once more: ", b"secret-2\n")])
    assert code == 1 and "differ" in shown and "secret" not in shown
    assert hashes(store) == {"bob": NT_OF_PW}
    code, shown = store.on_terminal("passwd", "bob", answers=[(b"New password for bob: ", b"secret\x03")])
    assert code == -2 and "secret" not in shown  # interrupted
    assert hashes(store) == {"bob": NT_OF_PW}


def test_states(bob):
    bob.good("account", "disable", "Bob")
    assert bob.show("bob")["disabled"] and "disabled" in bob.good("account", "list")
    bob.good("account", "set", "bob", "--lock", "--uid", "7", "--full-name", "B")
    shown = bob.show("bob")
    assert shown["locked"] and shown["disabled"] and shown["uid"] == 7 and shown["full_name"] == "B"
    bob.good("account", "enable", "bob")
    shown = bob.show("bob")
    assert not shown["locked"] and not shown["disabled"] and shown["uid"] == 7
    bob.good("account", "set", "bob", "--expires", "2001-01-01")
    assert "expired" in bob.good("account", "show", "bob")
    bob.good("account", "set", "bob", "--expires", "1601-01-01")  # where file times begin
    assert bob.show("bob")["expires"] == "1601-01-01T00:00:00Z" and "1 replaced" in bob.good("account", "import", "--replace", "-", stdin=bob.good("account", "export"))
    assert bob.show("bob")["expires"] == "1601-01-01T00:00:00Z"
    bob.good("account", "set", "bob", "--expires", "never")
    assert bob.show("bob")["expires"] is None
    assert "nothing" in bob.bad(2, "account", "set", "bob")
    bob.good("account", "remove", "BOB")
    for command in ("show", "disable", "enable", "remove", "set"):
        assert "no account bob" in bob.bad(1, "account", command, "bob", *(["--lock"] if command == "set" else []))


def test_password_expires(bob):
    assert bob.show("bob")["password_expires"] is None
    bob.good("account", "set", "bob", "--password-expires", "2099-12-31")
    assert bob.show("bob")["password_expires"] == "2099-12-31T00:00:00Z"
    bob.good("account", "set", "bob", "--uid", "7")
    assert bob.show("bob")["password_expires"] == "2099-12-31T00:00:00Z"
    bob.good("account", "set", "bob", "--password-expires", "2001-01-01")
    assert "password-expired" in bob.good("account", "list")
    bob.good("account", "passwd", "bob", stdin="new\n")  # of a new password nothing is known
    assert bob.show("bob")["password_expires"] is None
    bob.good("account", "set", "bob", "--password-expires", "2099-12-31")
    bob.good("account", "set", "bob", "--password-expires", "never")
    assert bob.show("bob")["password_expires"] is None
    assert "--password-expires wants a day" in bob.bad(2, "account", "set", "bob", "--password-expires", "soon")
    bob.bad(2, "account", "add", "eve", "--password-expires", "never", stdin="pw\n")


def test_no_store(store):
    for words in (["account", "list"], ["account", "show", "bob"], ["account", "export"], ["group", "list"]):
        assert "there is no account store yet" in store.bad(1, *words)
    assert not store.file.exists()


def test_unsafe_store(bob):
    os.chmod(bob.file, 0o644)
    assert "mode 0644" in bob.bad(1, "account", "list")
    os.chmod(bob.file, 0o600)
    os.chmod(bob.file.parent, 0o777)
    assert "directory" in bob.bad(1, "account", "list")
    os.chmod(bob.file.parent, 0o700)
    bob.good("account", "list")


def test_groups(bob):
    bob.good("group", "add", "Staff", "--gid", "50", "--comment", "all of us")
    assert "already" in bob.bad(1, "group", "add", "STAFF")
    bob.good("group", "join", "staff", "bob")
    bob.good("group", "join", "staff", "bob")
    staff = json.loads(bob.good("group", "show", "staff", "--json"))
    assert staff["gid"] == 50 and staff["comment"] == "all of us" and staff["members"] == [{"name": "bob", "domain": ""}]
    assert staff["sid"].endswith("-1001") and bob.show("bob")["groups"] == ["Staff"]
    assert json.loads(bob.good("group", "list", "--json"))[0]["name"] == "Staff"
    assert "Staff" in bob.good("group", "list") and "bob" in bob.good("group", "show", "Staff")
    assert "no account" in bob.bad(1, "group", "join", "staff", "eve")
    assert "no group" in bob.bad(1, "group", "join", "none", "bob")
    bob.good("group", "leave", "staff", "bob")
    assert "not in the group" in bob.bad(1, "group", "leave", "staff", "bob")
    bob.good("group", "join", "staff", "bob")
    bob.good("group", "remove", "staff")
    assert bob.show("bob")["groups"] == [] and "no group" in bob.bad(1, "group", "show", "staff")
    assert "no group" in bob.bad(1, "group", "remove", "staff")


def test_export_import(bob, tmp_path):
    bob.good("group", "add", "Staff")
    bob.good("group", "join", "Staff", "bob")
    text = bob.good("account", "export")
    output = tmp_path / "out"
    bob.good("account", "export", "--output", str(output))
    assert output.read_text() == text and stat.S_IMODE(os.stat(output).st_mode) == 0o600
    assert "does not exist yet" in bob.bad(1, "account", "export", "--output", str(output))
    other = Store(tmp_path / "other")
    assert other.good("account", "import", str(output)) == "1 added, 0 replaced, 1 groups, 1 memberships\n"
    assert other.good("account", "export") == text
    assert "already" in other.bad(1, "account", "import", str(output))
    assert other.good("account", "import", "--replace", "-", stdin=text).startswith("0 added, 1 replaced")
    smbpasswd = bob.good("account", "export", "--format", "smbpasswd")
    assert smbpasswd.startswith("bob:4294967295:" + "X" * 32 + ":" + NT_OF_PW + ":[U          ]:LCT-") and smbpasswd.endswith(":\n")
    third = Store(tmp_path / "third")
    third.good("account", "import", "-", "--domain", "D", stdin=smbpasswd)
    assert third.show("D\\bob")["password"] and hashes(third) == {"bob": NT_OF_PW}
    third.good("account", "import", "-", "--format", "sam", stdin=f"carol:X::{NT_OF_PW}:::\n")
    third.good("account", "import", "-", stdin=f"dave:X::{NT_OF_PW}:::\n")  # guessed
    assert third.show("x\\dave")["password"]
    message = third.bad(1, "account", "import", "-", "--format", "smbpasswd", stdin=smbpasswd + f"eve:{NT_OF_PW}\n")
    assert "line 2" in message and NT_OF_PW not in message
    assert "No such file" in third.bad(1, "account", "import", "/nonexistent/file")
    assert "only read" in third.bad(2, "account", "export", "--format", "sam")


def test_full_disk(bob, tmp_path):
    """A file that may not grow stands for the disk: the program itself meets it, not what watches it."""
    program = os.path.join(os.environ.get("OPENSSPI_UNWATCHED", BUILD), "sspi")
    words = ["sh", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "sh", program, "account", "list", "--store", str(bob.file)]
    with open(tmp_path / "full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"standard output" in done.stderr
    assert (tmp_path / "full").stat().st_size == 0


def test_configured_store(bob, tmp_path):
    configuration = tmp_path / "opensspi.conf"
    configuration.write_text(f"[accounts]\nstores = sqlite:{bob.file}\n")
    os.chmod(configuration, 0o600)
    environment = {**os.environ, "OPENSSPI_CONFIG": str(configuration)}
    done = subprocess.run([SSPI, "account", "list"], env=environment, capture_output=True)
    assert done.returncode == 0 and b"bob" in done.stdout, done.stderr


def test_packages(store):
    done = store.run("packages", "--json", store=False)
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), list)
