/*
 * build: pkg
 *
 * certificates CERT KEY ROOT CRL PFX: calls every function of wincrypt.h. The files are PEM, the PFX's password is "truth".
 */
#include "truth.h"

#include <schannel.h>
#include <wincrypt.h>

#define ENCODING X509_ASN_ENCODING

static PCCERT_CONTEXT certificate, root;
static PCCRL_CONTEXT crl;
static HCERTSTORE store;

static DATA_BLOB file_read(const char *path)
{
    static BYTE room[65536];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        broken(path);
    DATA_BLOB blob = {(DWORD)fread(room, 1, sizeof room, file), room};
    fclose(file);
    return blob;
}

/* What a PEM file holds, in DER. */
static DATA_BLOB der_read(const char *path)
{
    static BYTE der[65536];
    DWORD length = sizeof der;
    DATA_BLOB text = file_read(path);
    if (!CryptStringToBinaryA((char *)text.pbData, text.cbData, CRYPT_STRING_BASE64HEADER, der, &length, NULL, NULL))
        broken(path);
    return (DATA_BLOB){length, der};
}

static void text(void)
{
    char name[256], hex[64];
    SEC_WCHAR wide_name[256], wide_hex[64];
    BYTE bytes[8], encoded[256];
    DWORD length = sizeof hex, wide_length = 64, got = sizeof bytes;
    did("CryptBinaryToStringA", CryptBinaryToStringA((const BYTE *)"\1\2", 2, CRYPT_STRING_HEXRAW, hex, &length));
    did("CryptBinaryToStringW",
        CryptBinaryToStringW((const BYTE *)"\1\2", 2, CRYPT_STRING_HEXRAW, wide_hex, &wide_length));
    did("CryptStringToBinaryA",
        CryptStringToBinaryA("0102", 4, CRYPT_STRING_HEXRAW, bytes, &got, NULL, NULL) && got == 2);
    got = sizeof bytes;
    did("CryptStringToBinaryW",
        CryptStringToBinaryW(wide("0102"), 4, CRYPT_STRING_HEXRAW, bytes, &got, NULL, NULL) && got == 2);
    CERT_NAME_BLOB subject = certificate->pCertInfo->Subject;
    did("CertNameToStrA", CertNameToStrA(ENCODING, &subject, CERT_X500_NAME_STR, name, sizeof name) > 1);
    did("CertNameToStrW", CertNameToStrW(ENCODING, &subject, CERT_X500_NAME_STR, wide_name, 256) > 1);
    got = sizeof encoded;
    did("CertStrToNameA", CertStrToNameA(ENCODING, "CN=truth", CERT_X500_NAME_STR, NULL, encoded, &got, NULL));
    got = sizeof encoded;
    did("CertStrToNameW", CertStrToNameW(ENCODING, wide("CN=truth"), CERT_X500_NAME_STR, NULL, encoded, &got, NULL));
    did("CertGetNameStringA",
        CertGetNameStringA(certificate, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, sizeof name) > 1);
    did("CertGetNameStringW",
        CertGetNameStringW(certificate, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, wide_name, 256) > 1);
}

static void certificates(void)
{
    BYTE hash[20], usage[2];
    DWORD length = sizeof hash;
    PCERT_INFO info = certificate->pCertInfo;
    PCCERT_CONTEXT copy =
        CertCreateCertificateContext(ENCODING, certificate->pbCertEncoded, certificate->cbCertEncoded);
    did("CertCreateCertificateContext", copy != NULL);
    PCCERT_CONTEXT second = CertDuplicateCertificateContext(copy);
    did("CertDuplicateCertificateContext", second == copy);
    did("CertFreeCertificateContext", CertFreeCertificateContext(second) && CertFreeCertificateContext(copy));
    did("CertCompareCertificate",
        CertCompareCertificate(ENCODING, info, info) && !CertCompareCertificate(ENCODING, info, root->pCertInfo));
    did("CertCompareCertificateName", CertCompareCertificateName(ENCODING, &info->Issuer, &root->pCertInfo->Subject));
    did("CertCompareIntegerBlob", CertCompareIntegerBlob(&info->SerialNumber, &info->SerialNumber));
    did("CertFindExtension", CertFindExtension("2.5.29.17", info->cExtension, info->rgExtension) != NULL);
    did("CertVerifyTimeValidity", CertVerifyTimeValidity(NULL, info) == 0);
    did("CertGetIntendedKeyUsage",
        CertGetIntendedKeyUsage(ENCODING, root->pCertInfo, usage, sizeof usage) && usage[0] != 0);
    did("CertGetPublicKeyLength", CertGetPublicKeyLength(ENCODING, &info->SubjectPublicKeyInfo) >= 256);
    did("CryptHashCertificate",
        CryptHashCertificate(0, CALG_SHA1, 0, certificate->pbCertEncoded, certificate->cbCertEncoded, hash, &length) &&
            length == 20);
}

