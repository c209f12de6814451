#include "base/memory.h"
#include "certificates/kept_key.h"
#include "core/as_process.h"
#include "core/cause.h"
#include "lsa/remote.h"
#include <wincrypt.h>

/* Private keys that a daemon keeps: whoever names one means the daemon behind "socket", whatever "mode" says. */

static SECURITY_STATUS key_ask(const struct config *config, struct writer *request, enum lsa_operation operation,
                               struct writer *value)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    struct lsa_daemon *daemon = remote_daemon(config);
    require(daemon != NULL, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    enum lsa_result result = lsa_ask(daemon, request, operation, config->lsa_seconds, 0, &reply, NULL);
    require(result == LSA_ANSWERED, lsa_result_status(result));
    require(reply.status == SEC_E_OK, reply.status);
    writer_slice(value, reply.message.field[LSA_VALUE]);
    return writer_finish(value) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS keys_find(const char *name, struct writer *spki)
{
    const struct config *config;
    AUTO_WRITER struct writer request = lsa_request(LSA_KEY);
    lsa_text_write(&request, LSA_KEY_NAME, name);
    try(config_get(&config));
    SECURITY_STATUS status = key_ask(config, &request, LSA_KEY, spki);
    config_release(config);
    return status;
}

/* A refusal in the middle of a handshake is one of credentials; that nobody answers stays what it is. */
static SECURITY_STATUS keys_sign(const char *name, const uint8_t *hash, uint16_t scheme, struct slice data,
                                 struct writer *signature)
{
    const struct config *config;
    AS_PROCESS_SCOPE; /* a message may have TLS answer a request for a certificate, on a thread that impersonates */
    AUTO_WRITER struct writer request = lsa_request(LSA_SIGN);
    lsa_text_write(&request, LSA_KEY_NAME, name);
    lsa_bytes_write(&request, LSA_KEY_HASH, slice_of(hash, KEPT_KEY_HASH_LEN));
    lsa_number_write(&request, LSA_SCHEME, scheme);
    lsa_bytes_write(&request, LSA_TOKEN, data.data != NULL ? data : slice_of("", 0));
    try(config_get(&config));
    SECURITY_STATUS status = key_ask(config, &request, LSA_SIGN, signature);
    config_release(config);
    return status == SEC_E_OK || status == SEC_E_NO_AUTHENTICATING_AUTHORITY || status == SEC_E_INSUFFICIENT_MEMORY
               ? status
               : SEC_E_NO_CREDENTIALS;
}

__attribute__((constructor)) static void offer(void)
{
    static const struct key_keeper keeper = {.find = keys_find, .sign = keys_sign};
    key_keeper_set(&keeper);
}

void remote_keys_withdraw(void)
{
    key_keeper_set(NULL);
}
