#ifdef OPENSSPI_WITH_SCHANNEL
#include "fuzz/tls_world.h"

#include "certificates/certificate.h"
#include <openssl/evp.h>
#include <string.h>
#include <wincrypt.h>

static PCCERT_CONTEXT certificate_make(void)
{
    X509 *x509 = X509_new();
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    PCCERT_CONTEXT context;
    MUST(x509 != NULL && key != NULL && X509_set_version(x509, 2) == 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 360000);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC, (const unsigned char *)"fuzz", -1, -1,
                               0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    MUST(X509_set_pubkey(x509, key) == 1 && X509_sign(x509, key, EVP_sha256()) > 0);
    MUST(certificate_context_make(x509, NULL, key, &context) == SEC_E_OK);
    X509_free(x509);
    EVP_PKEY_free(key);
    return context;
}

/* The keys that ticket seeds are under. */
static void keys_share(CredHandle *server)
{
    SecPkgCred_SessionTicketKey key = {.TicketInfoVersion = SESSION_TICKET_INFO_VERSION, .KeyingMaterialSize = 32};
    memset(key.KeyId, 0x11, sizeof key.KeyId);
    memset(key.KeyingMaterial, 0x22, sizeof key.KeyingMaterial);
    SecPkgCred_SessionTicketKeys keys = {1, &key};
    MUST(SetCredentialsAttributesA(server, SECPKG_ATTR_SESSION_TICKET_KEYS, &keys, sizeof keys) == SEC_E_OK);
}

static CredHandle acquire(bool client, enum tls_kind kind)
{
    static const DWORD protocols[TLS_KINDS] = {SP_PROT_TLS1_2, SP_PROT_TLS1_3, SP_PROT_TLS1_2, SP_PROT_TLS1_3,
                                               SP_PROT_DTLS1_2};
    bool shares = kind == TLS_KIND_SHARED_1_2 || kind == TLS_KIND_SHARED_1_3;
    static PCCERT_CONTEXT context;
    CredHandle credential;
    char package[] = "Schannel";
    if (context == NULL)
        context = certificate_make();
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = &context,
                          .grbitEnabledProtocols = protocols[kind],
                          .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION | (shares ? 0 : SCH_CRED_DISABLE_RECONNECTS)};
    MUST(AcquireCredentialsHandleA(NULL, package, client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL, &cred,
                                   NULL, NULL, &credential, NULL) == SEC_E_OK);
    if (shares && !client)
        keys_share(&credential);
    return credential;
}

void tls_party_begin(struct tls_party *party, bool client, enum tls_kind kind)
{
    static CredHandle credentials[2][TLS_KINDS];
    static bool acquired[2][TLS_KINDS];
    bool datagrams = kind == TLS_KIND_SRTP;
    if (!acquired[client][kind])
        credentials[client][kind] = acquire(client, kind);
    acquired[client][kind] = true;
    memset(party, 0, sizeof *party);
    party->client = client;
    party->kind = kind;
    party->credential = credentials[client][kind];
    if (client)
        party->flags = (datagrams ? ISC_REQ_DATAGRAM : ISC_REQ_STREAM) | ISC_REQ_EXTENDED_ERROR;
    else
        party->flags = (datagrams ? ASC_REQ_DATAGRAM : ASC_REQ_STREAM) | ASC_REQ_EXTENDED_ERROR;
}

void tls_party_step(struct tls_party *party, struct slice in)
{
    char target[] = "fuzz";
    ULONG attributes;
    uint8_t *copy = malloc(in.len > 0 ? in.len : 1);
    MUST(copy != NULL);
    if (in.len > 0)
        memcpy(copy, in.data, in.len);
    uint16_t profiles[] = {4, 7, 1}; /* bytes, then profiles */
    char address[] = "address";
    SecBuffer from[4] = {{(ULONG)in.len, SECBUFFER_TOKEN, copy},
                         {0, SECBUFFER_EMPTY, NULL},
                         {sizeof profiles, SECBUFFER_SRTP_PROTECTION_PROFILES, profiles},
                         {sizeof address, SECBUFFER_EXTRA, address}};
    SecBuffer to[2] = {{sizeof party->out, SECBUFFER_TOKEN, party->out}, {64, SECBUFFER_ALERT, NULL}};
    ULONG n_from = party->kind != TLS_KIND_SRTP ? 2 : party->client ? 3 : 4;
    SecBufferDesc from_list = {SECBUFFER_VERSION, n_from, from}, to_list = {SECBUFFER_VERSION, 2, to};
    CtxtHandle *old = party->begun ? &party->context : NULL;
    party->status = party->client
                        ? InitializeSecurityContextA(&party->credential, old, target, party->flags, 0, 0, &from_list, 0,
                                                     &party->context, &to_list, &attributes, NULL)
                        : AcceptSecurityContext(&party->credential, old, &from_list, party->flags, 0, &party->context,
                                                &to_list, &attributes, NULL);
    party->begun = party->begun || party->status >= 0;
    party->out_len = party->status != SEC_E_INCOMPLETE_MESSAGE ? to[0].cbBuffer : 0;
    MUST(from[1].cbBuffer <= in.len || from[1].BufferType == SECBUFFER_MISSING);
    if (to[1].cbBuffer > 0 && to[1].pvBuffer != NULL)
        (void)FreeContextBuffer(to[1].pvBuffer);
    free(copy);
}

void tls_party_use(struct tls_party *party, struct slice in)
{
    uint8_t record[64] = {0};
    SecBuffer seal[4] = {{21, SECBUFFER_STREAM_HEADER, record},
                         {5, SECBUFFER_DATA, record + 21},
                         {38, SECBUFFER_STREAM_TRAILER, record + 26},
                         {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc seal_list = {SECBUFFER_VERSION, 4, seal};
    world_query(&party->context);
    (void)EncryptMessage(&party->context, 0, &seal_list, 0);
    uint8_t *copy = malloc(in.len > 0 ? in.len : 1);
    MUST(copy != NULL);
    if (in.len > 0)
        memcpy(copy, in.data, in.len);
    size_t at = 0;
    for (int turns = 0; turns < 50 && at < in.len; turns++) {
        SecBuffer buffers[4] = {{(ULONG)(in.len - at), SECBUFFER_DATA, copy + at}};
        SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
        SECURITY_STATUS status = DecryptMessage(&party->context, &list, 0, NULL);
        if (status < 0 || status == SEC_I_CONTEXT_EXPIRED)
            break;
        size_t extra = 0;
        for (size_t i = 0; i < 4; i++) {
            uint8_t *data = buffers[i].pvBuffer;
            MUST(buffers[i].cbBuffer == 0 || (data >= copy + at && data + buffers[i].cbBuffer <= copy + in.len));
            extra = buffers[i].BufferType == SECBUFFER_EXTRA ? buffers[i].cbBuffer : extra;
        }
        at = in.len - extra;
        if (status == SEC_I_RENEGOTIATE) {
            tls_party_step(party, slice_of(copy + at, in.len - at));
            break;
        }
    }
    free(copy);
}

void tls_party_end(struct tls_party *party)
{
    if (party->begun)
        MUST(DeleteSecurityContext(&party->context) == SEC_E_OK);
}
#endif
