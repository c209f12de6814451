/*
 * What was agreed on by extensions: SRTP's profiles, the list of extensions, the algorithms of signatures.
 * build: all
 */
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

static void begin_datagrams(struct loop_pair *pair)
{
    pair->client.flags = ISC_REQ_DATAGRAM | ISC_REQ_CONFIDENTIALITY;
    pair->server.flags = ASC_REQ_DATAGRAM | ASC_REQ_CONFIDENTIALITY;
    pair->server.peer = "an address";
    pair->server.peer_len = 10;
    assert_int_equal(side_acquire_with(&pair->server, pki_server(), SP_PROT_DTLS1_2_SERVER, 0), SEC_E_OK);
    assert_int_equal(side_acquire_with(&pair->client, NULL, SP_PROT_DTLS1_2_CLIENT, SCH_CRED_MANUAL_CRED_VALIDATION),
                     SEC_E_OK);
}

/* One side's flight, datagram by datagram, and over to the other. */
static void flight(struct side *side, struct side *peer)
{
    SECURITY_STATUS status;
    do
        status = side_step(side);
    while (status == SEC_I_MESSAGE_FRAGMENT);
    assert_true(status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED);
    side_hand_over(side, peer);
}

static void run_datagrams(struct loop_pair *pair)
{
    flight(&pair->client, &pair->server);
    for (int i = 0; i < 8 && (pair->client.status != SEC_E_OK || pair->server.status != SEC_E_OK); i++) {
        if (pair->server.in.len > 0)
            flight(&pair->server, &pair->client);
        if (pair->client.in.len > 0)
            flight(&pair->client, &pair->server);
    }
    assert_int_equal(pair->client.status, SEC_E_OK);
    assert_int_equal(pair->server.status, SEC_E_OK);
}

/* The extensions of both sides, which say the same, as "14 23 " and so on. */
static void extensions_are(struct loop_pair *pair, const char *expected)
{
    struct side *sides[2] = {&pair->client, &pair->server};
    for (size_t i = 0; i < 2; i++) {
        SecPkgContext_NegotiatedTlsExtensions found;
        char list[64] = "";
        assert_int_equal(QueryContextAttributesW(&sides[i]->context, SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, &found),
                         SEC_E_OK);
        for (ULONG k = 0; k < found.ExtensionsCount; k++) {
            size_t len = strlen(list);
            (void)snprintf(list + len, sizeof list - len, "%u ", found.Extensions[k]);
        }
        assert_string_equal(list, expected);
        assert_int_equal(FreeContextBuffer(found.Extensions), SEC_E_OK);
    }
}

static const struct srtp_case {
    unsigned short client[6], server[6]; /* bytes, then profiles */
    WORD agreed;                         /* 0: none */
} srtp_cases[] = {
    {{2, 1}, {2, 1}, 1},
    {{4, 2, 1}, {2, 2}, 2},
    {{8, 8, 7, 1, 2}, {4, 1, 8}, 1},   /* the server prefers */
    {{6, 0x7777, 7, 7}, {4, 5, 7}, 7}, /* unknown ones and repetitions are passed over */
    {{2, 0x0100}, {2, 0x0100}, 1},     /* as they stand on the wire */
    {{2, 1}, {2, 2}, 0},
    {{2, 1}, {0}, 0}, /* the server was given none */
    {{0}, {2, 1}, 0},
};

static void test_srtp(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof srtp_cases / sizeof srtp_cases[0]; i++) {
        const struct srtp_case *now = &srtp_cases[i];
        struct loop_pair *pair = pair_new();
        struct side *sides[2] = {&pair->client, &pair->server};
        unsigned char keys[2][60];
        begin_datagrams(pair);
        pair->client.srtp = now->client[0] > 0 ? now->client : NULL;
        pair->server.srtp = now->server[0] > 0 ? now->server : NULL;
        pair->client.srtp_len = pair->server.srtp_len = sizeof now->client;
        run_datagrams(pair);
        extensions_are(pair, now->agreed != 0 ? "14 23 65281 " : "23 65281 ");
        for (size_t k = 0; k < 2; k++) {
            SecPkgContext_SrtpParameters parameters;
            char label[] = "EXTRACTOR-dtls_srtp";
            SecPkgContext_KeyingMaterialInfo info = {
                .cbLabel = sizeof label, .pszLabel = label, .cbKeyingMaterial = sizeof keys[k]};
            SecPkgContext_KeyingMaterial material;
            SECURITY_STATUS status =
                QueryContextAttributesW(&sides[k]->context, SECPKG_ATTR_SRTP_PARAMETERS, &parameters);
            assert_int_equal(status, now->agreed != 0 ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
            if (now->agreed == 0)
                continue;
            assert_int_equal(parameters.ProtectionProfile, now->agreed);
            assert_int_equal(parameters.MasterKeyIdentifierSize, 0);
            assert_null(parameters.MasterKeyIdentifier);
            /* RFC 5764 4.2: the keys come from the exporter, alike on both sides. */
            assert_int_equal(
                SetContextAttributesW(&sides[k]->context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof info),
                SEC_E_OK);
            assert_int_equal(QueryContextAttributesW(&sides[k]->context, SECPKG_ATTR_KEYING_MATERIAL, &material),
                             SEC_E_OK);
            assert_int_equal(material.cbKeyingMaterial, sizeof keys[k]);
            memcpy(keys[k], material.pbKeyingMaterial, sizeof keys[k]);
            FreeContextBuffer(material.pbKeyingMaterial);
        }
        if (now->agreed != 0)
            assert_memory_equal(keys[0], keys[1], sizeof keys[0]);
        pair_free(pair);
    }
}

