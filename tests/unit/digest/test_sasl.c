/*
 * SASL DIGEST-MD5 between our client and our server: layers, ciphers, sizes, who speaks first, letters, export, and messages that were altered.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/digest_hashes.h"
#include "digest/terms.h"
#include "support/digest_loop.h"
#include "support/wide.h"
#include <sspi_ext.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONF (ISC_REQ_CONFIDENTIALITY)
#define TARGET "ldap/server.example.test"

static struct digest_side client, server;

static int begin(void **state)
{
    (void)state;
    return digest_sides(&client, &server, NULL) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    digest_side_end(&client);
    digest_side_end(&server);
    return 0;
}

static void forget(void)
{
    digest_forget(&client);
    digest_forget(&server);
}

struct wire {
    unsigned char data[4096], padding[16], token[64];
    SecBuffer buffers[3];
    SecBufferDesc list;
};

static void wire_set(struct wire *wire, const char *text)
{
    memset(wire, 0, sizeof *wire);
    memcpy(wire->data, text, strlen(text));
    wire->buffers[0] = (SecBuffer){sizeof wire->token, SECBUFFER_TOKEN, wire->token};
    wire->buffers[1] = (SecBuffer){(ULONG)strlen(text), SECBUFFER_DATA, wire->data};
    wire->buffers[2] = (SecBuffer){sizeof wire->padding, SECBUFFER_PADDING, wire->padding};
    wire->list = (SecBufferDesc){SECBUFFER_VERSION, 3, wire->buffers};
}

/* The message as it goes over the wire: text, padding, signature. */
static ULONG wire_join(const struct wire *wire, unsigned char *whole)
{
    memcpy(whole, wire->data, wire->buffers[1].cbBuffer);
    memcpy(whole + wire->buffers[1].cbBuffer, wire->padding, wire->buffers[2].cbBuffer);
    memcpy(whole + wire->buffers[1].cbBuffer + wire->buffers[2].cbBuffer, wire->token, wire->buffers[0].cbBuffer);
    return wire->buffers[0].cbBuffer + wire->buffers[1].cbBuffer + wire->buffers[2].cbBuffer;
}

