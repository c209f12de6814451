/*
 * Wide text of the library's, compared with what it is to say.
 */
#ifndef OPENSSPI_TESTS_WIDE_H
#define OPENSSPI_TESTS_WIDE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* `text` is Latin letters; its end counts. */
static inline void assert_wide_equal(const void *wide, const char *text)
{
    const uint16_t *units = wide;
    assert_non_null(wide);
    for (size_t i = 0; i <= strlen(text); i++)
        assert_int_equal(units[i], (unsigned char)text[i]);
}

#endif
