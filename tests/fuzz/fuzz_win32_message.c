/*
 * Formats of FormatMessage, in both widths, and what %n!...! hands to the formatter; text translated there and back.
 */
#include "fuzz/world.h"
#include <crt.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define ARGUMENTS 101 /* %99 with a width and a precision */
#define ROOM 4096

/* Text of either width; for %Z a counted string, too, whose length the first letter is. */
static WCHAR counted[64];
static const struct {
    WCHAR wide[4];
    const void *buffer;
} text = {.wide = {'a', 'b', 0, 0}, .buffer = counted};

static void format_both(const char *format, const WCHAR *wide, DWORD flags)
{
    static char narrow_out[ROOM];
    static WCHAR wide_out[ROOM];
    DWORD_PTR arguments[ARGUMENTS];
    for (size_t i = 0; i < ARGUMENTS; i++)
        arguments[i] = (DWORD_PTR)&text;
    flags |= FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_ARGUMENT_ARRAY;
    DWORD n = FormatMessageA(flags, format, 0, 0, narrow_out, ROOM, (va_list *)arguments);
    MUST(n < ROOM && (n == 0 || narrow_out[n] == '\0'));
    n = FormatMessageW(flags, wide, 0, 0, wide_out, ROOM, (va_list *)arguments);
    MUST(n < ROOM && (n == 0 || wide_out[n] == 0));
    LPWSTR made = NULL;
    DWORD again = FormatMessageW(flags | FORMAT_MESSAGE_ALLOCATE_BUFFER, wide, 0, 0, (LPWSTR)(void *)&made, 0,
                                 (va_list *)arguments);
    MUST(n == 0 || (again == n && memcmp(made, wide_out, (n + 1) * sizeof(WCHAR)) == 0));
    LocalFree(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1024)
        return 0;
    char *format = calloc(size, 1);
    MUST(format != NULL);
    memcpy(format, data + 2, size - 2);
    int n = MultiByteToWideChar(CP_UTF8, 0, format, -1, NULL, 0);
    MUST(n > 0);
    WCHAR *wide = calloc((size_t)n, sizeof *wide);
    MUST(wide != NULL && MultiByteToWideChar(CP_UTF8, 0, format, -1, wide, n) == n);
    int back = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, n, NULL, 0, NULL, NULL);
    MUST(back > 0); /* what came of it is text */
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, format, -1, NULL, 0) == n)
        MUST((size_t)back == strlen(format) + 1);
    format_both(format, wide, (DWORD)(data[0] & 1 ? FORMAT_MESSAGE_IGNORE_INSERTS : 0) | data[1]);
    free(wide);
    free(format);
    return 0;
}
