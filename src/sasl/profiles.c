#include "sasl/profiles.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/registry.h"
#include <string.h>

static const struct sasl_profile profiles[] = {
    {"GSSAPI", "Kerberos", SASL_LAYERED},   {"GSS-SPNEGO", "Negotiate", SASL_PLAIN},
    {"EXTERNAL", "Schannel", SASL_OUTSIDE}, {"DIGEST-MD5", "WDigest", SASL_SIZED},
    {"NTLM", "NTLM", SASL_PLAIN},
};

const struct sasl_profile *sasl_profile_at(size_t index)
{
    for (size_t i = 0; i < COUNT_OF(profiles); i++)
        if (registry_find(profiles[i].package) != NULL && index-- == 0)
            return &profiles[i];
    return NULL;
}

const struct sasl_profile *sasl_profile_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(profiles); i++)
        if (text_equal_fold(profiles[i].name, name))
            return registry_find(profiles[i].package) != NULL ? &profiles[i] : NULL;
    return NULL;
}

const struct sasl_profile *sasl_profile_of(const struct package *package)
{
    for (size_t i = 0; i < COUNT_OF(profiles); i++)
        if (text_equal_fold(profiles[i].package, package->info.name))
            return &profiles[i];
    return NULL;
}

static bool name_char(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

#define NAME_MAX_LEN 20

enum wire_result sasl_profile_identify(struct slice message, const struct sasl_profile **profile)
{
    static const char ends[] = " \r\n"; /* and its NUL */
    char name[NAME_MAX_LEN + 1] = {0};
    size_t len = 0;
    while (len < message.len && len < NAME_MAX_LEN && name_char(message.data[len]))
        len++;
    require(len > 0, WIRE_BAD);
    require(len == message.len || memchr(ends, message.data[len], sizeof ends) != NULL, WIRE_BAD);
    memcpy(name, message.data, len);
    *profile = sasl_profile_find(name);
    return WIRE_OK;
}
