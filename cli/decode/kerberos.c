/* Kerberos' messages (RFC 4120 5), as far as they can be read without keys. */
#include "decode/asn1.h"

#include "base/reader.h"
#include "wire/der.h"

#include <inttypes.h>

static const struct tree_word enctypes[] = {
    {1, "des-cbc-crc"},
    {3, "des-cbc-md5"},
    {16, "des3-cbc-sha1"},
    {17, "aes128-cts-hmac-sha1-96"},
    {18, "aes256-cts-hmac-sha1-96"},
    {19, "aes128-cts-hmac-sha256-128"},
    {20, "aes256-cts-hmac-sha384-192"},
    {23, "rc4-hmac"},
    {24, "rc4-hmac-exp"},
    {25, "camellia128-cts-cmac"},
    {26, "camellia256-cts-cmac"},
    {0xffffff7b, "rc4-hmac-old"}, /* -133 and -135, as ntsecapi.h has them */
    {0xffffff79, "rc4-hmac-old-exp"},
};

static const struct tree_word message_types[] = {
    {10, "AS-REQ"},   {11, "AS-REP"},   {12, "TGS-REQ"},  {13, "TGS-REP"},   {14, "AP-REQ"},  {15, "AP-REP"},
    {20, "KRB-SAFE"}, {21, "KRB-PRIV"}, {22, "KRB-CRED"}, {30, "KRB-ERROR"}, {16, "TGT-REQ"}, {17, "TGT-REP"},
};

static const struct tree_word errors[] = {
    {0, "KDC_ERR_NONE"},
    {3, "KDC_ERR_BAD_PVNO"},
    {6, "KDC_ERR_C_PRINCIPAL_UNKNOWN: the user does not exist"},
    {7, "KDC_ERR_S_PRINCIPAL_UNKNOWN: the service does not exist; is its SPN registered?"},
    {9, "KDC_ERR_NULL_KEY"},
    {12, "KDC_ERR_POLICY"},
    {13, "KDC_ERR_BADOPTION: delegation or the option is not allowed"},
    {14, "KDC_ERR_ETYPE_NOSUPP: no cipher in common"},
    {16, "KDC_ERR_PADATA_TYPE_NOSUPP"},
    {18, "KDC_ERR_CLIENT_REVOKED: disabled, expired or locked out"},
    {20, "KDC_ERR_TGT_REVOKED"},
    {23, "KDC_ERR_KEY_EXPIRED: the password must be changed"},
    {24, "KDC_ERR_PREAUTH_FAILED: wrong password or key"},
    {25, "KDC_ERR_PREAUTH_REQUIRED: a normal first answer"},
    {31, "KRB_AP_ERR_BAD_INTEGRITY"},
    {32, "KRB_AP_ERR_TKT_EXPIRED"},
    {33, "KRB_AP_ERR_TKT_NYV: the ticket is not yet valid; look at the clocks"},
    {34, "KRB_AP_ERR_REPEAT: a replay"},
    {35, "KRB_AP_ERR_NOT_US: the ticket is for another service"},
    {37, "KRB_AP_ERR_SKEW: the clocks differ too much"},
    {40, "KRB_AP_ERR_MSG_TYPE"},
    {41, "KRB_AP_ERR_MODIFIED: the service has another key than the KDC; look at its keytab"},
    {44, "KRB_AP_ERR_BADKEYVER"},
    {45, "KRB_AP_ERR_NOKEY: the keytab has no such key"},
    {52, "KRB_ERR_RESPONSE_TOO_BIG: use TCP"},
    {60, "KRB_ERR_GENERIC"},
    {68, "KDC_ERR_WRONG_REALM"},
};

static const struct tree_word ap_options[] = {{0x40000000, "USE_SESSION_KEY"}, {0x20000000, "MUTUAL_REQUIRED"}};

