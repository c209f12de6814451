#include "fuzz/lsad/request_cases.h"

#include "base/memory.h"
#include "server.h"
#include <string.h>

static const char password[] = "P\0a\0s\0s\0w\0o\0r\0d\0001\0!\0";
#define PASSWORD_LEN 20

static bool honest_number(enum lsa_operation operation, unsigned field, const struct request_world *world,
                          uint64_t *value)
{
    switch (field) {
    case LSA_USE: /* steps are a server's: its client's token is at hand */
        *value = operation == LSA_TICKETS ? LSA_TICKETS_LIST
                 : operation == LSA_STEP  ? SECPKG_CRED_INBOUND
                                          : SECPKG_CRED_OUTBOUND;
        return true;
    case LSA_IDENTITY:
        *value = LSA_HAS_PASSWORD;
        return true;
    case LSA_CREDENTIAL:
        *value = world->credential;
        return true;
    case LSA_CONTEXT:
        *value = operation == LSA_STEP ? 0 : world->context;
        return true;
    case LSA_FLAGS:
        *value = operation == LSA_STEP ? 0 : LSA_WANTS_RECORD | LSA_WANTS_KEPT;
        return true;
    case LSA_ATTRIBUTE:
        *value = operation == LSA_QUERY_CREDENTIAL ? SECPKG_CRED_ATTR_NAMES
                 : operation == LSA_SET_CREDENTIAL ? SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS
                                                   : SECPKG_ATTR_TARGET_INFORMATION;
        return true;
    case LSA_LOGON_SESSION:
        *value = world->session;
        return true;
    case LSA_LOGON_TYPE:
        *value = 3;
        return true;
    case LSA_RECEIVE_SIZE:
        *value = 4096;
        return true;
    case LSA_SCHEME:
        *value = 0x0403; /* ECDSA, P-256, SHA-256 */
        return true;
    default:
        return false;
    }
}

static const char *honest_text(enum lsa_operation operation, unsigned field)
{
    switch (field) {
    case LSA_PACKAGE:
        return operation == LSA_ASK       ? "WDigest"
               : operation == LSA_TICKETS ? "Kerberos"
               : operation == LSA_WRAP    ? "Negotiate"
                                          : "NTLM";
    case LSA_USER:
    case LSA_PRINCIPAL:
        return "alice";
    case LSA_DOMAIN:
        return operation == LSA_TICKETS ? "EXAMPLE.TEST" : "EXAMPLE";
    case LSA_PACKAGES:
        return "NTLM";
    case LSA_TEXT:
        return "EXAMPLE.TEST";
    case LSA_TARGET:
        return "host/server.example.test";
    case LSA_KEY_NAME:
        return "web";
    default:
        return NULL;
    }
}

/* A verdict that a server of WDigest asks for. */
static void question_write(struct writer *made)
{
    static const char *const texts[] = {"GET", "/", "", "c", ""};
    writer_u8(made, 1);
    writer_u32le(made, 1);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        writer_u32le(made, (uint32_t)strlen(texts[i]));
        writer_slice(made, slice_of_text(texts[i]));
    }
}

static bool honest_bytes(enum lsa_operation operation, unsigned field, const struct request_world *world,
                         struct writer *made)
{
    switch (field) {
    case LSA_CLIENT:
        writer_slice(made, world->client);
        return true;
    case LSA_PASSWORD:
    case LSA_NEW_PASSWORD:
        writer_slice(made, slice_of(password, PASSWORD_LEN));
        return true;
    case LSA_PROOF: /* an empty keytab's file */
        writer_slice(made, slice_of("\x05\x02", 2));
        return true;
    case LSA_TOKEN:
        if (operation == LSA_ASK)
            question_write(made);
        else
            writer_slice(made, operation == LSA_SIGN ? world->key_hash : world->token);
        return true;
    case LSA_BINDINGS: /* a header that says that nothing follows */
        writer_zeros(made, 32);
        return true;
    case LSA_PARAMS:
        writer_u32le(made, 4);
        writer_slice(made, slice_of("GET", 4));
        return true;
    case LSA_TARGET_HOST:
        writer_slice(made, slice_of("server", 6));
        return true;
    case LSA_VALUE:
        writer_zeros(made, 16);
        return true;
    case LSA_DELEGATED:
        writer_slice(made, operation == LSA_ASK ? world->sealed : world->delegated);
        return true;
    case LSA_KEY_HASH:
        writer_slice(made, world->key_hash);
        return true;
    default:
        return false;
    }
}

