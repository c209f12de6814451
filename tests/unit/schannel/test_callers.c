/* What programs do and Windows takes, though no page says so: curl's empty outputs, structures filled in part, calls in another order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <schannel.h>
#include <security.h>
#include <stdbool.h>
#include <string.h>

#define DATAGRAMS (SP_PROT_DTLS1_2_CLIENT | SP_PROT_DTLS1_0_CLIENT)
#define ALERT_LEN 7

static SECURITY_STATUS acquire(DWORD version, DWORD protocols, PCredHandle handle)
{
    SCHANNEL_CRED cred;
    memset(&cred, 0xcc, sizeof cred);
    cred.dwVersion = version;
    cred.cCreds = cred.cMappers = cred.cSupportedAlgs = 0;
    cred.hRootStore = NULL;
    cred.grbitEnabledProtocols = protocols;
    cred.dwMinimumCipherStrength = cred.dwMaximumCipherStrength = cred.dwSessionLifespan = 0;
    cred.dwFlags = SCH_CRED_NO_DEFAULT_CREDS | SCH_CRED_MANUAL_CRED_VALIDATION;
    return AcquireCredentialsHandleA(NULL, UNISP_NAME_A, SECPKG_CRED_OUTBOUND, NULL, &cred, NULL, NULL, handle, NULL);
}

static SECURITY_STATUS step(PCredHandle credential, PCtxtHandle context, ULONG flags, SecBuffer *out, ULONG *attributes,
                            TimeStamp *expiry)
{
    SecBufferDesc list = {SECBUFFER_VERSION, 1, out};
    bool first = context->dwLower == 0 && context->dwUpper == 0;
    return InitializeSecurityContextA(credential, first ? NULL : context, (SEC_CHAR *)"server.example", flags, 0, 0,
                                      NULL, 0, first ? context : NULL, &list, attributes, expiry);
}

/* Where no certificate is given its format may be anything; where no handle is asked for, what was given is judged before that. */
static void test_credentials(void **state)
{
    CredHandle handle;
    (void)state;
    assert_int_equal(acquire(SCHANNEL_CRED_VERSION, 0, &handle), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&handle), SEC_E_OK);
    assert_int_equal(acquire(SCHANNEL_CRED_VERSION, 0, NULL), SEC_E_INVALID_HANDLE);
    assert_int_equal(acquire(0, 0, NULL), SEC_E_UNKNOWN_CREDENTIALS);
}

/* An EMPTY buffer takes a token, and is one then; with memory of its own too. */
static void test_empty_output(void **state)
{
    CredHandle handle;
    static uint8_t room[4096];
    (void)state;
    assert_int_equal(acquire(SCHANNEL_CRED_VERSION, 0, &handle), SEC_E_OK);
    for (int own = 0; own < 2; own++) {
        CtxtHandle context = {0};
        SecBuffer out = {own ? sizeof room : 0, SECBUFFER_EMPTY, own ? room : NULL};
        ULONG attributes = 0, flags = ISC_REQ_STREAM | ISC_REQ_EXTENDED_ERROR | (own ? 0 : ISC_REQ_ALLOCATE_MEMORY);
        TimeStamp expiry;
        memset(&expiry, 0xcc, sizeof expiry);
        assert_int_equal(step(&handle, &context, flags, &out, &attributes, &expiry), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(out.BufferType, SECBUFFER_TOKEN);
        assert_true(out.cbBuffer > 50 && ((uint8_t *)out.pvBuffer)[0] == 22 && (out.pvBuffer == room) == own);
        assert_int_equal(attributes & (ISC_RET_STREAM | ISC_RET_EXTENDED_ERROR),
                         ISC_RET_STREAM | ISC_RET_EXTENDED_ERROR);
        assert_int_equal(expiry.LowPart, 0); /* nothing is known of it yet */
        assert_int_equal(expiry.HighPart, 0);
        if (!own)
            assert_int_equal(FreeContextBuffer(out.pvBuffer), SEC_E_OK);
        assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    }
    CtxtHandle context = {0};
    SecBuffer none = {0, SECBUFFER_EMPTY, NULL};
    ULONG attributes;
    assert_int_equal(step(&handle, &context, 0, &none, &attributes, NULL), SEC_E_INSUFFICIENT_MEMORY);
    assert_int_equal(FreeCredentialsHandle(&handle), SEC_E_OK);
}

/* Amid the handshake: nothing to renegotiate, and close_notify as often as it is asked for, in a record of the first version until one is agreed on.
 */
static void test_shutdown_in_handshake(void **state)
{
    static const uint8_t close_notify[ALERT_LEN] = {21, 3, 1, 0, 2, 1, 0};
    CredHandle handle;
    CtxtHandle context = {0};
    uint8_t room[4096];
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    ULONG attributes;
    DWORD word = SCHANNEL_RENEGOTIATE;
    SecBuffer control = {sizeof word, SECBUFFER_TOKEN, &word};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &control};
    (void)state;
    assert_int_equal(acquire(SCHANNEL_CRED_VERSION, 0, &handle), SEC_E_OK);
    assert_int_equal(step(&handle, &context, 0, &out, &attributes, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(ApplyControlToken(&context, &list), SEC_E_UNSUPPORTED_FUNCTION);
    word = SCHANNEL_SHUTDOWN;
    for (int i = 0; i < 2; i++) {
        out.cbBuffer = sizeof room;
        assert_int_equal(ApplyControlToken(&context, &list), SEC_E_OK);
        assert_int_equal(step(&handle, &context, 0, &out, &attributes, NULL), SEC_E_OK);
        assert_int_equal(out.cbBuffer, ALERT_LEN);
        assert_memory_equal(room, close_notify, ALERT_LEN);
    }
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&handle), SEC_E_OK);
}

/* A step of datagrams without input sends the flight again, whenever it is asked for: another record number, else the same bytes. */
static void test_datagrams_again(void **state)
{
    CredHandle handle;
    CtxtHandle context = {0};
    uint8_t first[2048], again[2048];
    ULONG attributes;
    (void)state;
    assert_int_equal(acquire(SCHANNEL_CRED_VERSION, DATAGRAMS, &handle), SEC_E_OK);
    SecBuffer out = {sizeof first, SECBUFFER_TOKEN, first};
    assert_int_equal(step(&handle, &context, ISC_REQ_DATAGRAM, &out, &attributes, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(attributes & (ISC_RET_STREAM | ISC_RET_DATAGRAM), ISC_RET_STREAM | ISC_RET_DATAGRAM);
    for (uint8_t i = 1; i < 4; i++) {
        SecBuffer more = {sizeof again, SECBUFFER_TOKEN, again};
        assert_int_equal(step(&handle, &context, ISC_REQ_DATAGRAM, &more, &attributes, NULL), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(more.cbBuffer, out.cbBuffer);
        assert_int_equal(again[10], i);
        again[10] = first[10];
        assert_memory_equal(again, first, out.cbBuffer);
    }
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&handle), SEC_E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_empty_output),
        cmocka_unit_test(test_shutdown_in_handshake),
        cmocka_unit_test(test_datagrams_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
