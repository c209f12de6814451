#include "certificates/names.h"

#include "base/hex.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "base/writer.h"
#include "certificates/certificate.h"
#include "certificates/internal.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <openssl/x509v3.h>
#include <string.h>

void name_safe_write(struct writer *writer, const unsigned char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t steering = utf8_forging_len(text + i, len - i);
        if (steering > 0)
            writer_bytes(writer, "\xef\xbf\xbd", 3);
        else
            writer_u8(writer, text[i]);
        i += steering > 0 ? steering : 1;
    }
}

/* Microsoft, CertNameToStr: a value is quoted when it has one of these, or spaces at an end; quotes in it are doubled. */
static bool needs_quotes(const unsigned char *text, size_t len)
{
    if (len == 0)
        return true;
    if (text[0] == ' ' || text[len - 1] == ' ')
        return true;
    for (size_t i = 0; i < len; i++)
        if (text[i] != 0 && strchr(",+=\"\n<>#;", text[i]) != NULL)
            return true;
    return false;
}

static void quoted_write(struct writer *writer, const unsigned char *text, size_t len, bool quote)
{
    if (!quote || !needs_quotes(text, len)) {
        name_safe_write(writer, text, len);
        return;
    }
    writer_u8(writer, '"');
    while (len > 0) { /* up to a quote, and that one twice */
        const unsigned char *at = memchr(text, '"', len);
        size_t piece = at != NULL ? (size_t)(at - text) + 1 : len;
        name_safe_write(writer, text, piece);
        if (at != NULL)
            writer_u8(writer, '"');
        text += piece;
        len -= piece;
    }
    writer_u8(writer, '"');
}

/* A value that is no text is written as # and its encoding in hexadecimal digits. */
static void value_write(struct writer *writer, ASN1_STRING *value, bool quote)
{
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, value);
    AUTO_OPENSSL(block) unsigned char *owner = text;
    if (len >= 0) {
        quoted_write(writer, text, (size_t)len, quote);
        return;
    }
    writer_u8(writer, '#');
    hex_write(writer, slice_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)), true);
}

/* One without a key is written as OID.1.2.3. */
static void key_write(struct writer *writer, const ASN1_OBJECT *object, DWORD form)
{
    char oid[128];
    int len = OBJ_obj2txt(oid, sizeof oid, object, 1);
    if (form == CERT_SIMPLE_NAME_STR || len <= 0)
        return;
    const char *key = form == CERT_X500_NAME_STR ? name_key(oid) : NULL;
    if (form == CERT_X500_NAME_STR && key == NULL)
        writer_bytes(writer, "OID.", 4);
    writer_slice(writer, slice_of_text(key != NULL ? key : oid));
    writer_u8(writer, '=');
}

static const char *separator_of(DWORD form)
{
    if ((form & CERT_NAME_STR_CRLF_FLAG) != 0)
        return "\r\n";
    if ((form & CERT_NAME_STR_SEMICOLON_FLAG) != 0)
        return "; ";
    return ", ";
}

static SECURITY_STATUS name_write(struct writer *writer, const X509_NAME *name, DWORD form)
{
    DWORD kind = (form & 0xFFFF) == 0 ? CERT_SIMPLE_NAME_STR : form & 0xFFFF;
    int n_entries = X509_NAME_entry_count(name), last_set = -1;
    bool reverse = (form & CERT_NAME_STR_REVERSE_FLAG) != 0;
    const char *plus = (form & CERT_NAME_STR_NO_PLUS_FLAG) != 0 ? " " : " + ";
    require(kind <= CERT_X500_NAME_STR, cause_set(E_INVALIDARG, "names have no form %u", kind));
    for (int i = 0; i < n_entries; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, reverse ? n_entries - 1 - i : i);
        int set = X509_NAME_ENTRY_set(entry);
        if (i > 0)
            writer_slice(writer, slice_of_text(set == last_set ? plus : separator_of(form)));
        last_set = set;
        key_write(writer, X509_NAME_ENTRY_get_object(entry), kind);
        value_write(writer, X509_NAME_ENTRY_get_data(entry), (form & CERT_NAME_STR_NO_QUOTING_FLAG) == 0);
    }
    return SEC_E_OK;
}

