/*
 * Kerberos handshakes through the public functions, client and server in one process: every encryption type and style, messages afterwards, steps out
 * of order, and every byte of AP-REQ and AP-REP altered or cut off.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kerberos_loop.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const ULONG styles[] = {0, ISC_REQ_MUTUAL_AUTH, ISC_REQ_USE_DCE_STYLE,
                               ISC_REQ_USE_DCE_STYLE | ISC_REQ_MUTUAL_AUTH};

/* `one_way`: RC4 and one leg, where the server may not seal. */
static void talk(struct loop *loop, bool one_way)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(loop_seal(&loop->client, &loop->server, "sealed there, and long enough"), SEC_E_OK);
        assert_int_equal(loop_sign(&loop->client, &loop->server, "signed there"), SEC_E_OK);
        assert_int_equal(loop_seal(&loop->server, &loop->client, "sealed back, and long enough"),
                         one_way ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK);
        assert_int_equal(loop_sign(&loop->server, &loop->client, ""), SEC_E_OK);
    }
}

static void test_types_and_styles(void **state)
{
    (void)state;
    for (int i = 0; i < KERBEROS_TYPES; i++)
        for (size_t j = 0; j < sizeof styles / sizeof styles[0]; j++) {
            struct loop loop = {0};
            bool rc4 = kerberos_loop_types[i] == KRB_RC4_HMAC; /* two peers of ours would go on with AES (RFC 4537) */
            kerberos_loop_configure(rc4 ? "permitted_enctypes = rc4-hmac" : NULL, NULL, NULL);
            if (!kerberos_loop_run(&loop, kerberos_loop_types[i], styles[j] | KERBEROS_PROTECT))
                fail_msg("type %d, style 0x%x: client 0x%08x, server 0x%08x: %s", kerberos_loop_types[i],
                         (unsigned)styles[j], (unsigned)loop.client_status, (unsigned)loop.server_status,
                         OpenSspiLastErrorText());
            bool dce = (styles[j] & ISC_REQ_USE_DCE_STYLE) != 0, mutual = dce || (styles[j] & ISC_REQ_MUTUAL_AUTH) != 0;
            assert_int_equal(loop.legs, dce ? 4 : mutual ? 3 : 2);
            assert_int_equal(loop.client_attributes & KERBEROS_PROTECT, KERBEROS_PROTECT);
            assert_int_equal((loop.client_attributes & ISC_RET_MUTUAL_AUTH) != 0, mutual);
            assert_int_equal((loop.server_attributes & ASC_RET_MUTUAL_AUTH) != 0, mutual);
            assert_int_equal((loop.client_attributes & ISC_RET_USED_DCE_STYLE) != 0, dce);
            assert_int_equal((loop.server_attributes & ASC_RET_USED_DCE_STYLE) != 0, dce);
            talk(&loop, !mutual && rc4);
            kerberos_loop_end(&loop);
        }
    kerberos_loop_configure(NULL, NULL, NULL);
}

