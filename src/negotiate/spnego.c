#include "negotiate/spnego.h"

#include "wire/der.h"

/* 1.3.6.1.5.5.2 */
static const uint8_t oid_spnego[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};

static struct slice spnego_oid(void)
{
    return slice_of(oid_spnego, sizeof oid_spnego);
}

bool spnego_is_framed(struct slice token)
{
    struct slice mech, inner;
    return gss_frame_read(token, &mech, &inner) == WIRE_OK && slice_equal(mech, spnego_oid());
}

/* Old peers send fields of no bytes where they mean none. */
static enum wire_result octets_read(struct reader *fields, unsigned number, struct slice *octets)
{
    try(der_field_read(fields, number, DER_OCTET_STRING, octets));
    if (octets->len == 0)
        octets->data = NULL;
    return WIRE_OK;
}

static enum wire_result mech_list_read(struct slice field, struct spnego_init *init)
{
    struct slice content;
    try(der_only(field, DER_SEQUENCE, &content));
    init->mech_list = field;
    struct reader reader = reader_of(content);
    while (reader_left(&reader) > 0) {
        require(init->n_mechs < SPNEGO_MECHS_MAX, WIRE_BAD);
        struct slice *mech = &init->mech[init->n_mechs++];
        require(der_read(&reader, DER_OID, mech) == WIRE_OK && mech->len > 0, WIRE_BAD);
    }
    return init->n_mechs > 0 ? WIRE_OK : WIRE_BAD;
}

/* MS-SPNG 2.2.1: [0] GeneralString, [1] OCTET STRING. What they say is not protected, and nothing is done with it. */
static enum wire_result hints_read(struct slice content)
{
    struct reader fields = reader_of(content);
    struct slice ignored = {0};
    try(der_field_read(&fields, 0, DER_GENERAL_STRING, &ignored));
    try(der_field_read(&fields, 1, DER_OCTET_STRING, &ignored));
    return reader_end(&fields);
}

/* [3] is NegTokenInit's mechListMIC or NegTokenInit2's negHints; the type inside tells. [4] is NegTokenInit2's mechListMIC. */
static enum wire_result init_tail_read(struct reader *fields, struct spnego_init *init)
{
    struct slice third;
    bool present;
    require(der_read_optional(fields, DER_CONTEXT(3), &third, &present) == WIRE_OK, WIRE_BAD);
    if (present && third.len > 0 && third.data[0] == DER_SEQUENCE) {
        struct slice hints;
        init->has_hints = true;
        try(der_only(third, DER_SEQUENCE, &hints));
        try(hints_read(hints));
        return octets_read(fields, 4, &init->mic);
    }
    if (present)
        try(der_only(third, DER_OCTET_STRING, &init->mic));
    else
        try(octets_read(fields, 4, &init->mic));
    if (init->mic.len == 0)
        init->mic.data = NULL;
    return WIRE_OK;
}

enum wire_result spnego_init_parse(struct slice token, struct spnego_init *init)
{
    struct slice mech, inner, content, field, flags = {0};
    struct spnego_init parsed = {0};
    require(gss_frame_read(token, &mech, &inner) == WIRE_OK && slice_equal(mech, spnego_oid()), WIRE_BAD);
    try(der_only(inner, DER_CONTEXT(0), &content));
    try(der_only(content, DER_SEQUENCE, &content));
    struct reader fields = reader_of(content);
    require(der_read(&fields, DER_CONTEXT(0), &field) == WIRE_OK, WIRE_BAD);
    try(mech_list_read(field, &parsed));
    try(der_field_read(&fields, 1, DER_BIT_STRING,
                       &flags)); /* RFC 4178 4.2.1: not to be used, for nothing protects it */
    try(octets_read(&fields, 2, &parsed.token));
    try(init_tail_read(&fields, &parsed));
    try(reader_end(&fields));
    *init = parsed;
    return WIRE_OK;
}

/* [n] EXPLICIT of one inner type. */
static void field_write(struct writer *writer, unsigned number, uint8_t tag, struct slice content)
{
    der_head(writer, (uint8_t)DER_CONTEXT(number), der_len(content.len));
    der_write(writer, tag, content);
}

