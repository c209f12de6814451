"""A KDC proxy (MS-KKDCP) for tests: HTTPS in, a KDC's TCP port out.

kdc_proxy.py CERTIFICATE KEY KDC_PORT PATH: prints its own port, then answers until its input ends."""
import http.server
import socket
import ssl
import sys
import threading

CONTEXT_0, SEQUENCE, OCTETS = 0xA0, 0x30, 0x04
MESSAGE_MAX = 1 << 16


def der_read(data, tag):
    """The content of the first element, which must have this tag, and what follows it."""
    if data[0] != tag:
        raise ValueError(f"tag {data[0]:#x} instead of {tag:#x}")
    size, at = data[1], 2
    if size & 0x80:
        count = size & 0x7F
        size, at = int.from_bytes(data[2:2 + count], "big"), 2 + count
    if at + size > len(data):
        raise ValueError("too short")
    return data[at:at + size], data[at + size:]


def der_write(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def ask(port, message):
    """`message` and the answer begin with their length."""
    with socket.create_connection(("127.0.0.1", port), timeout=300) as kdc:
        kdc.sendall(message)
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + int.from_bytes(answer[:4], "big"):
            more = kdc.recv(MESSAGE_MAX)
            if not more:
                raise ValueError("the KDC closed")
            answer += more
        return answer


class Proxy(http.server.BaseHTTPRequestHandler):
    kdc_port, path_wanted = 0, ""

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(min(int(self.headers["Content-Length"]), MESSAGE_MAX))
        if self.path != self.path_wanted:
            self.send_error(404)
            return
        message = der_read(der_read(der_read(body, SEQUENCE)[0], CONTEXT_0)[0], OCTETS)[0]
        answer = der_write(SEQUENCE, der_write(CONTEXT_0, der_write(OCTETS, ask(self.kdc_port, message))))
        self.send_response(200)
        self.send_header("Content-Type", "application/kerberos")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        print(f"{len(message)} {len(answer)}", file=sys.stderr)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def main():
    certificate, key, kdc_port, Proxy.path_wanted = sys.argv[1:]
    Proxy.kdc_port = int(kdc_port)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
