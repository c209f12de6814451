/*
 * What a connection can do besides: application protocols, names, client certificates, resumption, renegotiation and TLS 1.3's later messages.
 * build: all
 */
#include "support/tls_loop.h"
#include "support/wide.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wire text;

static struct loop_pair *pair_of(DWORD protocols)
{
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, protocols & SP_PROT_TLS1_X_SERVER,
                 SCH_CRED_MANUAL_CRED_VALIDATION);
    return pair;
}

static size_t protocols_make(unsigned char *to, const char *names)
{
    uint32_t ext = SecApplicationProtocolNegotiationExt_ALPN;
    uint16_t len = (uint16_t)strlen(names);
    uint32_t size = 6u + len;
    memcpy(to, &size, 4);
    memcpy(to + 4, &ext, 4);
    memcpy(to + 8, &len, 2);
    memcpy(to + 10, names, len);
    return 10u + len;
}

static void test_alpn(void **state)
{
    unsigned char of_client[64], of_server[64];
    SecPkgContext_ApplicationProtocol chosen;
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        pair->client.protocols = of_client;
        pair->client.protocols_len = protocols_make(of_client, "\x08http/1.1\x02h2");
        pair->server.protocols = of_server;
        pair->server.protocols_len = protocols_make(of_server, "\x02h2\x08http/1.1");
        assert_true(pair_run(pair));
        struct side *sides[2] = {&pair->client, &pair->server};
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(QueryContextAttributesA(&sides[i]->context, SECPKG_ATTR_APPLICATION_PROTOCOL, &chosen),
                             SEC_E_OK);
            assert_int_equal(chosen.ProtoNegoStatus, SecApplicationProtocolNegotiationStatus_Success);
            assert_int_equal(chosen.ProtocolIdSize, 2);
            assert_memory_equal(chosen.ProtocolId, "h2", 2); /* the server's preference */
        }
        pair_restart(pair);
        pair->server.protocols_len = protocols_make(of_server, "\x03ssh");
        pair->server.flags |= ASC_REQ_EXTENDED_ERROR;
        assert_false(pair_run(pair));
        assert_int_equal(pair->server.status, SEC_E_APPLICATION_PROTOCOL_MISMATCH);
        assert_int_equal(side_step(&pair->client), SEC_E_APPLICATION_PROTOCOL_MISMATCH); /* the alert */
        pair_free(pair);
        /* One side only: none is chosen. */
        pair = pair_of(protocols);
        pair->client.protocols = of_client;
        pair->client.protocols_len = protocols_make(of_client, "\x02h2");
        assert_true(pair_run(pair));
        assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_APPLICATION_PROTOCOL, &chosen),
                         SEC_E_OK);
        assert_int_equal(chosen.ProtoNegoStatus, SecApplicationProtocolNegotiationStatus_None);
        assert_int_equal(chosen.ProtocolIdSize, 0);
        pair_free(pair);
    }
    /* Lists that are none. */
    static const char *const wrong[] = {"", "\x03h2", "\x02h2\x01"};
    for (size_t i = 0; i < 3; i++) {
        struct loop_pair *pair = pair_of(SP_PROT_TLS1_2);
        pair->client.protocols = of_client;
        pair->client.protocols_len = protocols_make(of_client, wrong[i]);
        assert_int_equal(side_step(&pair->client), SEC_E_INVALID_TOKEN);
        pair->client.protocols_len = protocols_make(of_client, "\x02h2") - 1;
        assert_int_equal(side_step(&pair->client), SEC_E_INVALID_TOKEN);
        pair_free(pair);
    }
}

static X509 *remote_certificate(struct side *side)
{
    PCCERT_CONTEXT context;
    assert_int_equal(QueryContextAttributesA(&side->context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &context), SEC_E_OK);
    const unsigned char *at = context->pbCertEncoded;
    X509 *x509 = d2i_X509(NULL, &at, (long)context->cbCertEncoded);
    assert_non_null(x509);
    assert_non_null(context->hCertStore);
    CertFreeCertificateContext(context);
    return x509;
}

