#include "api/certificates.h"

#include "base/memory.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "certificates/armour.h"
#include "certificates/names.h"
#include "certificates/object.h"
#include "core/last_error.h"
#include <string.h>

/* Names. */

/* As answer_status; and whoever got an empty name, or none, sees by the last error that nothing went wrong. */
static BOOL name_answer(SECURITY_STATUS status)
{
    if (status != SEC_E_OK)
        return answer_status(status);
    last_error_set(0);
    return TRUE;
}

/* Several texts, NUL after NUL, into UTF-16. */
static uint16_t *widen(const char *utf8, size_t len, size_t *n_units)
{
    uint16_t *units = mem_zalloc_array(len, sizeof *units); /* never more units than bytes */
    size_t n = 0;
    for (size_t at = 0; units != NULL && at < len;) {
        AUTO_FREE uint16_t *piece = NULL;
        size_t n_piece = 0;
        if (utf16_from_text(utf8 + at, &piece, &n_piece) != WIRE_OK) {
            mem_free(units);
            return NULL;
        }
        memcpy(units + n, piece, (n_piece + 1) * sizeof *units);
        n += n_piece + 1;
        at += strlen(utf8 + at) + 1;
    }
    *n_units = n;
    return units;
}

/* May wide text that is given end before this place? One text between two characters; a list between two texts, since half a name is another name,
 * and behind it nothing would end the list. */
static bool may_end(const uint16_t *units, bool list, size_t at)
{
    if (list)
        return at == 0 || units[at - 1] == 0;
    return (units[at] & 0xFC00) != 0xDC00;
}

/* Writes texts (`len` bytes of UTF-8 with their NULs) to the caller by the rules of CertNameToStr: cut to the room, the needed or written characters
 * with the last NUL returned. 0 when there is no memory. */
static DWORD text_give(const char *utf8, size_t len, bool wide, bool list, void *room, DWORD n_room)
{
    AUTO_FREE uint16_t *units = NULL;
    size_t needed = len;
    if (wide) {
        units = widen(utf8, len, &needed);
        require(units != NULL, 0);
    }
    if (room == NULL || n_room == 0)
        return (DWORD)needed;
    size_t written = needed <= n_room ? needed : n_room, whole = written - 1;
    size_t unit = wide ? sizeof *units : 1;
    const void *text = wide ? (const void *)units : utf8;
    if (needed > n_room && !wide) { /* no half of a text, and no other one, as on Windows: it is empty */
        *(char *)room = '\0';
        return 1;
    }
    while (needed > n_room && whole > 0 && !may_end(units, list, whole))
        whole--;
    memcpy(room, text, whole * unit);
    memset((char *)room + whole * unit, 0, (written - whole) * unit);
    return (DWORD)written;
}

/* Only this encoding of names there is; for others Windows looks for a file that would know them. */
static SECURITY_STATUS encoding_check(DWORD encoding)
{
    return (encoding & CERT_ENCODING_TYPE_MASK) == X509_ASN_ENCODING
               ? SEC_E_OK
               : cause_set(ERROR_FILE_NOT_FOUND, "dwCertEncodingType 0x%x is not X509_ASN_ENCODING",
                           (unsigned)encoding);
}

static DWORD name_to_text(DWORD encoding, PCERT_NAME_BLOB name, DWORD form, bool wide, void *room, DWORD n_room)
{
    AUTO_FREE char *text = NULL;
    cause_clear();
    SECURITY_STATUS status = encoding_check(encoding);
    if (name == NULL)
        status = argument_missing("pName");
    else if (status == SEC_E_OK)
        status = name_text(slice_of(name->pbData, name->cbData), form, &text);
    (void)name_answer(status);
    return text != NULL ? text_give(text, strlen(text) + 1, wide, false, room, n_room)
                        : text_give("", 1, wide, false, room, n_room);
}