static void properties(void)
{
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE key = 0;
    DWORD spec = 0, length = 0;
    BYTE encoded[64];
    DWORD encoded_length = sizeof encoded;
    CRYPT_DATA_BLOB friendly = {8, (BYTE *)wide("abc")};
    did("CertSetCertificateContextProperty",
        CertSetCertificateContextProperty(certificate, CERT_FRIENDLY_NAME_PROP_ID, 0, &friendly));
    did("CertGetCertificateContextProperty",
        CertGetCertificateContextProperty(certificate, CERT_FRIENDLY_NAME_PROP_ID, NULL, &length) && length == 8);
    did("CertEnumCertificateContextProperties", CertEnumCertificateContextProperties(certificate, 0) != 0);
    did("CryptAcquireCertificatePrivateKey",
        CryptAcquireCertificatePrivateKey(certificate, CRYPT_ACQUIRE_ALLOW_NCRYPT_KEY_FLAG, NULL, &key, &spec, NULL));
    if (!CertStrToNameA(ENCODING, "CN=truth", CERT_X500_NAME_STR, NULL, encoded, &encoded_length, NULL))
        broken("name");
    CERT_NAME_BLOB subject = {encoded_length, encoded};
    PCCERT_CONTEXT own = CertCreateSelfSignCertificate(key, &subject, 0, NULL, NULL, NULL, NULL, NULL);
    did("CertCreateSelfSignCertificate", own != NULL);
    CertFreeCertificateContext(own);
    /* The handle is its context's: giving it back ends nothing, and may be done by either. */
    said("NCryptFreeObject", NCryptFreeObject(0) == NTE_INVALID_HANDLE ? NCryptFreeObject(key) : SEC_E_INTERNAL_ERROR);
    did("CryptReleaseContext", !CryptReleaseContext(0, 0) && CryptReleaseContext(key, 0));
}

static void stores(void)
{
    PCCERT_CONTEXT added = NULL;
    DWORD flags = 0;
    HCERTSTORE memory = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL), second = CertDuplicateStore(memory);
    did("CertOpenStore", memory != NULL);
    did("CertDuplicateStore", second == memory);
    did("CertAddCertificateContextToStore",
        CertAddCertificateContextToStore(memory, certificate, CERT_STORE_ADD_ALWAYS, NULL));
    did("CertAddEncodedCertificateToStore",
        CertAddEncodedCertificateToStore(memory, ENCODING, root->pbCertEncoded, root->cbCertEncoded,
                                         CERT_STORE_ADD_ALWAYS, &added));
    did("CertFindCertificateInStore",
        CertFindCertificateInStore(memory, ENCODING, 0, CERT_FIND_SUBJECT_STR_A, "server", NULL) != NULL);
    did("CertGetSubjectCertificateFromStore",
        CertGetSubjectCertificateFromStore(memory, ENCODING, certificate->pCertInfo) != NULL);
    did("CertGetIssuerCertificateFromStore",
        CertGetIssuerCertificateFromStore(memory, certificate, NULL, &flags) != NULL);
    did("CertEnumCertificatesInStore", CertEnumCertificatesInStore(memory, NULL) != NULL);
    did("CertDeleteCertificateFromStore", CertDeleteCertificateFromStore(added));
    did("CertAddCRLContextToStore", CertAddCRLContextToStore(memory, crl, CERT_STORE_ADD_ALWAYS, NULL));
    did("CertAddEncodedCRLToStore",
        CertAddEncodedCRLToStore(memory, ENCODING, crl->pbCrlEncoded, crl->cbCrlEncoded, CERT_STORE_ADD_ALWAYS, NULL));
    PCCRL_CONTEXT listed = CertEnumCRLsInStore(memory, NULL);
    did("CertEnumCRLsInStore", listed != NULL);
    did("CertDeleteCRLFromStore", CertDeleteCRLFromStore(listed));
    did("CertCloseStore", CertCloseStore(second, 0) && CertCloseStore(memory, 0));
    HCERTSTORE system = CertOpenSystemStoreA(0, "ROOT");
    did("CertOpenSystemStoreA", system != NULL && CertCloseStore(system, 0));
    system = CertOpenSystemStoreW(0, wide("ROOT"));
    did("CertOpenSystemStoreW", system != NULL && CertCloseStore(system, 0));
}

