/*
 * What the programs of this folder print for tests/interop/test_support.py, which writes docs/support.md of it: a line an answer,
 * TABLE <tab> NAME <tab> ROLE <tab> STATUS <tab> WORD. STATUS is 0 for what worked, else the code as eight hexadecimal digits; WORD says more of what
 * worked.
 */
#ifndef OPENSSPI_TRUTH_H
#define OPENSSPI_TRUTH_H

#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((unused)) static void report(const char *table, const char *name, const char *role,
                                           SECURITY_STATUS status, const char *word)
{
    printf("%s\t%s\t%s\t%08X\t%s\n", table, name, role, (unsigned)status, word != NULL ? word : "");
}

/* A function that works on no package: what it said, and whether a function that answers by a last error did what it should. */
__attribute__((unused)) static void said(const char *name, SECURITY_STATUS status)
{
    report("other", name, "", status, NULL);
}

__attribute__((unused)) static void did(const char *name, int worked)
{
    ULONG error = OpenSspiLastError();
    report("other", name, "", worked ? SEC_E_OK : error != 0 ? (SECURITY_STATUS)error : SEC_E_INTERNAL_ERROR, NULL);
}

/* The program itself went wrong: no answer would be true. */
__attribute__((noreturn, unused)) static void broken(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, OpenSspiLastErrorText());
    exit(1);
}

/* What a function freed that answers nothing: the block is not the library's any more, which says so of it. */
__attribute__((unused)) static int is_gone(void *block)
{
    return block != NULL && FreeContextBuffer(block) == SEC_E_INVALID_HANDLE;
}

/* UTF-16 of ASCII, in one of some buffers that are used in turn. */
__attribute__((unused)) static SEC_WCHAR *wide(const char *text)
{
    static _Thread_local SEC_WCHAR rooms[8][512];
    static _Thread_local unsigned next;
    SEC_WCHAR *room = rooms[next++ % 8];
    size_t len = strnlen(text, 511);
    for (size_t i = 0; i < len; i++)
        room[i] = (unsigned char)text[i];
    room[len] = 0;
    return room;
}

#endif
