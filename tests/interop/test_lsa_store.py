"""An account database that somebody holds locked: who needs it waits, the others do not."""
import select
import sqlite3
import subprocess

import lsa
import pytest
from test_lsa_hostile import LIST, STEP, acquire, ask, frame, greet, number, octets, reply, signs_on, step, value

PASSWORD = "Password1!"
CONTINUE_NEEDED = 0x90312


@pytest.fixture(name="daemon")
def daemon_of_the_test(tmp_path):
    daemon = lsa.Daemon(tmp_path)
    daemon.database = tmp_path / "accounts.db"
    text = daemon.config.read_text(encoding="utf-8")
    daemon.config.write_text(text.replace(f"stores = sam:{tmp_path}/sam", f"stores = sqlite:{daemon.database}"), encoding="utf-8")
    subprocess.run([str(lsa.BUILD / "sspi"), "account", "add", "alice", "--domain", "EXAMPLE", "--store", str(daemon.database)],
                   input=f"{PASSWORD}\n", env=daemon.env, text=True, timeout=60, check=True)
    with daemon:
        yield daemon


def waits(link):
    return not select.select([link], [], [], 0)[0]


def test_nobody_else_waits_for_a_writer(daemon):
    """While a sign-on waits for the database, the loop answers others; when the lock goes, the sign-on has its end."""
    client, _ = greet(daemon)
    server, _ = greet(daemon)
    other, _ = greet(daemon)
    (status, credential), (server_status, server_credential) = acquire(client), acquire(server, 1)
    assert status == server_status == 0
    assert signs_on(client, credential, server, server_credential)
    status, fields = step(client, credential, 0, 2)
    assert status == CONTINUE_NEEDED
    context = value(fields, 14)
    status, fields = step(server, server_credential, 0, 1, fields[19])
    assert status == CONTINUE_NEEDED
    server_context = value(fields, 14)
    status, fields = step(client, credential, context, 2, fields[19])
    assert status == 0
    writer = sqlite3.connect(daemon.database, isolation_level=None)
    writer.execute("UPDATE account SET full_name = 'changed'")  # nobody knows alice by heart any more
    writer.execute("BEGIN EXCLUSIVE")
    server.sendall(frame(STEP, number(13, server_credential) + number(14, server_context) + number(6, 1) + number(16, 0) + octets(19, fields[19])))
    assert ask(other, LIST)[0] == 0
    assert ask(other, LIST)[0] == 0
    assert waits(server)
    writer.execute("ROLLBACK")
    operation, fields = reply(server)
    assert operation == STEP and value(fields, 1) == 0
    writer.close()
    assert signs_on(client, credential, server, server_credential)
