#include "credssp/packed.h"

#include "base/reader.h"
#include "core/cause.h"
#include <ntsecapi.h>
#include <stddef.h>

/* A UNICODE_STRING whose Buffer is where its text will lie in the block. */
static void string_put(struct writer *head, struct slice text, size_t *at)
{
    writer_u16le(head, (uint16_t)text.len);
    writer_u16le(head, (uint16_t)text.len);
    writer_u32le(head, 0);
    writer_u64le(head, *at);
    *at += text.len;
}

static void interactive_put(const struct ts_credentials *credentials, struct writer *block)
{
    size_t at = sizeof(KERB_INTERACTIVE_LOGON);
    writer_u32le(block, KerbInteractiveLogon);
    writer_u32le(block, 0);
    string_put(block, credentials->domain, &at);
    string_put(block, credentials->user, &at);
    string_put(block, credentials->password, &at);
    writer_slice(block, credentials->domain);
    writer_slice(block, credentials->user);
    writer_slice(block, credentials->password);
}

/* KERB_SMARTCARD_CSP_INFO; its names are NUL-terminated, their offsets count characters of bBuffer. */
static void csp_put(const struct ts_credentials *credentials, struct writer *csp)
{
    const struct slice names[] = {credentials->card, credentials->reader, credentials->container, credentials->csp};
    size_t n_units = 0, len = offsetof(KERB_SMARTCARD_CSP_INFO, bBuffer);
    for (size_t i = 0; i < 4; i++)
        len += names[i].len + 2;
    writer_u32le(csp, (uint32_t)len);
    writer_u32le(csp, 1); /* MessageType, as documented */
    writer_u64le(csp, 0);
    writer_u32le(csp, 0);
    writer_u32le(csp, (uint32_t)credentials->key_spec);
    for (size_t i = 0; i < 4; i++) {
        writer_u32le(csp, (uint32_t)n_units);
        n_units += names[i].len / 2 + 1;
    }
    for (size_t i = 0; i < 4; i++) {
        writer_slice(csp, names[i]);
        writer_u16le(csp, 0);
    }
}

static void certificate_put(const struct ts_credentials *credentials, struct writer *block)
{
    AUTO_WRITER struct writer csp = writer_growing(256);
    size_t at = sizeof(KERB_CERTIFICATE_LOGON);
    csp_put(credentials, &csp);
    block->failed = block->failed || csp.failed;
    writer_u32le(block, KerbCertificateLogon);
    writer_u32le(block, 0);
    string_put(block, credentials->domain_hint, &at);
    string_put(block, credentials->user_hint, &at);
    string_put(block, credentials->pin, &at);
    writer_u32le(block, 0);
    writer_u32le(block, (uint32_t)csp.len);
    writer_u64le(block, at);
    writer_slice(block, credentials->domain_hint);
    writer_slice(block, credentials->user_hint);
    writer_slice(block, credentials->pin);
    writer_slice(block, writer_slice_of(&csp));
}

static bool texts_fit(const struct ts_credentials *credentials)
{
    const struct slice texts[] = {credentials->domain, credentials->user,      credentials->password,
                                  credentials->pin,    credentials->user_hint, credentials->domain_hint,
                                  credentials->card,   credentials->reader,    credentials->container,
                                  credentials->csp};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].len > UINT16_MAX || texts[i].len % 2 != 0)
            return false;
    return true;
}

