#include "lsa/rehearse.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/session.h"
#include <stdio.h>
#include <string.h>

#define LEGS_MAX 8 /* NTLM has three, Kerberos two */

/* A channel that both ends have, so that policies which ask every client for bindings are met. */
static const struct {
    SEC_CHANNEL_BINDINGS header;
    char name[16];
} channel = {.header = {.cbApplicationDataLength = 16, .dwApplicationDataOffset = sizeof(SEC_CHANNEL_BINDINGS)},
             .name = {'o', 'p', 'e', 'n', 's', 's', 'p', 'i', '-', 'l', 's', 'a', ':', 'o', 'w', 'n'}};

struct actor {
    void *credential, *handshake;
    struct step_out out;
};

struct play {
    const struct package_authority *table;
    char target[300];
    struct actor client, server;
};

static void actor_release(const struct package_authority *table, struct actor *actor)
{
    if (actor->handshake != NULL)
        table->abandon(actor->handshake);
    if (actor->credential != NULL)
        table->release(actor->credential);
    writer_release(&actor->out.token);
    writer_release(&actor->out.record);
}

static SECURITY_STATUS act(struct play *play, bool client)
{
    struct actor *actor = client ? &play->client : &play->server, *other = client ? &play->server : &play->client;
    const struct step_in in = {.token = writer_slice_of(&other->out.token),
                               .bindings = slice_of(&channel, sizeof channel),
                               .target = client ? play->target : NULL,
                               .flags = client ? ISC_REQ_INTEGRITY : 0};
    writer_release(&actor->out.token);
    writer_release(&actor->out.record);
    actor->out = (struct step_out){.token = writer_growing(512), .record = writer_growing(512)};
    return client ? play->table->initiate(actor->credential, &actor->handshake, &in, &actor->out)
                  : play->table->accept(actor->credential, &actor->handshake, &in, &actor->out);
}

/* The server's word alone counts. */
static SECURITY_STATUS play_run(struct play *play)
{
    for (int leg = 0; leg < LEGS_MAX; leg++) {
        SECURITY_STATUS status = act(play, true);
        if (status < 0)
            return status;
        status = act(play, false);
        if (status != SEC_I_CONTINUE_NEEDED)
            return status;
    }
    return cause_set(SEC_E_INTERNAL_ERROR, "a logon's handshake with itself does not end");
}

static SECURITY_STATUS verdict(const struct actor *server)
{
    struct session_facts facts;
    const char *package;
    struct slice own;
    require(writer_finish(&server->out.record) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    try(session_record_read(writer_slice_of(&server->out.record), &facts, &package, &own));
    require((facts.flags & ASC_RET_NULL_SESSION) == 0,
            cause_set(SEC_E_LOGON_DENIED, "an empty name with an empty password is nobody's"));
    return SEC_E_OK;
}

SECURITY_STATUS rehearse(const struct package *package, const struct config *config, const struct identity *identity)
{
    struct play play = {.table = package->authority};
    int64_t expiry;
    const struct acquire_request client = {.config = config, .use = SECPKG_CRED_OUTBOUND, .identity = identity};
    const struct acquire_request server = {.config = config, .use = SECPKG_CRED_INBOUND};
    require(play.table->initiate != NULL && play.table->accept != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s logs nobody on", package->info.name));
    snprintf(play.target, sizeof play.target, "host/%s", config->dns_computer);
    SECURITY_STATUS status = play.table->acquire(&client, &play.client.credential, &expiry);
    if (status == SEC_E_OK)
        status = play.table->acquire(&server, &play.server.credential, &expiry);
    if (status == SEC_E_OK)
        status = play_run(&play);
    if (status == SEC_E_OK)
        status = verdict(&play.server);
    actor_release(play.table, &play.client);
    actor_release(play.table, &play.server);
    return status;
}
