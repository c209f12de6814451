#include "server.h"

#include <unistd.h>

/* How much of this daemon one user may have, and all together. docs/lsa.md tells the numbers. What a credential keeps counts as long as it is there,
 * which may be longer than its handle (struct object). */

#define USER_PASSING_MAX ((size_t)32 << 20)
#define USER_KEPT_MAX ((size_t)32 << 20)
#define ALL_PASSING_MAX ((size_t)256 << 20)
#define ALL_KEPT_MAX ((size_t)256 << 20)
#define ALL_OBJECTS_MAX 65536u /* credentials, and as many handshakes */
#define OBJECT_BASE 512u       /* bytes of an object besides what came with its requests */
#define KEYTAB_FACTOR 9u       /* a keytab becomes libkrb5's and a server's keys, of at most so many times its bytes */
#define LITTLE 16u             /* who has fewer of a thing has little of it */
#define LITTLE_BYTES ((size_t)64 << 10)

#define TEXT_MAX 4096u    /* names, and passwords in UTF-16: ten times what Windows takes */
#define KEYTAB_MAX 65536u /* a thousand keys */
#define DELEGATED_MAX 131072u

/* The longest that is kept of what a request brings. Tokens are bounded by their packages. */
static const struct cap {
    enum lsa_field field;
    uint32_t max;
    const char *why;
} caps[] = {
    {LSA_PRINCIPAL, TEXT_MAX, "the principal is longer than 4096 bytes, which the security authority does not keep"},
    {LSA_USER, TEXT_MAX, "the user's name is longer than 4096 bytes, which the security authority does not keep"},
    {LSA_DOMAIN, TEXT_MAX, "the domain's name is longer than 4096 bytes, which the security authority does not keep"},
    {LSA_PACKAGES, TEXT_MAX,
     "the list of packages is longer than 4096 bytes, which the security authority does not keep"},
    {LSA_TARGET, TEXT_MAX, "the target's name is longer than 4096 bytes, which the security authority does not keep"},
    {LSA_PASSWORD, TEXT_MAX, "the password is longer than 4096 bytes, which the security authority does not keep"},
    {LSA_NEW_PASSWORD, TEXT_MAX, "the password is longer than 4096 bytes, which the security authority does not keep"},
    {LSA_VALUE, TEXT_MAX, "the value is longer than 4096 bytes, which the security authority does not keep"},
    {LSA_PROOF, KEYTAB_MAX, "the keytab is longer than 65536 bytes, which the security authority does not keep"},
    {LSA_DELEGATED, DELEGATED_MAX,
     "what was delegated is longer than 131072 bytes, which the security authority does not keep"},
};

/* Users who have much cannot shut the others out: the last sixteenth of anything is for root and the daemon's own user, the one before it for those
 * who have little. */
size_t limits_share(const struct user *user, size_t limit, bool has_little)
{
    if (user->uid == 0 || user->uid == geteuid() || limit < 4)
        return limit;
    return limit - (has_little ? (limit + 15) / 16 : (limit + 7) / 8);
}

bool limits_admit(const struct server *server, const struct user *user)
{
    return user->n_connections <= server->limits.user_connections &&
           server->n_connections <= limits_share(user, server->limits.connections, user->n_connections <= LITTLE);
}

size_t limits_field_max(enum lsa_field field)
{
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++)
        if (caps[i].field == field)
            return caps[i].max;
    return 0;
}

static const char *caps_check(const struct lsa_message *message)
{
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++)
        if (message->field[caps[i].field].len > caps[i].max)
            return caps[i].why;
    return NULL;
}

static bool keeps_more(const struct job *job)
{
    switch (job->head.operation) {
    case LSA_ACQUIRE:
    case LSA_ACQUIRE_DELEGATED:
    case LSA_ACQUIRE_S4U:
    case LSA_WRAP:
    case LSA_STEP:
    case LSA_SET_CREDENTIAL:
        return true;
    default:
        return false;
    }
}

size_t bytes_of(const struct job *job)
{
    size_t n_keytab =
        (lsa_number(&job->message, LSA_IDENTITY) & LSA_HAS_KEYTAB) != 0 ? job->message.field[LSA_PROOF].len : 0;
    return job->head.body_len + (KEYTAB_FACTOR - 1) * n_keytab;
}

static const char *room_check(const struct server *server, const struct job *job)
{
    const struct user *user = job->connection->user;
    bool makes_context = job->head.operation == LSA_STEP && job->context == NULL;
    bool makes_credential =
        keeps_more(job) && job->head.operation != LSA_STEP && job->head.operation != LSA_SET_CREDENTIAL;
    size_t more = bytes_of(job) + OBJECT_BASE;
    if (makes_credential && (user->n_credentials >= server->limits.user_credentials))
        return "this user has too many credentials at the security authority";
    if (makes_context && user->n_contexts >= server->limits.user_contexts)
        return "this user has too many handshakes at the security authority";
    if (keeps_more(job) && user->n_kept + more > USER_KEPT_MAX)
        return "this user's credentials and handshakes take too much of the security authority's memory";
    bool room = true;
    if (makes_credential)
        room = server->n_credentials < limits_share(user, ALL_OBJECTS_MAX, user->n_credentials < LITTLE);
    if (makes_context)
        room = server->n_contexts < limits_share(user, ALL_OBJECTS_MAX, user->n_contexts < LITTLE);
    if (keeps_more(job))
        room = room && server->n_kept + more <= limits_share(user, ALL_KEPT_MAX, user->n_kept < LITTLE_BYTES);
    return room ? NULL : "all users together have too much at the security authority";
}

SECURITY_STATUS limits_check(const struct server *server, const struct job *job, const char **why)
{
    *why = caps_check(&job->message);
    if (*why == NULL)
        *why = room_check(server, job);
    return *why == NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

bool bytes_pass(struct server *server, struct user *user, size_t *counted, size_t now)
{
    user->n_passing = user->n_passing - *counted + now;
    server->n_passing = server->n_passing - *counted + now;
    bool more = now > *counted;
    *counted = now;
    return !more || (user->n_passing <= USER_PASSING_MAX &&
                     server->n_passing <= limits_share(user, ALL_PASSING_MAX, user->n_passing <= LITTLE_BYTES));
}

void bytes_keep(struct server *server, struct object *object, size_t n_bytes)
{
    size_t more = n_bytes + (object->n_kept == 0 ? OBJECT_BASE : 0);
    object->n_kept += more;
    object->user->n_kept += more;
    server->n_kept += more;
}
