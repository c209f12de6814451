"""A Kerberos realm for our tools: alice with a ticket that may be forwarded, a service that is trusted for delegation and one that is not."""
import contextlib

from realm import Realm


@contextlib.contextmanager
def tools_realm():
    with Realm() as realm:
        realm.addprinc("alice", "password")
        realm.addprinc("host/server.example.test")
        realm.addprinc("HTTP/server.example.test")
        realm.keytab("host/server.example.test")
        realm.keytab("HTTP/server.example.test")
        realm.kadmin("modprinc +ok_as_delegate host/server.example.test")
        realm.kinit("alice", "password", "-f")
        conf = realm.directory / "opensspi.conf"
        conf.write_text("")
        realm.env["OPENSSPI_CONFIG"] = str(conf)
        yield realm