static void revocation_lists(void)
{
    PCCRL_CONTEXT second = CertDuplicateCRLContext(crl);
    did("CertCreateCRLContext", crl != NULL);
    did("CertDuplicateCRLContext", second == crl);
    did("CertFreeCRLContext", CertFreeCRLContext(second));
}

static void pfx(const char *path)
{
    DATA_BLOB blob = file_read(path);
    did("PFXIsPFXBlob", PFXIsPFXBlob(&blob));
    did("PFXVerifyPassword", PFXVerifyPassword(&blob, wide("truth"), 0) && !PFXVerifyPassword(&blob, wide("wrong"), 0));
    HCERTSTORE imported = PFXImportCertStore(&blob, wide("truth"), 0);
    did("PFXImportCertStore", imported != NULL);
    CertCloseStore(imported, 0);
}

static void chains(void)
{
    HCERTCHAINENGINE engine = NULL;
    CERT_CHAIN_ENGINE_CONFIG config = {.cbSize = sizeof config, .hExclusiveRoot = store};
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    CERT_CHAIN_POLICY_PARA policy = {.cbSize = sizeof policy};
    CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof status};
    PCCERT_CHAIN_CONTEXT chain = NULL;
    did("CertCreateCertificateChainEngine", CertCreateCertificateChainEngine(&config, &engine));
    did("CertGetCertificateChain", CertGetCertificateChain(engine, certificate, NULL, store, &para, 0, NULL, &chain) &&
                                       chain->TrustStatus.dwErrorStatus == 0);
    did("CertVerifyCertificateChainPolicy",
        CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_BASE, chain, &policy, &status) && status.dwError == 0);
    PCCERT_CHAIN_CONTEXT second = CertDuplicateCertificateChain(chain);
    did("CertDuplicateCertificateChain", second == chain);
    CertFreeCertificateChain(second);
    int counted = CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_BASE, chain, &policy, &status);
    CertFreeCertificateChain(chain);
    did("CertFreeCertificateChain",
        counted && !CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_BASE, chain, &policy, &status));
    CertFreeCertificateChainEngine(engine);
    did("CertFreeCertificateChainEngine",
        !CertGetCertificateChain(engine, certificate, NULL, store, &para, 0, NULL, &chain));
    CERT_CHAIN_FIND_BY_ISSUER_PARA by = {
        .cbSize = sizeof by, .cIssuer = 1, .rgIssuer = &certificate->pCertInfo->Issuer};
    HCERTSTORE own = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    CertAddCertificateContextToStore(own, certificate, CERT_STORE_ADD_ALWAYS, NULL);
    chain = CertFindChainInStore(own, ENCODING, 0, CERT_CHAIN_FIND_BY_ISSUER, &by, NULL);
    did("CertFindChainInStore", chain != NULL);
    CertFreeCertificateChain(chain);
    CertCloseStore(own, 0);
}

