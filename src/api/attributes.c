#include "api/api.h"

#include "api/context_token.h"
#include "api/identity.h"
#include "base/memory.h"
#include "base/reader.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/handle.h"
#include "core/objects.h"
#include "lsa/authority.h"
#include <credssp.h>
#include <schannel.h>
#include <sspi_ext.h>
#include <string.h>
#include <win32/rpcdce.h>
#include <wincrypt.h>

/* Attributes of contexts: plain values from below become Windows' structures, whose strings and blocks the caller frees one by one. */

enum form {
    FORM_SIZES,
    FORM_TEXT,
    FORM_WIDE_TEXT, /* UTF-16 in both the A and the W form */
    FORM_TWO_TEXTS,
    FORM_DCE,
    FORM_LIFESPAN,
    FORM_KEY_INFO,
    FORM_BYTES,
    FORM_NUMBER,
    FORM_STATUS, /* of the handshake, from the context itself */
    FORM_TIME,
    FORM_PACKAGE,
    FORM_NEGOTIATION,
    FORM_FLAT,        /* a structure without pointers, as the package laid it out */
    FORM_FLAT_SECRET, /* as FORM_SECRET_BYTES, of bytes that the package wrote */
    FORM_BINDINGS,
    FORM_POINTER, /* a reference, such as a certificate */
    FORM_ISSUERS,
    FORM_ACCESS_TOKEN,
    FORM_SECRET_BYTES, /* as FORM_BYTES, in a block that is kept out of core dumps */
    FORM_IDENTITY,     /* SecPkgContext_ClientCreds with a packed identity */
    FORM_APP_DATA,
    FORM_EXTENSIONS, /* WORDs that the package wrote, behind their number */
    FORM_SIGNATURES, /* the same, the number being a WORD */
};

