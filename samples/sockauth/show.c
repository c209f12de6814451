/* SPDX-License-Identifier: MIT */
#include "show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#ifndef _WIN32
#include <sspi_ext.h>
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINE_MAX_LEN 1024 /* a longer line is cut */
#define BYTES_MAX 64      /* of a dump */

static const char *prefix = "sockauth";

void InitShow(const char *program)
{
    prefix = program;
}

static void Print(FILE *file, const char *line)
{
    fprintf(file, "%s: %s\n", prefix, line);
    fflush(file); /* Windows has no line buffering */
}

void Say(const char *format, ...)
{
    char line[LINE_MAX_LEN];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    Print(stdout, line);
}

void Complain(const char *format, ...)
{
    char line[LINE_MAX_LEN];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    Print(stderr, line);
}

void ComplainStatus(const char *what, SECURITY_STATUS status)
{
#ifdef OPENSSPI_VERSION
    char cause[LINE_MAX_LEN / 2];
    snprintf(cause, sizeof cause, "%s", OpenSspiLastErrorText());
    if (cause[0] != '\0') {
        Complain("%s: %s (%s)", what, StatusName(status), cause);
        return;
    }
#endif
    Complain("%s: %s", what, StatusName(status));
}

/* clang-format off */
#define NAMED(status) {status, #status}
static const struct {
    SECURITY_STATUS status;
    const char *name;
} statuses[] = {
    NAMED(SEC_E_OK), NAMED(SEC_I_CONTINUE_NEEDED), NAMED(SEC_I_COMPLETE_NEEDED), NAMED(SEC_I_COMPLETE_AND_CONTINUE),
    NAMED(SEC_E_INSUFFICIENT_MEMORY), NAMED(SEC_E_INVALID_HANDLE), NAMED(SEC_E_UNSUPPORTED_FUNCTION),
    NAMED(SEC_E_TARGET_UNKNOWN), NAMED(SEC_E_INTERNAL_ERROR), NAMED(SEC_E_SECPKG_NOT_FOUND), NAMED(SEC_E_NOT_OWNER),
    NAMED(SEC_E_INVALID_TOKEN), NAMED(SEC_E_QOP_NOT_SUPPORTED), NAMED(SEC_E_NO_IMPERSONATION),
    NAMED(SEC_E_LOGON_DENIED), NAMED(SEC_E_UNKNOWN_CREDENTIALS), NAMED(SEC_E_NO_CREDENTIALS),
    NAMED(SEC_E_MESSAGE_ALTERED), NAMED(SEC_E_OUT_OF_SEQUENCE), NAMED(SEC_E_NO_AUTHENTICATING_AUTHORITY),
    NAMED(SEC_E_CONTEXT_EXPIRED), NAMED(SEC_E_INCOMPLETE_MESSAGE), NAMED(SEC_E_BUFFER_TOO_SMALL),
    NAMED(SEC_E_WRONG_PRINCIPAL), NAMED(SEC_E_TIME_SKEW), NAMED(SEC_E_UNTRUSTED_ROOT), NAMED(SEC_E_ENCRYPT_FAILURE),
    NAMED(SEC_E_DECRYPT_FAILURE), NAMED(SEC_E_SECURITY_QOS_FAILED), NAMED(SEC_E_BAD_BINDINGS),
    NAMED(SEC_E_DELEGATION_POLICY), NAMED(SEC_E_CERT_EXPIRED), NAMED(SEC_E_CERT_UNKNOWN),
    NAMED(SEC_E_ALGORITHM_MISMATCH),
    NAMED(SEC_E_ILLEGAL_MESSAGE), NAMED(CERT_E_EXPIRED), NAMED(CERT_E_UNTRUSTEDROOT), NAMED(CERT_E_CHAINING),
    NAMED(CERT_E_CN_NO_MATCH), NAMED(CERT_E_WRONG_USAGE),
};
#undef NAMED

