#include "core/cause.h"
#include "schannel/connection.h"

/* libssl sends alerts for its own reasons only; what the caller asks for is written here. */

static void alert_write(struct connection *connection, uint8_t level, uint8_t number)
{
    struct writer *to = &connection->pending;
    writer_u8(to, SSL3_RT_ALERT);
    writer_u16be(to, TLS1_2_VERSION);
    writer_u16be(to, 2);
    writer_u8(to, level);
    writer_u8(to, number);
}

SECURITY_STATUS connection_alert(struct connection *connection, uint8_t level, uint8_t number)
{
    require(!connection->datagram && !connection->ends.protected,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "this alert cannot be sent once records are encrypted"));
    alert_write(connection, level, number);
    if (level == TLS1_ALERT_FATAL)
        connection->state = CONNECTION_FAILED;
    return SEC_E_OK;
}
