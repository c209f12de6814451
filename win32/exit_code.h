/*
 * Exit codes of Windows, which have 32 bits, as those of the system, which have 8.
 */
#ifndef OPENSSPI_WIN32_EXIT_CODE_H
#define OPENSSPI_WIN32_EXIT_CODE_H

/* A failure stays one: a code whose low byte is 0 would be a success to who waits for the process. */
static inline int exit_code_of(unsigned code)
{
    return code != 0 && (code & 0xFF) == 0 ? 0xFF : (int)code;
}

#endif
