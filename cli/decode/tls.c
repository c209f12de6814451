/* TLS records and the handshake as far as it is readable (RFC 8446, RFC 5246), of one direction or of both. */
#include "decode/decode.h"

#include "base/memory.h"
#include "base/reader.h"
#include "base/utf16.h"
#include "base/writer.h"

#include <inttypes.h>
#include <string.h>
#include <wincrypt.h>

static const struct tree_word versions[] = {
    {0x0300, "SSL 3.0"}, {0x0301, "TLS 1.0"}, {0x0302, "TLS 1.1"}, {0x0303, "TLS 1.2"}, {0x0304, "TLS 1.3"}};
static const struct tree_word record_types[] = {
    {20, "ChangeCipherSpec"}, {21, "Alert"}, {22, "Handshake"}, {23, "application data"}};
static const struct tree_word handshake_types[] = {
    {0, "HelloRequest"},        {1, "ClientHello"},         {2, "ServerHello"},        {4, "NewSessionTicket"},
    {5, "EndOfEarlyData"},      {8, "EncryptedExtensions"}, {11, "Certificate"},       {12, "ServerKeyExchange"},
    {13, "CertificateRequest"}, {14, "ServerHelloDone"},    {15, "CertificateVerify"}, {16, "ClientKeyExchange"},
    {20, "Finished"},           {22, "CertificateStatus"},  {24, "KeyUpdate"}};
#define CLIENT_HELLO 1
#define SERVER_HELLO 2
#define CERTIFICATE 11
static const struct tree_word alerts[] = {{0, "close_notify"},
                                          {10, "unexpected_message"},
                                          {20, "bad_record_mac"},
                                          {40, "handshake_failure: nothing in common"},
                                          {42, "bad_certificate"},
                                          {43, "unsupported_certificate"},
                                          {44, "certificate_revoked"},
                                          {45, "certificate_expired"},
                                          {46, "certificate_unknown"},
                                          {47, "illegal_parameter"},
                                          {48, "unknown_ca: the peer does not trust the issuer"},
                                          {49, "access_denied"},
                                          {50, "decode_error"},
                                          {51, "decrypt_error"},
                                          {70, "protocol_version: no version in common"},
                                          {71, "insufficient_security"},
                                          {80, "internal_error"},
                                          {86, "inappropriate_fallback"},
                                          {90, "user_canceled"},
                                          {100, "no_renegotiation"},
                                          {109, "missing_extension"},
                                          {112, "unrecognized_name: no such server here"},
                                          {116, "certificate_required"},
                                          {120, "no_application_protocol"}};
