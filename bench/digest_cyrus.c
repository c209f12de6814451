/*
 * SASL DIGEST-MD5 by Cyrus SASL: auth-conf with rc4, the server's account in this program's memory. Its messages carry their length in four bytes.
 * build: peer libsasl2
 */
#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "measure.h"

#define PASSWORD "Password1!"

struct pair {
    sasl_conn_t *client, *server;
};

static sasl_secret_t *password;
static struct pair established, pairs[MEASURE_PAIRS];
static struct {
    const char *sealed;
    char *message;
    unsigned len;
} slots[MEASURE_BATCH_MAX];
static char *copies;

static int name_get(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    *result = id == SASL_CB_AUTHNAME ? "alice" : "";
    if (len != NULL)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int secret_get(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret)
{
    (void)conn, (void)context, (void)id;
    *secret = password;
    return SASL_OK;
}

static int option_get(void *context, const char *plugin, const char *option, const char **result, unsigned *len)
{
    (void)context, (void)plugin;
    if (strcmp(option, "auxprop_plugin") != 0)
        return SASL_FAIL;
    *result = "bench";
    if (len != NULL)
        *len = 5;
    return SASL_OK;
}

static int look_up(void *context, sasl_server_params_t *params, unsigned flags, const char *who, unsigned len)
{
    (void)context, (void)flags, (void)who, (void)len;
    params->utils->prop_erase(params->propctx, SASL_AUX_PASSWORD);
    const struct propval *wanted = params->utils->prop_get(params->propctx);
    for (; wanted != NULL && wanted->name != NULL; wanted++)
        if (strcmp(wanted->name[0] == '*' ? wanted->name + 1 : wanted->name, SASL_AUX_PASSWORD_PROP) == 0)
            params->utils->prop_set(params->propctx, wanted->name, PASSWORD, -1);
    return SASL_OK;
}

static int plug_init(const sasl_utils_t *utils, int max_version, int *out_version, sasl_auxprop_plug_t **plug,
                     const char *name)
{
    static char plug_name[] = "bench";
    static sasl_auxprop_plug_t ours = {.name = plug_name, .auxprop_lookup = look_up};
    (void)utils, (void)max_version, (void)name;
    *out_version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &ours;
    return SASL_OK;
}

static sasl_callback_t callbacks[] = {
    {SASL_CB_USER, (int (*)(void))(uintptr_t)name_get, NULL},
    {SASL_CB_AUTHNAME, (int (*)(void))(uintptr_t)name_get, NULL},
    {SASL_CB_PASS, (int (*)(void))(uintptr_t)secret_get, NULL},
    {SASL_CB_GETOPT, (int (*)(void))(uintptr_t)option_get, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static void pair_open(struct pair *pair)
{
    static const sasl_security_properties_t security = {.min_ssf = 128, .max_ssf = 128, .maxbufsize = 0xffffff};
    const char *in = NULL, *out = NULL, *chosen = NULL;
    unsigned in_len = 0, out_len = 0;
    sasl_interact_t *asked = NULL;
    measure_check(sasl_client_new("test", "server.example.test", NULL, NULL, NULL, 0, &pair->client) == SASL_OK &&
                      sasl_server_new("test", "server.example.test", "example.test", NULL, NULL, NULL,
                                      SASL_SUCCESS_DATA, &pair->server) == SASL_OK &&
                      sasl_setprop(pair->client, SASL_SEC_PROPS, &security) == SASL_OK &&
                      sasl_setprop(pair->server, SASL_SEC_PROPS, &security) == SASL_OK,
                  "making connections");
    measure_check(sasl_client_start(pair->client, "DIGEST-MD5", &asked, &out, &out_len, &chosen) == SASL_CONTINUE,
                  "beginning");
    measure_check(sasl_server_start(pair->server, "DIGEST-MD5", NULL, 0, &in, &in_len) == SASL_CONTINUE, "asking");
    measure_check(sasl_client_step(pair->client, in, in_len, NULL, &out, &out_len) == SASL_CONTINUE, "answering");
    measure_check(sasl_server_step(pair->server, out, out_len, &in, &in_len) == SASL_OK, "accepting");
    measure_check(sasl_client_step(pair->client, in, in_len, NULL, &out, &out_len) == SASL_OK, "checking the proof");
}

static void pair_close(struct pair *pair)
{
    sasl_dispose(&pair->client);
    sasl_dispose(&pair->server);
}

static void handshake_once(void)
{
    struct pair pair;
    pair_open(&pair);
    pair_close(&pair);
}

static void seal(unsigned slot, size_t len)
{
    const char *out = NULL;
    measure_check(sasl_encode(established.client, slots[slot].message, (unsigned)len, &out, &slots[slot].len) ==
                      SASL_OK,
                  "sealing a message");
    /* the next message takes the same buffer */
    memcpy(copies + (size_t)slot * (len + 64), out, slots[slot].len);
    slots[slot].sealed = copies + (size_t)slot * (len + 64);
}

static void unseal(unsigned slot, size_t len)
{
    const char *out = NULL;
    unsigned out_len = 0;
    measure_check(sasl_decode(established.server, slots[slot].sealed, slots[slot].len, &out, &out_len) == SASL_OK &&
                      out_len == len,
                  "unsealing a message");
}

static void pair_make(unsigned pair)
{
    pair_open(&pairs[pair]);
}

static void pair_delete(unsigned pair)
{
    pair_close(&pairs[pair]);
}

int main(void)
{
    static const struct measure_messages seals = {"seal", "unseal", seal, unseal};
    password = calloc(1, sizeof *password + sizeof PASSWORD);
    copies = malloc(MEASURE_BATCH_BYTES + (size_t)MEASURE_BATCH_MAX * 1100);
    measure_check(password != NULL && copies != NULL, "taking memory");
    password->len = sizeof PASSWORD - 1;
    memcpy(password->data, PASSWORD, sizeof PASSWORD - 1);
    for (unsigned slot = 0; slot < MEASURE_BATCH_MAX; slot++)
        measure_check((slots[slot].message = calloc(1, 65536)) != NULL, "taking memory");
    measure_check(sasl_client_init(callbacks) == SASL_OK && sasl_server_init(callbacks, "bench") == SASL_OK &&
                      sasl_auxprop_add_plugin("bench", plug_init) == SASL_OK,
                  "starting Cyrus SASL");
    measure_max = 16384;
    measure("handshake", handshake_once);
    pair_open(&established);
    measure_sizes(&seals, NULL);
    measure_memory(pair_make, pair_delete);
    return 0;
}
