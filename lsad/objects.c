#include "server.h"

#include "base/memory.h"
#include "crypto/random.h"
#include <string.h>

/* Users, clients and what clients have. All of it belongs to the loop's thread. */

struct user *user_hold(struct server *server, uid_t uid)
{
    struct user *user = server->users;
    while (user != NULL && user->uid != uid)
        user = user->next;
    if (user == NULL) {
        user = mem_zalloc(sizeof *user);
        require(user != NULL, NULL);
        user->uid = uid;
        user->waiting_end = &user->waiting;
        user->turn = server->n_turns; /* who comes again does not come first by that */
        user->next = server->users;
        server->users = user;
    }
    user->n_holders++;
    return user;
}

void user_drop(struct server *server, struct user *user)
{
    if (user == NULL || --user->n_holders > 0)
        return;
    struct user **at = &server->users;
    while (*at != user)
        at = &(*at)->next;
    *at = user->next;
    mem_free(user);
}

struct client *client_find(struct server *server, struct slice name)
{
    struct client *found = NULL;
    if (name.len != LSA_CLIENT_LEN)
        return NULL;
    for (struct client *client = server->clients; client != NULL; client = client->next)
        if (secret_equal(client->name, name.data, name.len))
            found = client;
    return found;
}

struct client *client_new(struct server *server)
{
    struct client *client = mem_zalloc(sizeof *client);
    require(client != NULL, NULL);
    if (!random_bytes(client->name, sizeof client->name)) {
        mem_free(client);
        return NULL;
    }
    client->next = server->clients;
    server->clients = client;
    return client;
}

static void object_free(struct server *server, struct object *object)
{
    if (object->context != NULL) {
        context_free(object->context);
        object->user->n_contexts--;
        server->n_contexts--;
    } else {
        credential_put(object->credential);
        object->user->n_credentials--;
        server->n_credentials--;
    }
    object->user->n_kept -= object->n_kept;
    server->n_kept -= object->n_kept;
    user_drop(server, object->user);
    mem_free(object);
}

void client_leave(struct server *server, struct client *client)
{
    if (client == NULL || --client->n_connections > 0)
        return;
    struct client **at = &server->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    /* No connection is left, so no job of one either; and all goes, whatever stands on what. */
    for (unsigned i = 0; i < BUCKETS; i++)
        while (client->objects[i] != NULL) {
            struct object *object = client->objects[i];
            client->objects[i] = object->next;
            object_free(server, object);
        }
    mem_free(client);
}

struct object *object_find(const struct client *client, uint64_t id, bool is_context)
{
    struct object *object = client->objects[id % BUCKETS];
    while (object != NULL && (object->id != id || object->ended || (object->context != NULL) != is_context))
        object = object->next;
    return object;
}

struct object *object_add(struct server *server, const struct connection *connection, struct credential *credential,
                          struct context *context)
{
    struct client *client = connection->client;
    struct user *user = connection->user;
    struct object *object = mem_zalloc(sizeof *object);
    require(object != NULL, NULL);
    object->id = ++client->last_id;
    object->user = user;
    user->n_holders++;
    object->credential = credential;
    object->context = context;
    if (context != NULL) {
        user->n_contexts++;
        server->n_contexts++;
    } else {
        user->n_credentials++;
        server->n_credentials++;
    }
    object->next = client->objects[object->id % BUCKETS];
    client->objects[object->id % BUCKETS] = object;
    return object;
}

void object_stand(struct object *object, struct object *credential)
{
    object->stands_on = credential;
    credential->n_standing++;
}

static void object_unlink(struct client *client, struct object *object)
{
    struct object **at = &client->objects[object->id % BUCKETS];
    while (*at != object)
        at = &(*at)->next;
    *at = object->next;
}

void object_end(struct server *server, struct client *client, struct object *object)
{
    object->ended = true;
    while (object != NULL && object->ended && object->n_jobs == 0 && object->n_standing == 0) {
        struct object *below = object->stands_on;
        object_unlink(client, object);
        object_free(server, object);
        if (below != NULL)
            below->n_standing--;
        object = below;
    }
}

void object_put(struct server *server, struct client *client, struct object *object)
{
    if (object != NULL && --object->n_jobs == 0 && object->ended)
        object_end(server, client, object);
}