static void test_bindings(void **state)
{
    static const struct {
        const char *client, *server;
        ULONG server_flags;
        bool passes;
    } cases[] = {
        {"tls-unique:one", "tls-unique:one", 0, true},
        {"tls-unique:one", NULL, 0, true}, /* the server has no channel to compare with */
        {NULL, "tls-unique:one", 0, false},
        {NULL, "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS, true},
        {"tls-unique:two", "tls-unique:one", 0, false},
        {"tls-unique:two", "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS, false},
        {"tls-unique:two", "tls-unique:one", ASC_REQ_PROXY_BINDINGS, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t j = 0; j < sizeof styles / sizeof styles[0]; j++) {
            struct loop loop = {.client_bindings = cases[i].client,
                                .client_bindings_len = cases[i].client != NULL ? strlen(cases[i].client) : 0,
                                .server_bindings = cases[i].server,
                                .server_bindings_len = cases[i].server != NULL ? strlen(cases[i].server) : 0,
                                .server_flags = cases[i].server_flags};
            assert_int_equal(kerberos_loop_run(&loop, KRB_AES256_SHA1, styles[j] | KERBEROS_PROTECT), cases[i].passes);
            if (!cases[i].passes)
                assert_int_equal(loop.server_status, SEC_E_BAD_BINDINGS);
            kerberos_loop_end(&loop);
        }
}

/* RFC 4537: an RC4 ticket, and yet AES where both sides' krb5.conf permits it and there is a reply to say so. */
static void test_upgrade(void **state)
{
    static const struct {
        const char *permitted;
        ULONG style, key_len;
    } cases[] = {
        {NULL, ISC_REQ_MUTUAL_AUTH, 32},
        {NULL, ISC_REQ_USE_DCE_STYLE, 32},
        {NULL, 0, 16},
        {"permitted_enctypes = rc4-hmac", ISC_REQ_MUTUAL_AUTH, 16},
        {"permitted_enctypes = rc4-hmac", ISC_REQ_USE_DCE_STYLE, 16},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop loop = {0};
        SecPkgContext_SessionKey key = {0};
        kerberos_loop_configure(cases[i].permitted, NULL, NULL);
        assert_true(kerberos_loop_run(&loop, KRB_RC4_HMAC, cases[i].style | KERBEROS_PROTECT));
        talk(&loop, cases[i].style == 0);
        assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK);
        assert_int_equal(key.SessionKeyLength, cases[i].key_len);
        FreeContextBuffer(key.SessionKey);
        kerberos_loop_end(&loop);
    }
    kerberos_loop_configure(NULL, NULL, NULL);
}

static struct duel honest;

static struct token ap_req(ULONG flags)
{
    struct forge forge;
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    duel_restart(&honest);
    honest.client_flags = flags | KERBEROS_PROTECT;
    SECURITY_STATUS status = duel_client(&honest, slice_of(NULL, 0));
    assert_int_equal(status, (flags & ISC_REQ_MUTUAL_AUTH) != 0 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK);
    return honest.out;
}

/* The principal says whose a password is; without one it names nobody's tickets. */
static void nobody_with_a_principal(void)
{
    static char empty[] = "", package[] = "Kerberos", target[] = "host/server.example.test",
                principal[] = "alice@EXAMPLE.TEST";
    SEC_WINNT_AUTH_IDENTITY_A identity = {.User = (unsigned char *)empty, .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    unsigned char token[4096];
    SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    CredHandle credential;
    CtxtHandle context;
    ULONG granted;
    assert_int_equal(AcquireCredentialsHandleA(principal, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                               &credential, NULL),
                     SEC_E_OK);
    assert_int_equal(InitializeSecurityContextA(&credential, NULL, target, KERBEROS_PROTECT, 0, SECURITY_NATIVE_DREP,
                                                NULL, 0, &context, &list, &granted, NULL),
                     SEC_E_NO_CREDENTIALS);
    FreeCredentialsHandle(&credential);
}

/* A password without a name is nobody's: neither the tickets of this process nor its name are what was meant. */
static void test_a_password_of_nobody(void **state)
{
    static char empty[] = "", secret[] = "secret", target[] = "host/server.example.test";
    static char *const packages[] = {(char *)(uintptr_t) "Kerberos", (char *)(uintptr_t) "Negotiate"};
    char *const users[] = {empty, NULL, empty}, *const passwords[] = {secret, secret, NULL};
    (void)state;
    struct loop own = {.package = "Kerberos"};
    assert_true(kerberos_loop_run(&own, KRB_AES256_SHA1, KERBEROS_PROTECT)); /* the tickets are there */
    kerberos_loop_end(&own);
    for (size_t i = 0; i < 6; i++) {
        SEC_WINNT_AUTH_IDENTITY_A identity = {.User = (unsigned char *)users[i % 3],
                                              .Password = (unsigned char *)passwords[i % 3],
                                              .PasswordLength = passwords[i % 3] != NULL ? 6 : 0,
                                              .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
        unsigned char token[4096];
        SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token};
        SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
        SecPkgCredentials_NamesA names = {0};
        CredHandle credential;
        CtxtHandle context;
        ULONG granted;
        assert_int_equal(AcquireCredentialsHandleA(NULL, packages[i / 3], SECPKG_CRED_OUTBOUND, NULL, &identity, NULL,
                                                   NULL, &credential, NULL),
                         SEC_E_OK);
        SECURITY_STATUS status =
            InitializeSecurityContextA(&credential, NULL, target, KERBEROS_PROTECT, 0, SECURITY_NATIVE_DREP, NULL, 0,
                                       &context, &list, &granted, NULL);
        assert_int_equal(status, i < 3 ? SEC_E_NO_CREDENTIALS : SEC_I_CONTINUE_NEEDED);
        if (i >= 3) { /* NTLM's, which has no name in it */
            assert_non_null(memmem(token, out.cbBuffer, "NTLMSSP", 8));
            assert_true(out.cbBuffer < 200);
            DeleteSecurityContext(&context);
        }
        assert_int_equal(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
        assert_null(strstr(names.sUserName, "@"));
        FreeContextBuffer(names.sUserName);
        FreeCredentialsHandle(&credential);
    }
    nobody_with_a_principal();
}

static void test_out_of_order(void **state)
{
    (void)state;
    struct token request = ap_req(ISC_REQ_MUTUAL_AUTH), reply;
    /* the client's own AP-REQ is no answer, and ends its handshake */
    assert_int_equal(duel_client(&honest, token_slice(&request)), SEC_E_INVALID_TOKEN);
    assert_int_equal(duel_client(&honest, token_slice(&request)), SEC_E_OUT_OF_SEQUENCE);
    request = ap_req(ISC_REQ_MUTUAL_AUTH);
    assert_int_equal(duel_client(&honest, slice_of(NULL, 0)), SEC_E_INVALID_TOKEN);
    request = ap_req(ISC_REQ_MUTUAL_AUTH);
    assert_int_equal(duel_server(&honest, token_slice(&request)), SEC_E_OK);
    reply = honest.out;
    /* a handshake that has ended takes no more */
    assert_int_equal(duel_server(&honest, token_slice(&request)), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(duel_client(&honest, token_slice(&reply)), SEC_E_OK);
    assert_int_equal(duel_client(&honest, token_slice(&reply)), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(loop_seal(&honest.client, &honest.server, "it holds all the same"), SEC_E_OK);
    /* the same AP-REQ for another context is a replay; an AP-REP is no beginning */
    DeleteSecurityContext(&honest.server);
    honest.server = (CtxtHandle){0};
    assert_int_equal(duel_server(&honest, token_slice(&request)), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(duel_server(&honest, token_slice(&reply)), SEC_E_INVALID_TOKEN);
    assert_int_equal(duel_server(&honest, slice_of(NULL, 0)), SEC_E_INVALID_TOKEN);
    /* an answer to another request, made with the same ticket */
    duel_restart(&honest);
    assert_int_equal(duel_client(&honest, slice_of(NULL, 0)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(duel_client(&honest, token_slice(&reply)), SEC_E_MUTUAL_AUTH_FAILED);
}

/* A client without a subkey: tokens of RC4 are then under the ticket's key, and know of no other (RFC 1964 1.2, RFC 4757 7). */
static void test_no_subkey(void **state)
{
    (void)state;
    for (int i = 0; i < KERBEROS_TYPES; i++) {
        bool rc4 = kerberos_loop_types[i] == KRB_RC4_HMAC;
        struct forge forge;
        enum krb_token id;
        enum krb_framing framing;
        struct krb_encrypted encrypted;
        struct krb_ap_rep_part part;
        struct slice reply, plain;
        AUTO_SECRET struct secret buffer = {0};
        AUTO_WRITER struct writer token = writer_growing(1024);
        SecPkgContext_SessionKey key = {0};
        forge_begin(&forge, kerberos_loop_types[i]);
        forge.subkey.enctype = 0;
        forge.checksum.flags = GSS_MUTUAL | GSS_INTEG | GSS_CONF;
        forge_token(&token, &forge);
        duel_restart(&honest);
        assert_int_equal(duel_server(&honest, writer_slice_of(&token)), SEC_E_OK);
        assert_int_equal(krb_token_parse(token_slice(&honest.out), &id, &reply, &framing), WIRE_OK);
        assert_int_equal(krb_ap_rep_parse(reply, &encrypted), WIRE_OK);
        assert_true(krb_decrypt(&forge.session, KRB_USAGE_AP_REP, encrypted.cipher, &buffer, &plain));
        assert_int_equal(krb_ap_rep_part_parse(plain, &part), WIRE_OK);
        assert_int_equal(part.subkey.enctype, rc4 ? 0 : kerberos_loop_types[i]);
        assert_int_equal(QueryContextAttributesA(&honest.server, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK);
        const struct krb_key *agreed = rc4 ? &forge.session : &part.subkey;
        assert_int_equal(key.SessionKeyLength, agreed->len);
        assert_memory_equal(key.SessionKey, agreed->bytes, agreed->len);
        FreeContextBuffer(key.SessionKey);
    }
}

/* An AP-REQ of each type counts once, and two of one ticket are two. */
static void test_replays(void **state)
{
    (void)state;
    for (int i = 0; i < KERBEROS_TYPES; i++) {
        struct forge forge;
        forge_begin(&forge, kerberos_loop_types[i]);
        kerberos_loop_ticket(&forge);
        for (int request = 0; request < 2; request++) {
            struct token first = ap_req(ISC_REQ_MUTUAL_AUTH);
            assert_int_equal(duel_server(&honest, token_slice(&first)), SEC_E_OK);
            for (int again = 0; again < 2; again++) {
                DeleteSecurityContext(&honest.server);
                honest.server = (CtxtHandle){0};
                assert_int_equal(duel_server(&honest, token_slice(&first)), SEC_E_OUT_OF_SEQUENCE);
            }
        }
    }
    struct forge usual;
    forge_begin(&usual, KRB_AES256_SHA1);
    kerberos_loop_ticket(&usual);
}

/* Why a server refuses, told to the client: with EXTENDED_ERROR alone, and never as success. */
static void test_extended_error(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        struct forge forge;
        struct token token;
        forge_begin(&forge, KRB_AES256_SHA1);
        forge.service = forge_key(KRB_AES256_SHA1, 5); /* not the server's */
        kerberos_loop_ticket(&forge);
        duel_restart(&honest);
        honest.client_flags = ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT;
        assert_int_equal(duel_client(&honest, slice_of(NULL, 0)), SEC_I_CONTINUE_NEEDED);
        token = honest.out;
        SecBuffer in = {(ULONG)token.len, SECBUFFER_TOKEN, token.data},
                  out = {sizeof honest.out.data, SECBUFFER_TOKEN, honest.out.data};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
        ULONG attributes = 0;
        assert_int_equal(AcceptSecurityContext(&honest.server_credential, NULL, &in_list,
                                               asked ? ASC_REQ_EXTENDED_ERROR : 0, SECURITY_NATIVE_DREP, &honest.server,
                                               &out_list, &attributes, NULL),
                         SEC_E_WRONG_PRINCIPAL);
        /* without a token the buffer is as it was */
        assert_true(asked ? out.cbBuffer > 0 && out.cbBuffer < 300 : out.cbBuffer == sizeof honest.out.data);
        if (asked)
            assert_int_equal(duel_client(&honest, slice_of(honest.out.data, out.cbBuffer)), SEC_E_WRONG_PRINCIPAL);
    }
}

static void test_third_leg(void **state)
{
    (void)state;
    struct token request = ap_req(ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE), reply, third;
    assert_int_equal(duel_server(&honest, token_slice(&request)), SEC_I_CONTINUE_NEEDED);
    reply = honest.out;
    assert_int_equal(duel_client(&honest, token_slice(&reply)), SEC_E_OK);
    third = honest.out;
    assert_int_equal(duel_server(&honest, token_slice(&third)), SEC_E_OK);
    assert_int_equal(loop_seal(&honest.client, &honest.server, "three legs"), SEC_E_OK);
    const struct slice wrong[] = {slice_of(NULL, 0), token_slice(&request), token_slice(&third)};
    for (size_t i = 0; i <= sizeof wrong / sizeof wrong[0]; i++) {
        request = ap_req(ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE);
        assert_int_equal(duel_server(&honest, token_slice(&request)), SEC_I_CONTINUE_NEEDED);
        reply = honest.out;
        /* last: the server's own reply sent back, which anybody on the line can do without any key */
        struct slice given = i < sizeof wrong / sizeof wrong[0] ? wrong[i] : token_slice(&reply);
        SECURITY_STATUS status = duel_server(&honest, given);
        if (status >= 0)
            fail_msg("wrong third leg %zu was taken", i);
        if (i == sizeof wrong / sizeof wrong[0])
            assert_int_equal(status, SEC_E_MUTUAL_AUTH_FAILED);
        assert_int_equal(duel_client(&honest, token_slice(&reply)), SEC_E_OK);
        third = honest.out; /* the right one comes too late */
        assert_int_equal(duel_server(&honest, token_slice(&third)), SEC_E_OUT_OF_SEQUENCE);
    }
}

static void client_is(struct duel *duel, const char *name)
{
    CtxtHandle *sides[] = {&duel->client, &duel->server};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        SecPkgContext_NativeNamesA names = {0};
        assert_int_equal(QueryContextAttributesA(sides[i], SECPKG_ATTR_NATIVE_NAMES, &names), SEC_E_OK);
        assert_string_equal(names.sClientName, name);
        assert_string_equal(names.sServerName, FORGE_SERVER);
        FreeContextBuffer(names.sClientName);
        FreeContextBuffer(names.sServerName);
    }
}

static void ticket_of(const char *client, int32_t enctype, uint8_t session)
{
    struct forge forge;
    forge_begin(&forge, enctype);
    forge.client = client;
    forge.session = forge_key(enctype, session);
    kerberos_loop_ticket(&forge);
}

/* A whole handshake of another context under the same credentials. */
static SECURITY_STATUS beside(const char *client)
{
    struct duel other = {.client_credential = honest.client_credential,
                         .server_credential = honest.server_credential,
                         .target = honest.target,
                         .client_flags = ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT};
    SECURITY_STATUS status = duel_client(&other, slice_of(NULL, 0));
    struct token token = other.out;
    if (status >= 0)
        status = duel_server(&other, token_slice(&token));
    token = other.out;
    if (status >= 0)
        status = duel_client(&other, token_slice(&token));
    if (status == SEC_E_OK) {
        client_is(&other, client);
        assert_int_equal(loop_seal(&other.client, &other.server, "beside"), SEC_E_OK);
    }
    duel_restart(&other);
    return status;
}

/* Another ticket, none, and another key count at the next handshake; one that is under way goes on with the ticket that it began with. */
static void test_replaced_under_way(void **state)
{
    static const char *const changes[] = {"renewed", "destroyed", "rotated"};
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        for (int dce = 0; dce < 2; dce++) {
            char path[200];
            kerberos_loop_keytab();
            ticket_of("carol@" FORGE_REALM, KRB_AES256_SHA1, 8);
            for (int again = 0; again < 3; again++) /* everything that is kept is there */
                assert_int_equal(beside("carol@" FORGE_REALM), SEC_E_OK);
            duel_restart(&honest);
            honest.client_flags = ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT | (dce != 0 ? ISC_REQ_USE_DCE_STYLE : 0);
            assert_int_equal(duel_client(&honest, slice_of(NULL, 0)), SEC_I_CONTINUE_NEEDED);
            struct token token = honest.out;
            switch (i) {
            case 0:
                ticket_of("bob/admin@" FORGE_REALM, KRB_AES128_SHA1, 9);
                assert_int_equal(beside("bob/admin@" FORGE_REALM), SEC_E_OK);
                break;
            case 1:
                snprintf(path, sizeof path, "%s/cache", kerberos_loop_directory());
                assert_int_equal(unlink(path), 0);
                assert_int_equal(beside("nobody"), SEC_E_NO_CREDENTIALS);
                break;
            default: /* the keys are looked at before the ticket, and no former one opens it */
                snprintf(path, sizeof path, "%s/keytab", kerberos_loop_directory());
                assert_int_equal(unlink(path), 0);
                assert_int_equal(beside("nobody"), SEC_E_NO_CREDENTIALS);
                const struct krb_key rotated = forge_key(KRB_AES256_SHA1, 5);
                kerberos_loop_keytab_add("keytab", FORGE_SERVER, 3, &rotated);
                assert_int_equal(beside("nobody"), SEC_E_WRONG_PRINCIPAL);
                assert_int_equal(duel_server(&honest, token_slice(&token)), SEC_E_WRONG_PRINCIPAL);
                continue;
            }
            assert_int_equal(duel_server(&honest, token_slice(&token)), dce != 0 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK);
            token = honest.out;
            assert_int_equal(duel_client(&honest, token_slice(&token)), SEC_E_OK);
            token = honest.out;
            if (dce != 0)
                assert_int_equal(duel_server(&honest, token_slice(&token)), SEC_E_OK);
            client_is(&honest, "carol@" FORGE_REALM);
            assert_int_equal(loop_seal(&honest.client, &honest.server, "under way"), SEC_E_OK);
        }
    kerberos_loop_keytab();
    ticket_of(FORGE_CLIENT, KRB_AES256_SHA1, 2);
    assert_int_equal(beside(FORGE_CLIENT), SEC_E_OK);
}

/* A handshake holds its credential: the handle may go in the middle of it, and begins no other. */
static void test_freed_under_way(void **state)
{
    struct duel duel = {.client_flags = ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE | KERBEROS_PROTECT};
    struct forge forge;
    struct token token;
    (void)state;
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    kerberos_duel_begin(&duel);
    assert_int_equal(duel_client(&duel, slice_of(NULL, 0)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(FreeCredentialsHandle(&duel.client_credential), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&duel.client_credential), SEC_E_INVALID_HANDLE);
    token = duel.out;
    assert_int_equal(duel_server(&duel, token_slice(&token)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(FreeCredentialsHandle(&duel.server_credential), SEC_E_OK);
    struct duel another = {.client_credential = duel.client_credential,
                           .server_credential = duel.server_credential,
                           .client_flags = duel.client_flags,
                           .target = duel.target};
    assert_int_equal(duel_client(&another, slice_of(NULL, 0)), SEC_E_INVALID_HANDLE);
    assert_int_equal(duel_server(&another, token_slice(&token)), SEC_E_INVALID_HANDLE);
    token = duel.out;
    assert_int_equal(duel_client(&duel, token_slice(&token)), SEC_E_OK);
    token = duel.out;
    assert_int_equal(duel_server(&duel, token_slice(&token)), SEC_E_OK);
    assert_int_equal(loop_seal(&duel.client, &duel.server, "without credentials"), SEC_E_OK);
    duel_restart(&duel);
}

static void test_huge_and_odd_tokens(void **state)
{
    (void)state;
    size_t len = 1 << 20;
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    static const uint8_t fills[] = {0, 0x60, 0x6e, 0x6f, 0x7e, 0x80, 0xff};
    for (size_t i = 0; i < sizeof fills; i++)
        for (size_t n = 1; n <= len; n *= 4) {
            memset(bytes, fills[i], n);
            duel_restart(&honest);
            assert_true(duel_server(&honest, slice_of(bytes, n)) < 0);
            (void)ap_req(ISC_REQ_MUTUAL_AUTH);
            assert_true(duel_client(&honest, slice_of(bytes, n)) < 0);
        }
    free(bytes);
}

/* Where `needle` begins in the token. */
static size_t offset_of(const struct token *token, const void *needle, size_t len)
{
    const uint8_t *at = memmem(token->data, token->len, needle, len);
    assert_non_null(at);
    return (size_t)(at - token->data);
}

/* The bytes of an AP-REQ that nobody protects, and that a server may therefore take changed. */
static void free_bytes(const struct token *request, bool *free_to_change)
{
    static const uint8_t options[] = {0xa2, 0x07, 0x03, 0x05, 0x00, 0x20, 0x00, 0x00, 0x00};
    static const uint8_t realm[] = FORGE_REALM, kvno[] = {0xa1, 0x03, 0x02, 0x01, 0x02, 0xa2};
    static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7};
    memset(free_to_change, 0, request->len);
    /* one bit of the mechanism's OID makes Windows 2000's number of it, which means the same */
    free_to_change[offset_of(request, oid, sizeof oid) + 3] = true;
    /* ap-options: GSS-API's flags are in the protected checksum, so that MUTUAL_REQUIRED means nothing in a framed token, and of the other bits all
     * but USE_SESSION_KEY are reserved. USE_SESSION_KEY asks for another key: refused (below). */
    for (size_t i = 0; i < 4; i++)
        free_to_change[offset_of(request, options, sizeof options) + 5 + i] = true;
    /* the ticket's realm and server name: a hint which key of the keytab to try first. What the context calls the server is the key's own name. */
    size_t at = offset_of(request, realm, sizeof realm - 1);
    for (size_t i = 0; i < sizeof realm - 1; i++)
        free_to_change[at + i] = true;
    static const char *const parts[] = {"host", "server.example.test"};
    for (size_t j = 0; j < 2; j++) {
        at = offset_of(request, parts[j], strlen(parts[j]));
        for (size_t i = 0; i < strlen(parts[j]); i++)
            free_to_change[at + i] = true;
    }
    /* its name-type, INTEGER of one byte right before the parts: [0] 03 02 01 <type> [1] 2 lengths */
    at = offset_of(request, "host", 4);
    for (size_t i = 4; i < 16; i++)
        if (memcmp(request->data + at - i, "\xa0\x03\x02\x01", 4) == 0)
            free_to_change[at - i + 4] = true;
    /* the ticket's kvno: the same hint */
    free_to_change[offset_of(request, kvno, sizeof kvno) + 4] = true;
}

/* Names stay what the ticket's protected part and the keytab say, whatever was changed. */
static void names_hold(void)
{
    SecPkgContext_NativeNamesA names = {0};
    assert_int_equal(QueryContextAttributesA(&honest.server, SECPKG_ATTR_NATIVE_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sClientName, FORGE_CLIENT);
    assert_string_equal(names.sServerName, FORGE_SERVER);
    FreeContextBuffer(names.sClientName);
    FreeContextBuffer(names.sServerName);
}

static void server_restart(void)
{
    if (honest.server.dwLower != 0)
        DeleteSecurityContext(&honest.server);
    honest.server = (CtxtHandle){0};
}

static void test_request_flipped(void **state)
{
    (void)state;
    static bool free_to_change[4096];
    struct token request = ap_req(ISC_REQ_MUTUAL_AUTH), changed;
    unsigned n_taken = 0;
    free_bytes(&request, free_to_change);
    for (size_t at = 0; at < request.len; at++)
        for (int bit = 0; bit < 9; bit++) {
            changed = request;
            changed.data[at] ^= (uint8_t)(bit < 8 ? 1u << bit : 0xff);
            server_restart();
            SECURITY_STATUS status = duel_server(&honest, token_slice(&changed));
            if (status < 0)
                continue;
            if (!free_to_change[at])
                fail_msg("byte %zu of %zu (0x%02x -> 0x%02x): taken", at, request.len, request.data[at],
                         changed.data[at]);
            names_hold();
            n_taken++;
            request = ap_req(ISC_REQ_MUTUAL_AUTH); /* this one has been used */
            free_bytes(&request, free_to_change);
        }
    assert_true(n_taken > 0);
    /* USE_SESSION_KEY */
    static const uint8_t options[] = {0xa2, 0x07, 0x03, 0x05, 0x00, 0x20, 0x00, 0x00, 0x00};
    request.data[offset_of(&request, options, sizeof options) + 5] |= 0x40;
    server_restart();
    assert_int_equal(duel_server(&honest, token_slice(&request)), SEC_E_WRONG_PRINCIPAL);
}

static void test_request_cut(void **state)
{
    (void)state;
    struct token request = ap_req(ISC_REQ_MUTUAL_AUTH);
    for (size_t len = 0; len < request.len; len++) {
        server_restart();
        assert_int_equal(duel_server(&honest, slice_of(request.data, len)), SEC_E_INVALID_TOKEN);
    }
    struct token longer = request;
    longer.len++;
    server_restart();
    assert_int_equal(duel_server(&honest, token_slice(&longer)), SEC_E_INVALID_TOKEN);
    server_restart();
    assert_int_equal(duel_server(&honest, token_slice(&request)), SEC_E_OK);
}

/* AP-REP: everything in it is either encrypted or has one value. The client gives up at the first that is wrong, so that each try takes a handshake
 * of its own. */
static void test_reply_flipped_and_cut(void **state)
{
    (void)state;
    for (int dce = 0; dce < 2; dce++) {
        ULONG flags = ISC_REQ_MUTUAL_AUTH | (dce ? ISC_REQ_USE_DCE_STYLE : 0);
        size_t len = 1;
        for (size_t at = 0; at < len; at++)
            for (int kind = 0; kind < 4; kind++) { /* three flips and a cut */
                struct token request = ap_req(flags);
                assert_true(duel_server(&honest, token_slice(&request)) >= 0);
                struct token reply = honest.out;
                len = reply.len; /* a sequence number may take a byte less than last time */
                if (at >= len)
                    break;
                static const uint8_t flips[] = {0x01, 0x80, 0xff};
                if (kind < 3)
                    reply.data[at] ^= flips[kind];
                else
                    reply.len = at;
                SECURITY_STATUS status = duel_client(&honest, token_slice(&reply));
                if (status >= 0)
                    fail_msg("byte %zu of %zu, change %d: taken", at, len, kind);
            }
    }
}

static int group_end(void **state)
{
    (void)state;
    duel_end(&honest);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_and_styles),
        cmocka_unit_test(test_bindings),
        cmocka_unit_test(test_a_password_of_nobody),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_no_subkey),
        cmocka_unit_test(test_replays),
        cmocka_unit_test(
            test_replaced_under_way), /* before another krb5.conf: the keytab is read anew under the usual one */
        cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_extended_error),
        cmocka_unit_test(test_third_leg),
        cmocka_unit_test(test_freed_under_way),
        cmocka_unit_test(test_huge_and_odd_tokens),
        cmocka_unit_test(test_request_flipped),
        cmocka_unit_test(test_request_cut),
        cmocka_unit_test(test_reply_flipped_and_cut),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    kerberos_duel_begin(&honest);
    int failed = cmocka_run_group_tests(tests, NULL, group_end);
    kerberos_loop_cleanup();
    return failed;
}
