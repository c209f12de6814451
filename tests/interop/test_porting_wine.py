"""The programs of tests/porting built from the same source with mingw-w64, ANSI and UNICODE: clients under Wine, servers built here.

Wine 8 does not tell an NTLM server who came and has no TLS server, so Windows servers are tests/interop/test_sockauth.py's. Its NTLM client has neither channel
bindings, nor STREAM buffers, nor identities with a list of packages."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from porting import FORMS, IDENTITY, PASSWORD, PROGRAMS, Server, build_for_windows, built, check_asked, check_database, run_at_terminal, windows, windows_run, world  # noqa: E402, F401


@pytest.mark.parametrize("form", FORMS)
def test_database_windows(world, windows, form):
    with Server(world, f"database-{form}", "NTLM") as server:
        check_database(windows_run(windows, form, "database", server.port, "NTLM", *IDENTITY), server)


@pytest.mark.parametrize("form", FORMS)
def test_database_asks_windows(world, windows, form):
    with Server(world, f"database-{form}", "NTLM") as server:
        program = str(built(windows["place"], "database", form, build_for_windows, ".exe"))
        command = [windows["wine"], program, "client", server.port, "NTLM", *IDENTITY[:2], "*"]
        check_asked(run_at_terminal(command, windows["environment"], b"Password: ", PASSWORD.encode() + b"\r"), server)


@pytest.mark.parametrize("form", FORMS)
def test_http_windows(world, windows, form):
    with Server(world, f"http-{form}", "NTLM", "-") as server:
        code, shown = windows_run(windows, form, "http", server.port, "NTLM", "-", *IDENTITY, "-")
        status, served = server.wait()
    assert (code, status) == (0, 0), shown + served


@pytest.mark.parametrize("form", FORMS)
def test_tls_windows(world, windows, form):
    with Server(world, f"tls-{form}", world["place"] / "leaf.pfx", "secret") as server:
        code, shown = windows_run(windows, form, "tls", server.port, "Z:" + str(world["place"] / "ca.der").replace("/", "\\"), "localhost")
        status, served = server.wait()
    assert (code, status) == (0, 0), shown + served
    assert "peer leaf" in shown


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", ["c", "cpp"])
def test_names_of_real_callers_build(tmp_path, form, language):
    """The list has no names but Windows' own. Wine lacks some of them, so that it is linked only."""
    source = tmp_path / f"callers.{language}"
    source.write_text((PROGRAMS / "callers.c").read_text())
    build_for_windows(source, tmp_path / "callers.exe", form, "main")


@pytest.mark.parametrize("form", FORMS)
def test_sasl_builds(tmp_path, form):
    """Wine 8 has no STREAM buffers to run it with."""
    assert built(tmp_path, "sasl", form, build_for_windows, ".exe").exists()
