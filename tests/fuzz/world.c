#include "fuzz/world.h"

#include "base/time.h"
#include "crypto/random.h"
#include "support/identity.h"
#include "support/place.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char directory[PLACE_LEN];
static pid_t owner;
static uint64_t seed;

static void directory_remove(void)
{
    if (owner == getpid())
        place_remove(directory);
}

const char *world_directory(void)
{
    if (place_make(directory)) {
        owner = getpid();
        atexit(directory_remove);
    }
    return directory;
}

void world_configure(const char *ntlm)
{
    char text[1024];
    place_file(world_directory(), "sam", "alice:EXAMPLE::7facdc498ed1680c4fd1448319a8c04f:::\n"); /* Password1! */
    snprintf(text, sizeof text,
             "[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
             "dns_domain = example.test\n[accounts]\nstores = sam:%s/sam\nlockout_threshold = 0\n[ntlm]\n%s\n",
             directory, ntlm);
    place_configure(directory, text);
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static bool fill(void *data, size_t len)
{
    uint8_t *to = data;
    for (size_t i = 0; i < len; i++) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        to[i] = (uint8_t)((z ^ z >> 27) * UINT64_C(0x94d049bb133111eb) >> 56);
    }
    return true;
}

void world_reset(void)
{
    seed = 1;
    random_hook(fill);
    filetime_fix(INT64_C(133000000000000000));
}

CredHandle world_credential(ULONG use)
{
    return world_credential_of("NTLM", use);
}

CredHandle world_credential_of(const char *package, ULONG use)
{
    CredHandle handle = {0};
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", "Password1!");
    MUST(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, use, NULL,
                                   use == SECPKG_CRED_OUTBOUND ? &identity : NULL, NULL, NULL, &handle,
                                   NULL) == SEC_E_OK);
    return handle;
}

uint8_t world_u8(struct reader *input)
{
    uint8_t value;
    return reader_u8(input, &value) == WIRE_OK ? value : 0;
}

uint16_t world_u16(struct reader *input)
{
    uint16_t value;
    return reader_u16le(input, &value) == WIRE_OK ? value : 0;
}

struct slice world_bytes(struct reader *input, size_t len)
{
    struct slice bytes = {0};
    if (len > reader_left(input))
        len = reader_left(input);
    return reader_bytes(input, len, &bytes) == WIRE_OK ? bytes : (struct slice){0};
}

static SECURITY_STATUS step(bool initiate, CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in,
                            uint8_t *out, ULONG *out_len)
{
    bool first = context->dwLower == 0 && context->dwUpper == 0;
    uint8_t *copy = malloc(in.len > 0 ? in.len : 1);
    MUST(copy != NULL);
    if (in.len > 0)
        memcpy(copy, in.data, in.len);
    SecBuffer in_buffer = {(ULONG)in.len, SECBUFFER_TOKEN, copy}, out_buffer = {WORLD_TOKEN_MAX, SECBUFFER_TOKEN, out};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in_buffer}, out_list = {SECBUFFER_VERSION, 1, &out_buffer};
    CtxtHandle before = *context;
    ULONG attributes = 0;
    SECURITY_STATUS status =
        initiate ? InitializeSecurityContextA(credential, first ? NULL : context,
                                              (char *)(uintptr_t) "host/server.example.test", flags, 0,
                                              SECURITY_NATIVE_DREP, &in_list, 0, context, &out_list, &attributes, NULL)
                 : AcceptSecurityContext(credential, first ? NULL : context, &in_list, flags, SECURITY_NATIVE_DREP,
                                         context, &out_list, &attributes, NULL);
    free(copy);
    MUST(status >= 0 || (before.dwLower == context->dwLower && before.dwUpper == context->dwUpper));
    if (out_len != NULL)
        *out_len = status >= 0 ? out_buffer.cbBuffer : 0;
    return status;
}

SECURITY_STATUS world_initiate(CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in, uint8_t *out,
                               ULONG *out_len)
{
    return step(true, credential, context, flags, in, out, out_len);
}

SECURITY_STATUS world_accept(CredHandle *credential, CtxtHandle *context, ULONG flags, struct slice in, uint8_t *out,
                             ULONG *out_len)
{
    return step(false, credential, context, flags, in, out, out_len);
}

