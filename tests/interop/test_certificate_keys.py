"""Private keys from wherever they are: files and PFX of the openssl command, a PKCS#11 token of SoftHSM (certificate_key.c)."""
import os
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(os.environ["OPENSSPI_BUILD"]) / "tests/interop/certificate_key"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "4321"


def run(directory, *words, check=True, **variables):
    config = directory / "opensspi.conf"
    config.touch()
    environment = {**os.environ, "OPENSSPI_CONFIG": str(config), **variables}
    return subprocess.run([str(word) for word in words], cwd=directory, env=environment, text=True, timeout=60, check=check,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def make(directory, kind):
    """Files key.pem (PKCS#8) and certificate.pem."""
    kinds = {"rsa": ("rsa:2048",), "ec": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")}
    run(directory, "openssl", "req", "-x509", "-newkey", *kinds[kind], "-nodes", "-keyout", "key.pem", "-out",
        "certificate.pem", "-subj", "/CN=test", "-days", "2")
    (directory / "key.pem").chmod(0o600)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("form", ["plain", "encrypted", "traditional", "der", "pkcs8-der"])
def test_files(tmp_path, kind, form):
    make(tmp_path, kind)
    word = ["geheim"] if form in ("encrypted", "pkcs8-der") else []
    conversions = {
        "plain": ["pkey"],
        "encrypted": ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:geheim"],
        "traditional": ["pkey", "-traditional"],
        "der": ["pkey", "-outform", "DER"],
        "pkcs8-der": ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:geheim", "-outform", "DER"],
    }
    run(tmp_path, "openssl", *conversions[form], "-in", "key.pem", "-out", "other")
    (tmp_path / "other").chmod(0o600)
    assert run(tmp_path, PROGRAM, "certificate.pem", "other", *word).stdout == "signed\n"
    if word:
        for wrong in (["falsch"], []):
            done = run(tmp_path, PROGRAM, "certificate.pem", "other", *wrong, check=False)
            assert done.returncode == 1 and done.stdout.startswith("0x8009030d"), done.stdout


@pytest.mark.parametrize("form", [[], ["-legacy"], ["-keypbe", "aes-128-cbc", "-certpbe", "aes-128-cbc"]])
@pytest.mark.parametrize("password", ["geheim", "gehe\u00efm\u20ac", ""])
def test_pfx(tmp_path, form, password):
    make(tmp_path, "rsa")
    run(tmp_path, "openssl", "pkcs12", "-export", *form, "-in", "certificate.pem", "-inkey", "key.pem", "-out", "all.pfx",
        "-passout", f"pass:{password}")
    assert run(tmp_path, PROGRAM, "pfx", "all.pfx", password).stdout == "signed\n"
    done = run(tmp_path, PROGRAM, "pfx", "all.pfx", "another", check=False)
    assert done.returncode == 1 and done.stdout.startswith("0x00000056"), done.stdout  # ERROR_INVALID_PASSWORD


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_pkcs11(tmp_path, kind):
    make(tmp_path, kind)
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    token = {"SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf"), "PKCS11_MODULE_PATH": MODULE}
    run(tmp_path, "softhsm2-util", "--init-token", "--free", "--label", "box", "--pin", PIN, "--so-pin", "8765", **token)
    run(tmp_path, "softhsm2-util", "--import", "key.pem", "--token", "box", "--label", "mine", "--id", "01", "--pin", PIN,
        **token)
    uri = "pkcs11:token=box;object=mine;type=private"
    assert run(tmp_path, PROGRAM, "certificate.pem", f"{uri}?pin-value={PIN}", **token).stdout == "signed\n"
    assert run(tmp_path, PROGRAM, "certificate.pem", uri, PIN, **token).stdout == "signed\n"
    for wrong in ([uri.replace("mine", "yours"), PIN], [uri, "0000"], [uri]):
        done = run(tmp_path, PROGRAM, "certificate.pem", *wrong, check=False, **token)
        assert done.returncode == 1 and done.stdout.startswith("0x8009030e"), done.stdout