static const struct {
    const char *name;
    ULONG client, server;
} flag_names[] = {
    {"DELEGATE", ISC_RET_DELEGATE, ASC_RET_DELEGATE},
    {"MUTUAL_AUTH", ISC_RET_MUTUAL_AUTH, ASC_RET_MUTUAL_AUTH},
    {"REPLAY_DETECT", ISC_RET_REPLAY_DETECT, ASC_RET_REPLAY_DETECT},
    {"SEQUENCE_DETECT", ISC_RET_SEQUENCE_DETECT, ASC_RET_SEQUENCE_DETECT},
    {"CONFIDENTIALITY", ISC_RET_CONFIDENTIALITY, ASC_RET_CONFIDENTIALITY},
    {"USE_SESSION_KEY", ISC_RET_USE_SESSION_KEY, ASC_RET_USE_SESSION_KEY},
    {"DCE_STYLE", ISC_RET_USED_DCE_STYLE, ASC_RET_USED_DCE_STYLE},
    {"CONNECTION", ISC_RET_CONNECTION, ASC_RET_CONNECTION},
    {"EXTENDED_ERROR", ISC_RET_EXTENDED_ERROR, ASC_RET_EXTENDED_ERROR},
    {"INTEGRITY", ISC_RET_INTEGRITY, ASC_RET_INTEGRITY},
    {"IDENTIFY", ISC_RET_IDENTIFY, ASC_RET_IDENTIFY},
    {"STREAM", ISC_RET_STREAM, ASC_RET_STREAM},
    {"ALLOCATED_MEMORY", ISC_RET_ALLOCATED_MEMORY, ASC_RET_ALLOCATED_MEMORY},
    {"USED_SUPPLIED_CREDS", ISC_RET_USED_SUPPLIED_CREDS, 0},
    {"MANUAL_CRED_VALIDATION", ISC_RET_MANUAL_CRED_VALIDATION, 0},
    {"NULL_SESSION", ISC_RET_NULL_SESSION, ASC_RET_NULL_SESSION},
};
/* clang-format on */

const char *StatusName(SECURITY_STATUS status)
{
    static _Thread_local char number[16];
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].name;
    snprintf(number, sizeof number, "0x%08lX", (unsigned long)status & 0xFFFFFFFF);
    return number;
}

void SayBytes(const char *label, const BYTE *bytes, DWORD len)
{
    char hex[2 * BYTES_MAX + 1] = "";
    DWORD shown = len < BYTES_MAX ? len : BYTES_MAX;
    for (size_t i = 0; i < shown; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    Say("%-10s %s%s", label, hex, shown < len ? "..." : "");
}

/* Appends one character, escaped when it is not plain. */
static size_t Append(char *line, size_t used, size_t size, unsigned c)
{
    char one[8];
    if (c >= ' ' && c < 127)
        snprintf(one, sizeof one, "%c", (char)c);
    else
        snprintf(one, sizeof one, c < 256 ? "\\x%02x" : "\\u%04x", c & 0xFFFF);
    size_t len = strlen(one);
    if (used + len < size) {
        memcpy(line + used, one, len + 1);
        used += len;
    }
    return used;
}

void SayText(const char *label, const char *text, size_t len)
{
    char line[LINE_MAX_LEN - 64] = "";
    size_t used = 0;
    for (size_t i = 0; i < len; i++)
        used = Append(line, used, sizeof line, (unsigned char)text[i]);
    Say("%-10s %s", label, line);
}

void SayWide(const char *label, const SEC_WCHAR *text)
{
    char line[LINE_MAX_LEN - 64] = "";
    size_t used = 0;
    for (; *text != 0; text++)
        used = Append(line, used, sizeof line, *text);
    Say("%-10s %s", label, line);
}

void SayFlags(BOOL client, ULONG flags)
{
    char line[LINE_MAX_LEN / 2] = "";
    size_t used = 0;
    for (size_t i = 0; i < COUNT(flag_names); i++) {
        ULONG flag = client ? flag_names[i].client : flag_names[i].server;
        if ((flags & flag) == 0)
            continue;
        used += (size_t)snprintf(line + used, sizeof line - used, " %s", flag_names[i].name);
        flags &= ~flag;
    }
    if (flags != 0)
        snprintf(line + used, sizeof line - used, " 0x%lX", (unsigned long)flags);
    Say("%-10s%s", "flags", line);
}

/* Is the word this name of capitals, whatever its case? */
static BOOL SameWord(const char *word, size_t len, const char *name)
{
    if (strlen(name) != len)
        return FALSE;
    for (size_t i = 0; i < len; i++)
        if (word[i] != name[i] && (name[i] == '_' || word[i] != name[i] + ('a' - 'A')))
            return FALSE;
    return TRUE;
}

BOOL FlagsOf(BOOL client, const char *words, ULONG *flags)
{
    *flags = 0;
    while (*words != '\0') {
        size_t len = strcspn(words, ","), i;
        for (i = 0; i < COUNT(flag_names); i++)
            if (SameWord(words, len, flag_names[i].name))
                break;
        if (i == COUNT(flag_names))
            return FALSE;
        *flags |= client ? flag_names[i].client : flag_names[i].server;
        words += len;
        words += *words == ',';
    }
    return TRUE;
}

void Wipe(void *bytes, size_t len)
{
    volatile BYTE *byte = bytes;
    while (len-- > 0)
        *byte++ = 0;
}
