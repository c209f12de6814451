#include "foreign/module.h"

#include "base/memory.h"
#include "core/cause.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who can write the file, or put another in its place, runs in this process. */
static SECURITY_STATUS place_check(const char *path, bool directory)
{
    struct stat status;
    SECURITY_STATUS bad = SEC_E_CANNOT_INSTALL;
    require(stat(path, &status) == 0, cause_set(bad, "%s: %s", path, strerror(errno)));
    require(directory ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode),
            cause_set(bad, "%s: not an ordinary file", path));
    require(status.st_uid == 0 || status.st_uid == geteuid(),
            cause_set(bad, "%s: must belong to root or to user %lu", path, (unsigned long)geteuid()));
    /* Of a directory with the sticky bit nobody takes away what is not theirs. */
    bool sticky = directory && (status.st_mode & S_ISVTX) != 0;
    require((status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || sticky,
            cause_set(bad, "%s: others may write it (mode %04o)", path, (unsigned)(status.st_mode & 07777)));
    return SEC_E_OK;
}

SECURITY_STATUS foreign_path_check(const char *path, char **real)
{
    char resolved[PATH_MAX];
    require(path[0] == '/', cause_set(SEC_E_SECPKG_NOT_FOUND,
                                      "\"%.128s\": a security package's module is named by its absolute path", path));
    if (realpath(path, resolved) == NULL)
        return cause_set(errno == ENOENT || errno == ENOTDIR ? SEC_E_SECPKG_NOT_FOUND : SEC_E_CANNOT_INSTALL,
                         "%.256s: %s", path, strerror(errno));
    AUTO_FREE char *copy = mem_strdup(resolved);
    require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(place_check(resolved, false));
    for (char *slash = strrchr(resolved, '/'); slash != NULL; slash = strrchr(resolved, '/')) {
        *slash = '\0';
        try(place_check(slash == resolved ? "/" : resolved, true));
    }
    *real = STEAL(copy);
    return SEC_E_OK;
}
