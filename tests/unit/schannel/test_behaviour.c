/*
 * The tables of Windows' behaviour: buffers of the handshake, of ApplyControlToken and of messages.
 * build: all
 */
#include "support/tls_loop.h"

#include <setjmp.h>
#include <sspi_ext.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static CredHandle client, server;
static CtxtHandle context;
static ULONG attributes;
static unsigned char hello[4096], room[8192];
static ULONG hello_len;

static int set_up(void **state)
{
    struct side side = {.client = true};
    (void)state;
    assert_int_equal(side_acquire_with(&side, NULL, 0, SCH_CRED_MANUAL_CRED_VALIDATION), SEC_E_OK);
    client = side.credential;
    side.client = false;
    assert_int_equal(side_acquire_with(&side, pki_server(), 0, 0), SEC_E_OK);
    server = side.credential;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    FreeCredentialsHandle(&client);
    FreeCredentialsHandle(&server);
    return 0;
}

static SECURITY_STATUS initiate(CtxtHandle *old, SecBufferDesc *in, SecBufferDesc *out, ULONG flags)
{
    return InitializeSecurityContextA(&client, old, (char *)(uintptr_t) "server.test", flags, 0, 0, in, 0, &context,
                                      out, &attributes, NULL);
}

static SECURITY_STATUS begin(SecBufferDesc *out, ULONG flags)
{
    return initiate(NULL, NULL, out, flags);
}

/* A client that has sent its hello; it stays in `context`. */
static void say_hello(void)
{
    SecBuffer out = {sizeof hello, SECBUFFER_TOKEN, hello};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    assert_int_equal(begin(&list, ISC_REQ_STREAM), SEC_I_CONTINUE_NEEDED);
    hello_len = out.cbBuffer;
    assert_true(hello_len > 100);
}

