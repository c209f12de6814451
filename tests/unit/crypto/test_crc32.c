#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/digest.h"
#include "reference.h"

/* One bit at a time, as ISO 3309 (and RFC 1952, section 8) defines it. */
static uint32_t bit_by_bit(uint32_t crc, const uint8_t *data, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

static void check_value(void **state)
{
    (void)state;
    /* The check value of CRC-32/ISO-HDLC in the Catalogue of parametrised CRC algorithms. */
    assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_update(0, NULL, 0), 0);
    assert_int_equal(crc32_update(0, "\0", 1), 0xd202ef8d);
}

static void agrees_with_the_definition(void **state)
{
    uint8_t input[300];
    uint64_t seed = 8;

    (void)state;
    random_fill(&seed, input, sizeof(input));
    for (size_t from = 0; from < 8; from++)
        for (size_t len = 0; len + from <= sizeof(input); len++)
            assert_int_equal(crc32_update(0, input + from, len), bit_by_bit(0, input + from, len));
}

static void pieces_make_no_difference(void **state)
{
    uint8_t input[100];
    uint64_t seed = 9;

    (void)state;
    random_fill(&seed, input, sizeof(input));
    for (size_t split = 0; split <= sizeof(input); split++)
        assert_int_equal(crc32_update(crc32_update(0, input, split), input + split, sizeof(input) - split),
                         crc32_update(0, input, sizeof(input)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_value),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(pieces_make_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
