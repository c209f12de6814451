/* SPDX-License-Identifier: MIT */
#include "certificates.h"
#include "options.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 20)
#define NAME_MAX_LEN 256

/* ASCII is all that passwords and names of this sample need. FALSE when it is something else, or too long. */
static BOOL Widen(const char *text, WCHAR *wide, size_t size)
{
    size_t i = 0;
    for (; text[i] != '\0'; i++) {
        if (i + 1 >= size || (unsigned char)text[i] >= 128)
            return FALSE;
        wide[i] = (WCHAR)(unsigned char)text[i];
    }
    wide[i] = 0;
    return TRUE;
}

/* Reads a whole file; free() the bytes. */
static BYTE *ReadFileWhole(const char *path, DWORD *len)
{
    FILE *file = fopen(path, "rb");
    BYTE *bytes = file != NULL ? malloc(FILE_MAX) : NULL;
    *len = bytes != NULL ? (DWORD)fread(bytes, 1, FILE_MAX, file) : 0;
    if (file != NULL)
        fclose(file);
    if (*len > 0 && *len < FILE_MAX)
        return bytes;
    Complain("%s cannot be read", path);
    free(bytes);
    return NULL;
}

static BOOL OpenPfx(struct certificates *certificates, const char *path)
{
    char password[NAME_MAX_LEN];
    WCHAR wide[NAME_MAX_LEN];
    CRYPT_DATA_BLOB blob;
    if (!AskPassword(password, sizeof password))
        return FALSE;
    BOOL plain = Widen(password, wide, NAME_MAX_LEN);
    Wipe(password, sizeof password);
    blob.pbData = ReadFileWhole(path, &blob.cbData);
    if (plain && blob.pbData != NULL)
        certificates->store = PFXImportCertStore(&blob, wide, 0);
    Wipe(wide, sizeof wide);
    if (blob.pbData != NULL) {
        Wipe(blob.pbData, blob.cbData);
        free(blob.pbData);
        if (certificates->store == NULL)
            Complain("%s is no PFX file, or its password is another one", path);
    }
    if (certificates->store == NULL)
        return FALSE;

    /* The one with a key is ours; the others are its issuers, which are sent with it. */
    PCCERT_CONTEXT found = NULL;
    while ((found = CertEnumCertificatesInStore(certificates->store, found)) != NULL) {
        DWORD size = 0;
        if (CertGetCertificateContextProperty(found, CERT_KEY_PROV_INFO_PROP_ID, NULL, &size) ||
            CertGetCertificateContextProperty(found, CERT_KEY_CONTEXT_PROP_ID, NULL, &size)) {
            certificates->own = found;
            return TRUE;
        }
    }
    Complain("%s holds no certificate with a key", path);
    return FALSE;
}

static BOOL OpenRoot(struct certificates *certificates, const char *path)
{
    DWORD text_len, der_len = 0;
    BYTE *text = ReadFileWhole(path, &text_len), *der = NULL;
    if (text == NULL)
        return FALSE;
    if (CryptStringToBinaryA((LPCSTR)text, text_len, CRYPT_STRING_BASE64HEADER, NULL, &der_len, NULL, NULL) &&
        (der = malloc(der_len)) != NULL &&
        CryptStringToBinaryA((LPCSTR)text, text_len, CRYPT_STRING_BASE64HEADER, der, &der_len, NULL, NULL))
        certificates->root = CertCreateCertificateContext(X509_ASN_ENCODING, der, der_len);
    free(der);
    free(text);
    if (certificates->root == NULL)
        Complain("%s is no certificate in PEM", path);
    return certificates->root != NULL;
}

BOOL CertificatesOpen(struct certificates *certificates, const char *pfx_file, const char *root_file)
{
    return (pfx_file == NULL || OpenPfx(certificates, pfx_file)) &&
           (root_file == NULL || OpenRoot(certificates, root_file));
}

void CertificatesClose(struct certificates *certificates)
{
    if (certificates->own != NULL)
        CertFreeCertificateContext(certificates->own);
    if (certificates->root != NULL)
        CertFreeCertificateContext(certificates->root);
    if (certificates->store != NULL)
        CertCloseStore(certificates->store, 0);
    memset(certificates, 0, sizeof *certificates);
}