/* What no honest request has is zeros in its form. */
static bool honest_write(enum lsa_operation operation, unsigned field, const struct request_world *world,
                         struct writer *made)
{
    const bool is_its_own = lsa_field_place(operation, false, field) != LSA_MAY_NOT;
    uint64_t number = 0;
    const char *text = "";
    switch (lsa_field_form(field)) {
    case LSA_FORM_NUMBER:
    case LSA_FORM_SHORT:
        require(!is_its_own || honest_number(operation, field, world, &number), false);
        writer_u64le(made, number);
        return true;
    case LSA_FORM_TEXT:
        text = is_its_own ? honest_text(operation, field) : "";
        require(text != NULL, false);
        writer_slice(made, slice_of(text, strlen(text) + 1));
        return true;
    case LSA_FORM_BYTES:
        return !is_its_own || honest_bytes(operation, field, world, made);
    default: /* a number of no field */
        return true;
    }
}

static bool is_number(unsigned field)
{
    return lsa_field_form(field) == LSA_FORM_NUMBER || lsa_field_form(field) == LSA_FORM_SHORT;
}

bool request_change_applies(enum lsa_operation operation, unsigned field, enum request_change change)
{
    const bool is_text = lsa_field_form(field) == LSA_FORM_TEXT;
    if (lsa_field_place(operation, false, field) == LSA_MAY_NOT)
        return change == REQUEST_HONEST;
    switch (change) {
    case REQUEST_HONEST:
    case REQUEST_ABSENT:
    case REQUEST_EMPTY:
    case REQUEST_SHORT:
    case REQUEST_LONG:
    case REQUEST_TWICE:
        return true;
    case REQUEST_AT_LIMIT:
    case REQUEST_OVER_LIMIT:
        return !is_number(field);
    case REQUEST_NUL_INSIDE:
    case REQUEST_NOT_UTF8:
        return is_text;
    default:
        return is_number(field) && change < REQUEST_CHANGES;
    }
}

static bool change_is_malformed(enum lsa_operation operation, unsigned field, enum request_change change)
{
    const enum lsa_form form = lsa_field_form(field);
    const enum lsa_place place = lsa_field_place(operation, false, field);
    switch (change) {
    case REQUEST_HONEST:
        return place == LSA_MAY_NOT && field < LSA_FIELDS;
    case REQUEST_ABSENT:
        return place == LSA_MUST;
    case REQUEST_EMPTY:
    case REQUEST_SHORT:
    case REQUEST_LONG:
        return form != LSA_FORM_BYTES;
    case REQUEST_TWICE:
    case REQUEST_NUL_INSIDE:
    case REQUEST_NOT_UTF8:
        return true;
    case REQUEST_OVER_LIMIT:
        return limits_field_max((enum lsa_field)field) == 0;
    case REQUEST_ALL_ONES:
        return form == LSA_FORM_SHORT;
    default:
        return form == LSA_FORM_SHORT && change >= REQUEST_BIT && (change - REQUEST_BIT) % 64 >= 32;
    }
}

bool request_is_malformed(const struct request_case *asked)
{
    bool malformed = false;
    for (size_t i = 0; i < COUNT_OF(asked->changed); i++)
        if (asked->changed[i].field != 0)
            malformed =
                malformed || change_is_malformed(asked->operation, asked->changed[i].field, asked->changed[i].change);
    return malformed;
}