static const struct shape {
    ULONG attribute;
    enum form form;
    size_t size; /* of the structure, alike for A and W */
} shapes[] = {
    {SECPKG_ATTR_SIZES, FORM_SIZES, sizeof(SecPkgContext_Sizes)},
    {SECPKG_ATTR_NAMES, FORM_TEXT, sizeof(SecPkgContext_NamesW)},
    {SECPKG_ATTR_LIFESPAN, FORM_LIFESPAN, sizeof(SecPkgContext_Lifespan)},
    {SECPKG_ATTR_DCE_INFO, FORM_DCE, sizeof(SecPkgContext_DceInfo)},
    {SECPKG_ATTR_KEY_INFO, FORM_KEY_INFO, sizeof(SecPkgContext_KeyInfoW)},
    {SECPKG_ATTR_AUTHORITY, FORM_TEXT, sizeof(SecPkgContext_AuthorityW)},
    {SECPKG_ATTR_PASSWORD_EXPIRY, FORM_TIME, sizeof(SecPkgContext_PasswordExpiry)},
    {SECPKG_ATTR_SESSION_KEY, FORM_SECRET_BYTES, sizeof(SecPkgContext_SessionKey)},
    {SECPKG_ATTR_PACKAGE_INFO, FORM_PACKAGE, sizeof(SecPkgContext_PackageInfoW)},
    {SECPKG_ATTR_NEGOTIATION_PACKAGE, FORM_PACKAGE, sizeof(SecPkgContext_PackageInfoW)},
    {SECPKG_ATTR_NEGOTIATION_INFO, FORM_NEGOTIATION, sizeof(SecPkgContext_NegotiationInfoW)},
    {SECPKG_ATTR_NATIVE_NAMES, FORM_TWO_TEXTS, sizeof(SecPkgContext_NativeNamesW)},
    {SECPKG_ATTR_FLAGS, FORM_NUMBER, sizeof(SecPkgContext_Flags)},
    {SECPKG_ATTR_TARGET_INFORMATION, FORM_BYTES, sizeof(SecPkgContext_TargetInformation)},
    {SECPKG_ATTR_ACCESS_TOKEN, FORM_ACCESS_TOKEN, sizeof(SecPkgContext_AccessToken)},
    {SECPKG_ATTR_C_ACCESS_TOKEN, FORM_ACCESS_TOKEN, sizeof(SecPkgContext_AccessToken)},
    {SECPKG_ATTR_C_FULL_ACCESS_TOKEN, FORM_ACCESS_TOKEN, sizeof(SecPkgContext_AccessToken)},
    {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, FORM_WIDE_TEXT, sizeof(SecPkgContext_ClientSpecifiedTarget)},
    {OPENSSPI_ATTR_AUTHORIZATION_DATA, FORM_BYTES, sizeof(OPENSSPI_AUTHORIZATION_DATA)},
    {SECPKG_ATTR_STREAM_SIZES, FORM_FLAT, sizeof(SecPkgContext_StreamSizes)},
    {SECPKG_ATTR_UNIQUE_BINDINGS, FORM_BINDINGS, sizeof(SecPkgContext_Bindings)},
    {SECPKG_ATTR_ENDPOINT_BINDINGS, FORM_BINDINGS, sizeof(SecPkgContext_Bindings)},
    {SECPKG_ATTR_DTLS_MTU, FORM_FLAT, sizeof(WORD)},
    {SECPKG_ATTR_APPLICATION_PROTOCOL, FORM_FLAT, sizeof(SecPkgContext_ApplicationProtocol)},
    {SECPKG_ATTR_REMOTE_CERT_CONTEXT, FORM_POINTER, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_LOCAL_CERT_CONTEXT, FORM_POINTER, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_REMOTE_CERT_CHAIN, FORM_POINTER, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_ISSUER_LIST_EX, FORM_ISSUERS, sizeof(SecPkgContext_IssuerListInfoEx)},
    {SECPKG_ATTR_CONNECTION_INFO, FORM_FLAT, sizeof(SecPkgContext_ConnectionInfo)},
    {SECPKG_ATTR_CONNECTION_INFO_EX, FORM_FLAT, sizeof(SecPkgContext_ConnectionInfoEx)},
    {SECPKG_ATTR_CIPHER_INFO, FORM_FLAT, sizeof(SecPkgContext_CipherInfo)},
    {SECPKG_ATTR_EAP_KEY_BLOCK, FORM_FLAT, sizeof(SecPkgContext_EapKeyBlock)},
    {SECPKG_ATTR_SESSION_INFO, FORM_FLAT, sizeof(SecPkgContext_SessionInfo)},
    {SECPKG_ATTR_EARLY_START, FORM_FLAT, sizeof(SecPkgContext_EarlyStart)},
    {SECPKG_ATTR_KEYING_MATERIAL, FORM_FLAT_SECRET, sizeof(SecPkgContext_KeyingMaterial)},
    {SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING, FORM_FLAT_SECRET, sizeof(SecPkgContext_KeyingMaterial)},
    {SECPKG_ATTR_CERT_CHECK_RESULT, FORM_FLAT, sizeof(SecPkgContext_CertificateValidationResult)},
    {SECPKG_ATTR_CERT_CHECK_RESULT_INPROC, FORM_FLAT, sizeof(SecPkgContext_CertificateValidationResult)},
    {SECPKG_ATTR_APP_DATA, FORM_APP_DATA, sizeof(SecPkgContext_SessionAppData)},
    {SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, FORM_EXTENSIONS, sizeof(SecPkgContext_NegotiatedTlsExtensions)},
    {SECPKG_ATTR_SUPPORTED_SIGNATURES, FORM_SIGNATURES, sizeof(SecPkgContext_SupportedSignatures)},
    {SECPKG_ATTR_SRTP_PARAMETERS, FORM_FLAT, sizeof(SecPkgContext_SrtpParameters)},
    {SECPKG_ATTR_USER_FLAGS, FORM_NUMBER, sizeof(SecPkgContext_UserFlags)},
    {SECPKG_ATTR_LOGOFF_TIME, FORM_TIME, sizeof(SecPkgContext_LogoffTime)},
    {SECPKG_ATTR_CREDS, FORM_IDENTITY, sizeof(SecPkgContext_ClientCreds)},
    {SECPKG_ATTR_CREDS_2, FORM_SECRET_BYTES, sizeof(SecPkgContext_ClientCreds)},
    {OPENSSPI_ATTR_TS_CREDENTIALS, FORM_SECRET_BYTES, sizeof(SecPkgContext_ClientCreds)},
    {SECPKG_ATTR_NEGO_STATUS, FORM_STATUS, sizeof(SecPkgContext_NegoStatus)},
    {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, FORM_NUMBER, sizeof(SecPkgContext_LastClientTokenStatus)},
    {SECPKG_ATTR_SERVER_AUTH_FLAGS, FORM_NUMBER, sizeof(SecPkgContext_Flags)},
    {SECPKG_ATTR_CERT_TRUST_STATUS, FORM_FLAT, sizeof(CERT_TRUST_STATUS)},
};

