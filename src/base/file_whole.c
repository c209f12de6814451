#include "base/file_whole.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

enum file_whole file_whole_read(int fd, const struct stat *before, uint8_t *bytes)
{
    size_t len = (size_t)before->st_size, done = 0;
    struct stat after;
    while (done < len) {
        ssize_t got = read(fd, bytes + done, len - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FILE_WHOLE_FAILED;
        if (got == 0)
            return FILE_WHOLE_CHANGED;
        done += (size_t)got;
    }
    if (fstat(fd, &after) != 0)
        return FILE_WHOLE_FAILED;
    /* Not its last change as well: a name that it gained or lost meanwhile says nothing about what was read. */
    return after.st_size == before->st_size && after.st_mtim.tv_sec == before->st_mtim.tv_sec &&
                   after.st_mtim.tv_nsec == before->st_mtim.tv_nsec
               ? FILE_WHOLE
               : FILE_WHOLE_CHANGED;
}