static SECURITY_STATUS text_of_writer(struct writer *writer, char **text, size_t *len)
{
    writer_u8(writer, 0);
    *text = (char *)writer_steal(writer, len);
    return *text == NULL ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

SECURITY_STATUS name_text(struct slice der, DWORD form, char **text)
{
    OPENSSL_QUIET;
    AUTO_WRITER struct writer writer = writer_growing(256);
    const unsigned char *at = der.data;
    size_t len;
    require(der.data != NULL && der.len <= CERTIFICATE_MAX, cause_set(CRYPT_E_ASN1_BADTAG, "no name was given"));
    AUTO_OPENSSL(name) X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    require(name != NULL && at == der.data + der.len,
            cause_set(CRYPT_E_ASN1_BADTAG, "these bytes are not one name in DER"));
    try(name_write(&writer, name, form));
    return text_of_writer(&writer, text, &len);
}

/* CertGetNameString. */

static SECURITY_STATUS attribute_write(struct writer *writer, X509_NAME *name, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    require(object != NULL, cause_set(E_INVALIDARG, "this is not an object identifier in dots"));
    int at = X509_NAME_get_index_by_OBJ(name, object, -1);
    /* The most specific one counts: the last (Windows shows it, too). */
    for (int next = at; next >= 0; next = X509_NAME_get_index_by_OBJ(name, object, at))
        at = next;
    ASN1_OBJECT_free(object);
    require(at >= 0, CRYPT_E_NOT_FOUND);
    value_write(writer, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), false);
    return SEC_E_OK;
}

/* The principal name in an otherName (UPN): a UTF8String. */
static const ASN1_STRING *upn_of(const GENERAL_NAME *name)
{
    char oid[64];
    require(name->type == GEN_OTHERNAME && name->d.otherName->value->type == V_ASN1_UTF8STRING, NULL);
    (void)OBJ_obj2txt(oid, sizeof oid, name->d.otherName->type_id, 1);
    return strcmp(oid, szOID_NT_PRINCIPAL_NAME) == 0 ? name->d.otherName->value->value.utf8string : NULL;
}

static const ASN1_STRING *alternative_of(const GENERAL_NAME *name, int type)
{
    if (type == GEN_OTHERNAME)
        return upn_of(name);
    return name->type == type ? name->d.ia5 : NULL;
}

/* The first alternative name of a type, or `all` of them, each but the last with its NUL. */
static SECURITY_STATUS alternative_write(struct writer *writer, const X509 *x509, bool issuer, int type, bool all)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, issuer ? NID_issuer_alt_name : NID_subject_alt_name, NULL, NULL);
    unsigned found = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && (all || found == 0); i++) {
        const ASN1_STRING *text = alternative_of(sk_GENERAL_NAME_value(names, i), type);
        if (text == NULL || ASN1_STRING_length(text) == 0 ||
            !utf8_valid(slice_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text))))
            continue;
        if (found++ > 0)
            writer_u8(writer, 0);
        name_safe_write(writer, ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
    }
    GENERAL_NAMES_free(names);
    return found > 0 ? SEC_E_OK : CRYPT_E_NOT_FOUND;
}

static SECURITY_STATUS simple_write(struct writer *writer, const X509 *x509, X509_NAME *name, bool issuer)
{
    static const char *const order[] = {szOID_COMMON_NAME, szOID_ORGANIZATIONAL_UNIT_NAME, szOID_ORGANIZATION_NAME,
                                        szOID_RSA_emailAddr};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        SECURITY_STATUS status = attribute_write(writer, name, order[i]);
        if (status != CRYPT_E_NOT_FOUND)
            return status;
    }
    static const int types[] = {GEN_EMAIL, GEN_DNS, GEN_URI};
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (alternative_write(writer, x509, issuer, types[i], false) == SEC_E_OK)
            return SEC_E_OK;
    require(X509_NAME_entry_count(name) > 0, CRYPT_E_NOT_FOUND);
    value_write(writer, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, 0)), false);
    return SEC_E_OK;
}