/* The last certificate of the chain is the authority itself. */
static BOOL EndsWith(PCCERT_CHAIN_CONTEXT chain, PCCERT_CONTEXT root)
{
    if (chain->cChain == 0 || chain->rgpChain[0]->cElement == 0)
        return FALSE;
    const CERT_SIMPLE_CHAIN *first = chain->rgpChain[0];
    PCCERT_CONTEXT last = first->rgpElement[first->cElement - 1]->pCertContext;
    return last->cbCertEncoded == root->cbCertEncoded &&
           memcmp(last->pbCertEncoded, root->pbCertEncoded, root->cbCertEncoded) == 0;
}

/* The authority of the command line need not be one of the machine's: that its root is not known is then no fault. */
static BOOL JudgeChain(const struct certificates *certificates, PCCERT_CHAIN_CONTEXT chain, const char *name)
{
    WCHAR wide[NAME_MAX_LEN];
    if (name != NULL && !Widen(name, wide, NAME_MAX_LEN)) {
        Complain("the server's name is not of ASCII, or too long");
        return FALSE;
    }
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA extra = {.dwAuthType = name != NULL ? AUTHTYPE_SERVER : AUTHTYPE_CLIENT,
                                              .pwszServerName = name != NULL ? wide : NULL};
    extra.cbSize = sizeof extra;
    CERT_CHAIN_POLICY_PARA policy = {
        .cbSize = sizeof policy,
        .dwFlags = certificates->root != NULL ? CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG : 0,
        .pvExtraPolicyPara = &extra,
    };
    CERT_CHAIN_POLICY_STATUS verdict = {.cbSize = sizeof verdict};
    if (!CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &policy, &verdict)) {
        Complain("the chain of the peer's certificate cannot be judged");
        return FALSE;
    }
    if (verdict.dwError != 0) {
        Complain("the peer's certificate is refused: %s", StatusName((SECURITY_STATUS)verdict.dwError));
        return FALSE;
    }
    if (certificates->root != NULL && !EndsWith(chain, certificates->root)) {
        Complain("the peer's certificate is refused: it is of another authority");
        return FALSE;
    }
    return TRUE;
}

BOOL CertificateCheck(const struct certificates *certificates, PCCERT_CONTEXT peer, const char *name)
{
    static char server_usage[] = "1.3.6.1.5.5.7.3.1", client_usage[] = "1.3.6.1.5.5.7.3.2"; /* RFC 5280 4.2.1.12 */
    LPSTR usage = name != NULL ? server_usage : client_usage;
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    para.RequestedUsage.dwType = USAGE_MATCH_TYPE_AND;
    para.RequestedUsage.Usage.cUsageIdentifier = 1;
    para.RequestedUsage.Usage.rgpszUsageIdentifier = &usage;
    PCCERT_CHAIN_CONTEXT chain = NULL;

    /* The authority may be needed to complete the chain, and so may the issuers that the peer sent: those are in its own store. */
    HCERTSTORE more = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    BOOL good =
        more != NULL && (certificates->root == NULL ||
                         CertAddCertificateContextToStore(more, certificates->root, CERT_STORE_ADD_ALWAYS, NULL));
    if (good && peer->hCertStore != NULL) {
        PCCERT_CONTEXT sent = NULL;
        while ((sent = CertEnumCertificatesInStore(peer->hCertStore, sent)) != NULL)
            CertAddCertificateContextToStore(more, sent, CERT_STORE_ADD_USE_EXISTING, NULL);
    }
    good = good && CertGetCertificateChain(NULL, peer, NULL, more, &para, 0, NULL, &chain);
    if (!good)
        Complain("the chain of the peer's certificate cannot be built");
    good = good && JudgeChain(certificates, chain, name);
    if (chain != NULL)
        CertFreeCertificateChain(chain);
    if (more != NULL)
        CertCloseStore(more, 0);
    return good;
}