DWORD WINAPI CertNameToStrW(DWORD dwCertEncodingType, PCERT_NAME_BLOB pName, DWORD dwStrType, LPWSTR psz, DWORD csz)
{
    return name_to_text(dwCertEncodingType, pName, dwStrType, true, psz, csz);
}

DWORD WINAPI CertNameToStrA(DWORD dwCertEncodingType, PCERT_NAME_BLOB pName, DWORD dwStrType, LPSTR psz, DWORD csz)
{
    return name_to_text(dwCertEncodingType, pName, dwStrType, false, psz, csz);
}

/* Where the text is wrong, in characters of the caller's. */
static SECURITY_STATUS name_from_text(DWORD encoding, const char *utf8, DWORD form, BYTE *encoded, DWORD *n_encoded,
                                      size_t *wrong)
{
    AUTO_WRITER struct writer der = writer_growing(256);
    try(name_parse(utf8, form, &der, wrong));
    try(encoding_check(encoding));
    DWORD room = *n_encoded;
    *n_encoded = (DWORD)der.len;
    if (encoded == NULL)
        return SEC_E_OK;
    require(room >= der.len, ERROR_MORE_DATA);
    memcpy(encoded, der.data, der.len);
    return SEC_E_OK;
}

BOOL WINAPI CertStrToNameW(DWORD dwCertEncodingType, LPCWSTR pszX500, DWORD dwStrType, void *pvReserved,
                           BYTE *pbEncoded, DWORD *pcbEncoded, LPCWSTR *ppszError)
{
    AUTO_FREE char *utf8 = NULL;
    size_t wrong = SIZE_MAX;
    cause_clear();
    if (ppszError != NULL)
        *ppszError = NULL;
    if (pszX500 == NULL || pcbEncoded == NULL || pvReserved != NULL)
        return answer_status(argument_missing("pszX500 or pcbEncoded"));
    SECURITY_STATUS status = argument_text_w(pszX500, &utf8);
    if (status == SEC_E_OK)
        status = name_from_text(dwCertEncodingType, utf8, dwStrType, pbEncoded, pcbEncoded, &wrong);
    if (wrong != SIZE_MAX && ppszError != NULL) {
        size_t n_units = 0;
        for (size_t i = 0; i < wrong; i++) /* each character once, those of four bytes are two units */
            n_units += ((uint8_t)utf8[i] & 0xC0) == 0x80 ? 0 : (uint8_t)utf8[i] >= 0xF0 ? 2 : 1;
        *ppszError = pszX500 + n_units;
    }
    return name_answer(status);
}

BOOL WINAPI CertStrToNameA(DWORD dwCertEncodingType, LPCSTR pszX500, DWORD dwStrType, void *pvReserved, BYTE *pbEncoded,
                           DWORD *pcbEncoded, LPCSTR *ppszError)
{
    AUTO_FREE char *utf8 = NULL;
    size_t wrong = SIZE_MAX;
    cause_clear();
    if (ppszError != NULL)
        *ppszError = NULL;
    if (pszX500 == NULL || pcbEncoded == NULL || pvReserved != NULL)
        return answer_status(argument_missing("pszX500 or pcbEncoded"));
    SECURITY_STATUS status = argument_text_a(pszX500, &utf8);
    if (status == SEC_E_OK)
        status = name_from_text(dwCertEncodingType, utf8, dwStrType, pbEncoded, pcbEncoded, &wrong);
    if (wrong != SIZE_MAX && ppszError != NULL)
        *ppszError = pszX500 + wrong;
    return name_answer(status);
}

static DWORD name_string(PCCERT_CONTEXT context, DWORD type, DWORD flags, const void *parameter, bool wide, void *room,
                         DWORD n_room)
{
    AUTO_FREE char *text = NULL;
    size_t len = 0;
    cause_clear();
    SECURITY_STATUS status = context == NULL ? argument_missing("pCertContext")
                                             : name_of_certificate(context, type, flags, parameter, &text, &len);
    (void)name_answer(status);
    bool list = type == CERT_NAME_DNS_TYPE && (flags & CERT_NAME_SEARCH_ALL_NAMES_FLAG) != 0;
    return text != NULL ? text_give(text, len, wide, list, room, n_room) : text_give("", 1, wide, false, room, n_room);
}

