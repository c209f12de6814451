#include "base/utf16.h"

#include "base/memory.h"
#include "base/upper_table.h"

#include <string.h>

#define CODE_POINT_BAD UINT32_MAX

static bool is_surrogate(uint32_t value)
{
    return value >= 0xd800 && value <= 0xdfff;
}

/* For utf8_next alone: a code point of more than one byte. */
static uint32_t utf8_next_long(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *from = *at;
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    uint32_t code_point = from[0];
    unsigned n_more;

    if (code_point < 0xc2 || code_point > 0xf4)
        return CODE_POINT_BAD;
    n_more = code_point < 0xe0 ? 1 : code_point < 0xf0 ? 2 : 3;
    if ((size_t)(end - from) <= n_more)
        return CODE_POINT_BAD;
    code_point &= 0x3fU >> n_more;
    for (unsigned i = 1; i <= n_more; i++) {
        if ((from[i] & 0xc0) != 0x80)
            return CODE_POINT_BAD;
        code_point = code_point << 6 | (from[i] & 0x3fU);
    }
    if (code_point < smallest[n_more] || code_point > 0x10ffff || is_surrogate(code_point))
        return CODE_POINT_BAD;
    *at = from + n_more + 1;
    return code_point;
}

/* RFC 3629, section 4: the next code point, shortest form only; CODE_POINT_BAD leaves the cursor where it was, but for NUL, which is refused too. */
static inline uint32_t utf8_next(const uint8_t **at, const uint8_t *end)
{
    uint8_t first = **at;

    if (first >= 0x80)
        return utf8_next_long(at, end);
    ++*at;
    return first != 0 ? first : CODE_POINT_BAD;
}