static void test_srtp_refused(void **state)
{
    static const struct {
        unsigned short bytes[4];
        size_t len;
        SECURITY_STATUS status;
    } cases[] = {
        {{2, 1}, 1, SEC_E_INVALID_TOKEN},             /* no room for the size */
        {{2, 1}, 3, SEC_E_INVALID_TOKEN},             /* ends within the profile */
        {{4, 1}, 4, SEC_E_INVALID_TOKEN},             /* the list is said to be longer than its buffer */
        {{3, 1, 1}, 6, SEC_E_INVALID_TOKEN},          /* half a profile */
        {{0, 1}, 4, SEC_E_INVALID_TOKEN},             /* no profile */
        {{2, 0x7777}, 4, SEC_E_UNSUPPORTED_FUNCTION}, /* none that is known */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop_pair *pair = pair_new();
        begin_datagrams(pair);
        pair->client.srtp = cases[i].bytes;
        pair->client.srtp_len = cases[i].len;
        assert_int_equal(side_step(&pair->client), cases[i].status);
        assert_false(pair->client.has_context);
        pair_free(pair);
    }
    /* TLS has no SRTP. */
    static const unsigned short profiles[] = {2, 1};
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, 0, 0, 0);
    pair->client.srtp = profiles;
    pair->client.srtp_len = sizeof profiles;
    assert_int_equal(side_step(&pair->client), SEC_E_UNSUPPORTED_FUNCTION);
    pair_free(pair);
}

static void test_list(void **state)
{
    static const unsigned char http[] = {11, 0, 0, 0, 2, 0, 0, 0, 5, 0, 4, 'h', 't', 't', 'p'};
    (void)state;
    for (int with_alpn = 0; with_alpn < 2; with_alpn++)
        for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
            struct loop_pair *pair = pair_new();
            SecPkgContext_SrtpParameters parameters;
            pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, protocols & SP_PROT_TLS1_X_SERVER,
                         SCH_CRED_MANUAL_CRED_VALIDATION);
            if (with_alpn == 1) {
                pair->client.protocols = pair->server.protocols = http;
                pair->client.protocols_len = pair->server.protocols_len = sizeof http;
            }
            assert_true(pair_run(pair));
            if (protocols == SP_PROT_TLS1_3)
                extensions_are(pair, with_alpn == 1 ? "16 " : "");
            else
                extensions_are(pair, with_alpn == 1 ? "16 23 65281 " : "23 65281 ");
            assert_int_equal(QueryContextAttributesW(&pair->client.context, SECPKG_ATTR_SRTP_PARAMETERS, &parameters),
                             SEC_E_UNSUPPORTED_FUNCTION);
            pair_free(pair);
        }
}

static bool has_signature(struct side *side, eTlsHashAlgorithm hash, eTlsSignatureAlgorithm signature)
{
    SecPkgContext_SupportedSignatures found;
    bool is_there = false;
    assert_int_equal(QueryContextAttributesW(&side->context, SECPKG_ATTR_SUPPORTED_SIGNATURES, &found), SEC_E_OK);
    assert_true(found.cSignatureAndHashAlgorithms > 0);
    for (WORD i = 0; i < found.cSignatureAndHashAlgorithms; i++)
        is_there = is_there || found.pSignatureAndHashAlgorithms[i] == (signature << 8 | hash);
    assert_int_equal(FreeContextBuffer(found.pSignatureAndHashAlgorithms), SEC_E_OK);
    return is_there;
}

/* A credential that leaves RSA's signatures out: neither side supports them, and the other kinds are there. */
static void acquire_without_rsa(struct side *side)
{
    HCERTSTORE roots = pki_store(pki_authority());
    ALG_ID algorithms[] = {CALG_ECDSA, CALG_ECDH_EPHEM, CALG_AES_128, CALG_AES_256, CALG_SHA_256, CALG_SHA_384};
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .hRootStore = roots,
                          .cSupportedAlgs = sizeof algorithms / sizeof algorithms[0],
                          .palgSupportedAlgs = algorithms,
                          .grbitEnabledProtocols = SP_PROT_TLS1_X,
                          .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION};
    assert_int_equal(side_acquire(side, &cred), SEC_E_OK);
    CertCloseStore(roots, 0);
}

