/* TLS records and the handshake as far as it is readable (RFC 8446, RFC 5246). */
#include "decode/decode.h"

#include "base/memory.h"
#include "base/reader.h"
#include "base/utf16.h"

#include <inttypes.h>
#include <string.h>
#include <wincrypt.h>

static const struct tree_word versions[] = {
    {0x0300, "SSL 3.0"}, {0x0301, "TLS 1.0"}, {0x0302, "TLS 1.1"}, {0x0303, "TLS 1.2"}, {0x0304, "TLS 1.3"}};
static const struct tree_word record_types[] = {
    {20, "ChangeCipherSpec"}, {21, "Alert"}, {22, "Handshake"}, {23, "application data"}};
static const struct tree_word handshake_types[] = {
    {0, "HelloRequest"},        {1, "ClientHello"},        {2, "ServerHello"},        {4, "NewSessionTicket"},
    {8, "EncryptedExtensions"}, {11, "Certificate"},       {12, "ServerKeyExchange"}, {13, "CertificateRequest"},
    {14, "ServerHelloDone"},    {15, "CertificateVerify"}, {16, "ClientKeyExchange"}, {20, "Finished"}};
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

static void put_versions(struct tree *tree, struct slice content)
{
    struct reader reader = reader_of(content);
    uint16_t version;
    if (content.len != 2 && reader_skip(&reader, 1) != WIRE_OK)
        return;
    while (reader_u16be(&reader, &version) == WIRE_OK)
        put_word16(tree, "supports", version, TREE_WORDS(versions));
}

static void put_extensions(struct tree *tree, struct reader *reader)
{
    struct slice list, content;
    uint16_t type;
    if (reader_left(reader) == 0)
        return;
    if (read_vector16(reader, &list) != WIRE_OK) {
        tree_wrong(tree, "the extensions are cut off");
        return;
    }
    struct reader inside = reader_of(list);
    while (reader_u16be(&inside, &type) == WIRE_OK && read_vector16(&inside, &content) == WIRE_OK) {
        if (type == 0)
            put_names(tree, content);
        else if (type == 16)
            put_protocols(tree, content);
        else if (type == 43)
            put_versions(tree, content);
    }
    if (reader_left(&inside) > 0)
        tree_wrong(tree, "an extension is cut off");
}

static void put_hello(struct tree *tree, struct slice body, bool client)
{
    struct reader reader = reader_of(body);
    uint16_t version, suite;
    struct slice random, session, list, methods;
    if (reader_u16be(&reader, &version) != WIRE_OK || reader_bytes(&reader, 32, &random) != WIRE_OK ||
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
    put_extensions(tree, &reader);
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

static void put_handshake(struct tree *tree, struct slice record)
{
    struct reader reader = reader_of(record);
    uint8_t type;
    uint32_t len;
    struct slice body;
    while (reader_left(&reader) > 0) {
        if (reader_u8(&reader, &type) != WIRE_OK || read_u24(&reader, &len) != WIRE_OK)
            return;
        const char *word = tree_word_of(type, TREE_WORDS(handshake_types));
        if (word == NULL || len > 0x20000) {
            tree_put(tree, "handshake", "encrypted, %zu bytes", record.len);
            return;
        }
        if (reader_bytes(&reader, len, &body) != WIRE_OK) {
            tree_put(tree, "handshake", "%s, goes on in the next record", word);
            return;
        }
        tree_open(tree, "handshake", "%s, %" PRIu32 " bytes", word, len);
        if (type == 1 || type == 2)
            put_hello(tree, body, type == 1);
        else if (type == 11)
            put_certificates(tree, body);
        tree_close(tree);
    }
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

void decode_tls(struct tree *tree, struct slice records)
{
    struct reader reader = reader_of(records);
    bool encrypted = false;
    unsigned long n_data = 0;
    size_t data_len = 0;
    tree_open(tree, "TLS", "%zu bytes", records.len);
    while (reader_left(&reader) > 0) {
        uint8_t type = 0, level, alert;
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
        if (type == 23) {
            n_data++;
            data_len += content.len;
            encrypted = true;
            continue;
        }
        tree_open(tree, "record", "%s, %s, %u bytes", tree_word_of(type, TREE_WORDS(record_types)),
                  tree_word_of(version, TREE_WORDS(versions)), len);
        struct reader inside = reader_of(content);
        if (type == 20)
            encrypted = true;
        else if (type == 21 && len == 2 && reader_u8(&inside, &level) == WIRE_OK &&
                 reader_u8(&inside, &alert) == WIRE_OK) {
            const char *word = tree_word_of(alert, TREE_WORDS(alerts));
            tree_put(tree, "alert", "%s %u%s%s%s", level == 2 ? "fatal" : "warning", alert, word == NULL ? "" : " (",
                     word == NULL ? "" : word, word == NULL ? "" : ")");
        } else if (type == 22 && !encrypted)
            put_handshake(tree, content);
        else
            tree_put(tree, "content", "encrypted");
        tree_close(tree);
    }
    if (n_data > 0)
        tree_put(tree, "application data", "%lu records, %zu bytes, encrypted", n_data, data_len);
    tree_close(tree);
}
