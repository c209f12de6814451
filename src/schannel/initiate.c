#include "schannel/connection.h"

/* The client's steps. The package keeps its handshake after the end: renegotiation, post-handshake messages and close_notify are steps too. */
SECURITY_STATUS schannel_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    struct connection *connection = *handshake;
    if (connection == NULL) {
        try(connection_new(credential, true, in, &connection));
        connection->granted = ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY |
                              ISC_RET_STREAM | (connection->datagram ? ISC_RET_DATAGRAM : 0);
        if (connection->credential->n_certificates > 0 || (in->flags & ISC_REQ_USE_SUPPLIED_CREDS) != 0)
            connection->granted |= ISC_RET_USED_SUPPLIED_CREDS;
        if ((in->flags & ISC_REQ_EXTENDED_ERROR) != 0)
            connection->granted |= ISC_RET_EXTENDED_ERROR;
        if ((in->flags & ISC_REQ_MANUAL_CRED_VALIDATION) != 0)
            connection->granted |= ISC_RET_MANUAL_CRED_VALIDATION;
    }
    SECURITY_STATUS status = connection_step(connection, credential, in, out);
    if (*handshake == NULL && status < 0)
        schannel_abandon(connection);
    else
        *handshake = connection;
    return status;
}
