#include "accounts/store.h"
#include "core/cause.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool owner_trusted(const struct stat *status)
{
    return status->st_uid == 0 || status->st_uid == geteuid();
}

/* Puts the resolved directory of `path`, a slash and its last component into `real`. */
static SECURITY_STATUS path_resolve(const char *path, char *real)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t directory_len = slash == NULL ? 0 : (size_t)(slash - path);
    if (directory_len >= sizeof(directory) || *name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: not the name of an account file", path);
    memcpy(directory, path, directory_len);
    directory[directory_len] = '\0';
    const char *start = slash == NULL ? "." : directory_len == 0 ? "/" : directory;
    if (realpath(start, real) == NULL) {
        if (errno == ENOENT)
            return SEC_E_NO_CREDENTIALS;
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", start, strerror(errno));
    }
    size_t real_len = strlen(real);
    if (real_len == 1)
        real_len = 0; /* the root directory brings its own slash */
    if (real_len + 1 + strlen(name) >= PATH_MAX)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: the path is too long", path);
    real[real_len] = '/';
    memcpy(real + real_len + 1, name, strlen(name) + 1);
    return SEC_E_OK;
}

static SECURITY_STATUS directory_check(char *real)
{
    struct stat status;
    char *slash = strrchr(real, '/');
    *slash = '\0';
    const char *directory = slash == real ? "/" : real;
    SECURITY_STATUS answer = SEC_E_OK;
    if (stat(directory, &status) != 0)
        answer = cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", directory, strerror(errno));
    else if (!owner_trusted(&status))
        answer = cause_set(SEC_E_INTERNAL_ERROR,
                           "%s: the directory of an account file must belong to root or to user %lu; chown it",
                           directory, (unsigned long)geteuid());
    else if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        answer = cause_set(SEC_E_INTERNAL_ERROR,
                           "%s: others may write in the directory of an account file; chmod 0700 it", directory);
    *slash = '/';
    return answer;
}

SECURITY_STATUS store_path_check(const char *path, char *real)
{
    struct stat status = {0};
    SECURITY_STATUS resolved = path_resolve(path, real);
    require(resolved == SEC_E_OK, resolved);
    /* O_PATH never opens the file itself: closing an ordinary descriptor would drop the POSIX locks of every SQLite connection
     * that this process has to the same file. */
    int file = open(real, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return SEC_E_NO_CREDENTIALS;
    int failed = file < 0 || fstat(file, &status) != 0 ? errno : 0;
    if (file >= 0)
        close(file);
    if (failed != 0)
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", real, strerror(failed));
    if (S_ISLNK(status.st_mode))
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: an account file must not be a symbolic link", real);
    if (!S_ISREG(status.st_mode))
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: not an ordinary file", real);
    if (!owner_trusted(&status))
        return cause_set(SEC_E_INTERNAL_ERROR, "%s: an account file must belong to root or to user %lu; chown it", real,
                         (unsigned long)geteuid());
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return cause_set(SEC_E_INTERNAL_ERROR,
                         "%s: others may read or write the account file (mode %04o); chmod 0600 it", real,
                         (unsigned)(status.st_mode & 07777));
    return directory_check(real);
}

SECURITY_STATUS store_directory_check(const char *path)
{
    char real[PATH_MAX];
    SECURITY_STATUS status = path_resolve(path, real);
    if (status == SEC_E_NO_CREDENTIALS)
        return SEC_E_OK;
    return status != SEC_E_OK ? status : directory_check(real);
}
