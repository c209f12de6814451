#include "access/token_handle.h"

#include "access/access_check.h"
#include "base/memory.h"
#include "core/cause.h"

static void opened_destroy(void *object)
{
    struct token_opened *opened = object;
    token_release(opened->token);
    mem_free(opened);
}

static uint32_t rights_of(uint32_t asked)
{
    /* TOKEN_READ, TOKEN_WRITE, TOKEN_EXECUTE and TOKEN_ALL_ACCESS of winnt.h */
    static const struct access_mapping generic = {0x20008, 0x200E0, 0x20000, TOKEN_RIGHTS_ALL};
    uint32_t rights = access_map_generic(asked, &generic) & TOKEN_RIGHTS_ALL;
    return (asked & ACCESS_MAXIMUM) != 0 ? TOKEN_RIGHTS_ALL : rights;
}

SECURITY_STATUS token_handle_create(const struct token *token, uint32_t rights, SecHandle *handle)
{
    struct token_opened *opened = mem_zalloc(sizeof *opened);
    if (opened == NULL) {
        token_release(token);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    opened->token = token;
    opened->rights = rights_of(rights);
    SECURITY_STATUS status = handle_create(HANDLE_TOKEN, opened, opened_destroy, handle);
    if (status != SEC_E_OK)
        opened_destroy(opened);
    return status;
}

SECURITY_STATUS token_handle_get(const void *handle, struct handle_ref *ref, const struct token_opened **opened)
{
    SecHandle unpacked = handle_unpack(handle, HANDLE_TOKEN);
    require(handle_get(&unpacked, HANDLE_TOKEN, ref) == SEC_E_OK,
            cause_set(SEC_E_INVALID_HANDLE, "this is not the handle of an open token"));
    *opened = ref->object;
    return SEC_E_OK;
}
