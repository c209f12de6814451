#include "core/as_process.h"
#include "core/session.h"
#include "lsa/remote.h"

/* What sessions ask whose keys stayed with a daemon; that it is another one it tells by what it cannot open. */

static SECURITY_STATUS questions_ask(const struct package *package, struct slice sealed, struct slice asked,
                                     struct writer *answer)
{
    AS_PROCESS_SCOPE; /* the daemon answers the user that it sealed for, and messages are for threads that impersonate, too */
    AUTO_WRITER struct writer request = lsa_request(LSA_ASK);
    lsa_text_write(&request, LSA_PACKAGE, package->info.name);
    lsa_bytes_write(&request, LSA_DELEGATED, sealed);
    lsa_bytes_write(&request, LSA_TOKEN, asked);
    return remote_ask(&request, LSA_ASK, LSA_TOKEN, answer);
}

__attribute__((constructor)) static void offer(void)
{
    session_ask_hook(questions_ask);
}

void remote_questions_withdraw(void)
{
    session_ask_hook(NULL);
}
