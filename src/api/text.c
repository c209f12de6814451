#include "api/api.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include <string.h>

SECURITY_STATUS api_text_from_a(const char *text, char **utf8)
{
    if (text == NULL) {
        *utf8 = NULL;
        return SEC_E_OK;
    }
    require(utf8_valid(slice_of_text(text)),
            cause_set(SEC_E_INVALID_TOKEN, "a name given to an A function is not valid UTF-8"));
    char *copy = mem_strdup(text);
    require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *utf8 = copy;
    return SEC_E_OK;
}

SECURITY_STATUS api_text_from_w(const SEC_WCHAR *text, char **utf8)
{
    if (text == NULL) {
        *utf8 = NULL;
        return SEC_E_OK;
    }
    const uint16_t *units = (const uint16_t *)text;
    require(utf16_to_text(units, utf16_units(units), utf8) == WIRE_OK,
            cause_answer(cause_set(SEC_E_INVALID_TOKEN, "a name given to a W function is not valid UTF-16")));
    return SEC_E_OK;
}

SECURITY_STATUS api_package_from_w(const SEC_WCHAR *name, char **utf8)
{
    SECURITY_STATUS status = api_text_from_w(name, utf8);
    return status == SEC_E_INVALID_TOKEN ? cause_set(SEC_E_SECPKG_NOT_FOUND, "a package's name is not valid UTF-16")
                                         : status;
}

void *api_text_block(const char *utf8, bool wide)
{
    if (utf8 == NULL)
        utf8 = "";
    if (!wide) {
        size_t len = strlen(utf8) + 1;
        void *block = block_alloc(len);
        if (block != NULL)
            memcpy(block, utf8, len);
        return block;
    }
    AUTO_FREE uint16_t *units = NULL;
    size_t n_units;
    require(utf16_from_text(utf8, &units, &n_units) == WIRE_OK, NULL);
    void *block = block_alloc((n_units + 1) * sizeof *units);
    if (block != NULL)
        memcpy(block, units, (n_units + 1) * sizeof *units);
    return block;
}

TimeStamp api_timestamp(int64_t filetime)
{
    uint64_t local = (uint64_t)filetime_to_local(filetime);
    TimeStamp stamp;
    stamp.LowPart = (ULONG)local;
    stamp.HighPart = (LONG)(local >> 32);
    return stamp;
}