static void test_sni(void **state)
{
    struct pki other = pki_make(&(struct pki_wish){
        .name = "other.test", .alternatives = "DNS:other.test", .issuer = pki_authority(), .usage = "serverAuth"});
    PCCERT_CONTEXT contexts[2] = {pki_context(pki_server(), NULL, false), pki_context(&other, NULL, false)};
    SCHANNEL_CRED cred = {
        .dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 2, .paCred = contexts, .dwFlags = SCH_CRED_SNI_CREDENTIAL};
    static const struct {
        const char *target, *told; /* NULL: no name is sent */
        bool other;
    } cases[] = {
        {"server.test", "server.test", false},   {"other.test", "other.test", true}, {"OTHER.test", "OTHER.test", true},
        {"other.test.", "other.test", true}, /* RFC 6066 3 */
        {"unknown.test", "unknown.test", false}, {"127.0.0.1", NULL, false},         {"::1", NULL, false}};
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop_pair *pair = pair_new();
        cred.grbitEnabledProtocols = protocols;
        assert_int_equal(side_acquire(&pair->server, &cred), SEC_E_OK);
        pair->client.target = cases[i].target;
        pair_acquire(pair, 0, 0, SCH_CRED_MANUAL_CRED_VALIDATION);
        assert_true(pair_run(pair));
        X509 *shown = remote_certificate(&pair->client);
        assert_int_equal(X509_cmp(shown, cases[i].other ? other.x509 : pki_server()->x509), 0);
        X509_free(shown);
        SecPkgContext_ClientSpecifiedTarget target;
        SECURITY_STATUS status =
            QueryContextAttributesW(&pair->server.context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target);
        assert_int_equal(status, cases[i].told == NULL ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK);
        if (status == SEC_E_OK) {
            assert_wide_equal(target.sTargetName, cases[i].told);
            FreeContextBuffer(target.sTargetName);
        }
        pair_free(pair);
    }
    CertFreeCertificateContext(contexts[0]);
    CertFreeCertificateContext(contexts[1]);
    pki_free(&other);
}

static void test_client_certificate(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire_with(&pair->client, pki_client(), 0, SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
        pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, 0);
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        assert_true(pair_run(pair));
        assert_true((pair->client.attributes & ISC_RET_USED_SUPPLIED_CREDS) != 0);
        assert_true((pair->server.attributes & ASC_RET_MUTUAL_AUTH) != 0);
        X509 *shown = remote_certificate(&pair->server);
        assert_int_equal(X509_cmp(shown, pki_client()->x509), 0);
        X509_free(shown);
        SecPkgContext_NamesA names;
        struct side *sides[2] = {&pair->client, &pair->server};
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(QueryContextAttributesA(&sides[i]->context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
            assert_string_equal(names.sUserName, "alice@client.test");
            FreeContextBuffer(names.sUserName);
        }
        pair_talk(pair);
        pair_free(pair);
    }
}

