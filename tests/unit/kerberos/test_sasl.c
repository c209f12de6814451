/*
 * GSSAPI's exchange through the public functions: a package named Kerberos whose tokens are words and whose sessions are the real ones, so that every
 * layer, size and wrong message can be tried without a KDC.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "core/registry.h"
#include "core/session.h"
#include "kerberos/session.h"
#include "sasl/layer.h"
#include "support/place.h"
#include <sspi_ext.h>
#include <string.h>

#define AES256 18
#define TOKEN_MAX 2048
#define WIDE (ASC_RET_CONFIDENTIALITY | ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT)

/* The package. Its client says "hello"; with mutual authentication its server answers "welcome". */
static bool mutual = true;
static uint32_t client_grants, server_grants; /* 0: all */
extern const struct package_session kerberos_session_table;
static const struct package fake;

static SECURITY_STATUS record(bool initiator, uint32_t flags, struct step_out *out)
{
    AUTO_WRITER struct writer own = writer_growing(128);
    struct kerberos_session_seed seed = {.enctype = AES256, .key_len = 32};
    memset(seed.key, 0x5a, 32);
    seed.send_seq = initiator ? 100 : 200;
    seed.receive_seq = initiator ? 200 : 100;
    kerberos_session_seed_write(&own, &seed);
    const struct session_facts facts = {.initiator = initiator,
                                        .flags = flags,
                                        .expiry = FILETIME_NEVER,
                                        .client = "alice@EXAMPLE.TEST",
                                        .session_key = slice_of(seed.key, 32)};
    out->granted = flags;
    out->expiry = FILETIME_NEVER;
    return session_record_write(&out->record, &fake, &facts, writer_slice_of(&own));
}

static SECURITY_STATUS acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    (void)request;
    *credential = mem_zalloc(1);
    *expiry = FILETIME_NEVER;
    return SEC_E_OK;
}

static uint32_t last_asked;

static SECURITY_STATUS initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    uint32_t flags = client_grants != 0 ? client_grants : (WIDE | ISC_RET_INTEGRITY);
    (void)credential;
    last_asked = in->flags;
    if (*handshake == NULL) {
        writer_bytes(&out->token, "hello", 5);
        if (!mutual)
            return record(true, flags, out);
        *handshake = mem_zalloc(1);
        return SEC_I_CONTINUE_NEEDED;
    }
    if (in->token.len != 7)
        return SEC_E_INVALID_TOKEN;
    mem_free(*handshake);
    *handshake = NULL;
    return record(true, flags, out);
}

static SECURITY_STATUS accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    (void)credential, (void)handshake;
    if (in->token.len != 5)
        return SEC_E_INVALID_TOKEN;
    if (mutual)
        writer_bytes(&out->token, "welcome", 7);
    return record(false, server_grants != 0 ? server_grants : (WIDE | ASC_RET_INTEGRITY), out);
}

static const struct package_authority authority_table = {
    .acquire = acquire, .release = mem_free, .initiate = initiate, .accept = accept, .abandon = mem_free};
static const struct package fake = {
    .info = {.name = "Kerberos", .comment = "words", .max_token = 48000, .takes_identity = true},
    .authority = &authority_table,
    .session = &kerberos_session_table,
};

/* One exchange. */
struct side {
    CtxtHandle context;
    ULONG flags, granted;
    SECURITY_STATUS status;
    uint8_t token[TOKEN_MAX];
    ULONG len;
    bool begun;
};
static char place[PLACE_LEN];
static CredHandle credential;
static struct side client, server;