static const struct tree_word kdc_options[] = {
    {0x40000000, "FORWARDABLE"},    {0x20000000, "FORWARDED"},
    {0x10000000, "PROXIABLE"},      {0x08000000, "PROXY"},
    {0x04000000, "ALLOW_POSTDATE"}, {0x02000000, "POSTDATED"},
    {0x00800000, "RENEWABLE"},      {0x00020000, "CNAME_IN_ADDL_TKT"},
    {0x00010000, "CANONICALIZE"},   {0x00000020, "DISABLE_TRANSITED_CHECK"},
    {0x00000010, "RENEWABLE_OK"},   {0x00000008, "ENC_TKT_IN_SKEY"},
    {0x00000002, "RENEW"},          {0x00000001, "VALIDATE"},
};

static const struct tree_word padata_types[] = {
    {1, "TGS-REQ"},      {2, "ENC-TIMESTAMP"},      {3, "PW-SALT"},
    {11, "ETYPE-INFO"},  {16, "PK-AS-REQ"},         {17, "PK-AS-REP"},
    {19, "ETYPE-INFO2"}, {128, "PAC-REQUEST"},      {129, "FOR-USER"},
    {133, "FX-COOKIE"},  {136, "FX-FAST"},          {138, "ENCRYPTED-CHALLENGE"},
    {147, "PKINIT-KX"},  {149, "REQ-ENC-PA-REP"},   {150, "AS-FRESHNESS"},
    {151, "SPAKE"},      {165, "SUPPORTED-ETYPES"}, {167, "PAC-OPTIONS"},
};

static const struct asn1_field encrypted_fields[] = {
    {0, "cipher", ASN1_WORD, NULL, TREE_WORDS(enctypes)},
    {1, "key version", ASN1_INTEGER, NULL, NULL, 0},
    {2, "encrypted", ASN1_BYTES, NULL, NULL, 0},
};
static const struct asn1_type encrypted = ASN1_TYPE("EncryptedData", encrypted_fields);

static const struct asn1_field ticket_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},
    {1, "realm", ASN1_TEXT, NULL, NULL, 0},
    {2, "service", ASN1_NAME, NULL, NULL, 0},
    {3, "ticket part", ASN1_STRUCTURE, &encrypted, NULL, 0},
};
static const struct asn1_type ticket = ASN1_TYPE("Ticket", ticket_fields);

static const struct asn1_field ap_req_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},
    {1, "type", ASN1_WORD, NULL, TREE_WORDS(message_types)},
    {2, "options", ASN1_BITS, NULL, TREE_WORDS(ap_options)},
    {3, "ticket", ASN1_TICKET, &ticket, NULL, 0},
    {4, "authenticator", ASN1_STRUCTURE, &encrypted, NULL, 0},
};
static const struct asn1_field ap_rep_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},
    {1, "type", ASN1_WORD, NULL, TREE_WORDS(message_types)},
    {2, "encrypted part", ASN1_STRUCTURE, &encrypted, NULL, 0},
};
static const struct asn1_field error_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},       {1, "type", ASN1_WORD, NULL, TREE_WORDS(message_types)},
    {2, "client's time", ASN1_TIME, NULL, NULL, 0},    {3, "client's microseconds", ASN1_INTEGER, NULL, NULL, 0},
    {4, "server's time", ASN1_TIME, NULL, NULL, 0},    {5, "server's microseconds", ASN1_INTEGER, NULL, NULL, 0},
    {6, "error", ASN1_WORD, NULL, TREE_WORDS(errors)}, {7, "client's realm", ASN1_TEXT, NULL, NULL, 0},
    {8, "client", ASN1_NAME, NULL, NULL, 0},           {9, "realm", ASN1_TEXT, NULL, NULL, 0},
    {10, "service", ASN1_NAME, NULL, NULL, 0},         {11, "text", ASN1_TEXT, NULL, NULL, 0},
    {12, "data", ASN1_BYTES, NULL, NULL, 0},
};
static const struct asn1_field padata_fields[] = {
    {1, "type", ASN1_WORD, NULL, TREE_WORDS(padata_types)},
    {2, "value", ASN1_TOKEN, NULL, NULL, 0},
};
static const struct asn1_type padata = ASN1_TYPE("PA-DATA", padata_fields);

