/*
 * Cyrus SASL's client and server, in the language of peer_line.h. start takes mechanism=, target=SERVICE/HOST, maxbuf=, minssf=, maxssf= and
 * authzid=; DIGEST-MD5 also user=, password= and realm=, of which the server knows the one. sealed messages come without the length that RFC 4422
 * puts before them. names tells the server's authorization identity. Cyrus fills the parity bits of its DES keys with nothing, and OpenSSL 3 refuses
 * such keys: a DES_key_sched of ours, which takes them, comes before OpenSSL's, so that 3des starts.
 * build: peer libsasl2 libcrypto
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/des.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdint.h>

#include "peer_line.h"

__attribute__((visibility("default"))) int DES_key_sched(const_DES_cblock *key, DES_key_schedule *schedule)
{
    DES_set_key_unchecked(key, schedule);
    return 0;
}

static sasl_conn_t *connection;
static bool is_server, begun;
static char *service, *host, *mechanism, *authzid, *user, *own_realm;
static sasl_secret_t *password; /* client */
static char *known;             /* server: the password of its one user */

static void fail(int code)
{
    const char *detail = connection != NULL ? sasl_errdetail(connection) : "";
    reply("error %d %s", code, detail != NULL ? detail : "");
}

static int name_get(void *context, int id, const char **result, unsigned *len)
{
    (void)context;
    *result = id == SASL_CB_AUTHNAME && user != NULL ? user : authzid != NULL ? authzid : "";
    if (len != NULL)
        *len = (unsigned)strlen(*result);
    return SASL_OK;
}

static int secret_get(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret)
{
    (void)conn, (void)context, (void)id;
    *secret = password;
    return password != NULL ? SASL_OK : SASL_FAIL;
}

static int realm_get(void *context, int id, const char **realms, const char **result)
{
    (void)context, (void)id;
    *result = own_realm != NULL ? own_realm : realms[0];
    return SASL_OK;
}

static void secret_set(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    password = calloc(1, sizeof *password + len + 1);
    if (password == NULL)
        abort();
    password->len = len;
    if (len > 0)
        memcpy(password->data, text, len);
}

/* The server's one user, in an auxiliary property plug-in of ours. */
static int property_look_up(void *context, sasl_server_params_t *params, unsigned flags, const char *who, unsigned len)
{
    static const char *const names[] = {SASL_AUX_PASSWORD, NULL};
    (void)context, (void)flags;
    size_t user_len = user != NULL ? strlen(user) : 0; /* what is looked up may be "user@realm" */
    if (known == NULL || len < user_len || strncmp(who, user, user_len) != 0 ||
        (len > user_len && who[user_len] != '@'))
        return SASL_NOUSER;
    params->utils->prop_erase(params->propctx, names[0]);
    const struct propval *wanted = params->utils->prop_get(params->propctx);
    for (; wanted != NULL && wanted->name != NULL; wanted++)
        if (strcmp(wanted->name[0] == '*' ? wanted->name + 1 : wanted->name, SASL_AUX_PASSWORD_PROP) == 0)
            params->utils->prop_set(params->propctx, wanted->name, known, -1);
    return SASL_OK;
}

static int property_plug_init(const sasl_utils_t *utils, int max_version, int *out_version, sasl_auxprop_plug_t **plug,
                              const char *name)
{
    static char plug_name[] = "peer";
    static sasl_auxprop_plug_t ours = {.name = plug_name, .auxprop_lookup = property_look_up};
    (void)utils, (void)max_version, (void)name;
    *out_version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &ours;
    return SASL_OK;
}

static int option_get(void *context, const char *plugin, const char *option, const char **result, unsigned *len)
{
    static const char *const options[][2] = {{"auxprop_plugin", "peer"}, {"pwcheck_method", "auxprop"}};
    (void)context, (void)plugin;
    for (size_t i = 0; i < 2; i++)
        if (strcmp(option, options[i][0]) == 0) {
            *result = options[i][1];
            if (len != NULL)
                *len = (unsigned)strlen(options[i][1]);
            return SASL_OK;
        }
    return SASL_FAIL;
}

/* Any authorization identity: the test looks at it itself. */
static int authorize(sasl_conn_t *conn, void *context, const char *wanted, unsigned wanted_len, const char *who,
                     unsigned who_len, const char *realm, unsigned realm_len, struct propctx *properties)
{
    (void)conn, (void)context, (void)wanted, (void)wanted_len, (void)who, (void)who_len, (void)realm, (void)realm_len;
    (void)properties;
    return SASL_OK;
}

