#include "schannel/connection.h"

#include "core/cause.h"

/* The server's steps. */
SECURITY_STATUS schannel_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    struct connection *connection = *handshake;
    if (connection == NULL) {
        require(in->given, cause_set(SEC_E_INVALID_TOKEN, "a TLS server's first step needs the client's first record"));
        try(connection_new(credential, false, in, &connection));
        connection->granted = ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT | ASC_RET_CONFIDENTIALITY |
                              ASC_RET_STREAM | (connection->datagram ? ASC_RET_DATAGRAM : 0);
        if ((in->flags & ASC_REQ_EXTENDED_ERROR) != 0)
            connection->granted |= ASC_RET_EXTENDED_ERROR;
    }
    SECURITY_STATUS status = connection_step(connection, credential, in, out);
    if (*handshake == NULL && status < 0)
        schannel_abandon(connection);
    else
        *handshake = connection;
    return status;
}