DWORD WINAPI CertGetNameStringW(PCCERT_CONTEXT pCertContext, DWORD dwType, DWORD dwFlags, void *pvTypePara,
                                LPWSTR pszNameString, DWORD cchNameString)
{
    return name_string(pCertContext, dwType, dwFlags, pvTypePara, true, pszNameString, cchNameString);
}

DWORD WINAPI CertGetNameStringA(PCCERT_CONTEXT pCertContext, DWORD dwType, DWORD dwFlags, void *pvTypePara,
                                LPSTR pszNameString, DWORD cchNameString)
{
    return name_string(pCertContext, dwType, dwFlags, pvTypePara, false, pszNameString, cchNameString);
}

/* Bytes as text. */

static SECURITY_STATUS binary_give(struct slice text, DWORD flags, BYTE *binary, DWORD *n_binary, DWORD *skip,
                                   DWORD *form)
{
    AUTO_SECRET struct secret made = {0}; /* it may be a private key's */
    struct armour_read found = {0};
    DWORD room = *n_binary, wanted = flags & CRYPT_STRING_ENCODEMASK;
    bool hex = wanted == CRYPT_STRING_HEX || wanted == CRYPT_STRING_HEXRAW;
    require(text.len <= UINT32_MAX,
            cause_set(ERROR_INVALID_PARAMETER, "a text of more characters than a DWORD can count bytes of"));
    require(secret_alloc(&made, text.len + 1), SEC_E_INSUFFICIENT_MEMORY);
    struct writer writer = writer_fixed(made.data, made.len);
    SECURITY_STATUS status = armour_read(text, flags, &writer, &found);
    require(writer_finish(&writer) == WIRE_OK, cause_set(SEC_E_INTERNAL_ERROR, "more bytes than characters"));
    struct slice bytes = writer_slice_of(&writer);
    if (hex) { /* as far as it goes, as on Windows */
        if (binary != NULL && bytes.len > 0)
            memcpy(binary, bytes.data, bytes.len < room ? bytes.len : room);
        if (skip != NULL)
            *skip = 0;
        if (form != NULL)
            *form = 0;
        if (status != SEC_E_OK && binary == NULL)
            *n_binary = 0;
    }
    try(status);
    require(binary == NULL || room >= bytes.len,
            ERROR_MORE_DATA); /* not how many: Windows tells that without room only */
    if (binary != NULL && bytes.len > 0)
        memcpy(binary, bytes.data, bytes.len);
    *n_binary = (DWORD)bytes.len;
    if (skip != NULL)
        *skip = (DWORD)found.skip;
    if (form != NULL)
        *form = found.form;
    return SEC_E_OK;
}

/* Forms in which a NUL within the length that was given is no end. */
static bool all_counts(DWORD flags)
{
    DWORD form = flags & CRYPT_STRING_ENCODEMASK;
    return form == CRYPT_STRING_BINARY || form == CRYPT_STRING_HEX || form == CRYPT_STRING_HEXRAW;
}

BOOL WINAPI CryptStringToBinaryA(LPCSTR pszString, DWORD cchString, DWORD dwFlags, BYTE *pbBinary, DWORD *pcbBinary,
                                 DWORD *pdwSkip, DWORD *pdwFlags)
{
    cause_clear();
    if (pszString == NULL || pcbBinary == NULL)
        return answer_status(cause_set(ERROR_INVALID_PARAMETER, "pszString or pcbBinary is missing"));
    bool whole = all_counts(dwFlags);
    size_t len = cchString == 0 ? strlen(pszString) : (whole ? cchString : strnlen(pszString, cchString));
    return answer_status(binary_give(slice_of(pszString, len), dwFlags, pbBinary, pcbBinary, pdwSkip, pdwFlags));
}

