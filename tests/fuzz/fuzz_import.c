/*
 * A session record from anywhere: what is taken in can be asked, used, and exported to a record that is taken in again.
 */
#include "fuzz/world.h"

#include <string.h>

static SECURITY_STATUS take(struct slice record, CtxtHandle *context)
{
    uint8_t *copy = malloc(record.len > 0 ? record.len : 1);
    MUST(copy != NULL);
    if (record.len > 0)
        memcpy(copy, record.data, record.len);
    SecBuffer packed = {(ULONG)record.len, SECBUFFER_TOKEN, copy};
    SECURITY_STATUS status = ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, context);
    free(copy);
    return status;
}

static void use(CtxtHandle *context)
{
    uint8_t data[33] = "a message to protect", token[16] = {1};
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    world_query(context);
    (void)DecryptMessage(context, &list, 0, NULL);
    (void)VerifySignature(context, &list, 0, NULL);
    (void)EncryptMessage(context, 0, &list, 0);
    (void)MakeSignature(context, 0, &list, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CtxtHandle context = {0}, again = {0};
    SecBuffer packed = {0}, once_more = {0};
    world_reset();
    SECURITY_STATUS status = take(slice_of(data, size), &context);
    if (status != SEC_E_OK) {
        MUST(context.dwLower == 0 && context.dwUpper == 0);
        return 0;
    }
    use(&context);
    MUST(ExportSecurityContext(&context, 0, &packed, NULL) == SEC_E_OK);
    MUST(take(slice_of(packed.pvBuffer, packed.cbBuffer), &again) == SEC_E_OK);
    MUST(ExportSecurityContext(&again, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &once_more, NULL) == SEC_E_OK);
    MUST(packed.cbBuffer == once_more.cbBuffer && memcmp(packed.pvBuffer, once_more.pvBuffer, packed.cbBuffer) == 0);
    MUST(FreeContextBuffer(packed.pvBuffer) == SEC_E_OK && FreeContextBuffer(once_more.pvBuffer) == SEC_E_OK);
    /* whose key stream would come again is not reset */
    packed = (SecBuffer){0};
    status = ExportSecurityContext(&context, SECPKG_CONTEXT_EXPORT_RESET_NEW, &packed, NULL);
    MUST(status == SEC_E_OK || (status == SEC_E_UNSUPPORTED_FUNCTION && packed.pvBuffer == NULL));
    MUST(status != SEC_E_OK || FreeContextBuffer(packed.pvBuffer) == SEC_E_OK);
    MUST(DeleteSecurityContext(&again) == SEC_E_INVALID_HANDLE && DeleteSecurityContext(&context) == SEC_E_OK);
    return 0;
}