SECURITY_STATUS packed_write(const struct ts_credentials *credentials, struct secret *packed)
{
    AUTO_WRITER struct writer block = writer_growing(512);
    if (credentials->type == TS_REMOTE_GUARD)
        return SEC_E_OK;
    require(texts_fit(credentials),
            cause_set(SEC_E_INVALID_TOKEN, "a text among the client's credentials that is no UTF-16, or too long"));
    if (credentials->type == TS_PASSWORD)
        interactive_put(credentials, &block);
    else
        certificate_put(credentials, &block);
    require(writer_finish(&block) == WIRE_OK && secret_set(packed, block.data, block.len), SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

/* A UNICODE_STRING, whose Buffer is an offset into the block. */
static enum wire_result string_take(struct reader *head, struct slice block, struct slice *text)
{
    uint16_t len;
    uint64_t at;
    try(reader_u16le(head, &len));
    try(reader_skip(head, 6));
    try(reader_u64le(head, &at));
    require(len % 2 == 0, WIRE_BAD);
    *text = (struct slice){0};
    return len > 0 ? slice_at(block, at, len, text) : WIRE_OK;
}

/* A name of a KERB_SMARTCARD_CSP_INFO, up to its NUL; an empty one counts as none. */
static enum wire_result csp_name(struct slice names, uint32_t at, struct slice *name)
{
    struct slice rest;
    require(at <= names.len / 2, WIRE_BAD);
    try(slice_at(names, (size_t)at * 2, names.len - (size_t)at * 2, &rest));
    for (size_t len = 0; len + 1 < rest.len; len += 2)
        if (rest.data[len] == 0 && rest.data[len + 1] == 0) {
            *name = len > 0 ? slice_of(rest.data, len) : (struct slice){0};
            return WIRE_OK;
        }
    return WIRE_BAD;
}

static enum wire_result csp_take(struct slice csp, struct ts_credentials *credentials)
{
    struct slice *const names[] = {&credentials->card, &credentials->reader, &credentials->container,
                                   &credentials->csp};
    struct reader head = reader_of(csp);
    struct slice buffer;
    uint32_t key_spec, at;
    try(slice_at(csp, offsetof(KERB_SMARTCARD_CSP_INFO, bBuffer),
                 csp.len >= offsetof(KERB_SMARTCARD_CSP_INFO, bBuffer)
                     ? csp.len - offsetof(KERB_SMARTCARD_CSP_INFO, bBuffer)
                     : 0,
                 &buffer));
    try(reader_skip(&head, 20));
    try(reader_u32le(&head, &key_spec));
    credentials->key_spec = key_spec;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        try(reader_u32le(&head, &at));
        try(csp_name(buffer, at, names[i]));
    }
    return WIRE_OK;
}

static enum wire_result block_take(struct slice block, uint32_t type, struct ts_credentials *credentials)
{
    struct reader head = reader_of(block);
    struct slice csp;
    uint32_t csp_len;
    uint64_t csp_at;
    bool password = type == KerbInteractiveLogon;
    *credentials = (struct ts_credentials){.type = password ? TS_PASSWORD : TS_SMART_CARD};
    try(reader_skip(&head, 8));
    try(string_take(&head, block, password ? &credentials->domain : &credentials->domain_hint));
    try(string_take(&head, block, password ? &credentials->user : &credentials->user_hint));
    try(string_take(&head, block, password ? &credentials->password : &credentials->pin));
    if (password)
        return WIRE_OK;
    try(reader_skip(&head, 4));
    try(reader_u32le(&head, &csp_len));
    try(reader_u64le(&head, &csp_at));
    try(slice_at(block, csp_at, csp_len, &csp));
    return csp_take(csp, credentials);
}

SECURITY_STATUS packed_read(struct slice block, struct ts_credentials *credentials)
{
    struct reader head = reader_of(block);
    uint32_t type = 0;
    bool known = reader_u32le(&head, &type) == WIRE_OK &&
                 (type == (uint32_t)KerbInteractiveLogon || type == (uint32_t)KerbCertificateLogon);
    require(known, cause_set(SEC_E_UNKNOWN_CREDENTIALS, "neither TSCredentials in DER, nor a packed "
                                                        "KERB_INTERACTIVE_LOGON or KERB_CERTIFICATE_LOGON"));
    require(block_take(block, type, credentials) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "a packed %s whose offsets and lengths do not fit",
                      type == (uint32_t)KerbInteractiveLogon ? "KERB_INTERACTIVE_LOGON" : "KERB_CERTIFICATE_LOGON"));
    return SEC_E_OK;
}