size_t world_mutate(struct reader *input, uint8_t *message, size_t len, size_t max)
{
    for (unsigned n_changes = 0; n_changes < 16 && reader_left(input) > 0; n_changes++) {
        uint8_t kind = world_u8(input);
        size_t at = len > 0 ? world_u16(input) % len : 0;
        uint8_t value = world_u8(input);
        struct slice bytes;
        switch (kind % 6) {
        case 0:
            if (len > 0)
                message[at] = value;
            break;
        case 1:
            if (len > 0)
                message[at] ^= value;
            break;
        case 2:
            len = at;
            break;
        case 3: /* append */
            bytes = world_bytes(input, value);
            if (bytes.len > 0 && bytes.len <= max - len) {
                memcpy(message + len, bytes.data, bytes.len);
                len += bytes.len;
            }
            break;
        case 4: /* remove */
            if (value <= len - at) {
                memmove(message + at, message + at + value, len - at - value);
                len -= value;
            }
            break;
        default: /* overwrite a stretch */
            bytes = world_bytes(input, value);
            if (bytes.len > 0 && bytes.len <= len - at)
                memcpy(message + at, bytes.data, bytes.len);
            break;
        }
    }
    return len;
}

static void query_one(CtxtHandle *context, ULONG attribute)
{
    union {
        uint64_t room[32];
        SecPkgContext_NamesA names_a;
        SecPkgContext_NamesW names_w;
        SecPkgContext_NativeNamesW two;
        SecPkgContext_DceInfo dce;
        SecPkgContext_SessionKey key;
        SecPkgContext_KeyInfoW key_info;
        SecPkgContext_PackageInfoW package;
        SecPkgContext_NegotiationInfoW negotiation;
    } value;
    for (int wide = 0; wide < 2; wide++) {
        memset(&value, 0, sizeof value);
        SECURITY_STATUS status = wide ? QueryContextAttributesW(context, attribute, &value)
                                      : QueryContextAttributesA(context, attribute, &value);
        if (status != SEC_E_OK)
            continue;
        switch (attribute) {
        case SECPKG_ATTR_NAMES:
        case SECPKG_ATTR_AUTHORITY:
        case SECPKG_ATTR_CLIENT_SPECIFIED_TARGET:
            MUST(FreeContextBuffer(value.names_w.sUserName) == SEC_E_OK);
            break;
        case SECPKG_ATTR_NATIVE_NAMES:
            MUST(FreeContextBuffer(value.two.sClientName) == SEC_E_OK);
            MUST(FreeContextBuffer(value.two.sServerName) == SEC_E_OK);
            break;
        case SECPKG_ATTR_DCE_INFO:
            MUST(FreeContextBuffer(value.dce.pPac) == SEC_E_OK);
            break;
        case SECPKG_ATTR_SESSION_KEY:
        case SECPKG_ATTR_TARGET_INFORMATION:
            MUST(FreeContextBuffer(value.key.SessionKey) == SEC_E_OK);
            break;
        case SECPKG_ATTR_KEY_INFO:
            MUST(FreeContextBuffer(value.key_info.sSignatureAlgorithmName) == SEC_E_OK);
            MUST(FreeContextBuffer(value.key_info.sEncryptAlgorithmName) == SEC_E_OK);
            break;
        case SECPKG_ATTR_PACKAGE_INFO:
        case SECPKG_ATTR_NEGOTIATION_INFO:
            MUST(FreeContextBuffer(value.package.PackageInfo) == SEC_E_OK);
            break;
        default:
            break;
        }
    }
}

void world_query(CtxtHandle *context)
{
    static const ULONG attributes[] = {
        SECPKG_ATTR_SIZES,        SECPKG_ATTR_NAMES,           SECPKG_ATTR_LIFESPAN,
        SECPKG_ATTR_DCE_INFO,     SECPKG_ATTR_KEY_INFO,        SECPKG_ATTR_AUTHORITY,
        SECPKG_ATTR_SESSION_KEY,  SECPKG_ATTR_PACKAGE_INFO,    SECPKG_ATTR_NEGOTIATION_INFO,
        SECPKG_ATTR_NATIVE_NAMES, SECPKG_ATTR_PASSWORD_EXPIRY, SECPKG_ATTR_TARGET_INFORMATION,
        SECPKG_ATTR_FLAGS,        SECPKG_ATTR_STREAM_SIZES,    SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
    };
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
        query_one(context, attributes[i]);
}