static sasl_callback_t callbacks[] = {
    {SASL_CB_USER, (int (*)(void))(uintptr_t)name_get, NULL},
    {SASL_CB_AUTHNAME, (int (*)(void))(uintptr_t)name_get, NULL},
    {SASL_CB_PASS, (int (*)(void))(uintptr_t)secret_get, NULL},
    {SASL_CB_GETREALM, (int (*)(void))(uintptr_t)realm_get, NULL},
    {SASL_CB_GETOPT, (int (*)(void))(uintptr_t)option_get, NULL},
    {SASL_CB_PROXY_POLICY, (int (*)(void))(uintptr_t)authorize, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static unsigned number_of(const struct line *line, const char *key, unsigned otherwise)
{
    const char *text = line_value(line, key);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void told(int code, const char *out, unsigned len)
{
    if (code == SASL_OK || code == SASL_CONTINUE)
        reply_bytes(code == SASL_OK ? "done" : "token", (const unsigned char *)out, out != NULL ? len : 0);
    else
        fail(code);
}

static void client_begin(void)
{
    const char *out = NULL, *chosen = NULL;
    unsigned len = 0;
    sasl_interact_t *interact = NULL;
    int code = sasl_client_start(connection, mechanism, &interact, &out, &len, &chosen);
    begun = true;
    told(code, out, len);
}

static void start(const struct line *line)
{
    const char *target = line_value(line, "target"), *named = line_value(line, "mechanism");
    const char *slash = target != NULL ? strchr(target, '/') : NULL;
    sasl_security_properties_t security = {.min_ssf = number_of(line, "minssf", 0),
                                           .max_ssf = number_of(line, "maxssf", 256),
                                           .maxbufsize = number_of(line, "maxbuf", 65535)};
    if (slash == NULL) {
        reply("error 0 target=SERVICE/HOST is missing");
        return;
    }
    is_server = line_is(line, "server");
    service = strndup(target, (size_t)(slash - target));
    host = strdup(slash + 1);
    mechanism = strdup(named != NULL ? named : "GSSAPI");
    authzid = line_value(line, "authzid") != NULL ? strdup(line_value(line, "authzid")) : NULL;
    user = line_value(line, "user") != NULL ? strdup(line_value(line, "user")) : NULL;
    own_realm = line_value(line, "realm") != NULL ? strdup(line_value(line, "realm")) : NULL;
    known = line_value(line, "password") != NULL ? strdup(line_value(line, "password")) : NULL;
    secret_set(known);
    int code = is_server ? sasl_server_init(callbacks, "peer_cyrus") : sasl_client_init(callbacks);
    if (code == SASL_OK && is_server && known != NULL)
        code = sasl_auxprop_add_plugin("peer", property_plug_init);
    if (code == SASL_OK)
        code = is_server ? sasl_server_new(service, host, own_realm, NULL, NULL, NULL, 0, &connection)
                         : sasl_client_new(service, host, NULL, NULL, NULL, 0, &connection);
    if (code == SASL_OK)
        code = sasl_setprop(connection, SASL_SEC_PROPS, &security);
    if (code != SASL_OK)
        fail(code);
    else if (is_server)
        reply("ok");
    else
        client_begin();
}

static void step(struct bytes token)
{
    const char *out = NULL;
    unsigned len = 0;
    int code;
    if (is_server && !begun)
        code = sasl_server_start(connection, mechanism, (const char *)token.data, (unsigned)token.len, &out, &len);
    else if (is_server)
        code = sasl_server_step(connection, (const char *)token.data, (unsigned)token.len, &out, &len);
    else
        code = sasl_client_step(connection, (const char *)token.data, (unsigned)token.len, NULL, &out, &len);
    begun = true;
    told(code, out, len);
}

static void seal(struct bytes text)
{
    const char *out = NULL;
    unsigned len = 0;
    int code = sasl_encode(connection, (const char *)text.data, (unsigned)text.len, &out, &len);
    if (code == SASL_OK && len >= 4)
        reply_bytes("sealed", (const unsigned char *)out + 4, len - 4);
    else
        fail(code);
}

static void unseal(struct bytes message)
{
    const char *out = NULL;
    unsigned len = 0;
    unsigned char *framed = calloc(1, message.len + 4);
    if (framed == NULL)
        abort();
    for (int i = 0; i < 4; i++)
        framed[i] = (unsigned char)(message.len >> (24 - 8 * i));
    memcpy(framed + 4, message.data, message.len);
    int code = sasl_decode(connection, (const char *)framed, (unsigned)message.len + 4, &out, &len);
    if (code == SASL_OK)
        reply_bytes("plain", (const unsigned char *)out, out != NULL ? len : 0);
    else
        fail(code);
    free(framed);
}

static void property(int which, const char *word, bool text)
{
    const void *value = NULL;
    int code = sasl_getprop(connection, which, &value);
    if (code != SASL_OK || value == NULL)
        fail(code);
    else if (text)
        reply("%s %s", word, (const char *)value);
    else
        reply("%s %u", word, *(const unsigned *)value);
}

static void command(const struct line *line)
{
    struct bytes data =
        bytes_read(line_word(line, 1) != NULL && strchr(line_word(line, 1), '=') == NULL ? line_word(line, 1) : NULL);
    if (line_is(line, "client") || line_is(line, "server"))
        start(line);
    else if (line_is(line, "token"))
        step(data);
    else if (line_is(line, "seal") || line_is(line, "wrap"))
        seal(data);
    else if (line_is(line, "unseal"))
        unseal(data);
    else if (line_is(line, "names"))
        property(SASL_USERNAME, "names", true);
    else if (line_is(line, "ssf"))
        property(SASL_SSF, "ssf", false);
    else if (line_is(line, "maxout"))
        property(SASL_MAXOUTBUF, "maxout", false);
    else
        reply("error 0 unknown command");
    free(data.data);
}

int main(void)
{
    struct line line;
    alarm(1200); /* a helper never outlives its test */
    while (line_read(&line))
        command(&line);
    sasl_dispose(&connection);
    sasl_done();
    free(service);
    free(host);
    free(mechanism);
    free(authzid);
    free(user);
    free(own_realm);
    free(known);
    free(password);
    return 0;
}