static const struct asn1_field kdc_body_fields[] = {
    {0, "options", ASN1_BITS, NULL, TREE_WORDS(kdc_options)},
    {1, "client", ASN1_NAME, NULL, NULL, 0},
    {2, "realm", ASN1_TEXT, NULL, NULL, 0},
    {3, "service", ASN1_NAME, NULL, NULL, 0},
    {4, "from", ASN1_TIME, NULL, NULL, 0},
    {5, "till", ASN1_TIME, NULL, NULL, 0},
    {6, "renew till", ASN1_TIME, NULL, NULL, 0},
    {7, "nonce", ASN1_INTEGER, NULL, NULL, 0},
    {8, "cipher", ASN1_INTEGERS, NULL, TREE_WORDS(enctypes)},
    {10, "authorization data", ASN1_STRUCTURE, &encrypted, NULL, 0},
    {11, "additional ticket", ASN1_LIST, &ticket, NULL, 0},
};
static const struct asn1_type kdc_body = ASN1_TYPE("KDC-REQ-BODY", kdc_body_fields);
static const struct asn1_field kdc_req_fields[] = {
    {1, "version", ASN1_INTEGER, NULL, NULL, 0},
    {2, "type", ASN1_WORD, NULL, TREE_WORDS(message_types)},
    {3, "preauthentication", ASN1_LIST, &padata, NULL, 0},
    {4, "body", ASN1_STRUCTURE, &kdc_body, NULL, 0},
};
static const struct asn1_field kdc_rep_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},
    {1, "type", ASN1_WORD, NULL, TREE_WORDS(message_types)},
    {2, "preauthentication", ASN1_LIST, &padata, NULL, 0},
    {3, "realm", ASN1_TEXT, NULL, NULL, 0},
    {4, "client", ASN1_NAME, NULL, NULL, 0},
    {5, "ticket", ASN1_TICKET, &ticket, NULL, 0},
    {6, "encrypted part", ASN1_STRUCTURE, &encrypted, NULL, 0},
};
static const struct asn1_field cred_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},
    {1, "type", ASN1_WORD, NULL, TREE_WORDS(message_types)},
    {2, "ticket", ASN1_LIST, &ticket, NULL, 0},
    {3, "encrypted part", ASN1_STRUCTURE, &encrypted, NULL, 0},
};
static const struct asn1_field priv_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},
    {1, "type", ASN1_WORD, NULL, TREE_WORDS(message_types)},
    {3, "encrypted part", ASN1_STRUCTURE, &encrypted, NULL, 0},
};
static const struct asn1_field safe_fields[] = {
    {0, "version", ASN1_INTEGER, NULL, NULL, 0},
    {1, "type", ASN1_WORD, NULL, TREE_WORDS(message_types)},
};

static const struct {
    uint8_t tag;
    struct asn1_type type;
} messages[] = {
    {DER_APPLICATION(1), ASN1_TYPE("Ticket", ticket_fields)},
    {DER_APPLICATION(10), ASN1_TYPE("AS-REQ", kdc_req_fields)},
    {DER_APPLICATION(11), ASN1_TYPE("AS-REP", kdc_rep_fields)},
    {DER_APPLICATION(12), ASN1_TYPE("TGS-REQ", kdc_req_fields)},
    {DER_APPLICATION(13), ASN1_TYPE("TGS-REP", kdc_rep_fields)},
    {DER_APPLICATION(14), ASN1_TYPE("AP-REQ", ap_req_fields)},
    {DER_APPLICATION(15), ASN1_TYPE("AP-REP", ap_rep_fields)},
    {DER_APPLICATION(20), ASN1_TYPE("KRB-SAFE", safe_fields)},
    {DER_APPLICATION(21), ASN1_TYPE("KRB-PRIV", priv_fields)},
    {DER_APPLICATION(22), ASN1_TYPE("KRB-CRED", cred_fields)},
    {DER_APPLICATION(30), ASN1_TYPE("KRB-ERROR", error_fields)},
};