/* The server asks, the client has none: it is told once, and goes on without, or with another credential. */
static void on_demand(DWORD protocols, bool with_certificate, const char *package)
{
    struct loop_pair *pair = pair_of(protocols);
    struct side with = {.client = true, .package = package};
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    assert_false(pair_run(pair));
    assert_int_equal(pair->client.status, SEC_I_INCOMPLETE_CREDENTIALS);
    SecPkgContext_IssuerListInfoEx issuers;
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_ISSUER_LIST_EX, &issuers), SEC_E_OK);
    assert_int_equal(issuers.cIssuers, 1); /* the server has a root store */
    const unsigned char *der;
    size_t der_len;
    X509_NAME_get0_der(X509_get_subject_name(pki_authority()->x509), &der, &der_len);
    assert_int_equal(issuers.aIssuers[0].cbData, der_len);
    assert_memory_equal(issuers.aIssuers[0].pbData, der, der_len);
    FreeContextBuffer(issuers.aIssuers);
    /* Asking again changes nothing. */
    assert_int_equal(side_step(&pair->client), SEC_I_INCOMPLETE_CREDENTIALS);
    CredHandle before = pair->client.credential;
    if (with_certificate) {
        assert_int_equal(side_acquire_with(&with, pki_client(), 0, SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
        pair->client.credential = with.credential;
    } else
        pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
    SECURITY_STATUS status = side_step(&pair->client);
    assert_int_equal(status, (protocols & SP_PROT_TLS1_3) != 0 ? SEC_E_OK : SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair->client.in.len, 0);
    for (int i = 0; i < 4 && pair->client.out.len + pair->server.out.len > 0; i++) {
        struct side *from = pair->client.out.len > 0 ? &pair->client : &pair->server;
        struct side *to = from == &pair->client ? &pair->server : &pair->client;
        side_hand_over(from, to);
        if (!(to->has_context && to->status == SEC_E_OK))
            assert_true(side_step(to) >= 0);
    }
    assert_int_equal(pair->server.status, SEC_E_OK);
    assert_int_equal(pair->client.status, SEC_E_OK);
    PCCERT_CONTEXT context = NULL;
    status = QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &context);
    assert_int_equal(status, with_certificate ? SEC_E_OK : SEC_E_NO_CREDENTIALS);
    if (status == SEC_E_OK)
        CertFreeCertificateContext(context);
    pair_talk(pair);
    FreeCredentialsHandle(&before);
    if (!with_certificate)
        pair->client.credential = (CredHandle){0, 0};
    pair_free(pair);
}

static void test_on_demand(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        on_demand(protocols, false, NULL);
        on_demand(protocols, true, SCHANNEL_NAME_A);
        on_demand(protocols, true, UNISP_NAME_A);
        on_demand(protocols, true, DEFAULT_TLS_SSP_NAME_A);
    }
}

static void run_and_talk(struct loop_pair *pair)
{
    assert_true(pair_run(pair));
    pair_talk(pair);
}

static void test_resumption(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        run_and_talk(pair);
        assert_false(side_is_resumed(&pair->client));
        for (int i = 0; i < 3; i++) {
            pair_restart(pair);
            run_and_talk(pair);
            assert_true(side_is_resumed(&pair->client));
            assert_true(side_is_resumed(&pair->server));
            X509 *shown = remote_certificate(&pair->client);
            assert_int_equal(X509_cmp(shown, pki_server()->x509), 0);
            X509_free(shown);
        }
        /* Another server, another session. */
        pair_restart(pair);
        pair->client.target = "host.wild.test";
        run_and_talk(pair);
        assert_false(side_is_resumed(&pair->client));
        /* Forgotten. */
        pair->client.target = "server.test";
        pair_restart(pair);
        assert_true(SslEmptyCacheA((char *)(uintptr_t) "server.test", 0));
        run_and_talk(pair);
        assert_false(side_is_resumed(&pair->client));
        /* This connection's session is not to be resumed. */
        DWORD token[2] = {SCHANNEL_SESSION, SSL_SESSION_DISABLE_RECONNECTS};
        SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
        SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
        assert_int_equal(ApplyControlToken(&pair->client.context, &list), SEC_E_OK);
        /* Of a server its client has the ticket already: it does not say that it did what it cannot. */
        assert_int_equal(ApplyControlToken(&pair->server.context, &list), SEC_E_UNSUPPORTED_FUNCTION);
        token[1] = SSL_SESSION_ENABLE_RECONNECTS;
        assert_int_equal(ApplyControlToken(&pair->server.context, &list), SEC_E_OK);
        token[1] = 0;
        assert_int_equal(ApplyControlToken(&pair->server.context, &list), SEC_E_INVALID_TOKEN);
        pair_restart(pair);
        run_and_talk(pair);
        assert_false(side_is_resumed(&pair->client));
        pair_free(pair);
    }
}

