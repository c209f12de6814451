/*
 * Makes a certificate context from files, signs with its key and checks the signature with the certificate:
 *   certificate_key CERTIFICATE KEY [PASSWORD]      KEY: a file or a pkcs11: URI
 *   certificate_key pfx FILE PASSWORD
 * Says "signed", or the status and the cause.
 * build: internal
 */
#include "base/memory.h"
#include "base/utf16.h"
#include "certificates/certificate.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wincrypt.h>

static int refuse(unsigned status)
{
    printf("0x%08x %s\n", status, OpenSspiLastErrorText());
    return 1;
}

static int sign(PCCERT_CONTEXT context)
{
    struct certificate *certificate = NULL;
    unsigned char signature[1024];
    size_t len = sizeof signature;
    if (certificate_take(context, &certificate) != SEC_E_OK)
        return refuse(0);
    EVP_PKEY *key = certificate_key(certificate);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const unsigned char data[] = "what is signed";
    int good = key != NULL && EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestSign(digest, signature, &len, data, sizeof data) == 1;
    EVP_MD_CTX_free(digest);
    digest = EVP_MD_CTX_new();
    good =
        good &&
        EVP_DigestVerifyInit(digest, NULL, EVP_sha256(), NULL, X509_get0_pubkey(certificate_x509(certificate))) == 1 &&
        EVP_DigestVerify(digest, signature, len, data, sizeof data) == 1;
    EVP_MD_CTX_free(digest);
    EVP_PKEY_free(key);
    certificate_put(certificate);
    puts(good ? "signed" : "the key does not sign");
    return good ? 0 : 1;
}

static HCERTSTORE pfx_open(const char *path, const char *password)
{
    static BYTE data[100000];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    CRYPT_DATA_BLOB blob = {(DWORD)fread(data, 1, sizeof data, file), data};
    fclose(file);
    uint16_t *wide = NULL;
    if (utf16_from_text(password, &wide, NULL) != WIRE_OK)
        return NULL;
    HCERTSTORE store = PFXImportCertStore(&blob, (LPCWSTR)wide, 0);
    mem_free(wide);
    return store;
}

int main(int argc, char **argv)
{
    PCCERT_CONTEXT context = NULL;
    if (argc == 4 && strcmp(argv[1], "pfx") == 0) {
        HCERTSTORE store = pfx_open(argv[2], argv[3]);
        if (store == NULL)
            return refuse(OpenSspiLastError());
        context = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL);
        (void)CertCloseStore(store, 0);
    } else if (argc == 3 || argc == 4) {
        SECURITY_STATUS status = OpenSspiCertificateFromPem(argv[1], argv[2], argc == 4 ? argv[3] : NULL, &context);
        if (status != SEC_E_OK)
            return refuse((unsigned)status);
    } else {
        return 2;
    }
    int result = context == NULL ? refuse(0) : sign(context);
    (void)CertFreeCertificateContext(context);
    return result;
}