static void field_write(struct writer *writer, unsigned field, struct slice bytes)
{
    lsa_bytes_write(writer, (enum lsa_field)field, bytes.len > 0 ? bytes : slice_of("", 0));
}

/* As long as the daemon takes; where nothing but the body bounds it, what is left of that. */
static void limit_write(struct writer *writer, unsigned field, size_t more)
{
    AUTO_WRITER struct writer made = writer_growing(4096);
    size_t max = limits_field_max((enum lsa_field)field), used = writer->len - LSA_HEAD_LEN + 6;
    size_t len = (max > 0 ? max : used < LSA_BODY_MAX ? LSA_BODY_MAX - used : 1) + more;
    writer_zeros(&made, len);
    if (lsa_field_form(field) == LSA_FORM_TEXT && !made.failed)
        memset(made.data, 'a', len - 1);
    field_write(writer, field, writer_slice_of(&made));
}

static bool changed_write(struct writer *writer, enum lsa_operation operation, unsigned field,
                          enum request_change change, const struct request_world *world)
{
    AUTO_WRITER struct writer made = writer_growing(256);
    uint64_t number = 0;
    require(honest_write(operation, field, world, &made), false);
    struct slice honest = writer_slice_of(&made);
    struct reader reader = reader_of(honest);
    switch (change) {
    case REQUEST_HONEST:
        field_write(writer, field, honest);
        return true;
    case REQUEST_ABSENT:
        return true;
    case REQUEST_EMPTY:
        field_write(writer, field, slice_of("", 0));
        return true;
    case REQUEST_SHORT:
        field_write(writer, field, slice_of(honest.data, honest.len - (honest.len > 0 ? 1 : 0)));
        return true;
    case REQUEST_LONG:
        writer_u8(&made, 'x');
        field_write(writer, field, writer_slice_of(&made));
        return true;
    case REQUEST_AT_LIMIT:
    case REQUEST_OVER_LIMIT:
        limit_write(writer, field, change == REQUEST_OVER_LIMIT ? 1 : 0);
        return true;
    case REQUEST_TWICE:
        field_write(writer, field, honest);
        field_write(writer, field, honest);
        return true;
    case REQUEST_NUL_INSIDE:
        field_write(writer, field, slice_of("a\0b", 4));
        return true;
    case REQUEST_NOT_UTF8:
        field_write(writer, field, slice_of("a\xff", 3));
        return true;
    default:
        require(reader_u64le(&reader, &number) == WIRE_OK, false);
        number = change == REQUEST_ZERO       ? 0
                 : change == REQUEST_ALL_ONES ? UINT64_MAX
                 : change >= REQUEST_ONLY     ? UINT64_C(1) << (change - REQUEST_ONLY)
                                              : number ^ UINT64_C(1) << (change - REQUEST_BIT);
        lsa_number_write(writer, (enum lsa_field)field, number);
        return true;
    }
}

/* What is changed comes last: it may take all that is left. */
bool request_write(struct writer *writer, const struct request_case *asked, const struct request_world *world,
                   uint32_t sequence)
{
    lsa_head_write(writer, asked->operation, false, sequence);
    for (unsigned field = 1; field < LSA_FIELDS; field++)
        if (field != asked->changed[0].field && field != asked->changed[1].field &&
            lsa_field_place(asked->operation, false, field) != LSA_MAY_NOT)
            require(changed_write(writer, asked->operation, field, REQUEST_HONEST, world), false);
    for (size_t i = 0; i < COUNT_OF(asked->changed); i++)
        if (asked->changed[i].field != 0)
            require(changed_write(writer, asked->operation, asked->changed[i].field, asked->changed[i].change, world),
                    false);
    writer_patch_u32le(writer, 0, (uint32_t)(writer->len - LSA_HEAD_LEN)); /* lsa_body_end refuses what is too long */
    return writer_finish(writer) == WIRE_OK;
}