static size_t field_len(struct slice content)
{
    return der_len(der_len(content.len));
}

static void octets_write(struct writer *writer, unsigned number, struct slice octets)
{
    if (octets.len > 0)
        field_write(writer, number, DER_OCTET_STRING, octets);
}

static size_t octets_len(struct slice octets)
{
    return octets.len > 0 ? field_len(octets) : 0;
}

void spnego_mech_list_write(struct writer *writer, const struct slice *mechs, unsigned n_mechs)
{
    struct der_mark list = der_begin(writer, DER_SEQUENCE);
    for (unsigned i = 0; i < n_mechs; i++)
        der_write(writer, DER_OID, mechs[i]);
    der_end(writer, list);
}

/* All around the list and `tail_len` bytes of fields behind it. */
static void init_begin(struct writer *writer, struct slice mech_list, size_t tail_len)
{
    size_t fields_len = der_len(mech_list.len) + tail_len, choice_len = der_len(fields_len);
    size_t frame_len = der_len(spnego_oid().len) + der_len(choice_len);
    writer_expect(writer, der_len(frame_len));
    der_head(writer, DER_APPLICATION(0), frame_len);
    der_write(writer, DER_OID, spnego_oid());
    der_head(writer, DER_CONTEXT(0), choice_len);
    der_head(writer, DER_SEQUENCE, fields_len);
    der_write(writer, DER_CONTEXT(0), mech_list);
}

void spnego_init_write(struct writer *writer, struct slice mech_list, struct slice token)
{
    init_begin(writer, mech_list, octets_len(token));
    octets_write(writer, 2, token);
}

void spnego_hints_write(struct writer *writer, struct slice mech_list)
{
    const struct slice name = slice_of_text("not_defined_in_RFC4178@please_ignore");
    size_t hints_len = field_len(name);
    init_begin(writer, mech_list, der_len(der_len(hints_len)));
    der_head(writer, DER_CONTEXT(3), der_len(hints_len));
    der_head(writer, DER_SEQUENCE, hints_len);
    field_write(writer, 0, DER_GENERAL_STRING, name);
}

static enum wire_result state_read(struct reader *fields, enum spnego_state *state)
{
    struct slice content = {0};
    *state = SPNEGO_NO_STATE;
    try(der_field_read(fields, 0, DER_ENUMERATED, &content));
    if (content.data == NULL)
        return WIRE_OK;
    require(content.len == 1 && content.data[0] <= SPNEGO_REQUEST_MIC, WIRE_BAD);
    *state = (enum spnego_state)content.data[0];
    return WIRE_OK;
}

enum wire_result spnego_resp_parse(struct slice token, struct spnego_resp *resp)
{
    struct slice content;
    struct spnego_resp parsed = {0};
    try(der_only(token, DER_CONTEXT(1), &content));
    try(der_only(content, DER_SEQUENCE, &content));
    struct reader fields = reader_of(content);
    try(state_read(&fields, &parsed.state));
    try(der_field_read(&fields, 1, DER_OID, &parsed.mech));
    require(parsed.mech.data == NULL || parsed.mech.len > 0, WIRE_BAD);
    try(octets_read(&fields, 2, &parsed.token));
    try(octets_read(&fields, 3, &parsed.mic));
    try(reader_end(&fields));
    *resp = parsed;
    return WIRE_OK;
}

void spnego_resp_write(struct writer *writer, const struct spnego_resp *resp)
{
    const uint8_t number = (uint8_t)resp->state;
    const struct slice state = slice_of(&number, sizeof number);
    bool has_state = resp->state != SPNEGO_NO_STATE;
    size_t len = (has_state ? field_len(state) : 0) + (resp->mech.len > 0 ? field_len(resp->mech) : 0) +
                 octets_len(resp->token) + octets_len(resp->mic);
    writer_expect(writer, der_len(der_len(len)));
    der_head(writer, DER_CONTEXT(1), der_len(len));
    der_head(writer, DER_SEQUENCE, len);
    if (has_state)
        field_write(writer, 0, DER_ENUMERATED, state);
    if (resp->mech.len > 0)
        field_write(writer, 1, DER_OID, resp->mech);
    octets_write(writer, 2, resp->token);
    octets_write(writer, 3, resp->mic);
}