BOOL WINAPI CryptStringToBinaryW(LPCWSTR pszString, DWORD cchString, DWORD dwFlags, BYTE *pbBinary, DWORD *pcbBinary,
                                 DWORD *pdwSkip, DWORD *pdwFlags)
{
    cause_clear();
    if (pszString == NULL || pcbBinary == NULL)
        return answer_status(cause_set(ERROR_INVALID_PARAMETER, "pszString or pcbBinary is missing"));
    bool binary = (dwFlags & CRYPT_STRING_ENCODEMASK) == CRYPT_STRING_BINARY;
    size_t n_units = 0, max = cchString == 0 ? SIZE_MAX : cchString;
    while (n_units < max && (pszString[n_units] != 0 || (all_counts(dwFlags) && cchString != 0)))
        n_units++;
    if (n_units == 0 && (dwFlags & CRYPT_STRING_ENCODEMASK) == CRYPT_STRING_HEX)
        return answer_status(cause_set(ERROR_INVALID_PARAMETER, "an empty pszString"));
    AUTO_SECRET struct secret narrow = {0}; /* it may be a private key's */
    if (!secret_alloc(&narrow, n_units + 1))
        return answer_status(SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 0; i < n_units; i++) /* none of the forms has characters past 7 bits; 0xFF is none of them */
        narrow.data[i] = pszString[i] <= 0x7F || binary ? (uint8_t)pszString[i] : 0xFF;
    return answer_status(binary_give(slice_of(narrow.data, n_units), dwFlags, pbBinary, pcbBinary, pdwSkip, pdwFlags));
}

static bool is_hex(DWORD flags)
{
    switch (flags & CRYPT_STRING_ENCODEMASK) {
    case CRYPT_STRING_HEX:
    case CRYPT_STRING_HEXASCII:
    case CRYPT_STRING_HEXADDR:
    case CRYPT_STRING_HEXASCIIADDR:
    case CRYPT_STRING_HEXRAW:
        return true;
    default:
        return false;
    }
}

/* What Windows writes where there is room for `n` characters of more: base64 without an end, of HEXRAW whole pairs with a NUL; else nothing, and
 * nothing in wide text. */
static size_t begun_len(DWORD flags, bool wide, size_t n)
{
    DWORD form = flags & CRYPT_STRING_ENCODEMASK;
    if (wide || form == CRYPT_STRING_BINARY || (is_hex(flags) && (form != CRYPT_STRING_HEXRAW || n < 3)))
        return 0;
    return form == CRYPT_STRING_HEXRAW ? (n - 1) / 2 * 2 + 1 : n;
}

static SECURITY_STATUS string_give(struct slice bytes, DWORD flags, bool wide, void *room, DWORD *n_room)
{
    AUTO_SECRET struct secret made = {0}; /* the bytes may be a private key's */
    bool has_nul = (flags & CRYPT_STRING_ENCODEMASK) != CRYPT_STRING_BINARY;
    uint64_t len;
    try(armour_size(bytes.len, flags, &len));
    require(len < UINT32_MAX, cause_set(ERROR_INVALID_PARAMETER, "the text has more characters than a DWORD counts"));
    size_t needed = (size_t)len + (has_nul ? 1 : 0), n = room == NULL || *n_room > needed ? needed : *n_room;
    size_t begun = n == needed ? n : begun_len(flags, wide, n);
    if (room == NULL || n == needed || !is_hex(flags)) /* of hexadecimal digits Windows tells without room only */
        *n_room = (DWORD)needed;
    if (room == NULL || begun == 0)
        return room == NULL || needed == 0 ? SEC_E_OK : ERROR_MORE_DATA;
    require(secret_alloc(&made, needed + 1), SEC_E_INSUFFICIENT_MEMORY);
    struct writer writer = writer_fixed(made.data, (size_t)len);
    try(armour_write(bytes, flags, &writer));
    require(writer_finish(&writer) == WIRE_OK && writer.len == len,
            cause_set(SEC_E_INTERNAL_ERROR, "a text of %zu characters, not of %zu", writer.len, (size_t)len));
    struct slice text = writer_slice_of(&writer);
    for (size_t i = 0; i < begun; i++) {
        uint8_t c = i < text.len && (i + 1 < begun || !is_hex(flags)) ? text.data[i] : 0;
        if (wide && has_nul) /* bytes stay bytes, in a wide string too */
            ((WCHAR *)room)[i] = c;
        else
            ((uint8_t *)room)[i] = c;
    }
    require(n == needed, ERROR_MORE_DATA);
    *n_room = (DWORD)text.len;
    return SEC_E_OK;
}