static const struct tree_word suites[] = {
    {0x1301, "TLS_AES_128_GCM_SHA256"},
    {0x1302, "TLS_AES_256_GCM_SHA384"},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
    {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"},
};

#define RANDOM_LEN 32
#define MESSAGE_MAX \
    0x20000 /* no handshake message that is readable is longer: such a length is that of something encrypted */

/* What a ServerHello has for its random number that asks for another ClientHello (RFC 8446 4.1.3). */
static const uint8_t retry_random[RANDOM_LEN] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                                 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                                 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

struct tls {
    struct tree *tree;
    bool offers_13;         /* a ClientHello: whether it became TLS 1.3 only the server's direction says */
    bool is_13;             /* a ServerHello */
    bool protected;         /* a ChangeCipherSpec or application data came by */
    struct writer messages; /* of the handshake, as far as they are not yet shown: the beginning of one that goes on */
    unsigned long n_data;
    size_t data_len;
};

static void put_word16(struct tree *tree, const char *name, uint16_t value, const struct tree_word *words,
                       size_t n_words)
{
    const char *word = tree_word_of(value, words, n_words);
    tree_put(tree, name, "0x%04x%s%s%s", value, word == NULL ? "" : " (", word == NULL ? "" : word,
             word == NULL ? "" : ")");
}

static enum wire_result read_vector8(struct reader *reader, struct slice *bytes)
{
    uint8_t len;
    try(reader_u8(reader, &len));
    return reader_bytes(reader, len, bytes);
}

static enum wire_result read_vector16(struct reader *reader, struct slice *bytes)
{
    uint16_t len;
    try(reader_u16be(reader, &len));
    return reader_bytes(reader, len, bytes);
}

static enum wire_result read_u24(struct reader *reader, uint32_t *value)
{
    uint8_t high;
    uint16_t low;
    try(reader_u8(reader, &high));
    try(reader_u16be(reader, &low));
    *value = (uint32_t)high << 16 | low;
    return WIRE_OK;
}

/* server_name (RFC 6066 3) */
static void put_names(struct tree *tree, struct slice content)
{
    struct reader reader = reader_of(content);
    struct slice list, name;
    uint8_t type;
    if (read_vector16(&reader, &list) != WIRE_OK)
        return; /* a server's answer is empty */
    for (reader = reader_of(list); reader_u8(&reader, &type) == WIRE_OK && read_vector16(&reader, &name) == WIRE_OK;)
        tree_text(tree, "server name", name);
}

static void put_protocols(struct tree *tree, struct slice content)
{
    struct reader reader = reader_of(content);
    struct slice list, name;
    if (read_vector16(&reader, &list) != WIRE_OK)
        return;
    for (reader = reader_of(list); read_vector8(&reader, &name) == WIRE_OK;)
        tree_text(tree, "application protocol", name);
}

/* Whether TLS 1.3 is among them. */
static bool put_versions(struct tree *tree, struct slice content)
{
    struct reader reader = reader_of(content);
    uint16_t version;
    bool is_13 = false;
    if (content.len != 2 && reader_skip(&reader, 1) != WIRE_OK)
        return false;
    while (reader_u16be(&reader, &version) == WIRE_OK) {
        put_word16(tree, "supports", version, TREE_WORDS(versions));
        is_13 = is_13 || version == 0x0304;
    }
    return is_13;
}

/* Whether they name TLS 1.3. */
static bool put_extensions(struct tree *tree, struct reader *reader)
{
    bool is_13 = false;
    struct slice list, content;
    uint16_t type;
    if (reader_left(reader) == 0)
        return false;
    if (read_vector16(reader, &list) != WIRE_OK) {
        tree_wrong(tree, "the extensions are cut off");
        return false;
    }
    struct reader inside = reader_of(list);
    while (reader_u16be(&inside, &type) == WIRE_OK && read_vector16(&inside, &content) == WIRE_OK) {
        if (type == 0)
            put_names(tree, content);
        else if (type == 16)
            put_protocols(tree, content);
        else if (type == 43)
            is_13 = put_versions(tree, content);
    }
    if (reader_left(&inside) > 0)
        tree_wrong(tree, "an extension is cut off");
    return is_13;
}

static void put_hello(struct tls *tls, struct slice body, bool client)
{
    struct tree *tree = tls->tree;
    struct reader reader = reader_of(body);
    uint16_t version, suite;
    struct slice random, session, list, methods;
    if (reader_u16be(&reader, &version) != WIRE_OK || reader_bytes(&reader, RANDOM_LEN, &random) != WIRE_OK ||
        read_vector8(&reader, &session) != WIRE_OK) {
        tree_wrong(tree, "the hello is cut off");
        return;
    }
    put_word16(tree, "version", version, TREE_WORDS(versions));
    tree_bytes(tree, "random", random);
    if (session.len > 0)
        tree_bytes(tree, "session", session);
    if (client) {
        if (read_vector16(&reader, &list) != WIRE_OK || read_vector8(&reader, &methods) != WIRE_OK) {
            tree_wrong(tree, "the list of cipher suites is cut off");
            return;
        }
        tree_open(tree, "offers", "%zu cipher suites", list.len / 2);
        for (struct reader each = reader_of(list); reader_u16be(&each, &suite) == WIRE_OK;)
            put_word16(tree, "suite", suite, TREE_WORDS(suites));
        tree_close(tree);
    } else {
        if (reader_u16be(&reader, &suite) != WIRE_OK || reader_skip(&reader, 1) != WIRE_OK) {
            tree_wrong(tree, "the chosen cipher suite is missing");
            return;
        }
        put_word16(tree, "suite", suite, TREE_WORDS(suites));
    }
    bool is_13 = put_extensions(tree, &reader);
    if (client)
        tls->offers_13 = is_13;
    else
        tls->is_13 = is_13;
}

static void put_certificate(struct tree *tree, struct slice der)
{
    PCCERT_CONTEXT context = CertCreateCertificateContext(X509_ASN_ENCODING, der.data, (DWORD)der.len);
    char name[256];
    if (context == NULL) {
        tree_wrong(tree, "%zu bytes are no certificate", der.len);
        return;
    }
    tree_open(tree, "certificate", "%zu bytes", der.len);
    if (CertGetNameStringA(context, CERT_NAME_RDN_TYPE, 0, NULL, name, sizeof(name)) > 1)
        tree_text(tree, "subject", slice_of_text(name));
    if (CertGetNameStringA(context, CERT_NAME_RDN_TYPE, CERT_NAME_ISSUER_FLAG, NULL, name, sizeof(name)) > 1)
        tree_text(tree, "issuer", slice_of_text(name));
    const FILETIME *from = &context->pCertInfo->NotBefore, *till = &context->pCertInfo->NotAfter;
    tree_file_time(tree, "from", (uint64_t)from->dwHighDateTime << 32 | from->dwLowDateTime);
    tree_file_time(tree, "till", (uint64_t)till->dwHighDateTime << 32 | till->dwLowDateTime);
    tree_close(tree);
    CertFreeCertificateContext(context);
}

/* TLS 1.2's message; that of 1.3 is encrypted. */
static void put_certificates(struct tree *tree, struct slice body)
{
    struct reader reader = reader_of(body);
    struct slice list, der;
    uint32_t len;
    if (read_u24(&reader, &len) != WIRE_OK || reader_bytes(&reader, len, &list) != WIRE_OK) {
        tree_wrong(tree, "the list of certificates is cut off");
        return;
    }
    for (reader = reader_of(list); read_u24(&reader, &len) == WIRE_OK && reader_bytes(&reader, len, &der) == WIRE_OK;)
        put_certificate(tree, der);
    if (reader_left(&reader) > 0)
        tree_wrong(tree, "a certificate is cut off");
}

static void message_name(char name[32], uint8_t type, struct slice body)
{
    const char *word = tree_word_of(type, TREE_WORDS(handshake_types));
    if (type == SERVER_HELLO && body.len >= 2 + RANDOM_LEN && memcmp(body.data + 2, retry_random, RANDOM_LEN) == 0)
        word = "HelloRetryRequest";
    if (word != NULL)
        snprintf(name, 32, "%s", word);
    else
        snprintf(name, 32, "unknown type %u", type);
}

/* The messages that are whole. How many bytes they were: the rest is the beginning of one; it may be another record's that goes on. */
static size_t put_messages(struct tls *tls, struct slice messages)
{
    struct reader reader = reader_of(messages);
    uint8_t type;
    uint32_t len;
    struct slice body;
    char name[32];
    for (;;) {
        size_t done = messages.len - reader_left(&reader);
        if (reader_u8(&reader, &type) != WIRE_OK || read_u24(&reader, &len) != WIRE_OK)
            return done;
        if (len > MESSAGE_MAX) {
            tree_put(tls->tree, "handshake", "encrypted, %zu bytes", messages.len - done);
            return messages.len;
        }
        if (reader_bytes(&reader, len, &body) != WIRE_OK) {
            message_name(name, type, reader_rest(&reader));
            tree_put(tls->tree, "handshake", "%s, goes on in the next record", name);
            return done;
        }
        message_name(name, type, body);
        tree_open(tls->tree, "handshake", "%s, %" PRIu32 " bytes", name, len);
        if (type == CLIENT_HELLO || type == SERVER_HELLO)
            put_hello(tls, body, type == CLIENT_HELLO);
        else if (type == CERTIFICATE)
            put_certificates(tls->tree, body);
        tree_close(tls->tree);
    }
}

static void put_handshake(struct tls *tls, struct slice record)
{
    writer_slice(&tls->messages, record);
    struct slice messages = writer_slice_of(&tls->messages);
    size_t done = put_messages(tls, messages);
    if (done == 0) /* many short records may make one message: it is not copied for each */
        return;
    struct writer rest = writer_growing(64);
    writer_slice(&rest, slice_of(messages.data + done, messages.len - done));
    writer_release(&tls->messages);
    tls->messages = rest;
}

static bool is_whole_client_hello(struct slice record)
{
    struct reader reader = reader_of(record);
    uint8_t type;
    uint32_t len;
    return reader_u8(&reader, &type) == WIRE_OK && type == CLIENT_HELLO && read_u24(&reader, &len) == WIRE_OK &&
           len == reader_left(&reader);
}

/*
 * Whether a record of the type Handshake can be read. In TLS 1.3 what is encrypted has the type of application data, and a ChangeCipherSpec,
 * which means nothing there, may stand before a second ClientHello or a ServerHello (RFC 8446 5.1, D.4). A client that offers it may yet have
 * come to speak TLS 1.2: then the same place has its Finished, encrypted.
 */
static bool is_readable(const struct tls *tls, struct slice record)
{
    return !tls->protected || tls->is_13 || (tls->offers_13 && is_whole_client_hello(record));
}

bool decode_is_tls(struct slice bytes)
{
    struct reader reader = reader_of(bytes);
    uint8_t type, major, minor;
    uint16_t len;
    return reader_u8(&reader, &type) == WIRE_OK && reader_u8(&reader, &major) == WIRE_OK &&
           reader_u8(&reader, &minor) == WIRE_OK && reader_u16be(&reader, &len) == WIRE_OK && type >= 20 &&
           type <= 23 && major == 3 && minor <= 4 && len > 0 && len <= 0x4000 + 2048;
}

static void put_alert(struct tree *tree, uint8_t level, uint8_t alert)
{
    const char *word = tree_word_of(alert, TREE_WORDS(alerts));
    tree_put(tree, "alert", "%s %u%s%s%s", level == 2 ? "fatal" : "warning", alert, word == NULL ? "" : " (",
             word == NULL ? "" : word, word == NULL ? "" : ")");
}

static void put_record(struct tls *tls, uint8_t type, uint16_t version, struct slice content)
{
    if (type == 23) {
        tls->n_data++;
        tls->data_len += content.len;
        tls->protected = true;
        return;
    }
    tree_open(tls->tree, "record", "%s, %s, %zu bytes", tree_word_of(type, TREE_WORDS(record_types)),
              tree_word_of(version, TREE_WORDS(versions)), content.len);
    if (type == 20)
        tls->protected = true;
    else if (type == 21 && content.len == 2)
        put_alert(tls->tree, content.data[0], content.data[1]);
    else if (type == 22 && is_readable(tls, content))
        put_handshake(tls, content);
    else
        tree_put(tls->tree, "content", "encrypted");
    tree_close(tls->tree);
}

void decode_tls(struct tree *tree, struct slice records)
{
    struct reader reader = reader_of(records);
    struct tls tls = {.tree = tree, .messages = writer_growing(64)};
    tree_open(tree, "TLS", "%zu bytes", records.len);
    while (reader_left(&reader) > 0) {
        uint8_t type = 0;
        uint16_t version, len;
        struct slice content;
        if (!decode_is_tls(reader_rest(&reader)) || reader_u8(&reader, &type) != WIRE_OK ||
            reader_u16be(&reader, &version) != WIRE_OK || reader_u16be(&reader, &len) != WIRE_OK) {
            tree_wrong(tree, "%zu bytes here are no record", reader_left(&reader));
            break;
        }
        if (reader_bytes(&reader, len, &content) != WIRE_OK) {
            tree_wrong(tree, "the last record announces %u bytes, %zu are there", len, reader_left(&reader));
            break;
        }
        put_record(&tls, type, version, content);
    }
    if (tls.n_data > 0)
        tree_put(tree, "application data", "%lu records, %zu bytes, encrypted", tls.n_data, tls.data_len);
    tree_close(tree);
    writer_release(&tls.messages);
}