_Static_assert(sizeof(SecPkgContext_SessionKey) == sizeof(SecPkgContext_TargetInformation) &&
                   sizeof(SecPkgContext_SessionKey) == sizeof(OPENSSPI_AUTHORIZATION_DATA) &&
                   sizeof(SecPkgContext_SessionKey) == sizeof(SecPkgContext_KeyingMaterial) &&
                   sizeof(SecPkgContext_SessionKey) == sizeof(SecPkgContext_ClientCreds),
               "all are a length and a pointer");

static const struct shape *shape_of(ULONG attribute)
{
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        if (shapes[i].attribute == attribute)
            return &shapes[i];
    return NULL;
}

static SECURITY_STATUS put_texts(const char *first, const char *second, bool two, bool wide, void *buffer)
{
    void *text[2] = {api_text_block(first, wide), NULL};
    if (two)
        text[1] = api_text_block(second, wide);
    if (text[0] == NULL || (two && text[1] == NULL)) {
        (void)block_free(text[0]);
        (void)block_free(text[1]);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    memcpy(buffer, text, two ? sizeof text : sizeof text[0]);
    return SEC_E_OK;
}

static SECURITY_STATUS put_key_info(const struct attribute *value, bool wide, SecPkgContext_KeyInfoW *info)
{
    try(put_texts(value->key_info.signature_name, value->key_info.encrypt_name, true, wide, info));
    info->KeySize = value->key_info.key_bits;
    info->SignatureAlgorithm = value->key_info.signature_algorithm;
    info->EncryptAlgorithm = value->key_info.encrypt_algorithm;
    return SEC_E_OK;
}

static SECURITY_STATUS put_bytes(struct slice bytes, bool secret, SecPkgContext_SessionKey *out)
{
    void *block = secret ? block_alloc_secret(bytes.len) : block_alloc(bytes.len);
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (bytes.len > 0)
        memcpy(block, bytes.data, bytes.len);
    out->SessionKeyLength = (ULONG)bytes.len;
    out->SessionKey = block;
    return SEC_E_OK;
}

static SECURITY_STATUS put_app_data(struct slice data, SecPkgContext_SessionAppData *out)
{
    SecPkgContext_SessionKey block; /* a length and a pointer */
    try(put_bytes(data, true, &block));
    *out = (SecPkgContext_SessionAppData){.cbAppData = block.SessionKeyLength, .pbAppData = block.SessionKey};
    return SEC_E_OK;
}

static SECURITY_STATUS put_words(const struct attribute *value, bool signatures, void *out)
{
    SecPkgContext_SessionKey block;
    size_t n_words = value->flat.len / sizeof(WORD);
    try(put_bytes(slice_of(value->flat.bytes, value->flat.len), false, &block));
    WORD *words = (WORD *)(void *)block.SessionKey; /* a block of its own is aligned */
    if (signatures)
        *(SecPkgContext_SupportedSignatures *)out = (SecPkgContext_SupportedSignatures){
            .cSignatureAndHashAlgorithms = (WORD)n_words, .pSignatureAndHashAlgorithms = words};
    else
        *(SecPkgContext_NegotiatedTlsExtensions *)out =
            (SecPkgContext_NegotiatedTlsExtensions){.ExtensionsCount = (ULONG)n_words, .Extensions = words};
    return SEC_E_OK;
}

static SECURITY_STATUS put_identity(const struct identity *identity, SecPkgContext_ClientCreds *out)
{
    struct identity_parts parts = {.user = identity->user, .domain = identity->domain}; /* borrowed */
    void *block = NULL;
    SECURITY_STATUS status = identity_pack_password(secret_slice(&identity->password), &parts.packed);
    if (status == SEC_E_OK)
        status = identity_parts_write(&parts, &block);
    secret_release(&parts.packed);
    require(status == SEC_E_OK, status);
    out->AuthBufferLen = ((const SEC_WINNT_AUTH_IDENTITY_EX2 *)block)->cbStructureLength;
    out->AuthBuffer = block;
    return SEC_E_OK;
}

/* One block: the header, whose address fields are zero, and the application data behind it. */
static SECURITY_STATUS put_bindings(struct slice data, SecPkgContext_Bindings *out)
{
    SEC_CHANNEL_BINDINGS *block = block_alloc(sizeof *block + data.len);
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    block->cbApplicationDataLength = (ULONG)data.len;
    block->dwApplicationDataOffset = sizeof *block;
    memcpy(block + 1, data.data, data.len);
    out->BindingsLength = (ULONG)(sizeof *block + data.len);
    out->Bindings = block;
    return SEC_E_OK;
}

/* The names come as TLS writes them, each behind two bytes with its length; one block holds the array and the names. */
static SECURITY_STATUS put_issuers(struct slice list, SecPkgContext_IssuerListInfoEx *out)
{
    struct slice name;
    uint16_t len;
    DWORD n_names = 0;
    for (struct reader reader = reader_of(list); reader_left(&reader) > 0; n_names++)
        require(reader_u16be(&reader, &len) == WIRE_OK && reader_skip(&reader, len) == WIRE_OK, SEC_E_INTERNAL_ERROR);
    CERT_NAME_BLOB *names = block_alloc(n_names * sizeof *names + list.len);
    require(names != NULL, SEC_E_INSUFFICIENT_MEMORY);
    uint8_t *at = (uint8_t *)(names + n_names);
    struct reader reader = reader_of(list);
    for (DWORD i = 0; i < n_names; i++) {
        if (reader_u16be(&reader, &len) != WIRE_OK || reader_bytes(&reader, len, &name) != WIRE_OK)
            break; /* the first walk has shown that this cannot be */
        memcpy(at, name.data, name.len);
        names[i] = (CERT_NAME_BLOB){.cbData = len, .pbData = at};
        at += len;
    }
    out->aIssuers = names;
    out->cIssuers = n_names;
    return SEC_E_OK;
}

static SECURITY_STATUS put_value(const struct shape *shape, const struct attribute *value, bool wide, void *buffer)
{
    switch (shape->form) {
    case FORM_SIZES:
        *(SecPkgContext_Sizes *)buffer = (SecPkgContext_Sizes){
            .cbMaxToken = value->sizes.max_token,
            .cbMaxSignature = value->sizes.max_signature,
            .cbBlockSize = value->sizes.block,
            .cbSecurityTrailer = value->sizes.trailer,
        };
        return SEC_E_OK;
    case FORM_TEXT:
        return put_texts(value->names.text, NULL, false, wide, buffer);
    case FORM_WIDE_TEXT:
        return put_texts(value->names.text, NULL, false, true, buffer);
    case FORM_TWO_TEXTS:
        return put_texts(value->names.text, value->names.second, true, wide, buffer);
    case FORM_DCE:
        try(put_texts(value->names.text, NULL, false, wide, &((SecPkgContext_DceInfo *)buffer)->pPac));
        ((SecPkgContext_DceInfo *)buffer)->AuthzSvc =
            RPC_C_AUTHZ_NAME; /* the authorization data is the client's name */
        return SEC_E_OK;
    case FORM_LIFESPAN:
        ((SecPkgContext_Lifespan *)buffer)->tsStart = api_timestamp(value->lifespan.start);
        ((SecPkgContext_Lifespan *)buffer)->tsExpiry = api_timestamp(value->lifespan.expiry);
        return SEC_E_OK;
    case FORM_KEY_INFO:
        return put_key_info(value, wide, buffer);
    case FORM_BYTES:
        return put_bytes(value->bytes, false, buffer);
    case FORM_SECRET_BYTES:
        return put_bytes(value->bytes, true, buffer);
    case FORM_IDENTITY:
        return put_identity(value->identity, buffer);
    case FORM_NUMBER:
        *(ULONG *)buffer = value->number;
        return SEC_E_OK;
    case FORM_TIME:
        *(TimeStamp *)buffer = api_timestamp(value->time);
        return SEC_E_OK;
    case FORM_FLAT:
        require(value->flat.len == shape->size, SEC_E_INTERNAL_ERROR);
        memcpy(buffer, value->flat.bytes, shape->size);
        return SEC_E_OK;
    case FORM_FLAT_SECRET:
        return put_bytes(slice_of(value->flat.bytes, value->flat.len), true, buffer);
    case FORM_BINDINGS:
        return put_bindings(slice_of(value->flat.bytes, value->flat.len), buffer);
    case FORM_APP_DATA:
        return put_app_data(value->bytes, buffer);
    case FORM_EXTENSIONS:
    case FORM_SIGNATURES:
        return put_words(value, shape->form == FORM_SIGNATURES, buffer);
    case FORM_POINTER:
        memcpy(buffer, &value->pointer, sizeof value->pointer);
        return SEC_E_OK;
    case FORM_ISSUERS:
        return put_issuers(value->bytes, buffer);
    case FORM_PACKAGE:
    case FORM_NEGOTIATION:
    case FORM_STATUS:
    case FORM_ACCESS_TOKEN: /* answered without a value */
        break;
    }
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static SECURITY_STATUS handshake_asked(const struct context *context, ULONG attribute, struct attribute *value)
{
    require(context->handshake != NULL && context->credential->authority->query_handshake != NULL,
            cause_set(SEC_E_INVALID_HANDLE, "this %s context is not established", context->package->info.name));
    return context->credential->authority->query_handshake(context->handshake, attribute, value);
}

static SECURITY_STATUS value_find(const struct context *context, ULONG attribute, struct attribute *value)
{
    return context->session != NULL ? session_query(context->session, attribute, value)
                                    : handshake_asked(context, attribute, value);
}

/* A datagram context has a session before its handshake has ended. */
static SECURITY_STATUS choice_find(const struct context *context, ULONG attribute, struct attribute *value)
{
    bool runs = context->state != CONTEXT_ESTABLISHED && context->handshake != NULL;
    return runs ? handshake_asked(context, attribute, value) : value_find(context, attribute, value);
}

static SECURITY_STATUS put_package(const struct context *context, const struct shape *shape, bool wide, void *buffer)
{
    const struct package_info *info = &context->package->info;
    bool established = context->state == CONTEXT_ESTABLISHED;
    struct attribute value = {
        .choice = {.package = context->package,
                   .state = established ? SECPKG_NEGOTIATION_COMPLETE : SECPKG_NEGOTIATION_IN_PROGRESS}};
    /* Schannel negotiates nothing, and says so. */
    if (shape->form == FORM_NEGOTIATION)
        require((info->capabilities & SECPKG_FLAG_NEGOTIABLE) != 0 || info->tells_state, SEC_E_UNSUPPORTED_FUNCTION);
    if (shape->attribute == SECPKG_ATTR_NEGOTIATION_PACKAGE)
        require(info->chooses, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s chooses no package", info->name));
    if (info->chooses)
        try(choice_find(context, shape->attribute, &value));
    /* Both structures begin with the pointer. */
    void *block;
    try(api_package_info_block(value.choice.package, wide, &block));
    *(void **)buffer = block;
    if (shape->form == FORM_NEGOTIATION)
        ((SecPkgContext_NegotiationInfoW *)buffer)->NegotiationState = value.choice.state;
    return SEC_E_OK;
}

/* Under the handshake lock, which keeps state, session and handshake where they are. */
static SECURITY_STATUS query_locked(const struct context *context, const struct shape *shape, bool wide, void *buffer)
{
    struct attribute value = {0};
    if (shape->form == FORM_PACKAGE || shape->form == FORM_NEGOTIATION)
        return put_package(context, shape, wide, buffer);
    if (shape->form == FORM_STATUS) { /* also of a handshake that failed */
        require(context->package->info.chooses && context->initiator,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                          "the status of the last step is asked of a client's Negotiate context"));
        ((SecPkgContext_NegoStatus *)buffer)->LastStatus = (ULONG)context->status;
        return SEC_E_OK;
    }
    /* Of a failed context nobody is asked: it has no token by any name. */
    if (shape->form == FORM_ACCESS_TOKEN && context->state == CONTEXT_FAILED)
        return SEC_E_OK;
    if (shape->form == FORM_ACCESS_TOKEN) /* by one of CredSSP's names for it: is this a package that has them? */
        return value_find(context, shape->attribute, &value);
    bool of_handshake = shape->attribute == SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS;
    SECURITY_STATUS status = (of_handshake ? choice_find : value_find)(context, shape->attribute, &value);
    if (status == SEC_E_OK)
        status = put_value(shape, &value, wide, buffer);
    secret_wipe(&value, sizeof value); /* keying material among others */
    return status;
}

static SECURITY_STATUS context_query(PCtxtHandle handle, ULONG attribute, void *buffer, size_t room, bool wide)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    try(api_context_get(handle, &ref));
    struct context *context = ref.object;
    require(buffer != NULL, cause_set(SEC_E_INTERNAL_ERROR, "no place for the attribute was given"));
    const struct shape *shape = shape_of(attribute);
    require(shape != NULL, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s contexts have no attribute %u",
                                     context->package->info.name, (unsigned)attribute));
    require(room >= shape->size, cause_set(SEC_E_BUFFER_TOO_SMALL, "attribute %u has a structure of %zu bytes",
                                           (unsigned)attribute, shape->size));
    if (attribute == SECPKG_ATTR_ACCESS_TOKEN)
        return context_token_shown(context, &((SecPkgContext_AccessToken *)buffer)->AccessToken);
    pthread_mutex_lock(&context->handshake_lock);
    SECURITY_STATUS status = cause_answer(query_locked(context, shape, wide, buffer));
    pthread_mutex_unlock(&context->handshake_lock);
    if (status == SEC_E_OK && shape->form == FORM_ACCESS_TOKEN)
        return context_token_shown(context, &((SecPkgContext_AccessToken *)buffer)->AccessToken);
    return status != SEC_E_UNSUPPORTED_FUNCTION ? status
                                                : cause_set(status, "%s contexts have no attribute %u",
                                                            context->package->info.name, (unsigned)attribute);
}

