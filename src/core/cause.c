#include "core/cause.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/trace.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char text[CAUSE_TEXT_MAX];

SECURITY_STATUS(cause_set)(SECURITY_STATUS status, const char *format, ...)
{
    if (text[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        text_calm(text, strlen(text)); /* names from the wire must not forge a log or drive a terminal */
        TRACE("cause", "0x%08x %s", (unsigned)status, text);
    }
    return status;
}

void cause_clear(void)
{
    text[0] = '\0';
    mem_refused_forget();
}

void cause_drop(void)
{
    text[0] = '\0';
}

bool cause_is_memory(void)
{
    if (!mem_refused())
        return false;
    cause_drop();
    (void)cause_set(SEC_E_INSUFFICIENT_MEMORY, "there was no memory");
    return true;
}

const char *cause_text(void)
{
    return text;
}
