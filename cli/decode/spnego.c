/* GSS framing (RFC 2743 3.1), SPNEGO (RFC 4178 4.2, MS-SPNG 2.2) and CredSSP (MS-CSSP 2.2.1). */
#include "decode/asn1.h"

#include "base/reader.h"
#include "wire/der.h"

#include <string.h>

static const struct tree_word states[] = {
    {0, "accept-completed"}, {1, "accept-incomplete"}, {2, "reject"}, {3, "request-mic"}};
static const struct tree_word context_flags[] = {
    {0x80000000, "DELEGATE"},  {0x40000000, "MUTUAL"},          {0x20000000, "REPLAY"},   {0x10000000, "SEQUENCE"},
    {0x08000000, "ANONYMOUS"}, {0x04000000, "CONFIDENTIALITY"}, {0x02000000, "INTEGRITY"}};

static const struct asn1_field hint_fields[] = {{0, "hint", ASN1_TEXT, NULL, NULL, 0},
                                                {1, "address", ASN1_BYTES, NULL, NULL, 0}};
static const struct asn1_type hints = ASN1_TYPE("NegHints", hint_fields);
static const struct asn1_field init_fields[] = {
    {0, "offers", ASN1_OIDS, NULL, NULL, 0},
    {1, "flags", ASN1_BITS, NULL, TREE_WORDS(context_flags)},
    {2, "token", ASN1_TOKEN, NULL, NULL, 0},
    {3, "mechListMIC", ASN1_BYTES, NULL, NULL, 0},
};
/* NegTokenInit2 (MS-SPNG 2.2.1): hints stand where the MIC would. */
static const struct asn1_field init2_fields[] = {
    {0, "offers", ASN1_OIDS, NULL, NULL, 0},       {1, "flags", ASN1_BITS, NULL, TREE_WORDS(context_flags)},
    {2, "token", ASN1_TOKEN, NULL, NULL, 0},       {3, "hints", ASN1_STRUCTURE, &hints, NULL, 0},
    {4, "mechListMIC", ASN1_BYTES, NULL, NULL, 0},
};
static const struct asn1_field resp_fields[] = {
    {0, "state", ASN1_WORD, NULL, TREE_WORDS(states)},
    {1, "mechanism", ASN1_OID, NULL, NULL, 0},
    {2, "token", ASN1_TOKEN, NULL, NULL, 0},
    {3, "mechListMIC", ASN1_BYTES, NULL, NULL, 0},
};

/* Is field 3 a SEQUENCE? */
static bool has_hints(struct slice content)
{
    struct reader reader = reader_of(content);
    struct slice sequence, value;
    uint8_t tag;
    if (der_read(&reader, DER_SEQUENCE, &sequence) != WIRE_OK)
        return false;
    for (reader = reader_of(sequence); der_read_any(&reader, &tag, &value) == WIRE_OK;)
        if (tag == DER_CONTEXT(3))
            return value.len > 0 && value.data[0] == DER_SEQUENCE;
    return false;
}

void decode_spnego(struct tree *tree, struct slice token, unsigned nesting)
{
    static const struct asn1_type init = ASN1_TYPE("NegTokenInit", init_fields),
                                  init2 = ASN1_TYPE("NegTokenInit2", init2_fields),
                                  resp = ASN1_TYPE("NegTokenResp", resp_fields);
    struct reader reader = reader_of(token);
    struct slice content;
    uint8_t tag;
    if (der_read_any(&reader, &tag, &content) != WIRE_OK) {
        tree_open(tree, "SPNEGO", "%zu bytes", token.len);
        tree_wrong(tree, "the token is cut off, or no DER");
    } else {
        const struct asn1_type *type = tag == DER_CONTEXT(1) ? &resp : has_hints(content) ? &init2 : &init;
        tree_open(tree, "SPNEGO", "%s, %zu bytes", type->name, token.len);
        asn1_structure(tree, type, content, nesting);
        if (reader_left(&reader) > 0)
            tree_wrong(tree, "%zu bytes follow the token", reader_left(&reader));
    }
    tree_close(tree);
}

void decode_gss(struct tree *tree, struct slice token, unsigned nesting)
{
    struct reader reader = reader_of(token), inside;
    struct slice frame, mech;
    char text[ASN1_OID_MAX];
    if (der_read(&reader, DER_APPLICATION(0), &frame) != WIRE_OK) {
        tree_open(tree, "GSS", "%zu bytes", token.len);
        tree_wrong(tree, "the frame is cut off: it announces more bytes than there are, or no length");
        tree_close(tree);
        return;
    }
    inside = reader_of(frame);
    if (der_read(&inside, DER_OID, &mech) != WIRE_OK) {
        tree_open(tree, "GSS", "%zu bytes", token.len);
        tree_wrong(tree, "the frame names no mechanism");
        tree_close(tree);
        return;
    }
    asn1_oid(mech, text);
    tree_open(tree, "GSS", "%zu bytes, mechanism %s", token.len, text);
    struct slice rest = reader_rest(&inside);
    if (strstr(text, "SPNEGO") != NULL)
        decode_spnego(tree, rest, nesting);
    else if (strstr(text, "Kerberos") != NULL)
        decode_kerberos_gss(tree, rest, nesting);
    else if (nesting >= DECODE_NESTING_MAX || !decode_token(tree, rest, nesting + 1))
        tree_bytes(tree, "content", rest);
    if (reader_left(&reader) > 0)
        tree_wrong(tree, "%zu bytes follow the token", reader_left(&reader));
    tree_close(tree);
}

static const struct asn1_field nego_fields[] = {{0, "token", ASN1_TOKEN, NULL, NULL, 0}};
static const struct asn1_type nego = ASN1_TYPE("NegoData", nego_fields);
static const struct asn1_field request_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},
    {1, "negotiation", ASN1_LIST, &nego, NULL, 0},
    {2, "credentials (sealed)", ASN1_BYTES, NULL, NULL, 0},
    {3, "public key (sealed)", ASN1_BYTES, NULL, NULL, 0},
    {4, "error", ASN1_INTEGER, NULL, NULL, 0},
    {5, "nonce", ASN1_BYTES, NULL, NULL, 0},
};

void decode_credssp(struct tree *tree, struct slice message, unsigned nesting)
{
    static const struct asn1_type request = ASN1_TYPE("TSRequest", request_fields);
    tree_open(tree, "CredSSP", "TSRequest, %zu bytes", message.len);
    asn1_structure(tree, &request, message, nesting);
    tree_close(tree);
}