static void test_output(void **state)
{
    SecBuffer out[2] = {{0, SECBUFFER_TOKEN, room}, {0, SECBUFFER_ALERT, room}};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, out};
    (void)state;
    assert_int_equal(begin(NULL, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(begin(&list, 0), SEC_E_INSUFFICIENT_MEMORY);
    out[0].cbBuffer = sizeof room;
    list.cBuffers = 2;
    assert_int_equal(begin(&list, 0), SEC_E_INSUFFICIENT_MEMORY); /* the ALERT */
    out[1].cbBuffer = 100;
    assert_int_equal(begin(&list, 0), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(out[1].cbBuffer, 0);
    assert_ptr_equal(out[0].pvBuffer, room);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    /* No memory but a length: allocated all the same. */
    out[0] = (SecBuffer){1, SECBUFFER_TOKEN, NULL};
    list.cBuffers = 1;
    assert_int_equal(begin(&list, 0), SEC_I_CONTINUE_NEEDED);
    assert_non_null(out[0].pvBuffer);
    assert_true(out[0].cbBuffer > 100);
    assert_int_equal(FreeContextBuffer(out[0].pvBuffer), SEC_E_OK);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    /* Too little room. */
    out[0] = (SecBuffer){10, SECBUFFER_TOKEN, room};
    assert_int_equal(begin(&list, 0), SEC_E_INSUFFICIENT_MEMORY);
    /* ALLOCATE_MEMORY replaces what was there. */
    out[0] = (SecBuffer){10, SECBUFFER_TOKEN, (void *)8};
    assert_int_equal(begin(&list, ISC_REQ_ALLOCATE_MEMORY), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(FreeContextBuffer(out[0].pvBuffer), SEC_E_OK);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    out[0] = (SecBuffer){sizeof room, SECBUFFER_DATA, room};
    assert_int_equal(begin(&list, 0), SEC_E_INVALID_TOKEN);
}

static void test_first_input(void **state)
{
    SecBuffer in = {0, SECBUFFER_EMPTY, NULL}, out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, list = {SECBUFFER_VERSION, 1, &out};
    static const ULONG types[] = {SECBUFFER_EMPTY, SECBUFFER_TOKEN};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        in.BufferType = types[i];
        out.cbBuffer = sizeof room;
        assert_int_equal(initiate(NULL, &in_list, &list, 0), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    }
    out.cbBuffer = sizeof room;
    in = (SecBuffer){4, SECBUFFER_EMPTY, room};
    assert_int_equal(initiate(NULL, &in_list, &list, 0), SEC_E_INVALID_TOKEN);
    /* What would have to be passed over is refused. */
    in = (SecBuffer){4, SECBUFFER_PRESHARED_KEY, room};
    assert_int_equal(initiate(NULL, &in_list, &list, 0), SEC_E_UNSUPPORTED_FUNCTION);
}

static void test_incomplete(void **state)
{
    static const ULONG lengths[] = {0, 4, 5, 100};
    (void)state;
    say_hello();
    for (size_t i = 0; i < 4; i++) {
        ULONG missing = lengths[i] < 5 ? 5 - lengths[i] : hello_len - lengths[i];
        SecBuffer in[2] = {{lengths[i], SECBUFFER_TOKEN, hello}, {0, SECBUFFER_EMPTY, NULL}};
        SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, list = {SECBUFFER_VERSION, 1, &out};
        CtxtHandle fresh = {1, 2};
        assert_int_equal(AcceptSecurityContext(&server, NULL, &in_list, 0, 0, &fresh, &list, &attributes, NULL),
                         SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(in[1].BufferType, SECBUFFER_MISSING);
        assert_int_equal(in[1].cbBuffer, missing);
        assert_int_equal(in[0].cbBuffer, lengths[i]);
        assert_int_equal(fresh.dwLower, 1); /* untouched */
        /* The client that waits is told the same. */
        in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        assert_int_equal(initiate(&context, &in_list, &list, 0), SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(in[1].BufferType, SECBUFFER_MISSING);
        assert_int_equal(in[1].cbBuffer, missing);
    }
    /* NULL input on a context that is there. */
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    assert_int_equal(initiate(&context, NULL, &list, 0), SEC_E_INCOMPLETE_MESSAGE);
    assert_int_equal(out.cbBuffer, sizeof room);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
}

static void test_garbage(void **state)
{
    char garbage[] = "GET / HTTP/1.1\r\n\r\n";
    (void)state;
    say_hello();
    SecBuffer in[2] = {{sizeof garbage, SECBUFFER_TOKEN, garbage}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, list = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle fresh = {0, 0};
    assert_int_equal(AcceptSecurityContext(&server, NULL, &in_list, 0, 0, &fresh, &list, &attributes, NULL),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(out.cbBuffer, 0);
    out.cbBuffer = sizeof room;
    assert_int_equal(initiate(&context, &in_list, &list, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(out.cbBuffer, 0);
    out.cbBuffer = sizeof room;
    assert_int_equal(initiate(&context, &in_list, &list, 0), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(AcceptSecurityContext(&server, NULL, NULL, 0, 0, &fresh, &list, &attributes, NULL),
                     SEC_E_INVALID_TOKEN);
}

/* A whole handshake, whose tokens and attributes are looked at. */
static struct loop_pair *established(DWORD protocols)
{
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, protocols & SP_PROT_TLS1_X_SERVER,
                 SCH_CRED_MANUAL_CRED_VALIDATION);
    assert_true(pair_run(pair));
    side_hand_over(&pair->server, &pair->client);
    return pair;
}

static void test_attributes(void **state)
{
    const ULONG common = ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY;
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols);
        assert_int_equal(pair->client.attributes, common | ISC_RET_STREAM | ISC_RET_ALLOCATED_MEMORY);
        assert_int_equal(pair->server.attributes, common | ASC_RET_STREAM | ASC_RET_ALLOCATED_MEMORY);
        pair_free(pair);
    }
}

static void test_extra_after_handshake(void **state)
{
    static struct wire text;
    (void)state;
    /* TLS 1.3: what the client says right behind its Finished comes with it. */
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, SP_PROT_TLS1_3_CLIENT, SP_PROT_TLS1_3_SERVER, SCH_CRED_MANUAL_CRED_VALIDATION);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->server, &pair->client);
    assert_int_equal(side_step(&pair->client), SEC_E_OK);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(side_send(&pair->client, "at once", 7, &pair->server.in), SEC_E_OK);
    assert_int_equal(side_step(&pair->server), SEC_E_OK);
    assert_int_equal(pair->server.in.len, 5 + 7 + 17); /* one record was left over */
    text.len = 0;
    assert_int_equal(side_receive(&pair->server, &text), SEC_E_OK);
    assert_memory_equal(text.data, "at once", 7);
    pair_free(pair);
}

/* A list that makes no sense is the caller's mistake: an open connection goes on, and closes in good order. */
static void test_wrong_list_when_open(void **state)
{
    struct loop_pair *pair = established(SP_PROT_TLS1_2);
    static struct wire text;
    unsigned char wide[1024];
    ULONG granted;
    SecBuffer in = {1, SECBUFFER_EMPTY, wide}, out = {sizeof wide, SECBUFFER_TOKEN, wide};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    DWORD shutdown = SCHANNEL_SHUTDOWN;
    SecBuffer token = {sizeof shutdown, SECBUFFER_TOKEN, &shutdown};
    SecBufferDesc control = {SECBUFFER_VERSION, 1, &token};
    (void)state;
    assert_int_equal(InitializeSecurityContextA(NULL, &pair->client.context, NULL, 0, 0, 0, &in_list, 0, NULL,
                                                &out_list, &granted, NULL),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(side_send(&pair->client, "still", 5, &pair->server.in), SEC_E_OK);
    text.len = 0;
    assert_int_equal(side_receive(&pair->server, &text), SEC_E_OK);
    assert_memory_equal(text.data, "still", 5);
    assert_int_equal(ApplyControlToken(&pair->client.context, &control), SEC_E_OK);
    assert_int_equal(side_step(&pair->client), SEC_E_OK);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(side_receive(&pair->server, NULL), SEC_I_CONTEXT_EXPIRED);
    pair_free(pair);
}

static void test_control(void **state)
{
    DWORD shutdown[2] = {SCHANNEL_SHUTDOWN, 0};
    SecBuffer buffers[2] = {{4, SECBUFFER_TOKEN, shutdown}, {0, SECBUFFER_TOKEN, shutdown}};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, buffers};
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols);
        CtxtHandle *of_client = &pair->client.context;
        while (pair->client.in.len > 0) { /* a ticket */
            assert_int_equal(side_receive(&pair->client, NULL), SEC_I_RENEGOTIATE);
            assert_int_equal(side_step(&pair->client), SEC_E_OK);
        }
        buffers[0] = (SecBuffer){4, SECBUFFER_TOKEN, shutdown};
        list.cBuffers = 1;
        assert_int_equal(ApplyControlToken(NULL, &list), SEC_E_INVALID_HANDLE);
        assert_int_equal(ApplyControlToken(of_client, NULL), SEC_E_INTERNAL_ERROR);
        list.cBuffers = 0;
        assert_int_equal(ApplyControlToken(of_client, &list), SEC_E_INVALID_TOKEN);
        list.cBuffers = 2;
        assert_int_equal(ApplyControlToken(of_client, &list), SEC_E_INVALID_TOKEN);
        list.cBuffers = 1;
        buffers[0].BufferType = SECBUFFER_DATA;
        assert_int_equal(ApplyControlToken(of_client, &list), SEC_E_INVALID_TOKEN);
        buffers[0].BufferType = SECBUFFER_TOKEN;
        buffers[0].cbBuffer = 3;
        assert_int_equal(ApplyControlToken(of_client, &list), SEC_E_UNSUPPORTED_FUNCTION);
        buffers[0].cbBuffer = 4;
        for (int i = 0; i < 2; i++)
            assert_int_equal(ApplyControlToken(of_client, &list), SEC_E_OK);
        assert_int_equal(side_step(&pair->client), SEC_E_OK);
        assert_true(pair->client.out.len >= 5 + 2 + 16);
        /* Nothing follows. */
        assert_int_equal(side_send(&pair->client, "late", 4, &pair->server.in), SEC_E_CONTEXT_EXPIRED);
        assert_int_equal(pair->server.in.len, 0);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(side_receive(&pair->server, NULL), SEC_I_CONTEXT_EXPIRED);
        assert_int_equal(side_receive(&pair->server, NULL), SEC_I_CONTEXT_EXPIRED);
        assert_int_equal(ApplyControlToken(&pair->server.context, &list), SEC_E_OK);
        assert_int_equal(side_step(&pair->server), SEC_E_OK);
        side_hand_over(&pair->server, &pair->client);
        assert_int_equal(side_receive(&pair->client, NULL), SEC_I_CONTEXT_EXPIRED);
        assert_int_equal(ApplyControlToken(of_client, &list), SEC_E_OK);
        assert_int_equal(side_step(&pair->client), SEC_E_OK);
        assert_int_equal(pair->client.out.len, 0);
        pair_free(pair);
    }
}

static void test_decrypt_lists(void **state)
{
    static struct wire wire;
    static const struct {
        ULONG n, types[6];
    } wrong[] = {
        {0, {0}},
        {1, {SECBUFFER_DATA}},
        {3, {SECBUFFER_DATA, SECBUFFER_EMPTY, SECBUFFER_EMPTY}},
        {4, {SECBUFFER_EMPTY, SECBUFFER_EMPTY, SECBUFFER_EMPTY, SECBUFFER_EMPTY}},
        {5, {SECBUFFER_DATA, SECBUFFER_DATA, SECBUFFER_EMPTY, SECBUFFER_EMPTY, SECBUFFER_EMPTY}},
        {4, {SECBUFFER_DATA, SECBUFFER_EMPTY, SECBUFFER_EMPTY, SECBUFFER_TOKEN}},
    };
    (void)state;
    struct loop_pair *pair = established(SP_PROT_TLS1_2);
    wire.len = 0;
    assert_int_equal(side_send(&pair->client, "text", 4, &wire), SEC_E_OK);
    size_t record_len = wire.len;
    assert_int_equal(side_send(&pair->client, "more", 4, &wire), SEC_E_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SecBuffer buffers[6];
        for (ULONG j = 0; j < wrong[i].n; j++)
            buffers[j] = (SecBuffer){(wrong[i].types[j] & 0xff) == SECBUFFER_DATA ? (ULONG)wire.len : 0,
                                     wrong[i].types[j], wire.data};
        SecBufferDesc list = {SECBUFFER_VERSION, wrong[i].n, buffers};
        assert_int_equal(DecryptMessage(&pair->server.context, &list, 0, NULL), SEC_E_INVALID_TOKEN);
    }
    assert_int_equal(DecryptMessage(&pair->server.context, NULL, 0, NULL), SEC_E_INVALID_TOKEN);
    for (ULONG len = 0; len < record_len; len++) {
        SecBuffer buffers[5] = {{len, SECBUFFER_DATA, wire.data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 5, buffers};
        assert_int_equal(DecryptMessage(&pair->server.context, &list, 0, NULL), SEC_E_INCOMPLETE_MESSAGE);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(buffers[i].BufferType, SECBUFFER_MISSING);
            assert_int_equal(buffers[i].cbBuffer, len < 5 ? 5 - len : record_len - len);
        }
    }
    ULONG qop = 77;
    SecBuffer buffers[5] = {{(ULONG)wire.len, SECBUFFER_DATA, wire.data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 5, buffers};
    /* VerifySignature is the seed's name for the same. */
    assert_int_equal(VerifySignature(&pair->server.context, &list, 0, &qop), SEC_E_OK);
    static const ULONG types[] = {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER, SECBUFFER_EXTRA,
                                  SECBUFFER_EMPTY};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(buffers[i].BufferType, types[i]);
    assert_int_equal(buffers[0].cbBuffer, 13);
    assert_int_equal(buffers[1].cbBuffer, 4);
    assert_int_equal(buffers[2].cbBuffer, 16);
    assert_memory_equal(buffers[1].pvBuffer, "text", 4);
    assert_int_equal(buffers[3].cbBuffer, wire.len - record_len);
    assert_ptr_equal(buffers[3].pvBuffer, wire.data + record_len);
    assert_int_equal(qop, 0);
    pair_free(pair);
}

static void test_encrypt_lists(void **state)
{
    unsigned char bytes[64] = "0123456789012some text";
    SecPkgContext_StreamSizes sizes;
    static struct wire text;
    (void)state;
    struct loop_pair *pair = established(SP_PROT_TLS1_2);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbHeader, 13);
    assert_int_equal(sizes.cbTrailer, 16);
    assert_int_equal(sizes.cbMaximumMessage, 16384);
    assert_int_equal(sizes.cBuffers, 4);
    SecBuffer buffers[3] = {{13, SECBUFFER_STREAM_HEADER, bytes},
                            {9, SECBUFFER_DATA, bytes + 13},
                            {16, SECBUFFER_STREAM_TRAILER, bytes + 22}};
    SecBufferDesc list = {SECBUFFER_VERSION, 3, buffers};
    assert_int_equal(EncryptMessage(&pair->client.context, 1, &list, 0), SEC_E_QOP_NOT_SUPPORTED);
    buffers[0].cbBuffer = 12;
    assert_int_equal(EncryptMessage(&pair->client.context, 0, &list, 0), SEC_E_BUFFER_TOO_SMALL);
    buffers[0].cbBuffer = 13;
    buffers[2].cbBuffer = 15;
    assert_int_equal(EncryptMessage(&pair->client.context, 0, &list, 0), SEC_E_BUFFER_TOO_SMALL);
    buffers[2].cbBuffer = 16;
    buffers[0].BufferType = SECBUFFER_TOKEN;
    assert_int_equal(EncryptMessage(&pair->client.context, 0, &list, 0), SEC_E_INVALID_TOKEN);
    buffers[0].BufferType = SECBUFFER_STREAM_HEADER;
    buffers[1].BufferType = SECBUFFER_DATA | SECBUFFER_READONLY;
    assert_int_equal(EncryptMessage(&pair->client.context, 0, &list, 0), SEC_E_INVALID_TOKEN);
    buffers[1].BufferType = SECBUFFER_DATA;
    buffers[0].BufferType = SECBUFFER_STREAM_HEADER | SECBUFFER_READONLY;
    assert_int_equal(EncryptMessage(&pair->client.context, 0, &list, 0), SEC_E_INVALID_TOKEN);
    buffers[0].BufferType = SECBUFFER_STREAM_HEADER;
    buffers[2].BufferType = SECBUFFER_STREAM_TRAILER | SECBUFFER_READONLY_WITH_CHECKSUM;
    assert_int_equal(EncryptMessage(&pair->client.context, 0, &list, 0), SEC_E_INVALID_TOKEN);
    buffers[2].BufferType = SECBUFFER_STREAM_TRAILER;
    SecBuffer received[4] = {{38, SECBUFFER_DATA | SECBUFFER_READONLY, bytes}};
    SecBufferDesc receiving = {SECBUFFER_VERSION, 4, received};
    assert_int_equal(DecryptMessage(&pair->client.context, &receiving, 0, NULL), SEC_E_INVALID_TOKEN);
    assert_non_null(strstr(OpenSspiLastErrorText(), "READONLY"));
    buffers[1].cbBuffer = 16385;
    assert_int_equal(EncryptMessage(&pair->client.context, 0, &list, 0), SEC_E_INVALID_TOKEN);
    buffers[1].cbBuffer = 9;
    assert_memory_equal(bytes + 13, "some text", 9); /* nothing happened so far */
    assert_int_equal(MakeSignature(&pair->client.context, 0, &list, 0), SEC_E_OK);
    assert_memory_not_equal(bytes + 13, "some text", 9);
    wire_put(&pair->server.in, bytes, 13 + 9 + 16);
    text.len = 0;
    assert_int_equal(side_receive(&pair->server, &text), SEC_E_OK);
    assert_memory_equal(text.data, "some text", 9);
    pair_free(pair);
}

/* One buffer: the library formats it, over as many records as it takes. */
static void test_single_buffer(void **state)
{
    static unsigned char data[50000];
    static struct wire text;
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols);
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (unsigned char)(i * 7);
        SecBuffer buffer = {sizeof data, SECBUFFER_DATA, data};
        SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
        assert_int_equal(MakeSignature(&pair->client.context, 0, &list, 0), SEC_E_OK);
        assert_ptr_not_equal(buffer.pvBuffer, data);
        assert_int_equal(buffer.cbBuffer, sizeof data + 4 * (protocols == SP_PROT_TLS1_2 ? 29u : 22u));
        wire_put(&pair->server.in, buffer.pvBuffer, buffer.cbBuffer);
        assert_int_equal(FreeContextBuffer(buffer.pvBuffer), SEC_E_OK);
        text.len = 0;
        for (int i = 0; i < 4; i++)
            assert_int_equal(side_receive(&pair->server, &text), SEC_E_OK);
        assert_int_equal(text.len, sizeof data);
        assert_memory_equal(text.data, data, sizeof data);
        pair_free(pair);
    }
}

static void test_export(void **state)
{
    SecBuffer packed;
    PSecPkgInfoA info;
    struct {
        PSecPkgInfoA PackageInfo;
        ULONG more;
    } negotiation;
    SecPkgContext_PackageInfoA package;
    (void)state;
    struct loop_pair *pair = established(SP_PROT_TLS1_3);
    assert_int_equal(ExportSecurityContext(&pair->client.context, 0, &packed, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_PACKAGE_INFO, &package), SEC_E_OK);
    info = package.PackageInfo;
    assert_string_equal(info->Name, "Schannel");
    FreeContextBuffer(info);
    pair_free(pair);
}

/* What a step would write cannot be READONLY: such memory may be of a page that lets nobody write. */
static void test_output_read_only(void **state)
{
    static const ULONG types[] = {SECBUFFER_TOKEN, SECBUFFER_ALERT};
    char token[4096] = "", alert[64] = "";
    struct side *asking = calloc(1, sizeof *asking);
    (void)state;
    assert_non_null(asking);
    asking->client = true;
    assert_int_equal(side_acquire_with(asking, NULL, 0, 0), SEC_E_OK);
    for (size_t i = 0; i < 2; i++) {
        SecBuffer out[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof alert, SECBUFFER_ALERT, alert}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, out};
        ULONG granted;
        out[i].BufferType = types[i] | SECBUFFER_READONLY;
        assert_int_equal(InitializeSecurityContextA(&asking->credential, NULL, (char *)(uintptr_t) "server.test", 0, 0,
                                                    0, NULL, 0, &asking->context, &list, &granted, NULL),
                         SEC_E_INVALID_TOKEN);
        assert_non_null(strstr(OpenSspiLastErrorText(), "READONLY"));
        assert_int_equal(token[0] | alert[0], 0);
    }
    side_end(asking);
    free(asking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_output_read_only),
        cmocka_unit_test(test_first_input),
        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_extra_after_handshake),
        cmocka_unit_test(test_wrong_list_when_open),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_decrypt_lists),
        cmocka_unit_test(test_encrypt_lists),
        cmocka_unit_test(test_single_buffer),
        cmocka_unit_test(test_export),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
