/*
 * The behaviour tables "NTLM" and "Credentials" of the specification, through the public functions.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ntlm/messages.h"
#include "ntlm/session.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)

static struct loop shared;

static void established(struct loop *loop, ULONG client_flags)
{
    *loop = shared;
    loop->client_flags = client_flags;
    if (!loop_run(loop))
        fail_msg("client 0x%08x, server 0x%08x, %s", (unsigned)loop->client_status, (unsigned)loop->server_status,
                 OpenSspiLastErrorText());
}

static unsigned char negotiate_flags(ULONG flags)
{
    unsigned char room[4096];
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attributes;
    assert_int_equal(InitializeSecurityContextA(&shared.client_credential, NULL, NULL, flags, 0, SECURITY_NATIVE_DREP,
                                                NULL, 0, &context, &list, &attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    DeleteSecurityContext(&context);
    assert_memory_equal(room, "NTLMSSP\0\1\0\0\0", 12);
    return room[12] & 0x30;
}

static void test_negotiate_flags(void **state)
{
    const ULONG none[] = {
        0, ISC_REQ_CONNECTION, ISC_REQ_EXTENDED_ERROR, ISC_REQ_MUTUAL_AUTH, ISC_REQ_USE_DCE_STYLE, ISC_REQ_DELEGATE};
    const ULONG sign[] = {ISC_REQ_INTEGRITY, ISC_REQ_REPLAY_DETECT, ISC_REQ_SEQUENCE_DETECT};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(negotiate_flags(none[i]), 0);
    for (size_t i = 0; i < sizeof sign / sizeof sign[0]; i++)
        assert_int_equal(negotiate_flags(sign[i]), 0x10);
    assert_int_equal(negotiate_flags(ISC_REQ_CONFIDENTIALITY), 0x20);
    assert_int_equal(negotiate_flags(PROTECT), 0x30);
}

static void test_sizes_and_key_info(void **state)
{
    struct loop loop;
    SecPkgContext_Sizes sizes;
    SecPkgContext_StreamSizes stream;
    SecPkgContext_KeyInfoA info;
    SecPkgContext_SessionKey key[2];
    (void)state;
    established(&loop, PROTECT);
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbMaxToken, 2888);
    assert_int_equal(sizes.cbMaxSignature, 16);
    assert_int_equal(sizes.cbBlockSize, 0);
    assert_int_equal(sizes.cbSecurityTrailer, 16);
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_STREAM_SIZES, &stream),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_KEY_INFO, &info), SEC_E_OK);
    assert_int_equal(info.KeySize, 128);
    assert_string_equal(info.sEncryptAlgorithmName, "RSADSI RC4");
    assert_string_equal(info.sSignatureAlgorithmName, "HMAC-MD5");
    assert_int_equal(info.SignatureAlgorithm, 0xffffff76);
    assert_int_equal(info.EncryptAlgorithm, 0x6801);
    assert_int_equal(FreeContextBuffer(info.sEncryptAlgorithmName), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(info.sSignatureAlgorithmName), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_SESSION_KEY, &key[0]), SEC_E_OK);
    assert_int_equal(QueryContextAttributesW(&loop.server, SECPKG_ATTR_SESSION_KEY, &key[1]), SEC_E_OK);
    assert_int_equal(key[0].SessionKeyLength, 16);
    assert_memory_equal(key[0].SessionKey, key[1].SessionKey, 16);
    FreeContextBuffer(key[0].SessionKey);
    FreeContextBuffer(key[1].SessionKey);
    loop_end(&loop);
}

/* What old peers agree on, by the flags of it. */
static void test_key_info_of_old_peers(void **state)
{
    static const struct {
        uint32_t flags;
        const char *name;
        uint32_t algorithm, bits;
    } cases[] = {{NTLM_EXTENDED_SESSION_SECURITY | NTLM_128 | NTLM_56, "HMAC-MD5", 0xffffff76, 128},
                 {NTLM_128, "RSADSI RC4-CRC32", 0xffffff7c, 128},
                 {NTLM_56, "RSADSI RC4-CRC32", 0xffffff7c, 56},
                 {0, "RSADSI RC4-CRC32", 0xffffff7c, 40}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct attribute value;
        assert_int_equal(ntlm_attribute(cases[i].flags, SECPKG_ATTR_KEY_INFO, &value), SEC_E_OK);
        assert_string_equal(value.key_info.signature_name, cases[i].name);
        assert_int_equal(value.key_info.signature_algorithm, cases[i].algorithm);
        assert_string_equal(value.key_info.encrypt_name, "RSADSI RC4");
        assert_int_equal(value.key_info.encrypt_algorithm, 0x6801);
        assert_int_equal(value.key_info.key_bits, cases[i].bits);
    }
}

