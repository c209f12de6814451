#include "server.h"

#include <stdarg.h>
#include <stdio.h>

/* To standard error, which systemd keeps; never a secret. */
void log_line(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "opensspi-lsad: %s\n", text);
}
