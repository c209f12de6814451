"""A private realm with MIT's kadmind, which changes passwords. Its users' tickets may be forwarded."""
import pathlib
import socket
import subprocess
import time

from realm import PORT_TRIES, START_SECONDS, Realm, free_port, program


class PasswordRealm(Realm):
    def __init__(self):
        super().__init__()
        self.admin = None

    def configure(self):
        self.ports = free_port(), free_port()
        self.kdc_realm = "default_principal_flags = +forwardable\n  kadmind_listen = 127.0.0.1:%u\n  kpasswd_listen = 127.0.0.1:%u" % self.ports
        super().configure()

    def client_config(self, name, enctypes):
        path = pathlib.Path(super().client_config(name, enctypes))
        path.write_text(path.read_text(encoding="utf-8").replace("  kdc = ", f"  kpasswd_server = 127.0.0.1:{self.ports[1]}\n  kdc = "), encoding="utf-8")
        return str(path)

    def start(self):
        super().start()
        self.put("acl", "")
        for _ in range(PORT_TRIES):
            if self.start_kadmind():
                return
            self.configure()  # somebody has taken a port meanwhile
        raise RuntimeError(f"kadmind does not start: {(self.directory / 'kadmind.out').read_text(encoding='utf-8', errors='replace')}")

    def start_kadmind(self):
        """False when it ended at once."""
        with open(self.directory / "kadmind.out", "wb") as log:
            self.admin = subprocess.Popen([program("kadmind"), "-nofork", "-r", self.name], env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.admin.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.ports[1])) == 0:
                    return self.admin.poll() is None
            time.sleep(0.02)
        self.stop_kadmind()
        return False

    def stop_kadmind(self):
        if self.admin is not None:
            self.admin.terminate()
            try:
                self.admin.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.admin.kill()
                self.admin.wait()
            self.admin = None

    def close(self):
        self.stop_kadmind()
        super().close()
