"""A private Active Directory domain: Samba's domain controller in a temporary directory and a network namespace of its own.

with Ad() as ad:
    ad.user("alice", "Password1!")
    ad.service("server", "HTTP/server.example.test")
    keytab = ad.keytab("HTTP/server.example.test")
    cache = ad.kinit("alice", "Password1!")

Its KDC can only listen on port 88, its LDAP server on 389: in a namespace with nothing but a loopback interface several of them run at once, and
whoever wants to talk to it runs there too, by the words of ad.prefix before the command. Provisioning takes most of the time: "ad.py DIRECTORY" provisions a
domain that nobody has changed yet, and where OPENSSPI_DOMAIN names that directory each Ad begins with a copy of it. Needs root (or the right to make namespaces), and samba,
samba-ad-dc, samba-ad-provision, samba-dsdb-modules, samba-vfs-modules, winbind, python3-samba, krb5-user, iproute2, util-linux."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from realm import Realm, program

NAME = "EXAMPLE.TEST"
PASSWORD = "Administrator1!"
PROVISION_SECONDS, START_SECONDS, STOP_SECONDS = 300, 300, 60
GLOBAL, LOCAL, UNIVERSAL = 2, 4, 8  # groupType, MS-ADTS 2.2.12
NORMAL_ACCOUNT, NOT_DELEGATED = 0x200, 0x100000  # userAccountControl, MS-ADTS 2.2.16
PRIVATE = ("pid directory", "ncalrpc dir", "winbindd socket directory", "ntp signd socket directory", "lock directory",
           "state directory", "cache directory")


class Ad(Realm):
    def __init__(self, name=NAME, directory=None):
        super().__init__(name, directory, enctypes=("aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96", "arcfour-hmac"))
        self.port, self.holder, self.prefix = 88, None, ()
        self.config = self.directory / "domain/etc/smb.conf"

    @property
    def dns(self):
        return self.name.lower()

    def start(self):
        self.client_config("krb5.conf", self.enctypes)
        self.namespace()
        self.provision()
        self.start_kdc()

    def namespace(self):
        """A process that does nothing but hold the namespace; it ends when its input does."""
        self.holder = subprocess.Popen([program("unshare"), "--net", "sh", "-c", '"$1" link set lo up && echo up && exec cat', "sh",
                                        program("ip")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.holder.stdout.readline() != b"up\n":
            raise RuntimeError("no network namespace of one's own: this needs root")
        self.prefix = (program("nsenter"), "-t", str(self.holder.pid), "-n", "--")

    def run(self, name, *words, text=None):
        return super().run(self.prefix[0], *self.prefix[1:], program(name), *words, text=text)

    def tool(self, *words):
        return self.run("samba-tool", *words, f"--configfile={self.config}")

    def provision(self):
        made = os.environ.get("OPENSSPI_DOMAIN")
        if made is None or self.name != NAME:
            self.provision_anew()
        else:
            Realm.run(self, "cp", "-a", "--reflink=auto", f"{made}/domain", self.directory / "domain")
            self.config.write_text(self.config.read_text(encoding="utf-8").replace(f"{made}/domain", f"{self.directory}/domain"), encoding="utf-8")
        self.configure_server()

    def provision_anew(self):
        self.run("samba-tool", "domain", "provision", f"--realm={self.name}", f"--domain={self.name.split('.', maxsplit=1)[0]}",
                 "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", f"--targetdir={self.directory}/domain", "--host-name=dc1",
                 "--host-ip=127.0.0.1", "--use-rfc2307", f"--adminpass={PASSWORD}")

    def configure_server(self):
        state = self.directory / "state"
        state.mkdir()  # what is in it samba makes, each with the mode that it wants
        more = "".join(f"\t{name} = {state}/{number}\n" for number, name in enumerate(PRIVATE))
        text = self.config.read_text(encoding="utf-8")
        kept = [line for line in text.splitlines(True) if line.split("=")[0].strip() not in (*PRIVATE, "server services")]
        self.config.write_text("".join(kept).replace(
            "[global]\n", "[global]\n\tinterfaces = lo 127.0.0.1/8\n\tbind interfaces only = yes\n"
            f"\tserver services = kdc, ldap, cldap, rpc\n\ttls enabled = no\n\tlog file = {state}/log\n{more}", 1), encoding="utf-8")

    def start_kdc(self):
        with open(self.directory / "samba.out", "wb") as log:
            self.process = subprocess.Popen([*self.prefix, program("samba"), "--interactive", "--model=single", f"--configfile={self.config}"],
                                            env=self.env, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            if all(self.listens(port) for port in (88, 389)):
                return True
            time.sleep(0.1)
        raise RuntimeError(f"samba does not start: {(self.directory / 'samba.out').read_text(errors='replace')[-2000:]}")

    def listens(self, port):
        """Looks into the namespace's table of sockets."""
        with open(f"/proc/{self.holder.pid}/net/tcp", encoding="ascii") as table:
            return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in table)

    def stop_kdc(self):
        if self.process is None:
            return
        group = self.process.pid
        if self.process.poll() is None:
            os.killpg(group, signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(group, signal.SIGKILL)
                self.process.wait()
        self.process.stdin.close()
        self.process = None

    def close(self):
        self.stop_kdc()
        if self.holder is not None:
            self.holder.stdin.close()
            self.holder.wait()
            self.holder.stdout.close()
            self.holder = None
        if self.owned:
            shutil.rmtree(self.directory, ignore_errors=True)

    def user(self, name, password, *options):
        self.tool("user", "create", name, password, *options)

    def service(self, account, *principals):
        """An account with these service principal names."""
        self.user(account, f"{account}-Password1!")
        for principal in principals:
            self.tool("spn", "add", principal, account)

    def keytab(self, principal, name="keytab"):
        path = self.directory / name
        self.tool("domain", "exportkeytab", str(path), f"--principal={principal}")
        return path

    def database(self):
        """The directory itself, beside the running server."""
        from samba.auth import system_session  # pylint: disable=import-outside-toplevel
        from samba.param import LoadParm  # pylint: disable=import-outside-toplevel
        from samba.samdb import SamDB  # pylint: disable=import-outside-toplevel
        settings = LoadParm()
        settings.load(str(self.config))
        return SamDB(url=str(self.directory / "domain/private/sam.ldb"), session_info=system_session(), lp=settings)

    def groups(self, described):
        """Makes groups: (name, scope GLOBAL, LOCAL or UNIVERSAL, members)."""
        database = self.database()
        database.transaction_start()
        for name, scope, members in described:
            database.newgroup(name, grouptype=scope - (1 << 31))
            database.add_remove_group_members(name, list(members), add_members_operation=True)
        database.transaction_commit()

    def principal_name(self, account, name):
        """Gives an account a userPrincipalName, of any suffix."""
        database = self.database()
        found = database.search(expression=f"(sAMAccountName={account})", attrs=["cn"])[0]
        database.modify_ldif(f"dn: {found.dn}\nchangetype: modify\nreplace: userPrincipalName\nuserPrincipalName: {name}\n")

    def distinguished_name(self, account):
        return self.database().search(expression=f"(sAMAccountName={account})", attrs=["cn"])[0].dn

    def not_delegated(self, account):
        """Nobody may act for this account (UF_NOT_DELEGATED, MS-ADTS 2.2.16)."""
        self.database().modify_ldif(f"dn: {self.distinguished_name(account)}\nchangetype: modify\nreplace: userAccountControl\n"
                                    f"userAccountControl: {NORMAL_ACCOUNT | NOT_DELEGATED}\n")

    def directory_sids(self, account):
        """What the directory says of an account: its SID, and the SIDs of all groups that it is in."""
        from ldb import SCOPE_BASE  # pylint: disable=import-outside-toplevel
        from samba.dcerpc import security  # pylint: disable=import-outside-toplevel
        from samba.ndr import ndr_unpack  # pylint: disable=import-outside-toplevel
        database = self.database()
        found = database.search(expression=f"(sAMAccountName={account})", attrs=["objectSid"])[0]
        tokens = database.search(base=found.dn, scope=SCOPE_BASE, attrs=["tokenGroups"])[0]["tokenGroups"]
        return (str(ndr_unpack(security.dom_sid, found["objectSid"][0])),
                {str(ndr_unpack(security.dom_sid, token)) for token in tokens})


def make(directory):
    """A domain for others to copy, in place of the one that was there: whole or not at all."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    ad = Ad(directory=directory)
    try:
        ad.client_config("krb5.conf", ad.enctypes)
        ad.namespace()
        ad.provision_anew()
    except BaseException:
        shutil.rmtree(directory)
        raise
    finally:
        ad.close()


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]).resolve())
