#include "core/as_process.h"
#include "core/session.h"
#include "lsa/remote.h"

/* What sessions ask whose keys stayed with a daemon. It is the one behind "socket", whatever "mode" says by now: that it is another one it tells by what it cannot open. */

static SECURITY_STATUS daemon_ask(const struct config *config, struct writer *request, struct writer *answer)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    struct lsa_daemon *daemon = remote_daemon(config);
    require(daemon != NULL, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    enum lsa_result result = lsa_ask(daemon, request, LSA_ASK, config->lsa_seconds, 0, &reply, NULL);
    require(result == LSA_ANSWERED, lsa_result_status(result));
    require(reply.status == SEC_E_OK, reply.status);
    writer_slice(answer, reply.message.field[LSA_TOKEN]);
    return SEC_E_OK;
}

static SECURITY_STATUS questions_ask(const struct package *package, struct slice sealed, struct slice asked,
                                     struct writer *answer)
{
    const struct config *config;
    AS_PROCESS_SCOPE; /* the daemon answers the user that it sealed for, and messages are for threads that impersonate, too */
    AUTO_WRITER struct writer request = lsa_request(LSA_ASK);
    lsa_text_write(&request, LSA_PACKAGE, package->info.name);
    lsa_bytes_write(&request, LSA_DELEGATED, sealed);
    lsa_bytes_write(&request, LSA_TOKEN, asked);
    try(config_get(&config));
    SECURITY_STATUS status = daemon_ask(config, &request, answer);
    config_release(config);
    return status;
}

__attribute__((constructor)) static void offer(void)
{
    session_ask_hook(questions_ask);
}

void remote_questions_withdraw(void)
{
    session_ask_hook(NULL);
}
