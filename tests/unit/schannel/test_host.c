/*
 * In a host's process: what its openssl.cnf says about TLS does not change what a credential says, and its thread's OpenSSL errors are not ours to
 * leave behind.
 * build: all
 */
#include "support/tls_loop.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct wire text;

static void talk(struct loop_pair *pair)
{
    struct side *sides[2] = {&pair->client, &pair->server};
    side_hand_over(&pair->server, &pair->client);
    for (size_t i = 0; i < 2; i++)
        for (size_t len = 1; len < 300; len += 37) {
            static const unsigned char words[300];
            text.len = 0;
            assert_int_equal(side_send(sides[i], words, len, &sides[1 - i]->in), SEC_E_OK);
            assert_int_equal(side_receive_text(sides[1 - i], sides[i], &text), SEC_E_OK);
            assert_int_equal(text.len, len);
        }
}

static void test_configuration(void **state)
{
    (void)state;
    /* The file is read: without that the rest would prove nothing. */
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    assert_int_equal(SSL_CTX_get_max_proto_version(ctx), TLS1_1_VERSION);
    assert_true((SSL_CTX_get_options(ctx) & SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION) != 0);
    SSL_CTX_free(ctx);
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        SecPkgContext_ConnectionInfo info;
        struct loop_pair *pair = pair_new();
        pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, 0, 0);
        assert_true(pair_run(pair));
        assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
        assert_int_equal(info.dwProtocol, protocols & SP_PROT_TLS1_X_CLIENT);
        talk(pair);
        /* Of a resumed session tls-unique is given only with the extended master secret. */
        pair_restart(pair);
        assert_true(pair_run(pair));
        SecPkgContext_Bindings bindings = {0};
        SECURITY_STATUS status = QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_UNIQUE_BINDINGS, &bindings);
        assert_int_equal(status, protocols == SP_PROT_TLS1_2 ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
        if (status == SEC_E_OK)
            FreeContextBuffer(bindings.Bindings);
        pair_free(pair);
    }
    /* A wrong name is as wrong as ever. */
    struct loop_pair *pair = pair_new();
    pair->client.target = "other.test";
    assert_false(pair_run(pair));
    assert_int_equal(pair->client.status, SEC_E_WRONG_PRINCIPAL);
    pair_free(pair);
}

/* Takes the extension of secure renegotiation (RFC 5746 3.2) out of the ServerHello that `wire` begins with. */
static void secure_renegotiation_remove(struct wire *wire)
{
    static const unsigned char extension[] = {0xff, 0x01, 0, 1, 0};
    unsigned char *hello = wire->data + 5;
    assert_true(wire->len > 100 && wire->data[0] == 22 && hello[0] == 2);
    size_t message_len = (size_t)hello[2] << 8 | hello[3], record_len = (size_t)wire->data[3] << 8 | wire->data[4];
    assert_int_equal(record_len, message_len + 4);
    size_t lengths_at = 5 + 4 + 2 + 32 + 1 + hello[4 + 2 + 32] + 2 + 1, end = 5 + record_len;
    size_t extensions_len = (size_t)wire->data[lengths_at] << 8 | wire->data[lengths_at + 1];
    assert_int_equal(lengths_at + 2 + extensions_len, end);
    unsigned char *found = memmem(wire->data + lengths_at, end - lengths_at, extension, sizeof extension);
    assert_non_null(found);
    memmove(found, found + sizeof extension, wire->len - (size_t)(found + sizeof extension - wire->data));
    wire->len -= sizeof extension;
    unsigned char *lengths[] = {wire->data + 3, hello + 2, wire->data + lengths_at};
    const size_t values[] = {record_len, message_len, extensions_len};
    for (size_t i = 0; i < 3; i++) {
        lengths[i][0] = (unsigned char)((values[i] - sizeof extension) >> 8);
        lengths[i][1] = (unsigned char)(values[i] - sizeof extension);
    }
}

