/*
 * Certificates, revocation lists and PKCS #7, in DER and PEM: what opens can be asked everything, and comes out of memory again.
 */
#include "base/memory.h"
#include "certificates/live.h"
#include "fuzz/world.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <wincrypt.h>

static void ask_properties(PCCERT_CONTEXT context)
{
    for (DWORD id = 0; (id = CertEnumCertificateContextProperties(context, id)) != 0;) {
        BYTE room[64];
        DWORD size = 0, n = sizeof room;
        if (CertGetCertificateContextProperty(context, id, NULL, &size) && size <= sizeof room)
            MUST(CertGetCertificateContextProperty(context, id, room, &n) && n == size);
    }
}

static void ask_names(PCCERT_CONTEXT context)
{
    for (DWORD type = CERT_NAME_EMAIL_TYPE; type <= CERT_NAME_UPN_TYPE; type++)
        for (DWORD flags = 0; flags < 4; flags++) {
            char room[40];
            DWORD form = CERT_X500_NAME_STR;
            void *parameter = type == CERT_NAME_RDN_TYPE ? &form : NULL;
            DWORD needed = CertGetNameStringA(context, type, flags, parameter, NULL, 0);
            DWORD written = CertGetNameStringA(context, type, flags, parameter, room, sizeof room);
            MUST(needed > 0 && written > 0 && written <= sizeof room && room[written - 1] == 0);
            MUST(CertGetNameStringW(context, type, flags, parameter, NULL, 0) > 0);
        }
}

static void ask_certificate(PCCERT_CONTEXT context, HCERTSTORE store)
{
    PCCERT_CHAIN_CONTEXT chain = NULL;
    BYTE usage[2];
    DWORD checks = CERT_STORE_SIGNATURE_FLAG | CERT_STORE_TIME_VALIDITY_FLAG | CERT_STORE_REVOCATION_FLAG;
    ask_properties(context);
    ask_names(context);
    (void)CertGetIntendedKeyUsage(X509_ASN_ENCODING, context->pCertInfo, usage, sizeof usage);
    (void)CertGetPublicKeyLength(X509_ASN_ENCODING, &context->pCertInfo->SubjectPublicKeyInfo);
    PCCERT_CONTEXT same = CertFindCertificateInStore(store, 0, 0, CERT_FIND_SUBJECT_CERT, context->pCertInfo, NULL);
    MUST(same != NULL && CertFreeCertificateContext(same));
    (void)CertFreeCertificateContext(CertGetIssuerCertificateFromStore(store, context, NULL, &checks));
    if (CertGetCertificateChain(NULL, context, NULL, store, NULL, CERT_CHAIN_REVOCATION_CHECK_CHAIN, NULL, &chain)) {
        CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof status};
        MUST(chain->cChain == 1 && chain->rgpChain[0]->cElement > 0);
        MUST(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, NULL, &status));
        MUST(status.dwError != 0); /* nothing is trusted here */
        CertFreeCertificateChain(chain);
    }
}

/* No roots and no intermediates: the private directory holds no certificates. */
static void configure(void)
{
    char text[600];
    world_configure("");
    const char *config = getenv("OPENSSPI_CONFIG");
    MUST(config != NULL);
    int len = (int)(strrchr(config, '/') - config);
    MUST(snprintf(text, sizeof text, "[certificates]\nroot = %.*s\nca = %.*s", len, config, len, config) <
         (int)sizeof text);
    world_configure(text);
}

/* Any bytes as any structure: what is told is what is needed, and all of it. */
static void decode_as(LPCSTR type, const uint8_t *data, size_t size)
{
    DWORD needed = 0, again;
    void *made = NULL;
    if (!CryptDecodeObject(X509_ASN_ENCODING, type, data, (DWORD)size, 0, NULL, &needed))
        return;
    BYTE *room = mem_zalloc(needed);
    again = needed;
    MUST(room != NULL && CryptDecodeObject(X509_ASN_ENCODING, type, data, (DWORD)size, 0, room, &again));
    MUST(again == needed);
    mem_free(room);
    MUST(CryptDecodeObjectEx(X509_ASN_ENCODING, type, data, (DWORD)size, CRYPT_DECODE_ALLOC_FLAG, NULL, &made, &again));
    MUST(OpenSspiLocalSize(made) == needed && OpenSspiLocalFree(made) == NULL);
}

static void decode(const uint8_t *data, size_t size)
{
    static const uint8_t types[] = {7, 12, 14, 15, 20, 25, 26, 36};
    for (size_t i = 0; i < COUNT_OF(types); i++)
        decode_as((LPCSTR)(uintptr_t)types[i], data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CRYPT_DATA_BLOB blob = {(DWORD)size, (BYTE *)(uintptr_t)data};
    HCERTSTORE store = NULL;
    DWORD content = 0;
    static bool ready;
    if (!ready)
        configure();
    ready = true;
    world_reset();
    if (size == 0)
        return 0;
    decode(data, size);
    if (CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &blob, CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL, 0,
                         NULL, &content, NULL, &store, NULL, NULL) &&
        store != NULL) {
        PCCERT_CONTEXT at = NULL;
        PCCRL_CONTEXT list = NULL;
        for (unsigned n = 0; n < 8 && (at = CertEnumCertificatesInStore(store, at)) != NULL; n++)
            ask_certificate(at, store);
        (void)CertFreeCertificateContext(at);
        while ((list = CertEnumCRLsInStore(store, list)) != NULL)
            MUST(list->pCrlInfo != NULL);
        MUST(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    }
    MUST(live_count() == 0);
    return 0;
}
