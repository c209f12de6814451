"""Programs in the manner of those that use SSPI on Windows (tests/porting), built here with opensspi-win32, ANSI and UNICODE, in C and C++, and talking to each other. The
same source built for Windows: test_porting_wine.py."""
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import realm  # noqa: E402
from porting import BUILD, FORMS, HERE, IDENTITY, LIMIT, PASSWORD, SOURCE, Server, build_here, built, check_asked, check_database, native, run, run_at_terminal, world  # noqa: E402, F401
from test_sockauth import TARGET, TEXT, Server as SampleServer, check_exchange, client  # noqa: E402


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang", "clang++"])
def test_names_of_real_callers(world, compiler, form):
    """All that the survey of programs found: it compiles, is linked, and GetProcAddress has it."""
    program = world["place"] / f"callers-{compiler}-{form}"
    build_here(SOURCE / "tests/porting/callers.c", program, form, compiler=compiler)
    code, shown = run([program], world["environment"])
    assert code == 0 and ", 0 missing" in shown, shown


def test_names_of_real_callers_static(world):
    program = world["place"] / "callers-static"
    libraries = subprocess.run(["pkg-config", "--libs", "--static", BUILD / "opensspi.pc"], capture_output=True, text=True, check=True, timeout=LIMIT).stdout.split()
    libraries = [word for word in libraries if word not in ("-lopensspi",) and not word.startswith("-L")]
    build_here(SOURCE / "tests/porting/callers.c", program, "unicode", libraries=["-l:libopensspi-win32.a", "-l:libopensspi.a", *libraries])
    code, shown = run([program], world["environment"])
    assert code == 0 and ", 0 missing" in shown, shown
    needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True, timeout=LIMIT).stdout
    assert "libopensspi" not in needed


@pytest.mark.parametrize("package", ["NTLM", "Negotiate"])
@pytest.mark.parametrize("server_form", FORMS)
@pytest.mark.parametrize("form", HERE)
def test_database(world, form, server_form, package):
    with Server(world, f"database-{server_form}", package) as server:
        result = native(world, form, "database", server.port, package, *IDENTITY)
        assert "confidentiality 1" in result[1], result[1]
        check_database(result, server)


@pytest.mark.parametrize("form", FORMS)
def test_database_refuses(world, form):
    with Server(world, f"database-{form}", "NTLM") as server:
        code, shown = native(world, form, "database", server.port, "NTLM", "EXAMPLE", "alice", "wrong")
        status, served = server.wait()
    assert (code, status) == (1, 1) and "failed: AcceptSecurityContext: 0x8009030c The " in served, shown + served


@pytest.mark.parametrize("form", HERE)
def test_database_asks(world, form):
    """For the password, at a terminal."""
    with Server(world, f"database-{form if form in FORMS else 'unicode'}", "NTLM") as server:
        program = str(built(world["place"], "database", form, build_here))
        command = [program, "client", server.port, "NTLM", *IDENTITY[:2], "*"]
        check_asked(run_at_terminal(command, world["environment"], b"Password: ", PASSWORD.encode() + b"\n"), server)


@pytest.mark.parametrize("form", FORMS)
def test_database_reads(world, form):
    """The password, from a pipe."""
    with Server(world, f"database-{form}", "NTLM") as server:
        command = [built(world["place"], "database", form, build_here), "client", server.port, "NTLM", *IDENTITY[:2], "*"]
        check_database(run(command, world["environment"], PASSWORD.encode() + b"\n"), server)


BINDINGS = "tls-server-end-point:0123456789abcdef"


@pytest.mark.parametrize("package, packages", [("NTLM", "NTLM"), ("NTLM", "-"), ("Negotiate", "!Kerberos"), ("Negotiate", "ntlm,!kerberos")])
@pytest.mark.parametrize("bindings", ["-", BINDINGS])
@pytest.mark.parametrize("form", HERE)
def test_http(world, form, package, packages, bindings):
    with Server(world, f"http-{form}", package, bindings) as server:
        code, shown = native(world, form, "http", server.port, package, packages, *IDENTITY, bindings)
        status, served = server.wait()
    assert (code, status) == (0, 0), shown + served
    assert "package NTLM" in served