static SECURITY_STATUS open_stream(CtxtHandle *context, unsigned char *whole, ULONG len, const char *expected)
{
    SecBuffer buffers[2] = {{len, SECBUFFER_STREAM, whole}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = DecryptMessage(context, &list, 0, NULL);
    if (status == SEC_E_OK) {
        assert_int_equal(buffers[1].cbBuffer, strlen(expected));
        assert_memory_equal(buffers[1].pvBuffer, expected, strlen(expected));
    }
    return status;
}

static void test_auth(void **state)
{
    struct wire wire;
    (void)state;
    assert_int_equal(digest_sasl_run(&client, &server, 0, 0), SEC_E_OK);
    assert_true((client.attributes & ISC_RET_MUTUAL_AUTH) != 0);
    assert_true((client.attributes & (ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY)) == 0);
    wire_set(&wire, "text");
    assert_int_equal(MakeSignature(&client.context, 0, &wire.list, 0), SEC_E_QOP_NOT_SUPPORTED);
    assert_int_equal(EncryptMessage(&client.context, 0, &wire.list, 0), SEC_E_QOP_NOT_SUPPORTED);
    SecPkgContext_ClientSpecifiedTarget target = {0};
    assert_int_equal(QueryContextAttributesW(&server.context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_OK);
    assert_wide_equal(target.sTargetName, TARGET); /* the digest-uri */
    FreeContextBuffer(target.sTargetName);
}

static void test_integrity(void **state)
{
    struct wire wire;
    SecPkgContext_Sizes sizes;
    (void)state;
    assert_int_equal(digest_sasl_run(&client, &server, ISC_REQ_INTEGRITY, 0), SEC_E_OK);
    assert_true((client.attributes & ISC_RET_INTEGRITY) != 0 && (server.attributes & ASC_RET_INTEGRITY) != 0);
    assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbMaxSignature, 16);
    for (int i = 0; i < 3; i++) {
        wire_set(&wire, "signed text");
        assert_int_equal(MakeSignature(&client.context, 0, &wire.list, 0), SEC_E_OK);
        assert_int_equal(wire.buffers[0].cbBuffer, 16);
        assert_string_equal(wire.data, "signed text");
        wire.data[3] ^= 1;
        assert_int_equal(VerifySignature(&server.context, &wire.list, 0, NULL), SEC_E_MESSAGE_ALTERED);
        wire.data[3] ^= 1;
        assert_int_equal(VerifySignature(&server.context, &wire.list, 0, NULL), SEC_E_OK);
        assert_int_equal(VerifySignature(&server.context, &wire.list, 0, NULL), SEC_E_OUT_OF_SEQUENCE);
    }
    wire_set(&wire, "secret text");
    assert_int_equal(EncryptMessage(&client.context, 0, &wire.list, 0), SEC_E_QOP_NOT_SUPPORTED);
    assert_int_equal(EncryptMessage(&server.context, SECQOP_WRAP_NO_ENCRYPT, &wire.list, 0), SEC_E_OK);
    unsigned char whole[5000];
    ULONG len = wire_join(&wire, whole);
    assert_int_equal(open_stream(&client.context, whole, len, "secret text"), SEC_E_OK);
}

/* Text of every length over both ciphers, both ways, in pieces and as one stream; with RC4 also after altered messages. */
static void seal_both_ways(bool alter)
{
    char text[64];
    for (size_t n = 0; n < 40; n++) {
        CtxtHandle *from = n % 2 != 0 ? &client.context : &server.context;
        CtxtHandle *to = n % 2 != 0 ? &server.context : &client.context;
        struct wire wire, copy;
        unsigned char whole[5000];
        memset(text, 'x', n);
        text[n] = '\0';
        wire_set(&wire, text);
        assert_int_equal(EncryptMessage(from, 0, &wire.list, 0), SEC_E_OK);
        assert_int_equal(wire.buffers[0].cbBuffer, 16);
        if (n > 8)
            assert_memory_not_equal(wire.data, text, n);
        ULONG len = wire_join(&wire, whole);
        if (n % 3 == 0) {
            assert_int_equal(open_stream(to, whole, len, text), SEC_E_OK);
            continue;
        }
        copy = wire;
        for (int i = 0; i < 3; i++)
            copy.buffers[i].pvBuffer = i == 0 ? (void *)copy.token : i == 1 ? (void *)copy.data : (void *)copy.padding;
        copy.list.pBuffers = copy.buffers;
        copy.token[n % 2 != 0 ? 2 : 9] ^= 4;
        if (alter)
            assert_int_equal(DecryptMessage(to, &copy.list, 0, NULL), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(DecryptMessage(to, &wire.list, 0, NULL), SEC_E_OK);
        assert_int_equal(wire.buffers[1].cbBuffer, n);
        assert_memory_equal(wire.data, text, n);
    }
}

static void test_confidentiality(void **state)
{
    (void)state;
    assert_int_equal(digest_sasl_run(&client, &server, CONF, 0), SEC_E_OK);
    assert_true((client.attributes & ISC_RET_CONFIDENTIALITY) != 0 &&
                (server.attributes & ASC_RET_CONFIDENTIALITY) != 0);
    SecPkgContext_KeyInfoA key = {0};
    assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
    assert_string_equal(key.sEncryptAlgorithmName, "RSADSI RC4");
    FreeContextBuffer(key.sSignatureAlgorithmName);
    FreeContextBuffer(key.sEncryptAlgorithmName);
    seal_both_ways(true);
    struct wire wire;
    wire_set(&wire, "x");
    assert_int_equal(MakeSignature(&client.context, 0, &wire.list, 0), SEC_E_QOP_NOT_SUPPORTED);
}

/* The layout of Microsoft's EncryptMessage (Digest): DATA, and a PADDING of cbMaxSignature + cbBlockSize bytes for all that follows it on the wire.
 * What is received stands whole in one DATA, which shrinks to the text. */
static void seal_documented(ULONG qop)
{
    SecPkgContext_Sizes sizes;
    assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    ULONG room = sizes.cbMaxSignature + sizes.cbBlockSize;
    for (ULONG n = 0; n < 20; n++) {
        unsigned char text[20], whole[64];
        memset(text, 'x', sizeof text);
        memcpy(whole, text, n);
        SecBuffer sent[3] = {{n, SECBUFFER_DATA, whole},
                             {sizes.cbMaxSignature - 1, SECBUFFER_PADDING, whole + n},
                             {0, SECBUFFER_TOKEN, NULL}};
        SecBufferDesc list = {SECBUFFER_VERSION, 3, sent};
        assert_int_equal(EncryptMessage(&client.context, qop, &list, 0), SEC_E_BUFFER_TOO_SMALL);
        assert_memory_equal(whole, text, n);
        sent[1].cbBuffer = room;
        assert_int_equal(EncryptMessage(&client.context, qop, &list, 0), SEC_E_OK);
        assert_int_equal(sent[0].cbBuffer, n);
        assert_int_equal(sent[2].cbBuffer, 0);
        /* Apart they are not decrypted, and nothing is lost by having tried. */
        list.cBuffers = 2;
        assert_int_equal(DecryptMessage(&server.context, &list, 0, NULL), SEC_E_INVALID_TOKEN);
        assert_non_null(strstr(OpenSspiLastErrorText(), "joined"));
        assert_true(sent[1].cbBuffer >= sizes.cbMaxSignature && sent[1].cbBuffer <= room);
        SecBuffer received[3] = {{n + sent[1].cbBuffer, SECBUFFER_DATA | SECBUFFER_READONLY, whole},
                                 {0, SECBUFFER_PADDING, text},
                                 {0, SECBUFFER_TOKEN, NULL}};
        list = (SecBufferDesc){SECBUFFER_VERSION, 3, received};
        if (qop == 0)
            assert_int_equal(DecryptMessage(&server.context, &list, 0, NULL), SEC_E_INVALID_TOKEN);
        received[0].BufferType = SECBUFFER_DATA;
        assert_int_equal(DecryptMessage(&server.context, &list, 0, NULL), SEC_E_OK);
        assert_int_equal(received[0].cbBuffer, n);
        assert_int_equal(received[2].cbBuffer, 0);
        assert_memory_equal(whole, text, n);
        received[0].cbBuffer = sizes.cbMaxSignature - 1;
        assert_int_equal(DecryptMessage(&server.context, &list, 0, NULL), SEC_E_INVALID_TOKEN);
    }
}

static void test_documented_layout(void **state)
{
    struct wire wire;
    (void)state;
    assert_int_equal(digest_sasl_run(&client, &server, ISC_REQ_INTEGRITY, 0), SEC_E_OK);
    seal_documented(SECQOP_WRAP_NO_ENCRYPT);
    /* A signature is made and checked with a TOKEN. */
    wire_set(&wire, "text");
    wire.list.cBuffers = 2;
    wire.list.pBuffers++;
    assert_int_equal(MakeSignature(&client.context, 0, &wire.list, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(VerifySignature(&server.context, &wire.list, 0, NULL), SEC_E_INVALID_TOKEN);
    forget();
    assert_int_equal(digest_sasl_run(&client, &server, CONF, 0), SEC_E_OK);
    seal_documented(0);
}

/* The client sees one cipher only: the walk by hand. */
static SECURITY_STATUS run_altered(ULONG flags, const char *name, const char *value)
{
    const struct digest_call ours = {.flags = flags, .target = TARGET}, theirs = {.flags = 0};
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    if (name != NULL)
        assert_true(digest_alter(server.token, name, value));
    SECURITY_STATUS status = digest_initiate_step(&client, &ours, server.token);
    if (status != SEC_I_CONTINUE_NEEDED)
        return status;
    status = digest_accept_step(&server, &theirs, client.token);
    return status != SEC_E_OK ? status : digest_initiate_step(&client, &ours, server.token);
}

static void test_triple_des(void **state)
{
    SecPkgContext_Sizes sizes;
    (void)state;
    assert_int_equal(run_altered(CONF, "cipher", "des,3des"), SEC_E_OK);
    assert_string_equal(client.token, "");
    assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbBlockSize, 8);
    seal_both_ways(false);
    seal_documented(0);
}

/* Who alters messages of triple DES is answered once, and by nothing but that something was altered: not the padding, nor the code. The other
 * direction goes on; a copy does not. */
static void test_triple_des_altered(void **state)
{
    char name[] = "WDigest", text[] = "0123456789012345678901";
    (void)state;
    for (ULONG at = 0; at < 40; at++) {
        struct wire wire;
        unsigned char whole[5000], good[5000];
        SecBuffer packed = {0};
        assert_int_equal(run_altered(CONF, "cipher", "3des"), SEC_E_OK);
        wire_set(&wire, text);
        assert_int_equal(EncryptMessage(&client.context, 0, &wire.list, 0), SEC_E_OK);
        ULONG len = wire_join(&wire, whole);
        assert_int_equal(len, 46);
        memcpy(good, whole, len);
        whole[at] ^= 1;
        assert_int_equal(open_stream(&server.context, whole, len, text), SEC_E_MESSAGE_ALTERED);
        for (ULONG i = 0; i < len - 6; i++)
            assert_int_equal(whole[i], 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(open_stream(&server.context, good, len, text), SEC_E_CONTEXT_EXPIRED);
            assert_int_equal(ExportSecurityContext(&server.context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL),
                             SEC_E_OK);
            assert_int_equal(ImportSecurityContextA(name, &packed, NULL, &server.context), SEC_E_OK);
            FreeContextBuffer(packed.pvBuffer);
        }
        wire_set(&wire, text);
        assert_int_equal(EncryptMessage(&server.context, 0, &wire.list, 0), SEC_E_OK);
        assert_int_equal(DecryptMessage(&client.context, &wire.list, 0, NULL), SEC_E_OK);
        forget();
    }
}

static void test_ciphers_refused(void **state)
{
    (void)state;
    assert_int_equal(run_altered(CONF, "cipher", "des,rc4-56,rc4-40"), SEC_E_QOP_NOT_SUPPORTED);
    forget();
    assert_int_equal(run_altered(CONF, "cipher", NULL), SEC_E_QOP_NOT_SUPPORTED);
    forget();
    assert_int_equal(run_altered(CONF, "qop", "auth"), SEC_E_QOP_NOT_SUPPORTED);
    forget();
    assert_int_equal(run_altered(CONF, "qop", "auth,auth-int"), SEC_E_QOP_NOT_SUPPORTED);
    forget();
    assert_int_equal(run_altered(ISC_REQ_INTEGRITY, "qop", "auth"), SEC_E_QOP_NOT_SUPPORTED);
    forget();
    assert_int_equal(run_altered(ISC_REQ_INTEGRITY, "qop", NULL), SEC_E_QOP_NOT_SUPPORTED);
    forget();
    assert_int_equal(run_altered(0, "algorithm", "md5"), SEC_E_INVALID_TOKEN);
    forget();
    assert_int_equal(run_altered(0, "maxbuf", "16"), SEC_E_INVALID_TOKEN);
    forget();
    assert_int_equal(run_altered(0, "maxbuf", "16777216"), SEC_E_INVALID_TOKEN);
    forget();
    assert_int_equal(run_altered(0, "qop", "auth"), SEC_E_OK); /* less than was offered, and as much as was asked */
}

static void test_server_asks(void **state)
{
    (void)state;
    assert_int_equal(digest_sasl_run(&client, &server, 0, ASC_REQ_CONFIDENTIALITY), SEC_E_OK);
    assert_true((client.attributes & ISC_RET_CONFIDENTIALITY) != 0);
    forget();
    assert_int_equal(digest_sasl_run(&client, &server, 0, ASC_REQ_INTEGRITY), SEC_E_OK);
    assert_true((client.attributes & ISC_RET_INTEGRITY) != 0 && (client.attributes & ISC_RET_CONFIDENTIALITY) == 0);
}

/* MS-DPSP 3.1.5.3: the client waits to be asked, each time, whatever came before. */
static void test_client_waits(void **state)
{
    const struct digest_call ours = {.target = TARGET}, theirs = {0};
    char value[16];
    (void)state;
    for (int i = 0; i < 3; i++) {
        forget();
        assert_int_equal(digest_initiate_step(&client, &ours, NULL), SEC_I_CONTINUE_NEEDED);
        assert_string_equal(client.token, "");
        assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
        assert_true(digest_value(client.token, "nc", value, sizeof value));
        assert_string_equal(value, "00000001");
        if (i == 1) /* a sign-on that comes to nothing leaves nothing behind either */
            continue;
        assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_OK);
    }
}

/* The next answer to the challenge that `token` answered. */
static void answer_again(const char *token, uint32_t nc, char again[DIGEST_TOKEN + 1])
{
    char nonce[128], cnonce[128], hex[DIGEST_HEX_MAX];
    uint8_t secret[DIGEST_LEN_MAX];
    struct digest_terms terms = {.initiator = true, .qop = QOP_AUTH, .own_max = SASL_MAXBUF_USUAL};
    const struct digest_request request = {.method = slice_of_text("AUTHENTICATE"), .uri = slice_of_text(TARGET)};
    AUTO_WRITER struct writer out = writer_fixed((uint8_t *)again, DIGEST_TOKEN);
    terms.scheme = digest_scheme_find(slice_of_text("MD5-sess"));
    assert_true(digest_value(token, "nonce", nonce, sizeof nonce) &&
                digest_value(token, "cnonce", cnonce, sizeof cnonce));
    assert_true(terms_set(&terms, TERM_NONCE, slice_of_text(nonce)) &&
                terms_set(&terms, TERM_CNONCE, slice_of_text(cnonce)) &&
                terms_set(&terms, TERM_REALM, slice_of_text(DIGEST_REALM)) &&
                terms_set(&terms, TERM_USERNAME, slice_of_text("alice")));
    const struct digest_key_input input = {
        .variant = DIGEST_SASL, .nonce = slice_of_text(nonce), .cnonce = slice_of_text(cnonce)};
    assert_true(digest_form_secret(DIGEST_FORM_MD5_LATIN1, slice_of_text("alice"), slice_of_text(DIGEST_REALM),
                                   slice_of_text("Password1!"), secret) &&
                digest_key(&input, secret, terms.key));
    assert_true(terms_response(&terms, &request, nc, slice_of_text(cnonce), hex));
    assert_true(terms_answer_put(&terms, request.uri, nc, hex, &out));
    again[out.len] = '\0';
    terms_release(&terms);
}

/* RFC 2831 2.1.3: a server that does not know the password is none, whatever it lets the client do. */
static void test_servers_proof(void **state)
{
    static const struct {
        const char *proof;
        SECURITY_STATUS status;
    } wrong[] = {{"00000000000000000000000000000000", SEC_E_MUTUAL_AUTH_FAILED},
                 {"0", SEC_E_MUTUAL_AUTH_FAILED},
                 {NULL, SEC_E_INVALID_TOKEN}};
    static const struct digest_call ours = {.target = TARGET}, theirs = {0};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        forget();
        assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
        assert_true(digest_alter(server.token, "rspauth", wrong[i].proof));
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), wrong[i].status);
    }
    forget();
    assert_int_equal(digest_sasl_run(&client, &server, 0, 0), SEC_E_OK);
}

