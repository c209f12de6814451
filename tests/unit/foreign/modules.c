#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/foreign/modules.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[PATH_MAX];

const char *module_directory(void)
{
    if (directory[0] == '\0') {
        char pattern[] = "/tmp/opensspi-modules-XXXXXX";
        assert_non_null(mkdtemp(pattern));
        assert_non_null(realpath(pattern, directory));
    }
    return directory;
}

const char *module_copy(const char *name)
{
    static char path[PATH_MAX + 64];
    static unsigned n_copies;
    char from[PATH_MAX + 64], bytes[4096];
    size_t got;
    snprintf(from, sizeof from, "%s/%s.so",
             strncmp(name, "sharedkey", 9) == 0 ? OPENSSPI_TEST_SAMPLE : OPENSSPI_TEST_MODULES, name);
    snprintf(path, sizeof path, "%s/%s-%u.so", module_directory(), name, n_copies++);
    FILE *source = fopen(from, "rb"), *copy = fopen(path, "wb");
    assert_true(source != NULL && copy != NULL);
    while ((got = fread(bytes, 1, sizeof bytes, source)) > 0)
        assert_int_equal(fwrite(bytes, 1, got, copy), got);
    fclose(source);
    assert_int_equal(fclose(copy), 0);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

void modules_cleanup(void)
{
    char path[PATH_MAX + 300];
    DIR *list = opendir(directory);
    if (list == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
            if (unlink(path) != 0)
                rmdir(path);
        }
    closedir(list);
    rmdir(directory);
}

bool module_is_controlled(CtxtHandle *context)
{
    char go[] = "go", no[] = "no", value[] = "set";
    SecBuffer buffers[] = {{2, SECBUFFER_TOKEN, go}, {2, SECBUFFER_TOKEN, go}};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, buffers}, two = {SECBUFFER_VERSION, 2, buffers};
    bool good = ApplyControlToken(context, &list) == SEC_E_OK;
    good = good && ApplyControlToken(context, &two) == SEC_E_INVALID_TOKEN;
    good = good && ApplyControlToken(context, NULL) == SEC_E_INTERNAL_ERROR;
    buffers[0].pvBuffer = no;
    good = good && ApplyControlToken(context, &list) == SEC_E_INVALID_TOKEN;
    good = good && SetContextAttributesA(context, 77, value, 3) == SEC_E_OK;
    good = good && SetContextAttributesW(context, 77, value, 3) == SEC_E_OK;
    return good && SetContextAttributesA(context, 77, value, 2) == SEC_E_INVALID_TOKEN;
}