static void decoding(void)
{
    static const BYTE names[] = {0x30, 0x08, 0x82, 0x06, 'a', '.', 't', 'e', 's', 't'};
    _Alignas(8) BYTE room[256];
    DWORD length = sizeof room;
    CERT_ALT_NAME_INFO *info = NULL;
    did("CryptDecodeObjectEx", CryptDecodeObjectEx(ENCODING, szOID_SUBJECT_ALT_NAME2, names, sizeof names,
                                                   CRYPT_DECODE_ALLOC_FLAG, NULL, &info, NULL) &&
                                   info->cAltEntry == 1 && info->rgAltEntry->pwszDNSName[5] == 't');
    OpenSspiLocalFree(info);
    did("CryptDecodeObject", CryptDecodeObject(ENCODING, X509_ALTERNATE_NAME, names, sizeof names, 0, room, &length) &&
                                 length > sizeof *info);
}

static void objects(const char *path)
{
    DWORD encoding = 0, content = 0, format = 0;
    HCERTSTORE found = NULL;
    did("CryptQueryObject",
        CryptQueryObject(CERT_QUERY_OBJECT_FILE, wide(path), CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL, 0,
                         &encoding, &content, &format, &found, NULL, NULL));
    CertCloseStore(found, 0);
}

/* What a client of ours says first. */
static DWORD hello_of(BYTE *room, DWORD length)
{
    char package[] = "Schannel", target[] = "server.example.test";
    CredHandle credential;
    CtxtHandle context;
    SecBuffer out = {length, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    if (AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL) !=
            SEC_E_OK ||
        InitializeSecurityContextA(&credential, NULL, target, ISC_REQ_STREAM, 0, 0, NULL, 0, &context, &list,
                                   &attributes, NULL) != SEC_I_CONTINUE_NEEDED)
        broken("client hello");
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    return out.cbBuffer;
}

static void channel(void)
{
    PX509Certificate cracked = NULL;
    BYTE issuers[65535], hello[4096];
    DWORD length = sizeof issuers, hello_length = hello_of(hello, sizeof hello), missing = 0;
    PBYTE name = NULL;
    char wanted[] = "nowhere.example.test";
    SCH_EXTENSION_DATA extension = {.ExtensionType = 0};
    did("SslEmptyCacheA", SslEmptyCacheA(wanted, 0));
    did("SslEmptyCacheW", SslEmptyCacheW(wide(wanted), 0));
    did("SslCrackCertificate",
        SslCrackCertificate(certificate->pbCertEncoded, certificate->cbCertEncoded, 0, &cracked) &&
            strcmp(cracked->pszSubject, "CN=server") == 0 && cracked->pPublicKey->cbKey > 0);
    SslFreeCertificate(cracked);
    did("SslFreeCertificate", is_gone(cracked));
    did("SslGetMaximumKeySize", SslGetMaximumKeySize(0) >= 2048);
    did("SslGetDefaultIssuers", SslGetDefaultIssuers(issuers, &length) && length > 2);
    OpenSspiSetLastError((ULONG)SEC_E_UNSUPPORTED_FUNCTION); /* this one leaves no word */
    did("SslGenerateKeyPair", SslGenerateKeyPair(NULL, wanted, wanted, 2048));
    SECURITY_STATUS status = SslGetServerIdentity(hello, hello_length, &name, &length, 0);
    said("SslGetServerIdentity", status == SEC_E_OK && (length != 19 || memcmp(name, "server.example.test", 19) != 0)
                                     ? SEC_E_INTERNAL_ERROR
                                     : status);
    status = SslGetExtensions(hello, hello_length, &extension, 1, &missing, SCH_EXTENSIONS_OPTIONS_NONE);
    said("SslGetExtensions", status == SEC_E_OK && extension.cbExtData != 24 ? SEC_E_INTERNAL_ERROR : status);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    if (OpenSspiCertificateFromPem(argv[1], argv[2], NULL, &certificate) != SEC_E_OK ||
        OpenSspiCertificateFromPem(argv[3], NULL, NULL, &root) != SEC_E_OK)
        broken("certificates");
    said("OpenSspiCertificateFromPem", SEC_E_OK);
    DATA_BLOB list = der_read(argv[4]);
    crl = CertCreateCRLContext(ENCODING, list.pbData, list.cbData);
    store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    CertAddCertificateContextToStore(store, root, CERT_STORE_ADD_ALWAYS, NULL);
    text();
    certificates();
    properties();
    stores();
    revocation_lists();
    pfx(argv[5]);
    chains();
    decoding();
    objects(argv[1]);
    channel();
    return 0;
}
