/*
 * The file of default credentials: the line that is found fits what was asked for.
 */
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/user_file.h"
#include "fuzz/world.h"

#include <string.h>

static void search(struct slice text, const char *user, const char *domain)
{
    AUTO_IDENTITY struct identity identity = {0};
    cause_clear();
    SECURITY_STATUS status = user_file_search("file", text, slice_of_text(user), slice_of_text(domain), &identity);
    if (status != SEC_E_OK) {
        MUST(identity.user == NULL && identity.domain == NULL && identity.password.data == NULL);
        MUST(strncmp(cause_text(), "file:", 5) == 0);
        return;
    }
    MUST(identity.user != NULL && identity.user[0] != '\0' && identity.domain != NULL && identity.has_password);
    MUST(utf8_valid(slice_of_text(identity.user)) && utf8_valid(slice_of_text(identity.domain)));
    MUST(identity.password.len % 2 == 0);
    if (user != NULL)
        MUST(text_equal_fold(identity.user, user));
    if (domain != NULL && *domain != '\0')
        MUST(text_equal_fold(identity.domain, domain));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    uint8_t mode = world_u8(&input);
    struct slice name = world_bytes(&input, mode >> 4);
    AUTO_FREE char *wanted = mem_dup(name.data, name.len);
    struct slice text = reader_rest(&input);
    MUST(wanted != NULL);
    if (!utf8_valid(slice_of_text(wanted)))
        return 0;
    search(text, (mode & 1) != 0 ? wanted : NULL, (mode & 2) != 0 ? wanted : NULL);
    return 0;
}