static size_t utf8_len(uint32_t code_point)
{
    return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

static uint8_t *utf8_put(uint8_t *to, uint32_t code_point)
{
    size_t len = utf8_len(code_point);
    static const uint8_t lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};

    for (size_t i = len - 1; i > 0; i--) {
        to[i] = (uint8_t)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    to[0] = (uint8_t)(lead[len] | code_point);
    return to + len;
}

/* Units lie in memory in either byte order and at any alignment. */
static uint16_t unit_load(const uint8_t *at, bool swapped)
{
    uint16_t unit;

    memcpy(&unit, at, 2);
    return swapped ? __builtin_bswap16(unit) : unit;
}

static void unit_store(uint8_t *at, uint16_t unit, bool swapped)
{
    if (swapped)
        unit = __builtin_bswap16(unit);
    memcpy(at, &unit, 2);
}

/* Wire order, little-endian, is foreign to a big-endian host. */
#define WIRE_SWAPPED (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/* RFC 2781, section 2.2: the next code point; CODE_POINT_BAD for a lone surrogate or NUL. */
static uint32_t utf16_next(const uint8_t **at, const uint8_t *end, bool swapped)
{
    uint32_t unit = unit_load(*at, swapped), low;

    *at += 2;
    if (!is_surrogate(unit))
        return unit != 0 ? unit : CODE_POINT_BAD;
    if (unit >= 0xdc00 || *at == end)
        return CODE_POINT_BAD;
    low = unit_load(*at, swapped);
    if (low < 0xdc00 || low > 0xdfff)
        return CODE_POINT_BAD;
    *at += 2;
    return 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
}

static enum wire_result decoded_len(const uint8_t *bytes, const uint8_t *end, bool swapped, size_t *len)
{
    *len = 0;
    for (const uint8_t *at = bytes; at != end;) {
        uint32_t code_point = utf16_next(&at, end, swapped);

        require(code_point != CODE_POINT_BAD, WIRE_BAD);
        *len += utf8_len(code_point);
    }
    return WIRE_OK;
}

/* Counts first, so that what is kept for long is no larger than it must be. */
static enum wire_result decode(const uint8_t *bytes, size_t n_units, bool swapped, char **text)
{
    const uint8_t *end = n_units != 0 ? bytes + 2 * n_units : bytes;
    uint8_t *fresh, *to;
    size_t len;

    try(decoded_len(bytes, end, swapped, &len));
    fresh = mem_zalloc(len + 1);
    require(fresh != NULL, WIRE_BAD);
    to = fresh;
    for (const uint8_t *at = bytes; at != end;)
        to = utf8_put(to, utf16_next(&at, end, swapped));
    *text = (char *)fresh;
    return WIRE_OK;
}

enum wire_result utf16le_to_text(struct slice utf16, char **text)
{
    require(utf16.len % 2 == 0, WIRE_BAD);
    return decode(utf16.data, utf16.len / 2, WIRE_SWAPPED, text);
}

bool utf16le_valid(struct slice utf16)
{
    size_t len;

    return utf16.len % 2 == 0 &&
           decoded_len(utf16.data, utf16.len != 0 ? utf16.data + utf16.len : utf16.data, WIRE_SWAPPED, &len) == WIRE_OK;
}

enum wire_result utf16_to_text(const uint16_t *units, size_t n_units, char **text)
{
    require(n_units <= SIZE_MAX / 2, WIRE_BAD);
    return decode((const uint8_t *)units, n_units, false, text);
}

/* Unicode's general categories Cc, Cf, Zl and Zp, without the signs of Cf that are seen (Prepended_Concatenation_Mark), and with the code points
 * among them that are kept for more of the same. */
bool code_point_steers(uint32_t code_point)
{
    static const uint32_t ranges[][2] = {{0x00, 0x1f},       {0x7f, 0x9f},      {0xad, 0xad},       {0x61c, 0x61c},
                                         {0x180e, 0x180e},   {0x200b, 0x200f},  {0x2028, 0x202e},   {0x2060, 0x206f},
                                         {0xfeff, 0xfeff},   {0xfff9, 0xfffb},  {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},
                                         {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code_point >= ranges[i][0] && code_point <= ranges[i][1])
            return true;
    return false;
}

size_t utf8_steering_len(const uint8_t *at, size_t left)
{
    if (left == 0)
        return 0;
    if (at[0] < 0x80) /* NUL too, which is no text */
        return code_point_steers(at[0]) ? 1 : 0;
    const uint8_t *after = at;
    uint32_t code_point = utf8_next(&after, at + left);
    return code_point != CODE_POINT_BAD && code_point_steers(code_point) ? (size_t)(after - at) : 0;
}

size_t utf8_forging_len(const uint8_t *at, size_t left)
{
    static const char spelling[][4] = {"\xc2\xad", "\xe2\x80\x8c", "\xe2\x80\x8d"};
    size_t len = utf8_steering_len(at, left);
    for (size_t i = 0; i < sizeof(spelling) / sizeof(spelling[0]); i++)
        if (len == strlen(spelling[i]) && memcmp(at, spelling[i], len) == 0)
            return 0;
    return len;
}

void text_calm(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        for (size_t n = utf8_steering_len((const uint8_t *)text + i, len - i); n > 0; n--)
            text[i + n - 1] = '?';
    const uint8_t *at = (const uint8_t *)text, *end = at + len;
    while (at != end) {
        const uint8_t *bad = at;
        if (utf8_next(&at, end) == CODE_POINT_BAD) { /* a name that never was text, or a character cut in two */
            text[bad - (const uint8_t *)text] = '?';
            at = bad + 1;
        }
    }
}

/* Units that `text` takes in UTF-16; false when it is not UTF-8. NULL counts as empty. */
static bool units_count(struct slice text, size_t *n_units)
{
    const uint8_t *at = text.data, *end = text.len != 0 ? at + text.len : at;
    size_t count = 0;
    uint32_t code_point;

    while (at != end) {
        code_point = utf8_next(&at, end);
        if (code_point == CODE_POINT_BAD)
            return false;
        count += code_point < 0x10000 ? 1 : 2;
    }
    *n_units = count;
    return true;
}

/* `text` must have passed units_count. */
static void encode(struct slice text, uint8_t *to, bool swapped)
{
    const uint8_t *at = text.data, *end = text.len != 0 ? at + text.len : at;
    uint32_t code_point;

    while (at != end) {
        code_point = utf8_next(&at, end);
        if (code_point >= 0x10000) {
            unit_store(to, (uint16_t)(0xd800 + ((code_point - 0x10000) >> 10)), swapped);
            to += 2;
            code_point = 0xdc00 + (code_point & 0x3ff);
        }
        unit_store(to, (uint16_t)code_point, swapped);
        to += 2;
    }
}

enum wire_result utf16le_write(struct writer *writer, const char *text)
{
    struct slice utf8 = slice_of_text(text);
    size_t n_units;
    uint8_t *to;

    require(units_count(utf8, &n_units), WIRE_BAD);
    to = writer_room(writer, 2 * n_units);
    require(!writer->failed, WIRE_BAD);
    if (n_units != 0)
        encode(utf8, to, WIRE_SWAPPED);
    return WIRE_OK;
}

enum wire_result utf16le_secret(struct secret *secret, const char *text)
{
    AUTO_WRITER struct writer units = writer_growing(utf16le_len(text) + 1);

    try(utf16le_write(&units, text));
    return secret_set(secret, units.data, units.len) ? WIRE_OK : WIRE_BAD;
}

enum wire_result utf16_from_text(const char *text, uint16_t **units, size_t *n_units)
{
    struct slice utf8 = slice_of_text(text);
    size_t count;
    uint16_t *fresh;

    require(units_count(utf8, &count), WIRE_BAD);
    fresh = mem_zalloc_array(count + 1, sizeof(*fresh));
    require(fresh != NULL, WIRE_BAD);
    encode(utf8, (uint8_t *)fresh, false);
    *units = fresh;
    if (n_units != NULL)
        *n_units = count;
    return WIRE_OK;
}

size_t utf16le_len(const char *text)
{
    size_t n_units;

    return units_count(slice_of_text(text), &n_units) ? 2 * n_units : 0;
}

size_t utf16_units(const uint16_t *units)
{
    size_t count = 0;

    while (units != NULL && units[count] != 0)
        count++;
    return count;
}

bool utf8_valid(struct slice text)
{
    size_t n_units, n_plain = 0;

    while (n_plain < text.len && text.data[n_plain] != 0 &&
           text.data[n_plain] < 0x80) /* nearly all names, all of them */
        n_plain++;
    return n_plain == text.len || units_count(slice_of(text.data + n_plain, text.len - n_plain), &n_units);
}

uint16_t utf16_upper(uint16_t unit)
{
    if (unit < 0x80)
        return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - ('a' - 'A')) : unit;
    return (uint16_t)(unit + upper_delta[upper_block[unit >> UPPER_BLOCK_BITS]][unit & (UPPER_BLOCK_LEN - 1)]);
}

void utf16le_upper(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        unit_store(bytes + i, utf16_upper(unit_load(bytes + i, WIRE_SWAPPED)), WIRE_SWAPPED);
}

static uint32_t upper(uint32_t code_point)
{
    return code_point < 0x10000 ? utf16_upper((uint16_t)code_point) : code_point;
}

char *text_upper(const char *text)
{
    struct slice utf8 = slice_of_text(text);
    const uint8_t *end;
    size_t len = 0;
    uint8_t *fresh, *to;

    if (text == NULL || !utf8_valid(utf8))
        return NULL;
    end = utf8.data + utf8.len;
    /* A capital may take more bytes than its small letter (U+0250 and U+2C6F) or fewer (U+2C65 and U+023A). */
    for (const uint8_t *at = utf8.data; at != end;)
        len += utf8_len(upper(utf8_next(&at, end)));
    fresh = mem_zalloc(len + 1);
    if (fresh == NULL)
        return NULL;
    to = fresh;
    for (const uint8_t *at = utf8.data; at != end;)
        to = utf8_put(to, upper(utf8_next(&at, end)));
    return (char *)fresh;
}

bool utf8_equal_fold(struct slice a, struct slice b)
{
    const uint8_t *a_end, *b_end;
    uint32_t a_point, b_point;

    if (a.data == NULL || b.data == NULL)
        return false;
    a_end = a.data + a.len;
    b_end = b.data + b.len;
    while (a.data != a_end && b.data != b_end) {
        a_point = utf8_next(&a.data, a_end);
        b_point = utf8_next(&b.data, b_end);
        /* Text that is not UTF-8 equals nothing, not even itself: nobody may log on by a name that can not be read. */
        if (a_point == CODE_POINT_BAD || b_point == CODE_POINT_BAD || upper(a_point) != upper(b_point))
            return false;
    }
    return a.data == a_end && b.data == b_end;
}

bool text_equal_fold(const char *a, const char *b)
{
    return utf8_equal_fold(slice_of_text(a), slice_of_text(b));
}