/* Of a server that does not know secure renegotiation a client cannot tell whether somebody has put his own beginning before its connection
 * (CVE-2009-3555): it says no before it has sent anything more. */
static void test_unsafe_renegotiation(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    assert_true((SSL_CTX_get_options(ctx) & SSL_OP_LEGACY_SERVER_CONNECT) != 0);
    SSL_CTX_free(ctx);
    for (int removed = 0; removed < 2; removed++) {
        struct loop_pair *pair = pair_new();
        pair_acquire(pair, SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER, 0);
        assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
        if (removed)
            secure_renegotiation_remove(&pair->server.out);
        side_hand_over(&pair->server, &pair->client);
        assert_int_equal(side_step(&pair->client), removed ? SEC_E_ALGORITHM_MISMATCH : SEC_I_CONTINUE_NEEDED);
        pair_free(pair);
    }
}

/* 112 bits, whatever the file says: OpenSSL's level is 0 there. */
static void test_security_level(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    assert_int_equal(SSL_CTX_get_security_level(ctx), 0);
    SSL_CTX_free(ctx);
    struct pki weak = pki_make(&(struct pki_wish){.name = "server.test",
                                                  .alternatives = "DNS:server.test",
                                                  .issuer = pki_authority(),
                                                  .usage = "serverAuth",
                                                  .rsa_bits = 1024});
    struct side side = {.client = false};
    assert_int_equal(side_acquire_with(&side, &weak, 0, 0), SEC_E_UNKNOWN_CREDENTIALS);
    pki_free(&weak);
}

/* Every attribute there is, whether it can be answered or not. */
static void test_errors(void **state)
{
    static unsigned char room[2048];
    (void)state;
    struct pki odd = pki_make(&(struct pki_wish){
        .name = "server.test", .alternatives = "DNS:server.test", .issuer = pki_authority(), .ed25519 = true});
    struct loop_pair *pair = pair_new();
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 1); /* which the host has not read yet */
    assert_int_equal(side_acquire_with(&pair->server, &odd, 0, 0), SEC_E_OK);
    assert_int_equal(ERR_GET_LIB(ERR_get_error()), ERR_LIB_USER);
    assert_int_equal(ERR_peek_error(), 0);
    assert_true(pair_run(pair));
    assert_int_equal(ERR_peek_error(), 0);
    for (ULONG attribute = 0; attribute < 0x100; attribute++) {
        void *block = NULL;
        SECURITY_STATUS status = QueryContextAttributesA(&pair->client.context, attribute, room);
        if (ERR_peek_error() != 0)
            fail_msg("attribute %u left an error: %s", (unsigned)attribute, ERR_reason_error_string(ERR_peek_error()));
        if (status == SEC_E_OK && (attribute == SECPKG_ATTR_REMOTE_CERT_CONTEXT || attribute == 0x67)) {
            memcpy(&block, room, sizeof block);
            CertFreeCertificateContext(block);
        }
        memset(room, 0, sizeof room);
    }
    pair_free(pair);
    pki_free(&odd);
}

int main(void)
{
    char path[] = "/tmp/opensspi-host-XXXXXX";
    int file = mkstemp(path);
    static const char configuration[] =
        "openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = here\n[here]\n"
        "MinProtocol = TLSv1\nMaxProtocol = TLSv1.1\nRecordPadding = 512\n"
        "Options = "
        "UnsafeLegacyRenegotiation,UnsafeLegacyServerConnect,-EncryptThenMac,-ExtendedMasterSecret,"
        "AllowNoDHEKEX\nVerifyMode = "
        "Request\n"
        "CipherString = DEFAULT:@SECLEVEL=0\n";
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_configuration),
                                       cmocka_unit_test(test_unsafe_renegotiation),
                                       cmocka_unit_test(test_security_level), cmocka_unit_test(test_errors)};
    if (file < 0 || write(file, configuration, sizeof configuration - 1) != (ssize_t)sizeof configuration - 1)
        return 1;
    close(file);
    setenv("OPENSSL_CONF", path, 1);
    OPENSSL_init_ssl(0, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
