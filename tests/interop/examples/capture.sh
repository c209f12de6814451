# shellcheck shell=sh
# handshake.pcap: a request with a token, and what the web server of failing.sh answers to it.
python3 - <<'END'
import socket
import struct

TOKEN = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw=="
request = f"GET / HTTP/1.1\r\nHost: server.example.test\r\nAuthorization: NTLM {TOKEN}\r\n\r\n".encode()
peer = socket.create_connection(("127.0.0.1", 80), timeout=120)
peer.sendall(request)
answer = b""
while b"\r\n\r\n" not in answer:
    answer += peer.recv(65536)


def packet(source, target, payload):
    tcp = struct.pack(">HHIIBBHHH", source, target, 1, 1, 5 << 4, 0x18, 65535, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, bytes([127, 0, 0, 1]), bytes([127, 0, 0, 1]))
    return bytes(12) + b"\x08\x00" + ip + tcp


with open("handshake.pcap", "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for each in (packet(40000, 80, request), packet(80, 40000, answer)):
        file.write(struct.pack("<IIII", 1700000000, 0, len(each), len(each)) + each)
END