/* RFC 2831 2.2: a server takes it from clients of others that answer before they are asked, once. */
static void test_answered_ahead(void **state)
{
    const struct digest_call theirs = {0};
    char first[DIGEST_TOKEN + 1], again[DIGEST_TOKEN + 1];
    (void)state;
    const struct digest_call ours = {.target = TARGET};
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
    strcpy(first, client.token);
    assert_int_equal(digest_accept_step(&server, &theirs, first), SEC_E_OK);
    for (uint32_t nc = 2; nc < 5; nc++) {
        answer_again(first, nc, again);
        digest_forget(&server);
        assert_int_equal(digest_accept_step(&server, &theirs, again), SEC_E_OK);
        digest_forget(&server);
        assert_int_equal(digest_accept_step(&server, &theirs, again), SEC_E_OUT_OF_SEQUENCE);
    }
}

/* RFC 2831 2.1.2: charset is said where the server offered it; who did not gets ISO 8859-1. */
static void test_charset(void **state)
{
    char value[64];
    (void)state;
    digest_side_end(&client);
    digest_client(&client, "J\303\244s\303\270n", NULL, "Geheim\303\274");
    const struct digest_call ours = {.target = TARGET}, theirs = {0};
    for (int offered = 0; offered < 2; offered++) {
        forget();
        assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
        if (!offered)
            assert_true(digest_alter(server.token, "charset", NULL));
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
        assert_true(digest_value(client.token, "username", value, sizeof value));
        assert_string_equal(value, offered ? "J\303\244s\303\270n" : "J\344s\370n");
        assert_true(digest_value(client.token, "charset", value, sizeof value) == (offered != 0));
        assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_OK);
    }
}

