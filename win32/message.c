/* FormatMessage: escapes and inserts (Microsoft, FormatMessage; observed behaviour), and the words of messages_table.h. */
#include "crt.h"
#include "format.h"

#include "unicode.h"
#include <limits.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <winbase.h>

#include "messages_table.h"

#define INSERTS_MAX 99
#define SPEC_MAX 32 /* of an insert, without its exclamation marks */

struct message {
    bool wide;
    DWORD flags;
    const void *text;
    size_t n;
    va_list *list; /* NULL: an array, or nothing */
    const DWORD_PTR *array;
    DWORD_PTR fetched[INSERTS_MAX + 2]; /* of the list; an insert may take a width and a precision besides */
    size_t n_fetched;
    size_t line;  /* where the current line of the output begins */
    size_t blank; /* the last place in it where it may be broken; 0: none */
};

static int compare_code(const void *key, const void *entry)
{
    uint32_t a = *(const uint32_t *)key, b = ((const struct message_entry *)entry)->code;
    return (a > b) - (a < b);
}

static const char *words_of(uint32_t code)
{
    const struct message_entry *entry =
        bsearch(&code, message_entries, sizeof message_entries / sizeof message_entries[0], sizeof message_entries[0],
                compare_code);
    return entry == NULL ? NULL : entry->words;
}

