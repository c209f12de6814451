#include "core/identity.h"

#include "base/memory.h"
#include "base/utf16.h"
#include <string.h>

void identity_release(struct identity *identity)
{
    if (identity == NULL)
        return;
    mem_free(identity->user);
    mem_free(identity->domain);
    mem_free(identity->packages);
    secret_release(&identity->password);
    secret_release(&identity->proof);
    *identity = (struct identity){0};
}

bool identity_forbids(const struct identity *identity, const char *package)
{
    require(identity != NULL && identity->packages != NULL, false);
    bool names_others = false;
    const char *at = identity->packages;
    while (*at != '\0') {
        at += strspn(at, ", ");
        size_t len = strcspn(at, ", ");
        bool excluded = *at == '!';
        char name[64];
        size_t name_len = len - (excluded ? 1 : 0);
        if (len > 0 && name_len < sizeof name) {
            memcpy(name, at + (excluded ? 1 : 0), name_len);
            name[name_len] = '\0';
            if (text_equal_fold(name, package))
                return excluded;
            names_others |= !excluded;
        }
        at += len;
    }
    return names_others;
}