static SECURITY_STATUS friendly_write(struct writer *writer, struct certificate *certificate)
{
    AUTO_FREE uint8_t *data = NULL;
    AUTO_FREE char *text = NULL;
    size_t len = 0;
    try(certificate_property_bytes(certificate, CERT_FRIENDLY_NAME_PROP_ID, &data, &len));
    while (len >= 2 && data[len - 2] == 0 && data[len - 1] == 0)
        len -= 2;
    require(len > 0 && utf16le_to_text(slice_of(data, len), &text) == WIRE_OK, CRYPT_E_NOT_FOUND);
    name_safe_write(writer, (const unsigned char *)text, strlen(text));
    return SEC_E_OK;
}

static SECURITY_STATUS typed_write(struct writer *writer, struct certificate *certificate, DWORD type, DWORD flags,
                                   const void *parameter)
{
    const X509 *x509 = certificate->x509;
    bool issuer = (flags & CERT_NAME_ISSUER_FLAG) != 0, all = (flags & CERT_NAME_SEARCH_ALL_NAMES_FLAG) != 0;
    X509_NAME *name = issuer ? X509_get_issuer_name(x509) : X509_get_subject_name(x509);
    SECURITY_STATUS status;
    DWORD form = CERT_SIMPLE_NAME_STR;
    require(!all || type == CERT_NAME_DNS_TYPE, CRYPT_E_NOT_FOUND); /* Windows has no other lists, and no name either */
    switch (type) {
    case CERT_NAME_EMAIL_TYPE:
        status = alternative_write(writer, x509, issuer, GEN_EMAIL, false);
        return status != CRYPT_E_NOT_FOUND ? status : attribute_write(writer, name, szOID_RSA_emailAddr);
    case CERT_NAME_RDN_TYPE:
        if (parameter != NULL)
            memcpy(&form, parameter, sizeof form);
        return name_write(writer, name, form);
    case CERT_NAME_ATTR_TYPE:
        status = attribute_write(writer, name, parameter == NULL ? szOID_RSA_emailAddr : parameter);
        return status != CRYPT_E_NOT_FOUND || parameter != NULL ? status
                                                                : attribute_write(writer, name, szOID_COMMON_NAME);
    case CERT_NAME_SIMPLE_DISPLAY_TYPE:
        return simple_write(writer, x509, name, issuer);
    case CERT_NAME_FRIENDLY_DISPLAY_TYPE:
        status = issuer ? CRYPT_E_NOT_FOUND : friendly_write(writer, certificate);
        return status != CRYPT_E_NOT_FOUND ? status : simple_write(writer, x509, name, issuer);
    case CERT_NAME_DNS_TYPE:
        status = alternative_write(writer, x509, issuer, GEN_DNS, all);
        return status != CRYPT_E_NOT_FOUND ? status : attribute_write(writer, name, szOID_COMMON_NAME);
    case CERT_NAME_URL_TYPE:
        return alternative_write(writer, x509, issuer, GEN_URI, false);
    case CERT_NAME_UPN_TYPE:
        return alternative_write(writer, x509, issuer, GEN_OTHERNAME, false);
    default:
        return cause_set(E_INVALIDARG, "names have no type %u", type);
    }
}

SECURITY_STATUS name_of_certificate(PCCERT_CONTEXT context, DWORD type, DWORD flags, const void *parameter, char **text,
                                    size_t *len)
{
    OPENSSL_QUIET;
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    AUTO_WRITER struct writer writer = writer_growing(256);
    require(certificate_take(context, &certificate) == SEC_E_OK, E_INVALIDARG);
    try(typed_write(&writer, certificate, type, flags, parameter));
    if ((flags & CERT_NAME_SEARCH_ALL_NAMES_FLAG) != 0)
        writer_u8(&writer, 0); /* the list ends with one more */
    return text_of_writer(&writer, text, len);
}
