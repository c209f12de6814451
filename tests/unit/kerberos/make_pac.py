#!/usr/bin/python3
"""Writes pac_vectors.h and the seeds in tests/fuzz/corpus/pac: PACs as two other implementations encode them.

Samba's own NDR (Debian python3-samba) encodes the PACs of its domain controllers; libkrb5 makes and signs the minimal PAC of an
MIT KDC. Names, SIDs and keys are invented here. Run it from the root of the tree; the output is the same every time.
"""
import ctypes
import pathlib
import re
import struct

from samba.dcerpc import krb5pac, lsa, netlogon, samr, security
from samba.ndr import ndr_pack

DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"
RESOURCE = "S-1-5-21-2127521184-1604012920-1887927527"
NEVER = 0x7fffffffffffffff
LOGON_TIME = 133500000000000000
AES256, AES128, HMAC_MD5, AES256_SHA384 = 16, 15, 0xffffff76, 20
CHECKSUM_LENGTHS = {AES256: 12, AES128: 12, HMAC_MD5: 16, AES256_SHA384: 24}


def fill(kind, **fields):
    thing = kind()
    for name, value in fields.items():
        setattr(thing, name, value)
    return thing


def text(kind, value):
    return fill(kind, string=value)


def rids(pairs):
    members = [fill(samr.RidWithAttribute, rid=rid, attributes=attributes) for rid, attributes in pairs]
    return fill(samr.RidWithAttributeArray, count=len(members), rids=members)


def logon_info(user, user_id, groups, extra=(), resource=(), flags=0):
    base = fill(
        netlogon.netr_SamBaseInfo, logon_time=LOGON_TIME, logoff_time=NEVER, kickoff_time=NEVER, last_password_change=LOGON_TIME - 864000000000,
        allow_password_change=LOGON_TIME - 1, force_password_change=NEVER, account_name=text(lsa.String, user),
        full_name=text(lsa.String, "Zoë Grün"), logon_script=text(lsa.String, "login.bat"), profile_path=text(lsa.String, ""),
        home_directory=text(lsa.String, "\\\\files\\zoe"), home_drive=text(lsa.String, "H:"), logon_count=258, bad_password_count=3,
        rid=user_id, primary_gid=513, groups=rids(groups), user_flags=flags, logon_server=text(lsa.StringLarge, "DC1"),
        logon_domain=text(lsa.StringLarge, "EXAMPLE"), domain_sid=security.dom_sid(DOMAIN), acct_flags=0x210,
        sub_auth_status=0, last_successful_logon=LOGON_TIME - 7, last_failed_logon=0, failed_logon_count=2)
    sids = [fill(netlogon.netr_SidAttr, sid=security.dom_sid(sid), attributes=attributes) for sid, attributes in extra]
    info = fill(krb5pac.PAC_LOGON_INFO, info3=fill(netlogon.netr_SamInfo3, base=base, sidcount=len(sids), sids=sids))
    if resource:
        info.resource_groups = fill(krb5pac.PAC_DOMAIN_GROUP_MEMBERSHIP, domain_sid=security.dom_sid(RESOURCE), groups=rids(resource))
    return krb5pac.PAC_TYPE_LOGON_INFO, fill(krb5pac.PAC_LOGON_INFO_CTR, info=info)


def logon_name(name):
    return krb5pac.PAC_TYPE_LOGON_NAME, fill(krb5pac.PAC_LOGON_NAME, logon_time=LOGON_TIME, account_name=name)


def upn(name, dns, sam=None, sid=None, flags=0):
    info = fill(krb5pac.PAC_UPN_DNS_INFO, upn_name=name, dns_domain_name=dns, flags=flags)
    if sam is not None:
        info.flags |= krb5pac.PAC_UPN_DNS_FLAG_HAS_SAM_NAME_AND_SID
        info.ex = fill(krb5pac.PAC_UPN_DNS_INFO_SAM_NAME_AND_SID, samaccountname=sam, objectsid=security.dom_sid(sid))
    return krb5pac.PAC_TYPE_UPN_DNS_INFO, info


def signature(kind, checksum, fill_byte, trailer=b""):
    value = bytes([fill_byte]) * CHECKSUM_LENGTHS[checksum] + trailer
    return kind, fill(krb5pac.PAC_SIGNATURE_DATA, type=checksum, signature=value)


def pac(*parts):
    buffers = [fill(krb5pac.PAC_BUFFER, type=kind, info=info) for kind, info in parts]
    return ndr_pack(fill(krb5pac.PAC_DATA, num_buffers=len(buffers), version=0, buffers=buffers))