static void sign(CtxtHandle *context, SecBuffer *buffers, ULONG count, SECURITY_STATUS wanted)
{
    SecBufferDesc list = {SECBUFFER_VERSION, count, buffers};
    assert_int_equal(MakeSignature(context, 0, &list, 0), wanted);
}

static void verify(CtxtHandle *context, SecBuffer *buffers, ULONG count, SECURITY_STATUS wanted)
{
    SecBufferDesc list = {SECBUFFER_VERSION, count, buffers};
    ULONG qop = 0xdeadbeef;
    assert_int_equal(VerifySignature(context, &list, 0, &qop), wanted);
    assert_int_equal(qop, 0xdeadbeef); /* left as it was */
}

static void test_signature_layouts(void **state)
{
    struct loop loop;
    unsigned char signature[20], one[] = "one ", two[] = "two", whole[] = "one two";
    (void)state;
    established(&loop, ISC_REQ_INTEGRITY);
    SecBuffer data_only[] = {{4, SECBUFFER_DATA, one}};
    sign(&loop.client, data_only, 1, SEC_E_INVALID_TOKEN);
    /* token last, read-only data, several buffers are one message; a longer buffer is cut to what was used */
    SecBuffer out[] = {{4, SECBUFFER_DATA | SECBUFFER_READONLY, one},
                       {3, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, two},
                       {20, SECBUFFER_TOKEN, signature}};
    sign(&loop.client, out, 3, SEC_E_OK);
    assert_int_equal(out[2].cbBuffer, 16);
    assert_memory_equal(signature, "\1\0\0\0", 4);
    SecBuffer in[] = {{16, SECBUFFER_TOKEN, signature}, {7, SECBUFFER_DATA, whole}};
    verify(&loop.server, in, 2, SEC_E_OK);
    /* the older SDK sample passes the signature buffer as EMPTY */
    SecBuffer old[] = {{7, SECBUFFER_DATA | SECBUFFER_READONLY, whole}, {16, SECBUFFER_EMPTY, signature}};
    sign(&loop.client, old, 2, SEC_E_OK);
    verify(&loop.server, in, 2, SEC_E_OK);
    /* too small, truncated */
    SecBuffer small[] = {{7, SECBUFFER_DATA, whole}, {15, SECBUFFER_TOKEN, signature}};
    sign(&loop.client, small, 2, SEC_E_BUFFER_TOO_SMALL);
    verify(&loop.server, small, 2, SEC_E_INVALID_TOKEN);
    loop_end(&loop);
}

/* A handshake's token has no place there, either. */
static void first_token(CredHandle *credential, ULONG type, void *fixed, ULONG size)
{
    CtxtHandle context;
    ULONG attributes;
    SecBuffer out = {size, type, fixed};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    assert_int_equal(InitializeSecurityContextA(credential, NULL, NULL, PROTECT, 0, SECURITY_NATIVE_DREP, NULL, 0,
                                                &context, &list, &attributes, NULL),
                     SEC_E_INVALID_TOKEN);
}