static void step(struct side *side, bool initiator, const uint8_t *token, ULONG len)
{
    uint8_t copy[TOKEN_MAX];
    if (len > 0)
        memcpy(copy, token, len);
    SecBuffer in = {len, SECBUFFER_TOKEN, copy}, out = {sizeof side->token, SECBUFFER_TOKEN, side->token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    PCtxtHandle old = side->begun ? &side->context : NULL;
    side->status = initiator ? SaslInitializeSecurityContextA(&credential, old, (char *)"ldap/dc", side->flags, 0, 0,
                                                              len > 0 ? &input : NULL, 0, &side->context, &output,
                                                              &side->granted, NULL)
                             : SaslAcceptSecurityContext(&credential, old, &input, side->flags, 0, &side->context,
                                                         &output, &side->granted, NULL);
    side->len = side->status >= 0 ? out.cbBuffer : 0;
    side->begun |= side->status >= 0;
}

static void begin(ULONG client_flags, ULONG server_flags)
{
    client = (struct side){.flags = client_flags};
    server = (struct side){.flags = server_flags};
    step(&client, true, NULL, 0);
    assert_int_equal(client.status, SEC_I_CONTINUE_NEEDED);
    assert_int_equal(client.len, 5);
}

/* The rest; stops at the first failure. */
static void run(void)
{
    for (int leg = 0; leg < 8 && client.status >= 0 && server.status >= 0; leg++) {
        if (server.begun && server.status == SEC_E_OK)
            return;
        step(&server, false, client.token, client.len);
        if (server.status < 0 || server.status == SEC_E_OK)
            return;
        step(&client, true, server.token, server.len);
    }
}

static void end(void)
{
    if (client.begun)
        assert_int_equal(DeleteSecurityContext(&client.context), SEC_E_OK);
    if (server.begun)
        assert_int_equal(DeleteSecurityContext(&server.context), SEC_E_OK);
    mutual = true;
    client_grants = server_grants = 0;
}

/* Seals or signs `len` bytes and opens them at the other side. */
static SECURITY_STATUS send_from(struct side *from, struct side *to, size_t len, ULONG qop)
{
    static uint8_t wire[200000];
    assert_true(len + 512 < sizeof wire);
    uint8_t token[60];
    memset(wire + 60, 'x', len);
    SecBuffer buffers[3] = {
        {60, SECBUFFER_TOKEN, token}, {(ULONG)len, SECBUFFER_DATA, wire + 60}, {0, SECBUFFER_PADDING, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 3, buffers};
    SECURITY_STATUS status = EncryptMessage(&from->context, qop, &list, 0);
    if (status != SEC_E_OK || to == NULL)
        return status;
    memmove(wire + buffers[0].cbBuffer, wire + 60, len);
    memcpy(wire, token, buffers[0].cbBuffer);
    SecBuffer opened[2] = {{buffers[0].cbBuffer + (ULONG)len, SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    list = (SecBufferDesc){SECBUFFER_VERSION, 2, opened};
    status = DecryptMessage(&to->context, &list, 0, NULL);
    if (status == SEC_E_OK)
        assert_int_equal(opened[1].cbBuffer, len);
    return status;
}

static ULONG number(struct side *side, ULONG option)
{
    ULONG value = 0, needed = 0;
    assert_int_equal(SaslGetContextOption(&side->context, option, &value, sizeof value, &needed), SEC_E_OK);
    assert_int_equal(needed, sizeof value);
    return value;
}

static SECURITY_STATUS set(struct side *side, ULONG option, ULONG value)
{
    return SaslSetContextOption(&side->context, option, &value, sizeof value);
}

#define CONF (ISC_REQ_CONFIDENTIALITY)
#define C_INTEG (ISC_REQ_INTEGRITY)
#define S_INTEG (ASC_REQ_INTEGRITY)
#define FAIL_CLIENT 0x10
#define FAIL_SERVER 0x20

static void test_layers(void **state)
{
    static const struct {
        ULONG client, server;
        uint32_t server_grants;
        int wanted; /* layer, or who fails */
    } cases[] = {
        {0, 0, 0, LAYER_NONE},
        {C_INTEG, 0, 0, LAYER_INTEGRITY},
        {ISC_REQ_SEQUENCE_DETECT, 0, 0, LAYER_INTEGRITY},
        {CONF, 0, 0, LAYER_CONFIDENTIALITY},
        {CONF | C_INTEG, S_INTEG, 0, LAYER_CONFIDENTIALITY},
        {C_INTEG, S_INTEG, 0, LAYER_INTEGRITY},
        {CONF, ASC_REQ_CONFIDENTIALITY, 0, LAYER_CONFIDENTIALITY},
        {0, S_INTEG, 0, FAIL_CLIENT}, /* the server insists */
        {C_INTEG, ASC_REQ_CONFIDENTIALITY, 0, FAIL_CLIENT},
        {CONF, 0, ASC_RET_INTEGRITY, FAIL_CLIENT}, /* the server cannot */
        {CONF, ASC_REQ_CONFIDENTIALITY, ASC_RET_INTEGRITY, FAIL_SERVER},
        {C_INTEG, S_INTEG, ASC_RET_IDENTIFY, FAIL_SERVER},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        size_t at = i / 2;
        mutual = i % 2 == 0;
        server_grants = cases[at].server_grants;
        begin(cases[at].client, cases[at].server);
        run();
        if (cases[at].wanted == FAIL_CLIENT)
            assert_int_equal(client.status, SEC_E_QOP_NOT_SUPPORTED);
        else if (cases[at].wanted == FAIL_SERVER)
            assert_int_equal(server.status, SEC_E_UNSUPPORTED_FUNCTION);
        else {
            assert_int_equal(client.status, SEC_E_OK);
            assert_int_equal(server.status, SEC_E_OK);
            bool integrity = cases[at].wanted != LAYER_NONE, secret = cases[at].wanted == LAYER_CONFIDENTIALITY;
            assert_int_equal((client.granted & ISC_RET_INTEGRITY) != 0, integrity);
            assert_int_equal((client.granted & ISC_RET_CONFIDENTIALITY) != 0, secret);
            assert_int_equal((server.granted & ASC_RET_INTEGRITY) != 0, integrity);
            assert_int_equal((server.granted & ASC_RET_CONFIDENTIALITY) != 0, secret);
            SecPkgContext_Flags flags;
            assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
            assert_int_equal(flags.Flags & (ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY),
                             client.granted & (ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY));
            ULONG right = secret ? 0 : SECQOP_WRAP_NO_ENCRYPT, wrong = secret ? SECQOP_WRAP_NO_ENCRYPT : 0;
            SECURITY_STATUS refused = integrity ? SEC_E_QOP_NOT_SUPPORTED : SEC_E_UNSUPPORTED_FUNCTION;
            SECURITY_STATUS fine = integrity ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION;
            assert_int_equal(send_from(&client, &server, 50, wrong), refused);
            assert_int_equal(send_from(&client, &server, 50, right), fine);
            assert_int_equal(send_from(&server, &client, 50, right), fine);
        }
        end();
    }
}

/* The W form is the same walk; a name that is not UTF-16 goes no step. */
static void test_wide_names(void **state)
{
    static const SEC_WCHAR good[] = {'l', 'd', 'a', 'p', '/', 'd', 'c', 0}, bad[] = {0xd800, 'x', 0};
    CtxtHandle context;
    ULONG granted;
    uint8_t token[64];
    SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    (void)state;
    assert_int_equal(SaslInitializeSecurityContextW(&credential, NULL, (LPWSTR)(uintptr_t)bad, 0, 0, 0, NULL, 0,
                                                    &context, &output, &granted, NULL),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(SaslInitializeSecurityContextW(&credential, NULL, (LPWSTR)(uintptr_t)good, 0, 0, 0, NULL, 0,
                                                    &context, &output, &granted, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(number(&(struct side){.context = context}, SASL_OPTION_RECV_SIZE), 0xffff);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
}

/* RFC 4752 3.1: a layer needs mutual authentication and order; no layer asks for neither. */
static void test_flags_for_the_package(void **state)
{
    (void)state;
    begin(CONF, 0);
    assert_int_equal(last_asked, CONF | ISC_REQ_MUTUAL_AUTH | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_INTEGRITY);
    end();
    begin(ISC_REQ_IDENTIFY, 0);
    assert_int_equal(last_asked, ISC_REQ_IDENTIFY);
    end();
}

static void test_sizes(void **state)
{
    (void)state;
    begin(CONF, 0);
    assert_int_equal(set(&client, SASL_OPTION_RECV_SIZE, 1000), SEC_E_OK);
    step(&server, false, client.token, client.len);
    assert_int_equal(set(&server, SASL_OPTION_RECV_SIZE, 2000), SEC_E_OK);
    step(&client, true, server.token, server.len);
    run();
    assert_int_equal(server.status, SEC_E_OK);
    assert_int_equal(set(&server, SASL_OPTION_RECV_SIZE, 3000), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(number(&client, SASL_OPTION_RECV_SIZE), 1000);
    SecPkgContext_Sizes sizes;
    assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    ULONG less = sizes.cbSecurityTrailer + sizes.cbBlockSize;
    assert_int_equal(number(&client, SASL_OPTION_SEND_SIZE), 2000 - less - sizes.cbMaxSignature);
    assert_int_equal(number(&server, SASL_OPTION_SEND_SIZE), 1000 - less - sizes.cbMaxSignature);
    assert_int_equal(send_from(&client, &server, 2000 - less, 0), SEC_E_OK);
    assert_int_equal(send_from(&client, NULL, 2000 - less + 1, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(send_from(&server, &client, 1000 - less, 0), SEC_E_OK); /* nothing was used up */
    assert_int_equal(send_from(&server, NULL, 1000 - less + 1, 0), SEC_E_INVALID_TOKEN);
    /* a side may want less than the other takes */
    assert_int_equal(set(&client, SASL_OPTION_SEND_SIZE, 500), SEC_E_OK);
    assert_int_equal(send_from(&client, NULL, 501 - less, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(send_from(&client, &server, 500 - less, 0), SEC_E_OK);
    end();
}

/* A peer that sends more than it was allowed. */
static void test_received_too_much(void **state)
{
    (void)state;
    begin(CONF, 0);
    assert_int_equal(set(&client, SASL_OPTION_RECV_SIZE, 300), SEC_E_OK);
    run();
    assert_int_equal(server.status, SEC_E_OK);
    uint8_t junk[301] = {0};
    SecBuffer buffers[2] = {{301, SECBUFFER_STREAM, junk}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    assert_int_equal(DecryptMessage(&client.context, &list, 0, NULL), SEC_E_INVALID_TOKEN);
    assert_non_null(strstr(OpenSspiLastErrorText(), "300"));
    assert_int_equal(send_from(&server, &client, 100, 0), SEC_E_OK);
    end();
}

static void test_authorization_identity(void **state)
{
    char name[64];
    ULONG needed = 77;
    (void)state;
    begin(0, 0);
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_AUTHZ_STRING, (char *)"j\xc3\xb6rg", 5),
                     SEC_E_OK);
    run();
    assert_int_equal(server.status, SEC_E_OK);
    assert_int_equal(SaslGetContextOption(&server.context, SASL_OPTION_AUTHZ_STRING, name, 4, &needed),
                     SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(needed, 5);
    assert_int_equal(SaslGetContextOption(&server.context, SASL_OPTION_AUTHZ_STRING, name, sizeof name, &needed),
                     SEC_E_OK);
    assert_int_equal(needed, 5);
    assert_memory_equal(name, "j\xc3\xb6rg", 5);
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_AUTHZ_STRING, name, 5), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(SaslSetContextOption(&server.context, SASL_OPTION_AUTHZ_STRING, name, 5),
                     SEC_E_UNSUPPORTED_FUNCTION);
    end();

    begin(0, 0); /* a server that takes none */
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_AUTHZ_STRING, (char *)"bob", 4), SEC_E_OK);
    step(&server, false, client.token, client.len);
    assert_int_equal(set(&server, SASL_OPTION_AUTHZ_PROCESSING, Sasl_AuthZIDForbidden), SEC_E_OK);
    assert_int_equal(number(&server, SASL_OPTION_AUTHZ_PROCESSING), Sasl_AuthZIDForbidden);
    assert_int_equal(SaslGetContextOption(&server.context, SASL_OPTION_AUTHZ_STRING, name, 64, &needed),
                     SEC_E_UNSUPPORTED_FUNCTION);
    step(&client, true, server.token, server.len);
    run();
    assert_int_equal(server.status, SEC_E_LOGON_DENIED);
    end();

    begin(0, 0); /* which takes those who name nobody */
    step(&server, false, client.token, client.len);
    assert_int_equal(set(&server, SASL_OPTION_AUTHZ_PROCESSING, Sasl_AuthZIDForbidden), SEC_E_OK);
    step(&client, true, server.token, server.len);
    run();
    assert_int_equal(server.status, SEC_E_OK);
    end();
}

static void test_wrong_options(void **state)
{
    ULONG value = 5, needed;
    char big[1025];
    CtxtHandle plain;
    uint8_t token[64];
    ULONG granted;
    SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out};
    (void)state;
    memset(big, 'a', sizeof big);
    begin(0, 0);
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_SEND_SIZE, &value, 3), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_SEND_SIZE, NULL, 4), SEC_E_INVALID_PARAMETER);
    assert_int_equal(set(&client, SASL_OPTION_SEND_SIZE, 0), SEC_E_INVALID_PARAMETER);
    assert_int_equal(set(&client, SASL_OPTION_RECV_SIZE, 0x1000000), SEC_E_INVALID_PARAMETER);
    assert_int_equal(set(&client, SASL_OPTION_AUTHZ_PROCESSING, 2), SEC_E_INVALID_PARAMETER);
    assert_int_equal(set(&client, 5, 1), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(SaslGetContextOption(&client.context, 0, &value, 4, &needed), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(SaslGetContextOption(&client.context, SASL_OPTION_SEND_SIZE, NULL, 4, NULL),
                     SEC_E_INVALID_PARAMETER);
    assert_int_equal(SaslGetContextOption(&client.context, SASL_OPTION_SEND_SIZE, NULL, 0, &needed),
                     SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(number(&client, SASL_OPTION_SEND_SIZE), 0xffff);
    assert_int_equal(number(&client, SASL_OPTION_RECV_SIZE), 0xffff);
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_AUTHZ_STRING, big, 1025),
                     SEC_E_INVALID_PARAMETER);
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_AUTHZ_STRING, big, 1024), SEC_E_OK);
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_AUTHZ_STRING, (char *)"a\0b", 3),
                     SEC_E_INVALID_PARAMETER);
    assert_int_equal(SaslSetContextOption(&client.context, SASL_OPTION_AUTHZ_STRING, (char *)"\xff", 1),
                     SEC_E_INVALID_PARAMETER);
    end();
    assert_int_equal(SaslSetContextOption(NULL, SASL_OPTION_SEND_SIZE, &value, 4), SEC_E_INVALID_HANDLE);
    /* a context of the other functions has none of this, and neither goes on in the other's */
    assert_int_equal(
        InitializeSecurityContextA(&credential, NULL, NULL, 0, 0, 0, NULL, 0, &plain, &output, &granted, NULL),
        SEC_I_CONTINUE_NEEDED);
    assert_int_equal(SaslSetContextOption(&plain, SASL_OPTION_SEND_SIZE, &value, 4), SEC_E_INVALID_HANDLE);
    assert_int_equal(SaslGetContextOption(&plain, SASL_OPTION_SEND_SIZE, &value, 4, NULL), SEC_E_INVALID_HANDLE);
    out.cbBuffer = sizeof token;
    assert_int_equal(
        SaslInitializeSecurityContextA(NULL, &plain, NULL, 0, 0, 0, NULL, 0, NULL, &output, &granted, NULL),
        SEC_E_INVALID_HANDLE);
    assert_int_equal(DeleteSecurityContext(&plain), SEC_E_OK);
    begin(0, 0);
    assert_int_equal(
        InitializeSecurityContextA(NULL, &client.context, NULL, 0, 0, 0, NULL, 0, NULL, &output, &granted, NULL),
        SEC_E_INVALID_HANDLE);
    end();
}

/* No message may flow before the end, and nothing is exported. */
static void test_too_early(void **state)
{
    SecBuffer packed = {0};
    (void)state;
    begin(CONF, 0);
    step(&server, false, client.token, client.len);
    assert_int_equal(send_from(&server, NULL, 10, 0), SEC_E_INVALID_HANDLE);
    step(&client, true, server.token, server.len);
    assert_int_equal(client.status, SEC_I_CONTINUE_NEEDED);
    assert_int_equal(client.len, 0);
    assert_int_equal(send_from(&client, NULL, 10, 0), SEC_E_INVALID_HANDLE);
    run();
    assert_int_equal(server.status, SEC_E_OK);
    assert_int_equal(ExportSecurityContext(&client.context, 0, &packed, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    step(&client, true, server.token, 0);
    assert_int_equal(client.status, SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(send_from(&client, &server, 10, 0), SEC_E_OK); /* that did no harm */
    end();
}

static ULONG forged_qop = SECQOP_WRAP_NO_ENCRYPT;

/* Wraps what an honest peer would not say, by a plain context over the same session. */
static ULONG forge(bool initiator, const void *text, size_t len, uint8_t token[TOKEN_MAX])
{
    CtxtHandle context;
    ULONG granted;
    uint8_t out[64];
    SecBuffer in = {5, SECBUFFER_TOKEN, (void *)"hello"}, buffer = {sizeof out, SECBUFFER_TOKEN, out};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &buffer};
    bool before = mutual;
    mutual = false;
    if (initiator)
        assert_int_equal(
            InitializeSecurityContextA(&credential, NULL, NULL, 0, 0, 0, NULL, 0, &context, &output, &granted, NULL),
            SEC_E_OK);
    else
        assert_int_equal(AcceptSecurityContext(&credential, NULL, &input, 0, 0, &context, &output, &granted, NULL),
                         SEC_E_OK);
    mutual = before;
    memcpy(token + 60, text, len);
    SecBuffer buffers[2] = {{60, SECBUFFER_TOKEN, token}, {(ULONG)len, SECBUFFER_DATA, token + 60}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    assert_int_equal(EncryptMessage(&context, forged_qop, &list, 0), SEC_E_OK);
    memmove(token + buffers[0].cbBuffer, token + 60, len);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    return buffers[0].cbBuffer + (ULONG)len;
}

static void test_wrong_server(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        SECURITY_STATUS wanted;
    } cases[] = {
        {"\x07\0\x10\0", 4, SEC_E_OK},
        {"\xff\0\x10\0", 4, SEC_E_OK}, /* layers of the future */
        {"\x04\0\0\0", 4, SEC_E_OK},   /* a server that can receive nothing */
        {"\x07\0\x10\0x", 5, SEC_E_INVALID_TOKEN},
        {"\x07\0\x10", 3, SEC_E_INVALID_TOKEN},
        {"", 0, SEC_E_INVALID_TOKEN},
        {"\0\0\0\0", 4, SEC_E_QOP_NOT_SUPPORTED},
        {"\x03\0\x10\0", 4, SEC_E_QOP_NOT_SUPPORTED},
        {"\x01\0\0\0", 4, SEC_E_QOP_NOT_SUPPORTED},
        {"\x01\0\x10\0", 4, SEC_E_INVALID_TOKEN}, /* RFC 4752 3.1: a size without a layer */
    };
    uint8_t token[TOKEN_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(CONF, 0);
        step(&client, true, (const uint8_t *)"welcome", 7);
        step(&client, true, token, forge(false, cases[i].text, cases[i].len, token));
        assert_int_equal(client.status, cases[i].wanted);
        end();
    }
    begin(CONF, 0); /* no message where one is due; altered; not wrapped */
    step(&client, true, (const uint8_t *)"welcome", 7);
    step(&client, true, token, 0);
    assert_int_equal(client.status, SEC_E_INVALID_TOKEN);
    end();
    ULONG len = forge(false, "\x07\0\x10\0", 4, token);
    for (ULONG i = 0; i < len; i++) {
        begin(CONF, 0);
        step(&client, true, (const uint8_t *)"welcome", 7);
        uint8_t change = i == 6 ? 4 : 1; /* its count of rotations may grow by whole rounds: nothing protects it */
        token[i + (i == 6)] ^= change;
        step(&client, true, token, len);
        token[i + (i == 6)] ^= change;
        if (client.status >= 0)
            fail_msg("byte %u of %u was changed, and nobody saw it", (unsigned)i, (unsigned)len);
        step(&client, true, token, len); /* a failed one stays failed */
        assert_int_equal(client.status, SEC_E_OUT_OF_SEQUENCE);
        end();
    }
}

static void test_wrong_client(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        ULONG server;
        SECURITY_STATUS wanted;
    } cases[] = {
        {"\x01\0\0\0", 4, 0, SEC_E_OK},
        {"\x04\0\x10\0alice", 9, 0, SEC_E_OK},
        {"\x02\0\x10\0", 4, ASC_REQ_CONFIDENTIALITY, SEC_E_QOP_NOT_SUPPORTED},
        {"\x01\0\0\0", 4, S_INTEG, SEC_E_QOP_NOT_SUPPORTED}, /* a downgrade */
        {"\0\0\0\0", 4, 0, SEC_E_QOP_NOT_SUPPORTED},
        {"\x06\0\x10\0", 4, 0, SEC_E_QOP_NOT_SUPPORTED}, /* two at once */
        {"\x08\0\x10\0", 4, 0, SEC_E_QOP_NOT_SUPPORTED},
        {"\x01\0\x10\0", 4, 0, SEC_E_INVALID_TOKEN},
        {"\x04\0\x10", 3, 0, SEC_E_INVALID_TOKEN},
        {"\x04\0\x10\0\xff\xfe", 6, 0, SEC_E_INVALID_TOKEN},
        {"\x04\0\x10\0a\0b", 7, 0, SEC_E_INVALID_TOKEN},
    };
    uint8_t token[TOKEN_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(0, cases[i].server);
        step(&server, false, (const uint8_t *)"hello", 5);
        step(&server, false, NULL, 0);
        assert_int_equal(server.status, SEC_I_CONTINUE_NEEDED);
        step(&server, false, token, forge(true, cases[i].text, cases[i].len, token));
        assert_int_equal(server.status, cases[i].wanted);
        end();
    }
    for (size_t len = 1024; len <= 1025; len++) { /* who a client wants to be */
        char named[4 + 1025] = "\x04\0\x10";
        memset(named + 4, 'a', len);
        begin(0, 0);
        step(&server, false, (const uint8_t *)"hello", 5);
        step(&server, false, NULL, 0);
        step(&server, false, token, forge(true, named, 4 + len, token));
        assert_int_equal(server.status, len == 1024 ? SEC_E_OK : SEC_E_INVALID_TOKEN);
        end();
    }
    begin(0, 0); /* something where the empty answer is due */
    step(&server, false, (const uint8_t *)"hello", 5);
    step(&server, false, (const uint8_t *)"x", 1);
    assert_int_equal(server.status, SEC_E_INVALID_TOKEN);
    end();
}

/* A message that is only signed, under the layer that encrypts. */
static void test_downgraded_message(void **state)
{
    uint8_t token[TOKEN_MAX];
    (void)state;
    server_grants = ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY; /* the forger's number was the client's before */
    begin(CONF, 0);
    run();
    assert_int_equal(server.status, SEC_E_OK);
    ULONG len = forge(true, "text", 4, token);
    SecBuffer buffers[2] = {{len, SECBUFFER_STREAM, token}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    assert_int_equal(DecryptMessage(&server.context, &list, 0, NULL), SEC_E_MESSAGE_ALTERED);
    end();
}

/* And one that is encrypted, under the layer that does not: nobody looked for a text there. */
static void test_upgraded_message(void **state)
{
    uint8_t token[TOKEN_MAX];
    (void)state;
    server_grants = ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY;
    begin(C_INTEG, 0);
    run();
    assert_int_equal(server.status, SEC_E_OK);
    forged_qop = 0;
    ULONG len = forge(true, "text", 4, token);
    forged_qop = SECQOP_WRAP_NO_ENCRYPT;
    SecBuffer buffers[2] = {{len, SECBUFFER_STREAM, token}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    assert_int_equal(DecryptMessage(&server.context, &list, 0, NULL), SEC_E_QOP_NOT_SUPPORTED);
    end();
}

static void test_packages(void **state)
{
    PSecPkgInfoA info = NULL;
    PSecPkgInfoW wide = NULL;
    LPSTR list = NULL;
    LPWSTR wide_list = NULL;
    ULONG count = 0, wide_count = 0;
    SecBuffer in = {6, SECBUFFER_TOKEN, (void *)"GSSAPI"};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in};
    (void)state;
    assert_int_equal(SaslEnumerateProfilesA(&list, &count), SEC_E_OK);
    assert_int_equal(SaslEnumerateProfilesW(&wide_list, &wide_count), SEC_E_OK);
    assert_true(count >= 2);
    assert_int_equal(count, wide_count);
    assert_string_equal(list, "GSSAPI");
    const char *at = list;
    for (ULONG i = 0; i < count; i++, at += strlen(at) + 1) {
        assert_int_not_equal(*at, 0);
        assert_int_equal(SaslGetProfilePackageA((char *)at, &info), SEC_E_OK);
        assert_int_equal(FreeContextBuffer(info), SEC_E_OK);
    }
    assert_int_equal(*at, 0);
    for (ULONG i = 0; i <= (ULONG)(at - list); i++)
        assert_int_equal(wide_list[i], (SEC_WCHAR)list[i]);
    assert_int_equal(SaslGetProfilePackageW(wide_list, &wide), SEC_E_OK);
    assert_int_equal(wide->Name[0], 'K');
    assert_int_equal(FreeContextBuffer(wide), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(list), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(wide_list), SEC_E_OK);
    assert_int_equal(SaslIdentifyPackageA(&input, &info), SEC_E_OK);
    assert_string_equal(info->Name, "Kerberos");
    assert_int_equal(FreeContextBuffer(info), SEC_E_OK);
    assert_int_equal(SaslIdentifyPackageW(&input, &wide), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(wide), SEC_E_OK);
    in = (SecBuffer){5, SECBUFFER_TOKEN, (void *)"PLAIN"};
    assert_int_equal(SaslIdentifyPackageA(&input, &info), SEC_E_SECPKG_NOT_FOUND);
    in.cbBuffer = 0;
    assert_int_equal(SaslIdentifyPackageA(&input, &info), SEC_E_INVALID_TOKEN);
    assert_int_equal(SaslIdentifyPackageA(NULL, &info), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SaslIdentifyPackageA(&input, NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SaslGetProfilePackageA((char *)"PLAIN", &info), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(SaslGetProfilePackageA(NULL, &info), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SaslGetProfilePackageA((char *)"GSSAPI", NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SaslEnumerateProfilesA(NULL, &count), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SaslEnumerateProfilesA(&list, NULL), SEC_E_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_wide_names),
        cmocka_unit_test(test_flags_for_the_package),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_received_too_much),
        cmocka_unit_test(test_authorization_identity),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_too_early),
        cmocka_unit_test(test_wrong_server),
        cmocka_unit_test(test_wrong_client),
        cmocka_unit_test(test_downgraded_message),
        cmocka_unit_test(test_upgraded_message),
        cmocka_unit_test(test_packages),
    };
    place_make(place);
    place_configure(place, "");
    if (registry_add(&fake) != SEC_E_OK || AcquireCredentialsHandleA(NULL, (char *)"Kerberos", SECPKG_CRED_BOTH, NULL,
                                                                     NULL, NULL, NULL, &credential, NULL) != SEC_E_OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    FreeCredentialsHandle(&credential);
    place_remove(place);
    return failed;
}
