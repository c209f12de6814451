/*
 * Times as Kerberos writes them, beside the C library's calendar: the first and the last second of days of eight thousand years, and what is no time.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kerberos/time_text.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define DAY_OF_2110 51134
#define LAST_DAY 2932896 /* of the year 9999 */

static void second(int64_t time)
{
    uint8_t text[KRB_TIME_LEN];
    char expected[64];
    struct tm parts;
    time_t seconds = (time_t)time;
    int64_t back;
    assert_non_null(gmtime_r(&seconds, &parts));
    snprintf(expected, sizeof expected, "%04d%02d%02d%02d%02d%02dZ", parts.tm_year + 1900, parts.tm_mon + 1,
             parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    assert_true(krb_time_text(time, text));
    assert_int_equal(strlen(expected), sizeof text);
    assert_memory_equal(text, expected, sizeof text);
    assert_int_equal(krb_time_parse(slice_of(text, sizeof text), &back), WIRE_OK);
    assert_int_equal(back, time);
}

static void day(int64_t number)
{
    second(number * DAY);
    second(number * DAY + DAY - 1);
}

static void as_the_c_library(void **state)
{
    (void)state;
    for (int64_t number = 0; number < DAY_OF_2110; number++)
        day(number);
    for (int64_t number = DAY_OF_2110; number <= LAST_DAY;
         number += 13) /* each day of the month, and of the year, some year */
        day(number);
    day(LAST_DAY);
    for (int year = 2110; year <= 9999; year++) {
        struct tm parts = {.tm_year = year - 1900, .tm_mday = 1};
        int64_t first = (int64_t)timegm(&parts) / DAY;
        static const int around[] = {-1, 0, 30, 31, 58, 59, 60, 364};
        for (size_t i = 0; i < COUNT_OF(around); i++)
            day(first + around[i]);
    }
    for (int64_t time = 0; time < DAY; time += 61)
        second(INT64_C(1800000000) / DAY * DAY + time);
}

static void no_times(void **state)
{
    (void)state;
    static const char *const wrong[] = {"19691231235959Z", "20260229000000Z", "21000229000000Z", "20260431000000Z",
                                        "20261301000000Z", "20260001000000Z", "20260100000000Z", "20260132000000Z",
                                        "20260101240000Z", "20260101006000Z", "20260101000061Z", "20260101000000z",
                                        "2026010100000 Z", "-0260101000000Z", "20260101000000+", "00000000000000Z",
                                        "19000229000000Z", "20260230000000Z", "2026010100+000Z", "19851106210627."};
    uint8_t text[KRB_TIME_LEN];
    int64_t time = 7;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(krb_time_parse(slice_of(wrong[i], KRB_TIME_LEN), &time), WIRE_BAD);
    for (size_t len = 0; len < KRB_TIME_LEN; len++)
        assert_int_equal(krb_time_parse(slice_of("20260101000000Z", len), &time), WIRE_BAD);
    assert_int_equal(krb_time_parse(slice_of("20260101000000ZZ", KRB_TIME_LEN + 1), &time), WIRE_BAD);
    assert_int_equal(krb_time_parse(slice_of("19851106210627.3Z", KRB_TIME_LEN + 2), &time), WIRE_BAD);
    assert_int_equal(time, 7);
    assert_int_equal(krb_time_parse(slice_of("19851106210627Z", KRB_TIME_LEN), &time), WIRE_OK); /* RFC 4120 5.2.3 */
    assert_int_equal(time, 500159187);
    assert_int_equal(krb_time_parse(slice_of("20161231235960Z", KRB_TIME_LEN), &time), WIRE_OK); /* a leap second */
    assert_int_equal(time, 1483228800);
    assert_false(krb_time_text(-1, text));
    assert_false(krb_time_text((LAST_DAY + 1) * INT64_C(86400), text));
    assert_false(krb_time_text(INT64_MAX, text));
    assert_false(krb_time_text(INT64_MIN, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_c_library),
        cmocka_unit_test(no_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
