#include "negotiate/session.h"

#include "core/cause.h"
#include "negotiate/package.h"
#include <credssp.h>

/* The package's own part of the record is the whole record of the chosen package; `state` is that package's open session. */

SECURITY_STATUS negotiate_record_write(struct writer *record, struct slice inner)
{
    return session_record_wrap(record, &negotiate_package, inner);
}

bool negotiate_choice(const struct package *chosen, uint32_t state, uint32_t attribute, struct attribute *value)
{
    if (attribute != SECPKG_ATTR_PACKAGE_INFO && attribute != SECPKG_ATTR_NEGOTIATION_INFO &&
        attribute != SECPKG_ATTR_NEGOTIATION_PACKAGE)
        return false;
    value->choice.package = chosen;
    value->choice.state = state;
    return true;
}

static SECURITY_STATUS negotiate_session_open(struct slice own, uint32_t flags, bool initiator, void **state)
{
    struct session *inner;
    (void)flags, (void)initiator; /* the chosen package's record has its own */
    try(session_open_chosen(own, &inner));
    *state = inner;
    return SEC_E_OK;
}

static void negotiate_session_close(void *state)
{
    session_close(state);
}

static SECURITY_STATUS negotiate_session_save(const void *state, struct writer *own)
{
    return session_save(state, own);
}

static SECURITY_STATUS negotiate_session_reset(void *state)
{
    struct session *inner = state;
    require(inner->package->session->reset != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return inner->package->session->reset(inner->state);
}

static SECURITY_STATUS negotiate_sign(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    const struct session *inner = state;
    require(inner->package->session->sign != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return inner->package->session->sign(inner->state, qop, message, seq);
}

static SECURITY_STATUS negotiate_seal(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    const struct session *inner = state;
    require(inner->package->session->seal != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return inner->package->session->seal(inner->state, qop, message, seq);
}

static SECURITY_STATUS negotiate_verify(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    const struct session *inner = state;
    require(inner->package->session->verify != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return inner->package->session->verify(inner->state, message, seq, qop);
}

static SECURITY_STATUS negotiate_unseal(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    const struct session *inner = state;
    require(inner->package->session->unseal != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return inner->package->session->unseal(inner->state, message, seq, qop);
}

static SECURITY_STATUS negotiate_session_query(const void *state, uint32_t attribute, struct attribute *value)
{
    const struct session *inner = state;
    if (negotiate_choice(inner->package, SECPKG_NEGOTIATION_COMPLETE, attribute, value))
        return SEC_E_OK;
    return session_query(inner, attribute, value);
}

const struct package_session negotiate_session_table = {
    .open = negotiate_session_open,
    .close = negotiate_session_close,
    .save = negotiate_session_save,
    .reset = negotiate_session_reset,
    .sign = negotiate_sign,
    .seal = negotiate_seal,
    .verify = negotiate_verify,
    .unseal = negotiate_unseal,
    .query = negotiate_session_query,
};
