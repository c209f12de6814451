/*
 * One direction of SASL's protection (RFC 2831 2.3 and 2.4).
 */
#ifndef OPENSSPI_DIGEST_SASL_LANE_H
#define OPENSSPI_DIGEST_SASL_LANE_H

#include "base/reader.h"
#include "core/message.h"
#include "crypto/des3_cbc.h"
#include "crypto/rc4.h"
#include "digest/terms.h"
#include <sspi.h>

#define SASL_SIGNATURE_LEN 16 /* ten bytes of the code, version 1, sequence number */
#define SASL_MAC_LEN 10

struct sasl_lane {
    enum digest_cipher cipher;
    struct hmac_md5_key sign;
    struct rc4 rc4;
    struct des3_cbc *des3;
    uint32_t seq;
};

/* Keys of the direction that the client or the server sends in. False: OpenSSL has no triple DES, or no memory. */
MUST_USE bool sasl_lane_start(struct sasl_lane *lane, const struct digest_terms *terms, bool from_client, bool sending);
void sasl_lane_end(struct sasl_lane *lane); /* the keys are the caller's block to wipe */
void sasl_lane_write(struct writer *own, const struct sasl_lane *lane);
MUST_USE enum wire_result sasl_lane_read(struct reader *own, struct sasl_lane *lane);

/* Bytes that come before the signature to fill the last block, of a message of `len` bytes. */
size_t sasl_lane_padding(const struct sasl_lane *lane, size_t len);
/* Protects in place: data, padding (of sasl_lane_padding bytes), signature. SEC_E_OK, SEC_E_ENCRYPT_FAILURE, SEC_E_CONTEXT_EXPIRED after 2^32 - 1
 * messages. */
SECURITY_STATUS sasl_lane_send(struct sasl_lane *lane, struct message *message);
/* Opens in place the same three parts; `token` has SASL_SIGNATURE_LEN bytes, and the padding may also stand at the end of the data. On success the
 * last data's length is that of its text. On failure the lane is as it was, and the message too; except where triple DES decrypted something else
 * than a message: then it is wiped, the lane has ended, and all that comes is SEC_E_CONTEXT_EXPIRED, as after 2^32 - 1 messages. SEC_E_OK,
 * SEC_E_MESSAGE_ALTERED, SEC_E_OUT_OF_SEQUENCE. */
SECURITY_STATUS sasl_lane_receive(struct sasl_lane *lane, struct message *message);

#endif