@pytest.mark.parametrize("form", HERE)
def test_http_other_bindings(world, form):
    with Server(world, f"http-{form}", "NTLM", BINDINGS) as server:
        code, shown = native(world, form, "http", server.port, "NTLM", "NTLM", *IDENTITY, BINDINGS + "x")
        status, served = server.wait()
    assert (code, status) == (1, 1) and "0x80090346" in served, shown + served


@pytest.mark.parametrize("form", FORMS)
def test_http_without_ntlm(world, form):
    """`!ntlm`, and no ticket: nothing is left."""
    with Server(world, f"http-{form}", "Negotiate", "-") as server:
        code, shown = native(world, form, "http", server.port, "Negotiate", "!ntlm", *IDENTITY, "-")
    assert code == 1 and "failed: InitializeSecurityContext: 0x80090311" in shown, shown


@pytest.mark.parametrize("package", ["NTLM", "Negotiate"])
@pytest.mark.parametrize("form", HERE)
def test_sasl(world, form, package):
    with Server(world, f"sasl-{form}", package) as server:
        code, shown = native(world, form, "sasl", server.port, package, "ldap/server.example.test", *IDENTITY)
        status, served = server.wait()
    assert (code, status) == (0, 0), shown + served
    assert "client got 12 bytes: dn:uid=alice" in shown


@pytest.mark.parametrize("form", FORMS)
def test_sasl_kerberos(world, form):
    """Who is logged on; the layer's own messages are signed only."""
    with realm.Realm() as kerberos:
        kerberos.addprinc("alice", PASSWORD)
        kerberos.addprinc("ldap/server.example.test")
        kerberos.keytab("ldap/server.example.test")
        kerberos.kinit("alice", PASSWORD)
        private = {**world, "environment": {**world["environment"], **kerberos.env, "OPENSSPI_CONFIG": world["environment"]["OPENSSPI_CONFIG"]}}
        with Server(private, f"sasl-{form}", "Kerberos") as server:
            code, shown = native(private, form, "sasl", server.port, "Kerberos", "ldap/server.example.test", "-", "-", "-")
            status, served = server.wait()
    assert (code, status) == (0, 0), shown + served
    assert "client got 12 bytes: dn:uid=alice" in shown


@pytest.mark.parametrize("form", HERE)
def test_tls(world, form):
    with Server(world, f"tls-{form}", world["place"] / "leaf.pfx", "secret") as server:
        code, shown = native(world, form, "tls", server.port, world["place"] / "ca.der", "localhost")
        status, served = server.wait()
    assert (code, status) == (0, 0), shown + served
    assert "peer leaf" in shown


@pytest.mark.parametrize("root, host, why", [("ca.der", "other.example.test", "0x800b010f"), ("other.der", "localhost", "0x800b0109")])
def test_tls_refuses(world, root, host, why):
    with Server(world, "tls-ansi", world["place"] / "leaf.pfx", "secret") as server:
        code, shown = native(world, "ansi", "tls", server.port, world["place"] / root, host)
    assert code == 1 and why in shown, shown


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("define", [[], ["-D_WIN32"]], ids=["linux", "windows"])
def test_sample(world, form, define):
    """samples/sockauth, as it is: its Linux parts, and with _WIN32 its Windows parts, which talk to one another as they do on Windows. Its text is narrow in both. Of
    the console, from which options.c reads a password, the kit has nothing: that file keeps its Linux part."""
    sample, names = SOURCE / "samples/sockauth", ("comm", "security", "identity", "collect", "show", "tls", "certificates")
    place = world["place"] / f"sockauth-{form}{''.join(define)}"
    place.mkdir()
    build_here(sample / "options.c", place / "options.o", form, "-c")
    for side in "client", "server":
        build_here(sample / f"{side}.c", place / side, form, *define, place / "options.o", *(sample / f"{name}.c" for name in names))
    with SampleServer(world, "-n", "1", command=[place / "server"]) as server:
        code, shown = client(world, server.port, "-t", TARGET, "-m", TEXT, command=[place / "client"])
        assert (code, server.wait()) == (0, 0), shown + server.text()
    check_exchange(shown, server.text())