static void test_sizes(void **state)
{
    struct wire wire;
    ULONG size = 64;
    (void)state;
    /* the client announces what it takes (SASL_OPTION_RECV_SIZE) */
    const struct digest_call theirs = {.flags = 0};
    SecBuffer in = {0, SECBUFFER_TOKEN, NULL}, out = {DIGEST_TOKEN, SECBUFFER_TOKEN, client.token};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    char target[] = TARGET;
    assert_int_equal(SaslInitializeSecurityContextA(&client.credential, NULL, target, CONF, 0, 0, NULL, 0,
                                                    &client.context, &out_list, &client.attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    client.has_context = true;
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_RECV_SIZE, &size, sizeof size), SEC_E_OK);
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    for (int i = 0; i < 2; i++) {
        in = (SecBuffer){(ULONG)strlen(server.token), SECBUFFER_TOKEN, server.token};
        out = (SecBuffer){DIGEST_TOKEN, SECBUFFER_TOKEN, client.token};
        assert_int_equal(SaslInitializeSecurityContextA(NULL, &client.context, target, CONF, 0, 0, &in_list, 0,
                                                        &client.context, &out_list, &client.attributes, NULL),
                         i == 0 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK);
        client.token[out.cbBuffer] = '\0';
        if (i == 0) {
            char value[16];
            assert_true(digest_value(client.token, "maxbuf", value, sizeof value));
            assert_string_equal(value, "64");
            assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
        }
    }
    wire_set(&wire, "0123456789012345678901234567890123456789012345678"); /* 49 and 16 are more than 64 */
    assert_int_equal(EncryptMessage(&server.context, 0, &wire.list, 0), SEC_E_INVALID_TOKEN);
    wire_set(&wire, "012345678901234567890123456789012345678901234567");
    assert_int_equal(EncryptMessage(&server.context, 0, &wire.list, 0), SEC_E_OK);
    assert_int_equal(DecryptMessage(&client.context, &wire.list, 0, NULL), SEC_E_OK);
    /* What this side takes holds also for peers that keep to no size: nothing of it is decrypted. */
    static unsigned char whole[SASL_MAXBUF_USUAL + 1];
    assert_int_equal(open_stream(&server.context, whole, sizeof whole, ""), SEC_E_INVALID_TOKEN);
    assert_int_equal(open_stream(&server.context, whole, sizeof whole - 1, ""), SEC_E_MESSAGE_ALTERED);
}