SECURITY_STATUS SEC_ENTRY QueryContextAttributesW(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer)
{
    return context_query(phContext, ulAttribute, pBuffer, SIZE_MAX, true);
}

SECURITY_STATUS SEC_ENTRY QueryContextAttributesA(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer)
{
    return context_query(phContext, ulAttribute, pBuffer, SIZE_MAX, false);
}

SECURITY_STATUS SEC_ENTRY QueryContextAttributesExW(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer,
                                                    ULONG cbBuffer)
{
    return context_query(phContext, ulAttribute, pBuffer, cbBuffer, true);
}

SECURITY_STATUS SEC_ENTRY QueryContextAttributesExA(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer,
                                                    ULONG cbBuffer)
{
    return context_query(phContext, ulAttribute, pBuffer, cbBuffer, false);
}

static SECURITY_STATUS context_set(PCtxtHandle handle, ULONG attribute, const void *buffer, ULONG len)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    try(api_context_get(handle, &ref));
    require(buffer != NULL || len == 0, cause_set(SEC_E_INVALID_TOKEN, "an attribute with a length but no memory"));
    struct context *context = ref.object;
    pthread_mutex_lock(&context->handshake_lock);
    SECURITY_STATUS status = cause_answer(authority()->set_context(context, attribute, buffer, len));
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}

SECURITY_STATUS SEC_ENTRY SetContextAttributesW(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer)
{
    return context_set(phContext, ulAttribute, pBuffer, cbBuffer);
}

SECURITY_STATUS SEC_ENTRY SetContextAttributesA(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer, ULONG cbBuffer)
{
    return context_set(phContext, ulAttribute, pBuffer, cbBuffer);
}
