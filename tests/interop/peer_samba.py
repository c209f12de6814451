"""Samba's NTLMSSP client (GENSEC, from python3-samba) in the command language of peer_line.h.

peer_samba.py SMB_CONF [PARAMETER=VALUE ...]: the parameters are smb.conf's, such as ntlmssp_client:keyexchange=no."""
import signal
import sys

from samba import gensec, param
from samba.credentials import Credentials

FEATURES = {"integrity": gensec.FEATURE_SIGN, "confidentiality": gensec.FEATURE_SEAL}


def data_of(word):
    return b"" if word == "-" else bytes.fromhex(word)


def hex_of(data):
    return data.hex() or "-"


class Peer:
    def __init__(self, conf, options):
        self.conf = param.LoadParm()
        self.conf.load(conf)
        for option in options:
            name, _, value = option.partition("=")
            self.conf.set(name, value)
        self.security = None

    def client(self, *words):
        given = dict(word.split("=", 1) for word in words)
        credentials = Credentials()
        credentials.guess(self.conf)
        credentials.set_username(given["user"])
        credentials.set_domain(given["domain"])
        credentials.set_password(given["password"])
        self.security = gensec.Security.start_client({"lp_ctx": self.conf, "target_hostname": "server"})
        self.security.set_credentials(credentials)
        if "target" in given:
            service, _, host = given["target"].partition("/")
            self.security.set_target_service(service)
            self.security.set_target_hostname(host)
        for flag in given.get("flags", "").split(","):
            if flag in FEATURES:
                self.security.want_feature(FEATURES[flag])
        self.security.want_feature(gensec.FEATURE_SESSION_KEY)
        self.security.start_mech_by_name("ntlmssp")
        return self.token("-")

    def token(self, word):
        finished, out = self.security.update(data_of(word))
        return f"{'done' if finished else 'token'} {hex_of(out)}"

    def sign(self, word):
        text = data_of(word)
        return f"mic {hex_of(self.security.sign_packet(text, text))}"

    def verify(self, word, signature):
        text = data_of(word)
        self.security.check_packet(text, text, data_of(signature))
        return "ok"

    def seal(self, word):
        return f"sealed {hex_of(self.security.wrap(data_of(word)))}"

    def unseal(self, word):
        return f"plain {hex_of(self.security.unwrap(data_of(word)))}"

    def key(self):
        return f"key {hex_of(self.security.session_key())}"

    def answer(self, words):
        if words[0] not in ("client", "token", "sign", "verify", "seal", "unseal", "key"):
            return "error 0 unknown command"
        try:
            return getattr(self, words[0])(*words[1:])
        except Exception as problem:  # NTSTATUSError of several modules; the reason goes to the test
            return f"error 1 {' '.join(str(problem).split())}"


def main():
    signal.alarm(120)  # never outlives its test
    peer = Peer(sys.argv[1], sys.argv[2:])
    for line in sys.stdin:
        print(peer.answer(line.split()), flush=True)


main()