/* What the call would write cannot be READONLY: such memory may be of a page that lets nobody write. What is only read can. */
static void test_read_only(void **state)
{
    static const ULONG marks[] = {SECBUFFER_READONLY, SECBUFFER_READONLY_WITH_CHECKSUM};
    struct loop loop;
    unsigned char text[] = "text", padding[8] = {0}, token[16], whole[20];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *fixed = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_ptr_not_equal(fixed, MAP_FAILED);
    established(&loop, ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY);
    SecBuffer stream[] = {{16, SECBUFFER_TOKEN, whole}, {4, SECBUFFER_DATA, whole + 16}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, stream};
    memcpy(whole + 16, text, 4);
    assert_int_equal(EncryptMessage(&loop.client, 0, &list, 0), SEC_E_OK);
    memcpy(fixed, whole, sizeof whole);
    assert_int_equal(mprotect(fixed, page, PROT_READ), 0);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        SecBuffer received[] = {{sizeof whole, SECBUFFER_STREAM | marks[i], fixed}, {0, SECBUFFER_DATA, NULL}};
        SecBuffer sent[] = {{16, SECBUFFER_TOKEN | marks[i], fixed}, {4, SECBUFFER_DATA, text}};
        SecBuffer padded[] = {{16, SECBUFFER_TOKEN, token},
                              {4, SECBUFFER_DATA, text},
                              {sizeof padding, SECBUFFER_PADDING | marks[i], padding}};
        SecBuffer empty[] = {{4, SECBUFFER_DATA, text}, {16, SECBUFFER_EMPTY | marks[i], fixed}};
        list = (SecBufferDesc){SECBUFFER_VERSION, 2, received};
        assert_int_equal(DecryptMessage(&loop.server, &list, 0, NULL), SEC_E_INVALID_TOKEN);
        list.pBuffers = sent;
        assert_int_equal(EncryptMessage(&loop.client, 0, &list, 0), SEC_E_INVALID_TOKEN);
        sign(&loop.client, sent, 2, SEC_E_INVALID_TOKEN);
        sign(&loop.client, empty, 2, SEC_E_INVALID_TOKEN);
        sign(&loop.client, padded, 3, SEC_E_INVALID_TOKEN);
        padded[2].BufferType = SECBUFFER_PADDING | marks[i];
        list = (SecBufferDesc){SECBUFFER_VERSION, 3, padded};
        assert_int_equal(DecryptMessage(&loop.server, &list, 0, NULL), SEC_E_INVALID_TOKEN);
        first_token(&loop.client_credential, SECBUFFER_TOKEN | marks[i], fixed, (ULONG)page);
    }
    assert_string_equal((char *)text, "text");
    /* Nothing of this used a number up; and a signature that came may be READONLY. */
    list = (SecBufferDesc){SECBUFFER_VERSION, 2, stream};
    assert_int_equal(DecryptMessage(&loop.server, &list, 0, NULL), SEC_E_OK);
    SecBuffer in[] = {{16, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, text}};
    sign(&loop.client, in, 2, SEC_E_OK);
    in[0].BufferType |= SECBUFFER_READONLY;
    in[1].BufferType |= SECBUFFER_READONLY;
    verify(&loop.server, in, 2, SEC_E_OK);
    assert_int_equal(munmap(fixed, page), 0);
    loop_end(&loop);
}

static void test_altered_and_out_of_sequence(void **state)
{
    struct loop loop;
    unsigned char first[16], second[16], text[] = "text";
    (void)state;
    established(&loop, ISC_REQ_INTEGRITY);
    SecBuffer a[] = {{4, SECBUFFER_DATA, text}, {16, SECBUFFER_TOKEN, first}};
    SecBuffer b[] = {{4, SECBUFFER_DATA, text}, {16, SECBUFFER_TOKEN, second}};
    sign(&loop.client, a, 2, SEC_E_OK);
    sign(&loop.client, b, 2, SEC_E_OK);
    verify(&loop.server, b, 2, SEC_E_OUT_OF_SEQUENCE); /* reordered */
    text[0] ^= 1;
    verify(&loop.server, a, 2, SEC_E_MESSAGE_ALTERED);
    text[0] ^= 1;
    verify(&loop.server, a, 2, SEC_E_OK);              /* neither failure harmed the context */
    verify(&loop.server, a, 2, SEC_E_OUT_OF_SEQUENCE); /* replayed */
    verify(&loop.server, b, 2, SEC_E_OK);
    loop_end(&loop);
}

