#include "support/failing/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sspi_ext.h>
#include <string.h>

#define STEPS_MAX 12

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static bool is_zero(const SecHandle *handle)
{
    return handle->dwLower == 0 && handle->dwUpper == 0;
}

static SECURITY_STATUS acquire(struct failing_handshake *work, struct failing_side *side)
{
    bool initiates = side == &work->client;
    SECURITY_STATUS status = AcquireCredentialsHandleA(
        text_of(initiates ? work->principal : NULL), text_of(work->package),
        initiates ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL, initiates ? work->client_auth : work->server_auth,
        NULL, NULL, &side->credential, NULL);
    assert_true(status == SEC_E_OK || is_zero(&side->credential));
    return status;
}

static void step(struct failing_handshake *work, struct failing_side *side, struct failing_side *other)
{
    CtxtHandle *old = is_zero(&side->context) ? NULL : &side->context, before = side->context;
    SecBuffer in = {other->len, SECBUFFER_TOKEN, other->token},
              out = {sizeof side->token, SECBUFFER_TOKEN, side->token};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    ULONG granted = 0;
    side->len = 0;
    if (side == &work->client)
        side->status = InitializeSecurityContextA(&side->credential, old, text_of(work->target), work->flags, 0,
                                                  SECURITY_NATIVE_DREP, old == NULL ? NULL : &in_list, 0,
                                                  &side->context, &out_list, &granted, NULL);
    else
        side->status = AcceptSecurityContext(&side->credential, old, &in_list, 0, SECURITY_NATIVE_DREP, &side->context,
                                             &out_list, &granted, NULL);
    if (side->status < 0)
        assert_memory_equal(&before, &side->context, sizeof before);
    else
        side->len = out.cbBuffer;
}

static bool goes_on(const struct failing_side *side)
{
    return is_zero(&side->context) || side->status == SEC_I_CONTINUE_NEEDED;
}

static SECURITY_STATUS walk(struct failing_handshake *work)
{
    struct failing_side *client = &work->client, *server = &work->server;
    for (int i = 0; i < STEPS_MAX && (goes_on(client) || goes_on(server)); i++) {
        struct failing_side *side = i % 2 == 0 ? client : server;
        if (!goes_on(side))
            continue;
        step(work, side, side == client ? server : client);
        if (side->status < 0)
            return side->status;
    }
    assert_false(goes_on(client) || goes_on(server));
    return SEC_E_OK;
}

#define SENT_TEXT "what nobody else shall read"

static SECURITY_STATUS message(CtxtHandle *from, CtxtHandle *to)
{
    unsigned char token[256], padding[64], text[] = SENT_TEXT;
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesA(from, SECPKG_ATTR_SIZES, &sizes);
    if (status != SEC_E_OK)
        return status;
    assert_true(sizes.cbSecurityTrailer <= sizeof token && sizes.cbBlockSize <= sizeof padding);
    SecBuffer buffers[] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token},
                           {sizeof text, SECBUFFER_DATA, text},
                           {sizes.cbBlockSize, SECBUFFER_PADDING, padding}};
    SecBufferDesc list = {SECBUFFER_VERSION, 3, buffers};
    status = EncryptMessage(from, 0, &list, 0);
    if (status != SEC_E_OK)
        return status;
    assert_memory_not_equal(text, SENT_TEXT, sizeof text);
    status = DecryptMessage(to, &list, 0, NULL);
    if (status == SEC_E_OK)
        assert_string_equal((const char *)text, SENT_TEXT);
    return status;
}

static SECURITY_STATUS ask(struct failing_handshake *work)
{
    SecPkgContext_NamesA names = {NULL};
    SECURITY_STATUS status = QueryContextAttributesA(&work->server.context, SECPKG_ATTR_NAMES, &names);
    if (status != SEC_E_OK)
        return status;
    assert_non_null(names.sUserName);
    assert_int_equal(FreeContextBuffer(names.sUserName), SEC_E_OK);
    if (!work->asks_token)
        return SEC_E_OK;
    void *token = NULL;
    status = QuerySecurityContextToken(&work->server.context, &token);
    assert_true((status == SEC_E_OK) == (token != NULL));
    if (status == SEC_E_OK)
        assert_true(OpenSspiCloseHandle(token));
    return status;
}

static void drop(struct failing_side *side)
{
    if (!is_zero(&side->context))
        assert_int_equal(DeleteSecurityContext(&side->context), SEC_E_OK);
    if (!is_zero(&side->credential))
        assert_int_equal(FreeCredentialsHandle(&side->credential), SEC_E_OK);
    *side = (struct failing_side){.status = SEC_I_CONTINUE_NEEDED};
}

long failing_handshake_run(void *data)
{
    struct failing_handshake *work = data;
    drop(&work->client);
    drop(&work->server);
    SECURITY_STATUS status = acquire(work, &work->client);
    if (status == SEC_E_OK)
        status = acquire(work, &work->server);
    if (status == SEC_E_OK)
        status = walk(work);
    if (status == SEC_E_OK)
        status = message(&work->client.context, &work->server.context);
    if (status == SEC_E_OK)
        status = message(&work->server.context, &work->client.context);
    return status == SEC_E_OK ? ask(work) : status;
}

void failing_handshake_after(void *data, long status)
{
    struct failing_handshake *work = data;
    if (status >= 0)
        assert_int_equal(work->usual, SEC_E_OK);
    drop(&work->client);
    drop(&work->server);
    if (work->renew != NULL)
        work->renew();
    SECURITY_STATUS again = (SECURITY_STATUS)failing_handshake_run(work);
    if (again != work->usual)
        fail_msg("%s: when no call fails any more: 0x%08x %s", work->package, (unsigned)again, OpenSspiLastErrorText());
    drop(&work->client);
    drop(&work->server);
    if (work->renew != NULL)
        work->renew();
}
