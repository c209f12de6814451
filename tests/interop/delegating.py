"""A realm whose KDC knows who may act for others at whom: MIT's, with the database module kdb/delegating.c over its db2.

with DelegatingRealm(allowed_to=[("HTTP/front.example.test", "HTTP/back.example.test")]) as realm: ..."""
import glob
import pathlib
import subprocess

from realm import Realm


def pairs(allowed):
    return " " + "".join(f"{service}>{target} " for service, target in allowed)


class DelegatingRealm(Realm):
    def __init__(self, allowed_to=(), allowed_from=()):
        """Pairs (service, target): on the service's list of targets, and on the target's of services (resource-based)."""
        super().__init__()
        self.env["OPENSSPI_TEST_ALLOWED_TO"], self.env["OPENSSPI_TEST_ALLOWED_FROM"] = pairs(allowed_to), pairs(allowed_from)

    def configure(self):
        super().configure()
        modules = self.directory / "modules"
        if not modules.exists():
            modules.mkdir()
            source = pathlib.Path(__file__).parent / "kdb/delegating.c"
            db2 = glob.glob("/usr/lib/*/krb5/plugins/kdb/db2.so")[0]
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", f'-DDB2_MODULE="{db2}"', "-o", modules / "delegating.so",
                            source, "-lkrb5", "-ldl"], check=True, timeout=60)
        path = self.directory / "kdc.conf"
        text = path.read_text(encoding="utf-8").replace(f"  database_name = {self.directory}/principal\n", "  database_module = lists\n")
        path.write_text(text + f"[dbmodules]\ndb_module_dir = {modules}\nlists = {{\n  db_library = delegating\n"
                        f"  database_name = {self.directory}/principal\n}}\n", encoding="utf-8")
