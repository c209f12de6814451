#include "kerberos/time_text.h"

#include "base/memory.h"

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    static const int before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t past = year - 1; /* whole years before, from which the leap days come */
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 + before[month - 1] + day - 1;
    return days + (is_leap(year) && month > 2 ? 1 : 0) - 719162;
}

static int number_of(const uint8_t *digits, size_t n_digits)
{
    int value = 0;
    for (size_t i = 0; i < n_digits; i++) {
        require(digits[i] >= '0' && digits[i] <= '9', -1);
        value = value * 10 + (digits[i] - '0');
    }
    return value;
}

#define DAY_SECONDS 86400
#define TIME_MAX INT64_C(253402300799) /* the last second of the year 9999 */

enum wire_result krb_time_parse(struct slice text, int64_t *time)
{
    static const size_t digits[6] = {4, 2, 2, 2, 2, 2};
    static const int low[6] = {1970, 1, 1, 0, 0, 0}, high[6] = {9999, 12, 31, 23, 59, 60};
    int value[6];
    require(text.len == KRB_TIME_LEN && text.data[KRB_TIME_LEN - 1] == 'Z', WIRE_BAD);
    for (size_t i = 0, at = 0; i < COUNT_OF(digits); at += digits[i], i++) {
        value[i] = number_of(text.data + at, digits[i]);
        require(value[i] >= low[i] && value[i] <= high[i], WIRE_BAD);
    }
    require(value[2] <= month_days(value[0], value[1]), WIRE_BAD);
    int64_t hours = days_of(value[0], value[1], value[2]) * 24 + value[3];
    *time = (hours * 60 + value[4]) * 60 + value[5];
    return WIRE_OK;
}

/* The date of a day since 1970-01-01. */
static void date_of(int64_t days, int date[3])
{
    int year = (int)(1970 + days * 400 / 146097); /* so many days have 400 years: the day's, or one beside it */
    while (days_of(year, 1, 1) > days)
        year--;
    while (days_of(year + 1, 1, 1) <= days)
        year++;
    int day = (int)(days - days_of(year, 1, 1)), month = 1;
    for (int len; day >= (len = month_days(year, month)); month++)
        day -= len;
    date[0] = year;
    date[1] = month;
    date[2] = day + 1;
}

static uint8_t *digits_put(uint8_t *at, int number, size_t n_digits)
{
    for (size_t i = n_digits; i-- > 0; number /= 10)
        at[i] = (uint8_t)('0' + number % 10);
    return at + n_digits;
}

bool krb_time_text(int64_t time, uint8_t text[KRB_TIME_LEN])
{
    uint8_t *at = text;
    int date[3], seconds;
    require(time >= 0 && time <= TIME_MAX, false);
    date_of(time / DAY_SECONDS, date);
    seconds = (int)(time % DAY_SECONDS);
    at = digits_put(digits_put(digits_put(at, date[0], 4), date[1], 2), date[2], 2);
    at = digits_put(digits_put(digits_put(at, seconds / 3600, 2), seconds / 60 % 60, 2), seconds % 60, 2);
    *at = 'Z';
    return true;
}
