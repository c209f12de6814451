"""Sealing and signing by MS-NLMP 3.4 written once more, from the specification and from nothing else: it stands in for
peers that hand out a session key and cannot protect messages themselves, and judges those that can."""
import hashlib
import hmac
import struct
import zlib

SIGN, SEAL, DATAGRAM, LM_KEY, ALWAYS_SIGN = 0x10, 0x20, 0x40, 0x80, 0x8000
EXTENDED, KEY_128, KEY_EXCH, KEY_56 = 0x80000, 0x20000000, 0x40000000, 0x80000000


class Rc4:
    def __init__(self, key):
        self.state, self.i, self.j = list(range(256)), 0, 0
        state, j = self.state, 0
        for i in range(256):
            j = (j + state[i] + key[i % len(key)]) & 255
            state[i], state[j] = state[j], state[i]

    def crypt(self, data):
        state, i, j, out = self.state, self.i, self.j, bytearray(data)
        for at, byte in enumerate(out):
            i = (i + 1) & 255
            a = state[i]
            j = (j + a) & 255
            b = state[j]
            state[i], state[j] = b, a
            out[at] = byte ^ state[(a + b) & 255]
        self.i, self.j = i, j
        return bytes(out)


def magic(secret, side, use):
    way = "client-to-server" if side == "client" else "server-to-client"
    return hashlib.md5(secret + f"session key to {way} {use} key magic constant".encode() + b"\0").digest()


def seal_key(flags, key, side):
    """SEALKEY, 3.4.5.3."""
    if flags & EXTENDED:
        return magic(key if flags & KEY_128 else key[:7] if flags & KEY_56 else key[:5], side, "sealing")
    if flags & (LM_KEY | DATAGRAM):
        return key[:7] + b"\xa0" if flags & KEY_56 else key[:5] + b"\xe5\x38\xb0"
    return key


class Lane:
    """One direction; without extended session security both directions share one."""

    def __init__(self, flags, key, side):
        self.flags, self.number = flags, 0
        self.sign_key, self.seal_key = magic(key, side, "signing"), seal_key(flags, key, side)
        self.rc4 = Rc4(self.seal_key)

    def protect(self, text, seal, opening=False):
        """(16-byte signature, text for the wire); with `opening`, `text` is the wire's and the plain text goes out."""
        number = struct.pack("<I", self.number)
        if self.flags & DATAGRAM:  # 3.4.3
            self.rc4 = Rc4(hashlib.md5(self.seal_key + number).digest() if self.flags & EXTENDED else self.seal_key)
        out = self.rc4.crypt(text) if seal else text
        plain = out if opening else text
        self.number += 1
        if self.flags & EXTENDED:  # 3.4.4.2
            checksum = hmac.digest(self.sign_key, number + plain, "md5")[:8]
            checksum = self.rc4.crypt(checksum) if self.flags & KEY_EXCH else checksum
            return struct.pack("<I", 1) + checksum + number, out
        self.rc4.crypt(bytes(4))  # 3.4.4.1
        checksum = self.rc4.crypt(struct.pack("<I", zlib.crc32(plain)))
        key = struct.unpack("<I", self.rc4.crypt(bytes(4)))[0]
        return struct.pack("<II", 1, 0) + checksum + struct.pack("<I", key ^ (self.number - 1)), out


class Session:
    """The answers of peer_line.h's message commands, for a session whose flags and key are known."""

    def __init__(self, flags, key, side):
        self.flags = flags
        self.out = Lane(flags, key, side)
        self.back = Lane(flags, key, "server" if side == "client" else "client") if flags & EXTENDED else self.out

    def sign(self, text):
        return self.out.protect(text, False)[0]

    def verify(self, text, signature):
        return self.equal(self.back.protect(text, False)[0], signature)

    def seal(self, text):
        signature, sealed = self.out.protect(text, True)
        return signature + sealed

    def unseal(self, message):
        mine, text = self.back.protect(message[16:], True, opening=True)
        return text if self.equal(mine, message[:16]) else None

    def equal(self, mine, theirs):
        skip = 4 if self.flags & EXTENDED else 8  # the receiver ignores the random pad
        return mine[:4] == theirs[:4] and mine[skip:] == theirs[skip:]