/* ALWAYS_SIGN without SIGN: a dummy signature, in both directions. */
static void test_dummy_signature(void **state)
{
    struct loop loop;
    unsigned char signature[16], text[] = "text", dummy[16] = {1};
    (void)state;
    established(&loop, 0);
    SecBuffer buffers[] = {{4, SECBUFFER_DATA, text}, {16, SECBUFFER_TOKEN, signature}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    for (int turn = 0; turn < 2; turn++) {
        CtxtHandle *from = turn == 0 ? &loop.client : &loop.server, *to = turn == 0 ? &loop.server : &loop.client;
        sign(from, buffers, 2, SEC_E_OK);
        assert_memory_equal(signature, dummy, 16);
        verify(to, buffers, 2, SEC_E_OK);
        signature[5] ^= 1;
        verify(to, buffers, 2, SEC_E_MESSAGE_ALTERED);
    }
    assert_int_equal(EncryptMessage(&loop.client, 0, &list, 0), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(DecryptMessage(&loop.client, &list, 0, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    assert_memory_equal(text, "text", 4);
    loop_end(&loop);
}

/* Integrity alone never sends in the clear what was to be encrypted; SECQOP_WRAP_NO_ENCRYPT says that it may. */
static void test_seal_without_confidentiality(void **state)
{
    struct loop loop;
    unsigned char signature[16], text[] = "text";
    SecBuffer buffers[] = {{16, SECBUFFER_TOKEN, signature}, {4, SECBUFFER_DATA, text}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = 0;
    (void)state;
    established(&loop, ISC_REQ_INTEGRITY);
    assert_int_equal(EncryptMessage(&loop.client, 0, &list, 0), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(EncryptMessage(&loop.client, SECQOP_WRAP_NO_ENCRYPT, &list, 0), SEC_E_OK);
    assert_memory_equal(text, "text", 4);
    assert_int_equal(DecryptMessage(&loop.server, &list, 0, &qop), SEC_E_OK);
    assert_int_equal(qop, SECQOP_WRAP_NO_ENCRYPT);
    loop_end(&loop);
}

static void test_seal_layouts(void **state)
{
    struct loop loop;
    unsigned char wire[64], padding[32];
    (void)state;
    established(&loop, PROTECT);
    /* {TOKEN, DATA, PADDING}: nothing beyond its length is touched, what was used is told */
    memcpy(wire + 16, "a sealed message", 16);
    SecBuffer out[] = {{16, SECBUFFER_TOKEN, wire}, {16, SECBUFFER_DATA, wire + 16}, {32, SECBUFFER_PADDING, padding}};
    SecBufferDesc list = {SECBUFFER_VERSION, 3, out};
    assert_int_equal(EncryptMessage(&loop.client, 0, &list, 0), SEC_E_OK);
    assert_int_equal(out[2].cbBuffer, 0);
    assert_memory_equal(wire, "\1\0\0\0", 4);
    assert_memory_not_equal(wire + 16, "a sealed message", 16);
    /* {STREAM, DATA}: the whole token in, a place in it out */
    SecBuffer in[] = {{32, SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in};
    assert_int_equal(DecryptMessage(&loop.server, &in_list, 0, NULL), SEC_E_OK);
    assert_ptr_equal(in[1].pvBuffer, wire + 16);
    assert_int_equal(in[1].cbBuffer, 16);
    assert_memory_equal(wire + 16, "a sealed message", 16);
    /* header signing: read-only buffers are signed and stay as they are */
    unsigned char header[] = "HEADER", body[] = "BODY";
    SecBuffer rpc[] = {{6, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, header},
                       {4, SECBUFFER_DATA, body},
                       {16, SECBUFFER_TOKEN, wire}};
    SecBufferDesc rpc_list = {SECBUFFER_VERSION, 3, rpc};
    assert_int_equal(EncryptMessage(&loop.client, 0, &rpc_list, 0), SEC_E_OK);
    assert_memory_equal(header, "HEADER", 6);
    assert_memory_not_equal(body, "BODY", 4);
    header[0] ^= 1;
    unsigned char cipher[4];
    memcpy(cipher, body, 4);
    assert_int_equal(DecryptMessage(&loop.server, &rpc_list, 0, NULL), SEC_E_MESSAGE_ALTERED);
    assert_memory_equal(body, cipher, 4); /* no unverified plain text */
    header[0] ^= 1;
    assert_int_equal(DecryptMessage(&loop.server, &rpc_list, 0, NULL), SEC_E_OK);
    assert_memory_equal(body, "BODY", 4);
    loop_end(&loop);
}

static void test_datagram(void **state)
{
    struct loop loop = shared;
    unsigned char room[4096], challenge[4096], early[16], text[] = "text";
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room}, in;
    SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out}, in_list = {SECBUFFER_VERSION, 1, &in};
    SecBuffer message[] = {{16, SECBUFFER_TOKEN, early}, {4, SECBUFFER_DATA, text}};
    SecBufferDesc message_list = {SECBUFFER_VERSION, 2, message};
    ULONG attributes;
    (void)state;
    /* the client has no token to send and can sign at once */
    assert_int_equal(InitializeSecurityContextA(&loop.client_credential, NULL, NULL, PROTECT | ISC_REQ_DATAGRAM, 0, 0,
                                                NULL, 0, &loop.client, &out_list, &attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(out.cbBuffer, 0);
    assert_int_equal(attributes & ISC_RET_DATAGRAM, ISC_RET_DATAGRAM);
    assert_int_equal(MakeSignature(&loop.client, 0, &message_list, 77), SEC_E_OK);
    /* the server speaks first */
    out = (SecBuffer){sizeof challenge, SECBUFFER_TOKEN, challenge};
    assert_int_equal(AcceptSecurityContext(&loop.server_credential, NULL, NULL, ASC_REQ_DATAGRAM, 0, &loop.server,
                                           &out_list, &attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, challenge};
    out = (SecBuffer){sizeof room, SECBUFFER_TOKEN, room};
    assert_int_equal(InitializeSecurityContextA(NULL, &loop.client, NULL, PROTECT | ISC_REQ_DATAGRAM, 0, 0, &in_list, 0,
                                                NULL, &out_list, &attributes, NULL),
                     SEC_E_OK);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, room};
    out = (SecBuffer){sizeof challenge, SECBUFFER_TOKEN, challenge};
    assert_int_equal(
        AcceptSecurityContext(NULL, &loop.server, &in_list, ASC_REQ_DATAGRAM, 0, NULL, &out_list, &attributes, NULL),
        SEC_E_OK);
    /* the message that was signed before anything was agreed; sequence numbers are the caller's, in any order */
    assert_int_equal(VerifySignature(&loop.server, &message_list, 78, NULL), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(VerifySignature(&loop.server, &message_list, 77, NULL), SEC_E_OK);
    assert_int_equal(EncryptMessage(&loop.server, 0, &message_list, 5), SEC_E_OK);
    assert_int_equal(DecryptMessage(&loop.client, &message_list, 5, NULL), SEC_E_OK);
    assert_memory_equal(text, "text", 4);
    assert_int_equal(EncryptMessage(&loop.client, 0, &message_list, 3), SEC_E_OK);
    assert_int_equal(DecryptMessage(&loop.server, &message_list, 3, NULL), SEC_E_OK);
    /* the server may drop the connection without notice: the same client context answers a new challenge under the same key */
    CtxtHandle second;
    out = (SecBuffer){sizeof challenge, SECBUFFER_TOKEN, challenge};
    assert_int_equal(AcceptSecurityContext(&loop.server_credential, NULL, NULL, ASC_REQ_DATAGRAM, 0, &second, &out_list,
                                           &attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, challenge};
    out = (SecBuffer){sizeof room, SECBUFFER_TOKEN, room};
    assert_int_equal(InitializeSecurityContextA(NULL, &loop.client, NULL, PROTECT | ISC_REQ_DATAGRAM, 0, 0, &in_list, 0,
                                                NULL, &out_list, &attributes, NULL),
                     SEC_E_OK);
    in = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, room};
    out = (SecBuffer){sizeof challenge, SECBUFFER_TOKEN, challenge};
    assert_int_equal(
        AcceptSecurityContext(NULL, &second, &in_list, ASC_REQ_DATAGRAM, 0, NULL, &out_list, &attributes, NULL),
        SEC_E_OK);
    assert_int_equal(EncryptMessage(&loop.client, 0, &message_list, 9), SEC_E_OK);
    assert_int_equal(DecryptMessage(&second, &message_list, 9, NULL), SEC_E_OK);
    DeleteSecurityContext(&second);
    loop_end(&loop);
}

static int setup(void **state)
{
    (void)state;
    loop_configure(NULL);
    loop_acquire(&shared);
    shared.keep_credentials = true;
    return shared.client_status != SEC_E_OK || shared.server_status != SEC_E_OK;
}

static int teardown(void **state)
{
    (void)state;
    FreeCredentialsHandle(&shared.client_credential);
    FreeCredentialsHandle(&shared.server_credential);
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negotiate_flags),
        cmocka_unit_test(test_sizes_and_key_info),
        cmocka_unit_test(test_key_info_of_old_peers),
        cmocka_unit_test(test_signature_layouts),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_altered_and_out_of_sequence),
        cmocka_unit_test(test_dummy_signature),
        cmocka_unit_test(test_seal_without_confidentiality),
        cmocka_unit_test(test_seal_layouts),
        cmocka_unit_test(test_datagram),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