static void test_export(void **state)
{
    char name[] = "WDigest";
    struct wire wire;
    static const char *const ciphers[] = {"rc4", "3des"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        SecBuffer packed = {0};
        CtxtHandle moved = {0};
        assert_int_equal(run_altered(CONF, "cipher", ciphers[i]), SEC_E_OK);
        seal_both_ways(i == 0);
        assert_int_equal(ExportSecurityContext(&server.context, 0, &packed, NULL), SEC_E_OK);
        assert_int_equal(ImportSecurityContextA(name, &packed, NULL, &moved), SEC_E_OK);
        DeleteSecurityContext(&server.context);
        server.context = moved;
        seal_both_ways(i == 0);
        /* half a record is none */
        SecBuffer half = {packed.cbBuffer - 7, packed.BufferType, packed.pvBuffer};
        assert_int_equal(ImportSecurityContextA(name, &half, NULL, &moved), SEC_E_INVALID_TOKEN);
        FreeContextBuffer(packed.pvBuffer);
        wire_set(&wire, "on");
        assert_int_equal(EncryptMessage(&client.context, 0, &wire.list, 0), SEC_E_OK);
        assert_int_equal(DecryptMessage(&server.context, &wire.list, 0, NULL), SEC_E_OK);
        forget();
    }
}