static void test_no_resumption(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (int who = 0; who < 2; who++) {
        struct loop_pair *pair = pair_new();
        DWORD flags = SCH_CRED_MANUAL_CRED_VALIDATION;
        assert_int_equal(
            side_acquire_with(&pair->client, NULL, 0, flags | (who == 0 ? SCH_CRED_DISABLE_RECONNECTS : 0)), SEC_E_OK);
        assert_int_equal(
            side_acquire_with(&pair->server, pki_server(), protocols, who == 1 ? SCH_CRED_DISABLE_RECONNECTS : 0),
            SEC_E_OK);
        for (int i = 0; i < 2; i++) {
            run_and_talk(pair);
            assert_false(side_is_resumed(&pair->client));
            pair_restart(pair);
        }
        pair_free(pair);
    }
}

/* TLS 1.2: whoever asks, the other is told by DecryptMessage, and both handshake anew. */
static void renegotiate(bool by_client, bool with_certificate)
{
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->client, with_certificate ? pki_client() : NULL, SP_PROT_TLS1_2_CLIENT,
                                       SCH_CRED_MANUAL_CRED_VALIDATION),
                     SEC_E_OK);
    pair_acquire(pair, 0, SP_PROT_TLS1_2_SERVER, 0);
    run_and_talk(pair);
    struct side *asking = by_client ? &pair->client : &pair->server, *other = by_client ? &pair->server : &pair->client;
    pair->server.flags |= with_certificate ? ASC_REQ_MUTUAL_AUTH : 0;
    side_control(asking, SCHANNEL_RENEGOTIATE);
    assert_int_equal(side_step(asking), by_client ? SEC_I_CONTINUE_NEEDED : SEC_E_OK);
    assert_true(asking->out.len > 0);
    side_hand_over(asking, other);
    assert_int_equal(side_receive(other, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(side_step(other), SEC_I_CONTINUE_NEEDED);
    /* Sending has to wait. */
    assert_int_equal(side_send(other, "x", 1, &text), SEC_E_OUT_OF_SEQUENCE);
    for (int i = 0; i < 10; i++) {
        struct side *from = i % 2 == 0 ? other : asking, *to = i % 2 == 0 ? asking : other;
        if (from->out.len == 0)
            break;
        side_hand_over(from, to);
        if (i == 0 && !by_client)
            assert_int_equal(side_receive(to, NULL), SEC_I_RENEGOTIATE); /* the ClientHello */
        assert_true(side_step(to) >= 0);
    }
    assert_int_equal(pair->client.status, SEC_E_OK);
    assert_int_equal(pair->server.status, SEC_E_OK);
    pair_talk(pair);
    PCCERT_CONTEXT context;
    if (with_certificate) {
        assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &context),
                         SEC_E_OK);
        CertFreeCertificateContext(context);
    }
    pair_free(pair);
}

static void test_renegotiation(void **state)
{
    (void)state;
    renegotiate(true, false);
    renegotiate(false, false);
    renegotiate(false, true);
}

/* TLS 1.3: keys change, in both directions, whoever asks. */
static void test_key_update(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++) {
        struct loop_pair *pair = pair_of(SP_PROT_TLS1_3);
        run_and_talk(pair);
        struct side *asking = who == 0 ? &pair->client : &pair->server,
                    *other = who == 0 ? &pair->server : &pair->client;
        for (int i = 0; i < 3; i++) {
            side_control(asking, SCHANNEL_RENEGOTIATE);
            assert_int_equal(side_step(asking), SEC_E_OK);
            side_hand_over(asking, other);
            assert_int_equal(side_send(asking, "behind it", 9, &other->in), SEC_E_OK);
            assert_int_equal(side_receive(other, NULL), SEC_I_RENEGOTIATE);
            assert_int_equal(side_send(other, "x", 1, &text), SEC_E_OUT_OF_SEQUENCE);
            assert_int_equal(side_step(other), SEC_E_OK);
            assert_true(other->out.len > 0);
            assert_int_equal(other->in.len, 5 + 9 + 17);
            text.len = 0;
            assert_int_equal(side_receive(other, &text), SEC_E_OK);
            assert_memory_equal(text.data, "behind it", 9);
            side_hand_over(other, asking);
            pair_talk(pair);
        }
        pair_free(pair);
    }
}