static BOOL binary_to_string(const BYTE *binary, DWORD n_binary, DWORD flags, bool wide, void *room, DWORD *n_room)
{
    cause_clear();
    if (binary == NULL || n_room == NULL)
        return answer_status(cause_set(ERROR_INVALID_PARAMETER, "pbBinary or pcchString is missing"));
    return answer_status(string_give(slice_of(binary, n_binary), flags, wide, room, n_room));
}

BOOL WINAPI CryptBinaryToStringW(const BYTE *pbBinary, DWORD cbBinary, DWORD dwFlags, LPWSTR pszString,
                                 DWORD *pcchString)
{
    return binary_to_string(pbBinary, cbBinary, dwFlags, true, pszString, pcchString);
}

BOOL WINAPI CryptBinaryToStringA(const BYTE *pbBinary, DWORD cbBinary, DWORD dwFlags, LPSTR pszString,
                                 DWORD *pcchString)
{
    return binary_to_string(pbBinary, cbBinary, dwFlags, false, pszString, pcchString);
}

/* Objects. */

static SECURITY_STATUS query(DWORD type, const void *object, DWORD contents, DWORD formats, struct object_found *found)
{
    AUTO_FREE char *path = NULL;
    const CRYPT_DATA_BLOB *blob = object;
    require(object != NULL, argument_missing("pvObject"));
    switch (type) {
    case CERT_QUERY_OBJECT_FILE:
        try(argument_text_w(object, &path));
        return object_query_file(path, contents, formats, found);
    case CERT_QUERY_OBJECT_BLOB:
        return object_query(slice_of(blob->pbData, blob->cbData), contents, formats, found);
    default:
        return cause_set(E_INVALIDARG, "objects are files or blobs, not %u", type);
    }
}

static void number_give(DWORD *place, DWORD number)
{
    if (place != NULL)
        *place = number;
}

BOOL WINAPI CryptQueryObject(DWORD dwObjectType, const void *pvObject, DWORD dwExpectedContentTypeFlags,
                             DWORD dwExpectedFormatTypeFlags, DWORD dwFlags, DWORD *pdwMsgAndCertEncodingType,
                             DWORD *pdwContentType, DWORD *pdwFormatType, HCERTSTORE *phCertStore, HCRYPTMSG *phMsg,
                             const void **ppvContext)
{
    struct object_found found = {0};
    cause_clear();
    (void)dwFlags;
    if (!answer_status(query(dwObjectType, pvObject, dwExpectedContentTypeFlags, dwExpectedFormatTypeFlags, &found)))
        return FALSE;
    number_give(pdwMsgAndCertEncodingType, found.encoding);
    number_give(pdwContentType, found.content);
    number_give(pdwFormatType, found.format);
    if (phMsg != NULL)
        *phMsg = NULL;
    if (phCertStore != NULL) {
        *phCertStore = found.store;
        found.store = NULL;
    }
    if (ppvContext != NULL) {
        *ppvContext = found.single;
        found.single = NULL;
    }
    object_found_release(&found);
    return TRUE;
}