def samba_full():
    user = DOMAIN + "-1105"
    return pac(
        logon_info("zoe", 1105, [(513, 7), (512, 7), (1110, 15)],
                   extra=[("S-1-18-1", 7), (DOMAIN + "-512", 7), ("S-1-5-21-1-2-3-4", 0x20000007), (DOMAIN + "-1112", 0x20000007)],
                   resource=[(1201, 0x20000007), (1202, 0x20000007)], flags=0x220),
        logon_name("zoe"), upn("zoe@example.com", "EXAMPLE.COM", "zoe", user),
        (krb5pac.PAC_TYPE_ATTRIBUTES_INFO, fill(krb5pac.PAC_ATTRIBUTES_INFO, flags_length=2, flags=1)),
        (krb5pac.PAC_TYPE_REQUESTER_SID, fill(krb5pac.PAC_REQUESTER_SID, sid=security.dom_sid(user))),
        signature(krb5pac.PAC_TYPE_SRV_CHECKSUM, AES256, 0x61), signature(krb5pac.PAC_TYPE_KDC_CHECKSUM, HMAC_MD5, 0x62),
        signature(krb5pac.PAC_TYPE_TICKET_CHECKSUM, AES128, 0x63), signature(krb5pac.PAC_TYPE_FULL_CHECKSUM, AES256_SHA384, 0x64))


def samba_plain():
    """A computer's PAC: no extra SIDs, no resource groups, a constructed UPN, a KDC signature by a read-only controller."""
    return pac(
        logon_info("WEB1$", 1106, [(515, 7)]), logon_name("WEB1$"), upn("WEB1$@example.com", "EXAMPLE.COM", flags=1),
        signature(krb5pac.PAC_TYPE_SRV_CHECKSUM, HMAC_MD5, 0x71),
        signature(krb5pac.PAC_TYPE_KDC_CHECKSUM, AES256, 0x72, struct.pack("<H", 4711)))


def samba_rid_zero():
    """An account outside the logon domain: its SID is the first extra one. Lists without their flags do not count."""
    return pac(logon_info("guest", 0, [(514, 7)], extra=[("S-1-5-21-9-8-7-501", 7), ("S-1-5-21-9-8-7-514", 7)],
                          resource=[(1201, 0x20000007)], flags=0x20), logon_name("guest"))


class Keyblock(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_int), ("enctype", ctypes.c_int), ("length", ctypes.c_uint), ("contents", ctypes.c_char_p)]


class Data(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_int), ("length", ctypes.c_uint), ("data", ctypes.c_void_p)]


def mit_minimal():
    """What an MIT KDC without a directory sends: client info and signatures, made and signed by libkrb5."""
    krb5 = ctypes.CDLL("libkrb5.so.3")
    context, made, principal, data = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p(), Data()
    key = Keyblock(0, 18, 32, bytes(range(1, 33)))
    assert krb5.krb5_init_context(ctypes.byref(context)) == 0
    assert krb5.krb5_parse_name(context, b"alice@EXAMPLE.COM", ctypes.byref(principal)) == 0
    assert krb5.krb5_pac_init(context, ctypes.byref(made)) == 0
    assert krb5.krb5_pac_sign(context, made, ctypes.c_int32(1700000000), principal, ctypes.byref(key), ctypes.byref(key),
                              ctypes.byref(data)) == 0
    return ctypes.string_at(data.data, data.length)


def example(name):
    """An array of pac_example.h."""
    array = pathlib.Path("tests/unit/kerberos/pac_example.h").read_text().split(name + "[]")[1].split("};")[0]
    return bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2}),", array))


def windows_2003():
    """The example of MS-PAC 3 in the frame that its table of buffers describes; the signatures are not its own."""
    info = example("pac_example_logon_info")
    name = "lzhu".encode("utf-16le")
    checksum = struct.pack("<I", HMAC_MD5) + b"\x5a" * 16
    return frame((1, info), (10, struct.pack("<QH", 0x01c66a650f6686d1, len(name)) + name), (6, checksum), (7, checksum)), info


def frame(*parts):
    """PACTYPE around buffers as they are."""
    table, body, begin = struct.pack("<II", len(parts), 0), b"", 8 + 16 * len(parts)
    for kind, part in parts:
        table += struct.pack("<IIQ", kind, len(part), begin + len(body))
        body += part + b"\0" * (-len(part) % 8)
    return table + body


def main():
    vectors = {"samba_full": samba_full(), "samba_plain": samba_plain(), "samba_rid_zero": samba_rid_zero(), "mit_minimal": mit_minimal()}
    windows, windows_info = windows_2003()
    seeds = {"samba_dc": example("pac_samba_dc"), "windows_2003": windows, "logon_info_alone": windows_info, "empty": frame(), "unknown_type": frame((99, b"\1" * 8), (99, b"")),
             "count_wraps": struct.pack("<I", 0x10000000) + frame((1, b"\0" * 8))[4:]}
    corpus = pathlib.Path("tests/fuzz/corpus/pac")
    for name, value in {**vectors, **seeds}.items():
        (corpus / name).write_bytes(value)
    lines = ["/* Made by make_pac.py beside this file, which says what is in them and who encoded them. */",
             "#ifndef OPENSSPI_TESTS_PAC_VECTORS_H", "#define OPENSSPI_TESTS_PAC_VECTORS_H", "", "#include <stdint.h>", "", "/* clang-format off */"]
    for name, value in vectors.items():
        lines.append("static const uint8_t pac_%s[] = {" % name)
        lines += ["    " + " ".join("0x%02x," % byte for byte in value[at:at + 20]) for at in range(0, len(value), 20)]
        lines += ["};", ""]
    lines += ["/* clang-format on */", "#endif"]
    pathlib.Path("tests/unit/kerberos/pac_vectors.h").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
