/*
 * A small file, whole and of one state: what is read while somebody writes may be the beginning of one text and the end of another.
 */
#ifndef OPENSSPI_BASE_FILE_WHOLE_H
#define OPENSSPI_BASE_FILE_WHOLE_H

#include <stdint.h>
#include <sys/stat.h>

enum file_whole {
    FILE_WHOLE,
    FILE_WHOLE_FAILED,  /* errno says why */
    FILE_WHOLE_CHANGED, /* it is not what it was at `before`; another try may find it at rest */
};

/* Reads the before->st_size bytes that the regular file had at `before`, an fstat of this descriptor, from where the descriptor stands. What `bytes`
 * has then counts only with FILE_WHOLE. A state is told by length and time of the last writing: one of the same length within the clock's step
 * passes unseen. */
enum file_whole file_whole_read(int fd, const struct stat *before, uint8_t *bytes);

#endif
