/*
 * SASL's own words: what is accepted of a security layer is written again byte for byte; a mechanism's name is one; a certificate in any form is
 * hashed or refused.
 */
#include "crypto/certificate.h"
#include "fuzz/world.h"
#include "sasl/layer.h"
#include "sasl/profiles.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct layer_message message;
    const struct sasl_profile *profile = NULL;
    AUTO_WRITER struct writer writer = writer_growing(64), der = writer_growing(64);
    uint8_t hash[CERTIFICATE_HASH_MAX];
    size_t len = 0;
    if (layer_message_parse(input, true, &message) == WIRE_OK) {
        layer_message_write(&writer, &message);
        MUST(writer_finish(&writer) == WIRE_OK && slice_equal(writer_slice_of(&writer), input));
        MUST(message.authzid.len == size - 4);
    }
    if (sasl_profile_identify(input, &profile) == WIRE_OK)
        MUST(profile == NULL ||
             (size >= strlen(profile->name) && memcmp(data, profile->name, strlen(profile->name)) == 0));
    if (certificate_end_point_hash(input, hash, &len) == CERTIFICATE_OK)
        MUST(len >= 20 && len <= sizeof hash);
    if (certificate_pem_read(input, &der))
        MUST(der.len > 0);
    return 0;
}