static void test_listed(void **state)
{
    char *names = NULL, profile[] = "DIGEST-MD5";
    ULONG n = 0;
    PSecPkgInfoA info = NULL;
    bool found = false;
    (void)state;
    assert_int_equal(SaslEnumerateProfilesA(&names, &n), SEC_E_OK);
    for (const char *at = names; *at != '\0'; at += strlen(at) + 1)
        found = found || strcmp(at, profile) == 0;
    assert_true(found);
    FreeContextBuffer(names);
    assert_int_equal(SaslGetProfilePackageA(profile, &info), SEC_E_OK);
    assert_string_equal(info->Name, "WDigest");
    FreeContextBuffer(info);
}

/* A response belongs to the challenge of its own connection, though the server knows the other nonce too. */
static void test_another_challenge(void **state)
{
    static const struct digest_call ours = {.target = TARGET}, theirs = {0};
    char answer[DIGEST_TOKEN + 1];
    (void)state;
    forget();
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
    strcpy(answer, client.token);
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_accept_step(&server, &theirs, answer), SEC_E_INVALID_TOKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_auth, begin, end),
        cmocka_unit_test_setup_teardown(test_integrity, begin, end),
        cmocka_unit_test_setup_teardown(test_confidentiality, begin, end),
        cmocka_unit_test_setup_teardown(test_documented_layout, begin, end),
        cmocka_unit_test_setup_teardown(test_triple_des, begin, end),
        cmocka_unit_test_setup_teardown(test_triple_des_altered, begin, end),
        cmocka_unit_test_setup_teardown(test_ciphers_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_server_asks, begin, end),
        cmocka_unit_test_setup_teardown(test_client_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_servers_proof, begin, end),
        cmocka_unit_test_setup_teardown(test_answered_ahead, begin, end),
        cmocka_unit_test_setup_teardown(test_charset, begin, end),
        cmocka_unit_test_setup_teardown(test_sizes, begin, end),
        cmocka_unit_test_setup_teardown(test_export, begin, end),
        cmocka_unit_test_setup_teardown(test_listed, begin, end),
        cmocka_unit_test_setup_teardown(test_another_challenge, begin, end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    digest_cleanup();
    return failed;
}
