"""A TLS 1.2 server on OpenSSL's libssl that, once its client has sent a line, asks it to negotiate anew and goes on sending before the client's hello comes."""
import contextlib
import ctypes
import socket
import struct
import threading

SECONDS = 120  # a bound, never waited for
PEM, TLS_1_2, SET_MIN_VERSION, SET_MAX_VERSION, HANDSHAKES = 1, 0x0303, 123, 124, 25

libssl = ctypes.CDLL("libssl.so.3")
for name, result, arguments in (("TLS_server_method", "p", ""), ("SSL_CTX_new", "p", "p"), ("SSL_CTX_ctrl", "l", "pilp"), ("SSL_new", "p", "p"),
                                ("SSL_CTX_use_certificate_chain_file", "i", "ps"), ("SSL_CTX_use_PrivateKey_file", "i", "psi"),
                                ("SSL_set_fd", "i", "pi"), ("SSL_accept", "i", "p"), ("SSL_renegotiate", "i", "p"), ("SSL_do_handshake", "i", "p"),
                                ("SSL_read", "i", "psi"), ("SSL_write", "i", "psi"), ("SSL_shutdown", "i", "p"), ("SSL_get_shutdown", "i", "p"), ("SSL_free", None, "p"),
                                ("SSL_CTX_free", None, "p")):
    kinds = {"p": ctypes.c_void_p, "s": ctypes.c_char_p, "i": ctypes.c_int, "l": ctypes.c_long, None: None}
    function = getattr(libssl, name)
    function.restype, function.argtypes = kinds[result], [kinds[letter] for letter in arguments]


class AskingServer(threading.Thread):
    """Takes one client. Of what came of it: `lines` that it sent, whether it `renegotiated`, and how it ended (`closed`: by close_notify)."""

    def __init__(self, certificate, key, behind):
        """`behind`: what is sent right behind the request, a record each."""
        super().__init__(daemon=True)
        self.context = libssl.SSL_CTX_new(libssl.TLS_server_method())
        assert libssl.SSL_CTX_use_certificate_chain_file(self.context, str(certificate).encode()) == 1
        assert libssl.SSL_CTX_use_PrivateKey_file(self.context, str(key).encode(), PEM) == 1
        for bound in (SET_MIN_VERSION, SET_MAX_VERSION):
            assert libssl.SSL_CTX_ctrl(self.context, bound, TLS_1_2, None) == 1
        self.behind, self.lines, self.renegotiated, self.closed = behind, [], False, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # of a client that never came
        self.join(SECONDS)
        self.listener.close()
        libssl.SSL_CTX_free(self.context)

    def run(self):
        try:
            self.socket, _ = self.listener.accept()
        except OSError:
            return
        with self.socket:
            for bound in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                self.socket.setsockopt(socket.SOL_SOCKET, bound, struct.pack("ll", SECONDS, 0))
            ssl = libssl.SSL_new(self.context)
            libssl.SSL_set_fd(ssl, self.socket.fileno())
            self.serve(ssl)
            libssl.SSL_free(ssl)

    def serve(self, ssl):
        if libssl.SSL_accept(ssl) != 1 or not self.line_read(ssl):
            return
        assert libssl.SSL_renegotiate(ssl) == 1 and libssl.SSL_do_handshake(ssl) == 1
        for words in self.behind:
            assert libssl.SSL_write(ssl, words, len(words)) == len(words)
        while self.line_read(ssl):  # libssl negotiates while it reads
            libssl.SSL_write(ssl, b"at last\n", 8)
        self.renegotiated = libssl.SSL_CTX_ctrl(self.context, HANDSHAKES, 0, None) == 2
        libssl.SSL_shutdown(ssl)

    def line_read(self, ssl):
        room = ctypes.create_string_buffer(4096)
        line = b""
        while not line.endswith(b"\n"):
            got = libssl.SSL_read(ssl, room, len(room))
            if got <= 0:
                self.closed = bool(libssl.SSL_get_shutdown(ssl) & 2)
                return False
            line += room.raw[:got]
        self.lines.append(line)
        return True