static void test_signatures(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++)
        for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
            bool with_rsa = (how & 1) == 0, asked = (how & 2) != 0;
            struct loop_pair *pair = pair_new();
            struct side *sides[2] = {&pair->client, &pair->server};
            if (!with_rsa)
                acquire_without_rsa(&pair->client);
            pair_acquire(pair, 0, protocols & SP_PROT_TLS1_X_SERVER, SCH_CRED_MANUAL_CRED_VALIDATION);
            if (asked) { /* the server names its algorithms, too */
                pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
                pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
            }
            assert_true(pair_run(pair));
            for (size_t i = 0; i < 2; i++) {
                assert_true(has_signature(sides[i], TlsHashAlgorithm_Sha256, TlsSignatureAlgorithm_Ecdsa));
                assert_int_equal(has_signature(sides[i], TlsHashAlgorithm_Sha256, TlsSignatureAlgorithm_Rsa), with_rsa);
                assert_int_equal(has_signature(sides[i], 8, 4), with_rsa); /* rsa_pss_rsae_sha256 (RFC 8446 4.2.3) */
                assert_false(has_signature(sides[i], TlsHashAlgorithm_Md5, TlsSignatureAlgorithm_Rsa));
            }
            pair_free(pair);
        }
    struct loop_pair *pair = pair_new();
    begin_datagrams(pair);
    run_datagrams(pair);
    assert_true(has_signature(&pair->client, TlsHashAlgorithm_Sha256, TlsSignatureAlgorithm_Ecdsa));
    assert_true(has_signature(&pair->server, TlsHashAlgorithm_Sha256, TlsSignatureAlgorithm_Ecdsa));
    pair_free(pair);
}

/* Moves what libssl's client wrote to our server, and the answer back. */
static void client_turn(SSL *client, struct side *server)
{
    static unsigned char bytes[WIRE_MAX];
    (void)SSL_do_handshake(client);
    int len = BIO_read(SSL_get_wbio(client), bytes, sizeof bytes);
    if (len <= 0)
        return;
    wire_put(&server->in, bytes, (size_t)len);
    do
        (void)side_step(server);
    while (server->status == SEC_I_MESSAGE_FRAGMENT);
    if (server->out.len > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(client), server->out.data, (int)server->out.len), server->out.len);
    server->out.len = 0;
}

/* RFC 6066 4: our clients never ask for short records, others may. No MTU makes them longer. */
static void test_short_records(void **state)
{
    static unsigned char text[513], back[sizeof text];
    static struct wire records;
    (void)state;
    for (int datagrams = 0; datagrams < 2; datagrams++) {
        struct loop_pair *pair = pair_new();
        struct side *server = &pair->server;
        SecPkgContext_StreamSizes sizes;
        WORD mtu = 1400;
        if (datagrams == 1)
            begin_datagrams(pair);
        else
            pair_acquire(pair, 0, SP_PROT_TLS1_2_SERVER, SCH_CRED_MANUAL_CRED_VALIDATION);
        SSL_CTX *ctx = SSL_CTX_new(datagrams == 1 ? DTLS_client_method() : TLS_client_method());
        assert_non_null(ctx);
        assert_int_equal(SSL_CTX_set_tlsext_max_fragment_length(ctx, TLSEXT_max_fragment_length_512), 1);
        (void)SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU);
        SSL *client = SSL_new(ctx);
        assert_non_null(client);
        SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(client);
        SSL_set_mtu(client, 1200);
        for (int i = 0; i < 8 && (SSL_is_init_finished(client) != 1 || server->status != SEC_E_OK); i++)
            client_turn(client, server);
        assert_int_equal(SSL_is_init_finished(client), 1);
        assert_int_equal(server->status, SEC_E_OK);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(QueryContextAttributesA(&server->context, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_OK);
            assert_int_equal(sizes.cbMaximumMessage, 512);
            assert_int_equal(SetContextAttributesW(&server->context, SECPKG_ATTR_DTLS_MTU, &mtu, sizeof mtu),
                             datagrams == 1 ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
        }
        records.len = 0;
        assert_int_equal(side_send(server, text, sizeof text, &records), SEC_E_OK);
        assert_int_equal(BIO_write(SSL_get_rbio(client), records.data, (int)records.len), records.len);
        assert_int_equal(SSL_read(client, back, sizeof back), 512);
        assert_int_equal(SSL_read(client, back, sizeof back), 1);
        SSL_free(client);
        SSL_CTX_free(ctx);
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_srtp),       cmocka_unit_test(test_srtp_refused),  cmocka_unit_test(test_list),
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_short_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
