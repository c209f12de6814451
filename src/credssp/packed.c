#include "credssp/packed.h"

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