static const struct asn1_type *message_type(struct slice bytes, struct slice *content)
{
    struct reader reader = reader_of(bytes);
    uint8_t tag;
    if (der_read_any(&reader, &tag, content) != WIRE_OK || content->len == 0 || content->data[0] != DER_SEQUENCE)
        return NULL;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        if (messages[i].tag == tag)
            return &messages[i].type;
    return NULL;
}

bool decode_is_kerberos(struct slice bytes)
{
    struct slice content;
    return message_type(bytes, &content) != NULL;
}

void decode_kerberos(struct tree *tree, struct slice message, unsigned nesting)
{
    struct slice content;
    const struct asn1_type *type = message_type(message, &content);
    if (type == NULL) {
        tree_open(tree, "Kerberos", "%zu bytes", message.len);
        tree_wrong(tree, "no message of Kerberos begins so, or it is cut off");
    } else {
        tree_open(tree, "Kerberos", "%s, %zu bytes", type->name, message.len);
        asn1_structure(tree, type, content, nesting);
    }
    tree_close(tree);
}

void decode_kerberos_gss(struct tree *tree, struct slice inner, unsigned nesting)
{
    static const struct tree_word ids[] = {{0x0100, "AP-REQ"},         {0x0200, "AP-REP"},  {0x0300, "KRB-ERROR"},
                                           {0x0400, "TGT-REQ"},        {0x0401, "TGT-REP"}, {0x0101, "MIC (RFC 1964)"},
                                           {0x0201, "Wrap (RFC 1964)"}};
    struct reader reader = reader_of(inner);
    uint16_t id;
    if (reader_u16be(&reader, &id) != WIRE_OK) {
        tree_wrong(tree, "the token ends before its identifier");
        return;
    }
    const char *word = tree_word_of(id, TREE_WORDS(ids));
    tree_put(tree, "token", "0x%04x%s%s%s", id, word == NULL ? "" : " (", word == NULL ? "" : word,
             word == NULL ? "" : ")");
    if (id >= 0x0100 && (id & 0xff) == 0 && id <= 0x0300)
        decode_kerberos(tree, reader_rest(&reader), nesting);
    else
        tree_bytes(tree, "content", reader_rest(&reader));
}

/* RFC 4121 4.2.6 */
void decode_rfc4121(struct tree *tree, struct slice token)
{
    static const struct tree_word words[] = {{1, "SENT_BY_ACCEPTOR"}, {2, "SEALED"}, {4, "ACCEPTOR_SUBKEY"}};
    struct reader reader = reader_of(token);
    uint16_t id, extra, rotation;
    uint8_t flags, filler;
    uint64_t seq;
    tree_open(tree, "Kerberos message", "RFC 4121, %zu bytes", token.len);
    if (reader_u16be(&reader, &id) != WIRE_OK || reader_u8(&reader, &flags) != WIRE_OK ||
        reader_u8(&reader, &filler) != WIRE_OK || reader_u16be(&reader, &extra) != WIRE_OK ||
        reader_u16be(&reader, &rotation) != WIRE_OK || reader_u64be(&reader, &seq) != WIRE_OK) {
        tree_wrong(tree, "the header is cut off");
    } else {
        tree_put(tree, "token", id == 0x0404 ? "MIC" : "Wrap");
        tree_flags(tree, "flags", flags, TREE_WORDS(words));
        if (id == 0x0504)
            tree_put(tree, "extra count, rotation", "%u, %u", extra, rotation);
        tree_put(tree, "sequence number", "%" PRIu64, seq);
        tree_bytes(tree, "rest", reader_rest(&reader));
    }
    tree_close(tree);
}
