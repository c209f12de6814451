"""LsaNtStatusToWinError knows every status of the headers; where an error has the status' name it is that one."""
import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(os.environ["OPENSSPI_SOURCE"])
WIN32 = SOURCE / "include/opensspi/win32"
UNKNOWN = 317  # ERROR_MR_MID_NOT_FOUND
NONE = {"STATUS_NO_KERB_KEY"}  # Windows' errors have no such thing
OTHERS = {"STATUS_BUFFER_OVERFLOW": 234, "STATUS_WRONG_PASSWORD": 86, "STATUS_CANCELLED": 995}  # MORE_DATA, INVALID_PASSWORD, OPERATION_ABORTED


def numbers_of(statuses):
    lines = "".join(f"error {status}\n" for status in statuses)
    done = subprocess.run([pathlib.Path(os.environ["OPENSSPI_BUILD"]) / "tests/interop/lsa_functions"], input=lines, capture_output=True, text=True,
                          timeout=60, check=True)
    return [int(line.split()[2]) for line in done.stdout.splitlines()]


def test_every_status_has_its_error():
    statuses = dict(re.findall(r"^#define (STATUS_\w+) \(\(NTSTATUS\)(0x[0-9A-F]{8})\)", (WIN32 / "ntstatus.h").read_text(encoding="utf-8"), re.M))
    errors = {name: int(number) for name, number in re.findall(r"^#define (ERROR_\w+) (\d+)L?$", (WIN32 / "winerror.h").read_text(encoding="utf-8"), re.M)}
    assert len(statuses) > 60 and len(errors) > 100
    told = dict(zip(statuses, numbers_of(statuses.values())))
    assert {name for name, number in told.items() if number == UNKNOWN} == NONE
    for name, number in told.items():
        same = errors.get(name.replace("STATUS_", "ERROR_", 1), number)
        assert number == OTHERS.get(name, same), name
