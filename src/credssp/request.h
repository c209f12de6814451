/*
 * TSRequest and what travels in it (MS-CSSP 2.2.1): DER, encode beside decode. Decoders are pure: slices into the input, no allocation.
 */
#ifndef OPENSSPI_CREDSSP_REQUEST_H
#define OPENSSPI_CREDSSP_REQUEST_H

#include "base/result.h"
#include "base/slice.h"
#include "base/writer.h"

#define TS_VERSION_MIN 2
#define TS_VERSION_NONCE 5 /* from here on keys are bound by hashes over a nonce */
#define TS_VERSION_MAX 6
#define TS_NONCE_LEN 32
#define TS_ERROR_VERSION 0xC00000BBu /* errorCode for a version that is not spoken: STATUS_NOT_SUPPORTED */

/* Fields that are not there have data NULL. */
struct ts_request {
    uint32_t version;
    struct slice nego_token; /* the only one of negoTokens */
    struct slice auth_info;
    struct slice pub_key_auth;
    bool has_error;
    uint32_t error; /* an NTSTATUS */
    struct slice nonce;
};

/* Does errorCode exist in this version (2.2.1)? */
bool ts_version_has_error(uint32_t version);

/* A whole TSRequest and nothing behind it. WIRE_BAD for everything else. */
MUST_USE enum wire_result ts_request_parse(struct slice bytes, struct ts_request *request);
void ts_request_write(struct writer *writer, const struct ts_request *request);

/* TSCredentials (2.2.1.2). Text is UTF-16LE bytes as it lies on the wire. */
enum ts_credentials_type { TS_PASSWORD = 1, TS_SMART_CARD = 2, TS_REMOTE_GUARD = 6 };

#define TS_SUPPLEMENTAL_MAX 8 /* packages there are to hand something over for; Windows has two */

struct ts_package_cred {
    struct slice package, cred;
};

struct ts_credentials {
    enum ts_credentials_type type;
    /* TSPasswordCreds (2.2.1.2.1) */
    struct slice domain, user, password;
    /* TSSmartCardCreds (2.2.1.2.2); those that are optional have data NULL where they are not there */
    struct slice pin, card, reader, container, csp, user_hint, domain_hint;
    int64_t key_spec;
    /* TSRemoteGuardCreds (2.2.1.2.3) */
    struct ts_package_cred logon, supplemental[TS_SUPPLEMENTAL_MAX];
    unsigned n_supplemental;
};

MUST_USE enum wire_result ts_credentials_parse(struct slice bytes, struct ts_credentials *credentials);
void ts_credentials_write(struct writer *writer, const struct ts_credentials *credentials);

#endif
