/*
 * Is a file what it was when it was read? For what is kept of files in memory.
 */
#ifndef OPENSSPI_BASE_FILE_STATE_H
#define OPENSSPI_BASE_FILE_STATE_H

#include <stdbool.h>
#include <sys/stat.h>

/* Two looks at one path: the same file, with nothing written to it and nothing changed about it (owner, mode, its times set back) between them. A
 * look comes before the reading, so that a change in between is seen by the next one. */
static inline bool file_state_equal(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

#endif