/* What the system says of a code, with CR LF behind it: fresh text of UTF-8. */
static char *system_message(DWORD code)
{
    const char *words = words_of(code);
    if (words == NULL && (code & 0xFFFF0000) == 0x80070000) /* a system error code as an HRESULT */
        words = words_of(code & 0xFFFF);
    if (words == NULL && (code & 0xF0000000) == 0xD0000000) /* an NTSTATUS as an HRESULT */
        words = words_of(code & ~(DWORD)0x10000000);
    if (words == NULL)
        words = OpenSspiStatusName((SECURITY_STATUS)code); /* a status without words of its own: better than nothing */
    if (*words == '\0') {
        SetLastError(ERROR_MR_MID_NOT_FOUND);
        return NULL;
    }
    size_t len = strlen(words);
    char *text = malloc(len + 3);
    if (text == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    snprintf(text, len + 3, "%s\r\n", words);
    return text;
}

static unsigned at(const struct message *message, size_t i)
{
    if (i >= message->n)
        return 0;
    return message->wide ? ((const WCHAR *)message->text)[i] : ((const unsigned char *)message->text)[i];
}

/* Breaks a line that has become too long at its last blank, in the output itself. */
static void wrap(struct message *message, struct text_out *out)
{
    size_t width = message->flags & FORMAT_MESSAGE_MAX_WIDTH_MASK;
    if (width == 0 || width == FORMAT_MESSAGE_MAX_WIDTH_MASK || out->n - message->line <= width || message->blank == 0)
        return;
    size_t unit = message->wide ? sizeof(WCHAR) : 1, from = message->blank;
    text_out_unit(out, 0); /* one more than the blank had */
    if (out->failed)
        return;
    char *room = out->room;
    memmove(room + (from + 1) * unit, room + from * unit, (out->n - 1 - from) * unit);
    if (message->wide) {
        ((WCHAR *)out->room)[from - 1] = '\r';
        ((WCHAR *)out->room)[from] = '\n';
    } else {
        room[from - 1] = '\r';
        room[from] = '\n';
    }
    message->line = from + 1;
    message->blank = 0;
}

static void put(struct message *message, struct text_out *out, unsigned unit)
{
    text_out_unit(out, unit);
    if (unit == ' ')
        message->blank = out->n;
    else
        wrap(message, out);
}

static void put_break(struct message *message, struct text_out *out)
{
    text_out_unit(out, '\r');
    text_out_unit(out, '\n');
    message->line = out->n;
    message->blank = 0;
}

/* Makes sure that the first n arguments are there. */
static bool fetch(struct message *message, size_t n)
{
    if (message->list == NULL)
        return message->array != NULL;
    while (message->n_fetched < n)
        message->fetched[message->n_fetched++] = va_arg(*message->list, DWORD_PTR);
    return true;
}

/* %n or %n!format!; *i is behind the number. */
static bool put_insert(struct message *message, struct text_out *out, size_t number, size_t *i)
{
    unsigned spec[SPEC_MAX + 2] = {'%', 's'};
    size_t n_spec = 2, stars = 0;
    if (at(message, *i) == '!') {
        n_spec = 1;
        for ((*i)++; at(message, *i) != '!'; (*i)++) {
            if (*i >= message->n || n_spec > SPEC_MAX)
                return false;
            spec[n_spec] = at(message, *i);
            stars += spec[n_spec++] == '*';
        }
        (*i)++;
    }
    WCHAR wide[SPEC_MAX + 2];
    char narrow[SPEC_MAX + 2];
    for (size_t k = 0; k < n_spec; k++) {
        wide[k] = (WCHAR)spec[k];
        narrow[k] = (char)spec[k];
    }
    if (stars > 2 || !fetch(message, number + stars))
        return false;
    /* An array's length is its caller's word. */
    struct format_arguments arguments = {.array = message->list != NULL ? message->fetched : message->array,
                                         .n_array = number + stars,
                                         .next = number - 1,
                                         .no_float = true};
    struct text_out insert = {.wide = message->wide, .grows = true};
    bool good = format_run(&insert, message->wide ? (const void *)wide : narrow, n_spec, &arguments);
    for (size_t k = 0; good && k < insert.n; k++)
        put(message, out, message->wide ? ((WCHAR *)insert.room)[k] : ((unsigned char *)insert.room)[k]);
    text_out_free(&insert);
    return good;
}

/* Behind a percent sign. FALSE: the message ends here, *good says how. */
static bool put_escape(struct message *message, struct text_out *out, size_t *i, bool *good)
{
    unsigned c = at(message, *i);
    *good = true;
    if (c >= '1' && c <= '9') {
        size_t number = c - '0';
        (*i)++;
        c = at(message, *i);
        if (c >= '0' && c <= '9') {
            number = number * 10 + (c - '0');
            (*i)++;
        }
        *good = put_insert(message, out, number, i);
        return *good;
    }
    if (*i >= message->n) { /* a percent sign at the end means nothing */
        *good = false;
        return false;
    }
    (*i)++;
    switch (c) {
    case '0':
        return false;
    case 'n':
        put_break(message, out);
        return true;
    case 'r':
        text_out_unit(out, '\r');
        return true;
    case 't':
        put(message, out, '\t');
        return true;
    default:
        put(message, out, c);
        return true;
    }
}

/* Whether what follows a percent sign is one. Where inserts are ignored those for breaks and the end still count (observed), and a lone sign is still
 * an error. */
static bool is_escape(const struct message *message, size_t i)
{
    unsigned c = at(message, i);
    if ((message->flags & FORMAT_MESSAGE_IGNORE_INSERTS) == 0)
        return true;
    return c == 0 || c == 'n' || c == 'r' || c == 't' || c == '0';
}

static bool compose(struct message *message, struct text_out *out)
{
    bool one_line = (message->flags & FORMAT_MESSAGE_MAX_WIDTH_MASK) != 0;
    for (size_t i = 0; i < message->n;) {
        unsigned c = at(message, i++);
        bool good;
        if (c == '%' && is_escape(message, i)) {
            if (!put_escape(message, out, &i, &good))
                return good;
        } else if (c == '\r' || c == '\n') {
            if (c == '\r' && at(message, i) == '\n')
                i++;
            if (one_line)
                put(message, out, ' ');
            else
                put_break(message, out);
        } else {
            put(message, out, c);
        }
    }
    return true;
}

/* Where the message comes from. The text is fresh where *fresh is set. */
static bool find(struct message *message, LPCVOID source, DWORD id, DWORD language, void **fresh)
{
    if ((message->flags & FORMAT_MESSAGE_FROM_STRING) != 0) {
        if (source == NULL) {
            SetLastError(ERROR_INVALID_PARAMETER);
            return false;
        }
        message->text = source;
    } else if ((message->flags & FORMAT_MESSAGE_FROM_SYSTEM) != 0) {
        if (PRIMARYLANGID(language) != LANG_NEUTRAL && PRIMARYLANGID(language) != LANG_ENGLISH) {
            SetLastError(ERROR_RESOURCE_LANG_NOT_FOUND);
            return false;
        }
        char *text = system_message(id);
        if (text == NULL)
            return false;
        *fresh = text;
        if (message->wide) {
            *fresh = utf16_of(text);
            free(text);
            if (*fresh == NULL)
                return false;
        }
        message->text = *fresh;
    } else {
        /* Modules have no messages here; without any source there is nothing to format. */
        SetLastError((message->flags & FORMAT_MESSAGE_FROM_HMODULE) != 0 ? ERROR_MR_MID_NOT_FOUND
                                                                         : ERROR_INVALID_PARAMETER);
        return false;
    }
    message->n = message->wide ? opensspi_wcslen(message->text) : strlen(message->text);
    return true;
}

static DWORD hand_over(const struct message *message, struct text_out *out, void *buffer, DWORD size)
{
    size_t unit = message->wide ? sizeof(WCHAR) : 1;
    void *to = buffer;
    if (out->n > INT_MAX || out->n == 0) {
        SetLastError(out->n == 0 ? ERROR_NO_WORK_DONE : ERROR_MORE_DATA);
        return 0;
    }
    if ((message->flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0) {
        to = LocalAlloc(LMEM_ZEROINIT, (out->n + 1 > size ? out->n + 1 : size) * unit);
        if (to == NULL)
            return 0;
        memcpy(buffer, &to, sizeof to);
    } else if (out->n >= size) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return 0;
    }
    memcpy(to, out->room, (out->n + 1) * unit);
    return (DWORD)out->n;
}

static DWORD format_message(bool wide, DWORD flags, LPCVOID source, DWORD id, DWORD language, void *buffer, DWORD size,
                            va_list *arguments)
{
    struct message message = {.wide = wide, .flags = flags};
    if (buffer == NULL) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return 0;
    }
    if ((flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0)
        memset(buffer, 0, sizeof(void *));
    if ((flags & FORMAT_MESSAGE_ARGUMENT_ARRAY) != 0)
        message.array = (const DWORD_PTR *)(const void *)arguments;
    else
        message.list = arguments;
    void *fresh = NULL;
    DWORD result = 0;
    if (find(&message, source, id, language, &fresh)) {
        struct text_out out = {.wide = wide, .grows = true};
        bool good = compose(&message, &out);
        if (good)
            text_out_end(&out);
        if (out.failed)
            SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        else if (!good)
            SetLastError(ERROR_INVALID_PARAMETER);
        else
            result = hand_over(&message, &out, buffer, size);
        text_out_free(&out);
    }
    free(fresh);
    return result;
}

DWORD FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPSTR lpBuffer,
                     DWORD nSize, va_list *Arguments)
{
    return format_message(false, dwFlags, lpSource, dwMessageId, dwLanguageId, lpBuffer, nSize, Arguments);
}

DWORD FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD dwLanguageId, LPWSTR lpBuffer,
                     DWORD nSize, va_list *Arguments)
{
    return format_message(true, dwFlags, lpSource, dwMessageId, dwLanguageId, lpBuffer, nSize, Arguments);
}