/* TLS 1.3: the server asks for a certificate after the handshake. */
static void post_handshake(bool from_start)
{
    struct loop_pair *pair = pair_new();
    struct side with = {.client = true};
    assert_int_equal(side_acquire_with(&pair->client, from_start ? pki_client() : NULL, SP_PROT_TLS1_3_CLIENT,
                                       SCH_CRED_MANUAL_CRED_VALIDATION),
                     SEC_E_OK);
    pair_acquire(pair, 0, SP_PROT_TLS1_3_SERVER, 0);
    run_and_talk(pair);
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    side_control(&pair->server, SCHANNEL_RENEGOTIATE);
    assert_int_equal(side_step(&pair->server), SEC_E_OK);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(side_receive(&pair->client, NULL), SEC_I_RENEGOTIATE);
    CredHandle before = pair->client.credential;
    if (!from_start) {
        assert_int_equal(side_step(&pair->client), SEC_I_INCOMPLETE_CREDENTIALS);
        assert_int_equal(side_acquire_with(&with, pki_client(), 0, SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
        pair->client.credential = with.credential;
    }
    assert_int_equal(side_step(&pair->client), SEC_E_OK);
    assert_true(pair->client.out.len > 0);
    assert_int_equal(pair->client.in.len, 0);
    side_hand_over(&pair->client, &pair->server);
    pair_talk(pair);
    X509 *shown = remote_certificate(&pair->server);
    assert_int_equal(X509_cmp(shown, pki_client()->x509), 0);
    X509_free(shown);
    if (!from_start)
        FreeCredentialsHandle(&before);
    pair_free(pair);
}

static void test_post_handshake(void **state)
{
    (void)state;
    post_handshake(true);
    post_handshake(false);
}

/* The side's keys change, and the other's with them. */
static void keys_change(struct loop_pair *pair, struct side *from, struct side *to)
{
    side_control(from, SCHANNEL_RENEGOTIATE);
    assert_int_equal(side_step(from), SEC_E_OK);
    side_hand_over(from, to);
    assert_int_equal(side_receive(to, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(side_step(to), SEC_E_OK);
    side_hand_over(to, from);
    pair_talk(pair);
}

/* SCHANNEL_ALERT: the peer gets that alert, under whatever keys are in use. */
static void alert_goes(DWORD protocols, bool by_client, bool chacha, int n_updates)
{
    static const WCHAR aes[] = u"AES";
    CRYPTO_SETTINGS settings = {.eAlgorithmUsage = TlsParametersCngAlgUsageCipher,
                                .strCngAlgId = {.Length = 6, .MaximumLength = 6, .Buffer = (WCHAR *)(uintptr_t)aes}};
    TLS_PARAMETERS parameters = {.cDisabledCrypto = 1, .pDisabledCrypto = &settings};
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION,
                            .cTlsParameters = 1,
                            .pTlsParameters = &parameters};
    struct loop_pair *pair = pair_new();
    if (chacha)
        assert_int_equal(side_acquire(&pair->client, &cred), SEC_E_OK);
    pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, SCH_CRED_MANUAL_CRED_VALIDATION);
    run_and_talk(pair);
    struct side *from = by_client ? &pair->client : &pair->server, *to = by_client ? &pair->server : &pair->client;
    for (int i = 0; i < n_updates; i++)
        keys_change(pair, from, to);
    assert_int_equal(side_alert(from, TLS1_ALERT_ACCESS_DENIED), SEC_E_OK);
    assert_true(from->out.len > 7);
    side_hand_over(from, to);
    assert_int_equal(side_receive(to, NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(side_send(from, "x", 1, &text), SEC_E_CONTEXT_EXPIRED);
    pair_free(pair);
}

static void test_alerts(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (int i = 0; i < 4; i++)
        alert_goes(protocols, (i & 1) != 0, (i & 2) != 0, 0);
    alert_goes(SP_PROT_TLS1_3, false, false, 2);
    /* Before anything is encrypted, in plain. */
    DWORD token[3] = {SCHANNEL_ALERT, TLS1_ALERT_FATAL, TLS1_ALERT_ACCESS_DENIED};
    SecBuffer buffer = {8, SECBUFFER_TOKEN, token}; /* too short */
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    struct loop_pair *pair = pair_of(SP_PROT_TLS1_2);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    pair->client.out.len = 0;
    assert_int_equal(side_alert(&pair->client, TLS1_ALERT_ACCESS_DENIED), SEC_E_OK);
    assert_int_equal(pair->client.out.len, 7);
    assert_memory_equal(pair->client.out.data, "\x15\x03\x01\x00\x02\x02\x31", 7);
    pair_restart(pair);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(ApplyControlToken(&pair->client.context, &list), SEC_E_INVALID_TOKEN);
    pair_free(pair);
}

/* libssl writes a TLS 1.3 server's: it knows all numbers that programs have names for. */
static void test_alerts_by_server(void **state)
{
    static const uint8_t numbers[] = {
        TLS1_ALERT_CLOSE_NOTIFY,         TLS1_ALERT_UNEXPECTED_MESSAGE,  TLS1_ALERT_BAD_RECORD_MAC,
        TLS1_ALERT_DECRYPTION_FAILED,    TLS1_ALERT_RECORD_OVERFLOW,     TLS1_ALERT_DECOMPRESSION_FAIL,
        TLS1_ALERT_HANDSHAKE_FAILURE,    TLS1_ALERT_BAD_CERTIFICATE,     TLS1_ALERT_UNSUPPORTED_CERT,
        TLS1_ALERT_CERTIFICATE_REVOKED,  TLS1_ALERT_CERTIFICATE_EXPIRED, TLS1_ALERT_CERTIFICATE_UNKNOWN,
        TLS1_ALERT_ILLEGAL_PARAMETER,    TLS1_ALERT_UNKNOWN_CA,          TLS1_ALERT_ACCESS_DENIED,
        TLS1_ALERT_DECODE_ERROR,         TLS1_ALERT_DECRYPT_ERROR,       TLS1_ALERT_EXPORT_RESTRICTION,
        TLS1_ALERT_PROTOCOL_VERSION,     TLS1_ALERT_INSUFFIENT_SECURITY, TLS1_ALERT_INTERNAL_ERROR,
        TLS1_ALERT_USER_CANCELED,        TLS1_ALERT_NO_RENEGOTIATION,    TLS1_ALERT_UNSUPPORTED_EXT,
        TLS1_ALERT_UNKNOWN_PSK_IDENTITY, TLS1_ALERT_NO_APP_PROTOCOL};
    (void)state;
    struct loop_pair *pair = pair_of(SP_PROT_TLS1_3);
    for (size_t i = 0; i < sizeof numbers; i++) {
        run_and_talk(pair);
        assert_int_equal(side_alert(&pair->server, numbers[i]), SEC_E_OK);
        assert_int_equal(pair->server.out.len, 5 + 2 + 1 + 16);
        assert_int_equal(side_send(&pair->server, "x", 1, &text), SEC_E_CONTEXT_EXPIRED);
        pair_restart(pair);
    }
    run_and_talk(pair);
    assert_int_equal(side_alert(&pair->server, 200), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(side_send(&pair->server, "x", 1, &text), SEC_E_CONTEXT_EXPIRED);
    pair_free(pair);
}

/* A TLS 1.3 client that showed a certificate still has it, and can send alerts too. */
static void test_alert_with_certificate(void **state)
{
    (void)state;
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->client, pki_client(), 0, SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
    pair_acquire(pair, 0, SP_PROT_TLS1_3_SERVER, 0);
    pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
    run_and_talk(pair);
    PCCERT_CONTEXT own;
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &own), SEC_E_OK);
    CertFreeCertificateContext(own);
    assert_int_equal(side_alert(&pair->client, TLS1_ALERT_ACCESS_DENIED), SEC_E_OK);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(side_receive(&pair->server, NULL), SEC_E_LOGON_DENIED);
    pair_free(pair);
}

/* libssl tells a TLS 1.3 client's first keys only. What cannot be sent is said, and the connection goes on. */
static void test_alert_after_new_keys(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct loop_pair *pair = pair_of(SP_PROT_TLS1_3);
        run_and_talk(pair);
        keys_change(pair, i == 0 ? &pair->client : &pair->server, i == 0 ? &pair->server : &pair->client);
        assert_int_equal(side_alert(&pair->client, TLS1_ALERT_ACCESS_DENIED), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(pair->client.out.len, 0);
        pair_talk(pair);
        side_control(&pair->client, SCHANNEL_SHUTDOWN);
        assert_int_equal(side_step(&pair->client), SEC_E_OK);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(side_receive(&pair->server, NULL), SEC_I_CONTEXT_EXPIRED);
        pair_free(pair);
    }
}

/* Inside a handshake libssl closes nothing: before records are encrypted close_notify is written for it, later it cannot be, and with DTLS never. */
static void test_shutdown_within(void **state)
{
    (void)state;
    struct loop_pair *pair = pair_of(SP_PROT_TLS1_2);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_control(&pair->client, SCHANNEL_SHUTDOWN);
    assert_int_equal(side_step(&pair->client), SEC_E_OK);
    pair_free(pair);
    pair = pair_of(SP_PROT_TLS1_2);
    run_and_talk(pair);
    side_control(&pair->client, SCHANNEL_RENEGOTIATE);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_control(&pair->client, SCHANNEL_SHUTDOWN);
    assert_int_equal(side_step(&pair->client), SEC_E_UNSUPPORTED_FUNCTION);
    pair_free(pair);
    pair = pair_new();
    pair_acquire(pair, SP_PROT_DTLS1_2_CLIENT, SP_PROT_DTLS1_2_SERVER, SCH_CRED_MANUAL_CRED_VALIDATION);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_control(&pair->client, SCHANNEL_SHUTDOWN);
    assert_int_equal(side_step(&pair->client), SEC_E_UNSUPPORTED_FUNCTION);
    pair_free(pair);
}

/* What others left in the thread's queue of OpenSSL's errors changes nothing: tickets, text, close_notify. */
static void test_errors_of_others(void **state)
{
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_of(protocols);
        assert_true(pair_run(pair));
        ERR_raise(ERR_LIB_USER, 1);
        side_hand_over(&pair->server, &pair->client);
        ERR_raise(ERR_LIB_USER, 1);
        pair_talk(pair);
        side_control(&pair->client, SCHANNEL_SHUTDOWN);
        assert_int_equal(side_step(&pair->client), SEC_E_OK);
        side_hand_over(&pair->client, &pair->server);
        ERR_raise(ERR_LIB_USER, 1);
        assert_int_equal(side_receive(&pair->server, NULL), SEC_I_CONTEXT_EXPIRED);
        ERR_clear_error();
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alerts_by_server),
        cmocka_unit_test(test_alert_with_certificate),
        cmocka_unit_test(test_alert_after_new_keys),
        cmocka_unit_test(test_errors_of_others),
        cmocka_unit_test(test_shutdown_within),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_sni),
        cmocka_unit_test(test_client_certificate),
        cmocka_unit_test(test_on_demand),
        cmocka_unit_test(test_resumption),
        cmocka_unit_test(test_no_resumption),
        cmocka_unit_test(test_renegotiation),
        cmocka_unit_test(test_key_update),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_post_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
