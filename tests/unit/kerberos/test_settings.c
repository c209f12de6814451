/*
 * The settings of a Kerberos credential, each after each other and after two: what its tickets come from then, which keys it has as a server, and who
 * it is. One table says it for every kind of credential; the history does not count, but for the last setting of each sort.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/cause.h"
#include "core/lease.h"
#include "kerberos/credential.h"
#include "kerberos/settings.h"
#include "support/place.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct config *config, *client_keytab_config;
static struct lease *lease;

enum kind { BY_DEFAULT, BY_NAME, BY_PASSWORD, BY_KEYTAB, BY_CLIENT_KEYTAB, BY_SESSION, BY_SESSIONS_PASSWORD, KINDS };

static const uint32_t uses[] = {SECPKG_CRED_OUTBOUND, SECPKG_CRED_INBOUND, SECPKG_CRED_BOTH};
enum { OUT, IN, BOTH, USES };

/* What its tickets come from as it was acquired, and when the server's keytab was set; and the server's keys without that setting, which a client has
 * none of. */
static const struct row {
    const char *name, *client;
    const char *source[USES], *with_keytab[USES], *keys[USES];
} rows[KINDS] = {
    [BY_DEFAULT] = {"default",
                    NULL,
                    {"cache default", "keytab -, cache default", "cache default, keytab -"},
                    {NULL, "keytab FILE:/server, cache default", "cache default, keytab FILE:/server"},
                    {NULL, "-", "-"}},
    [BY_NAME] = {"a name",
                 "robot",
                 {"cache of robot", "keytab -, cache of robot", "cache of robot, keytab -"},
                 {NULL, "keytab FILE:/server, cache of robot", "cache of robot, keytab FILE:/server"},
                 {NULL, "-", "-"}},
    [BY_PASSWORD] = {"a password",
                     "robot",
                     {"password", "password", "password"},
                     {NULL, "keytab FILE:/server", "password"},
                     {NULL, "password", "-"}},
    [BY_KEYTAB] = {"a keytab",
                   NULL,
                   {"keytab FILE:/own", "keytab FILE:/own", "keytab FILE:/own"},
                   {NULL, "keytab FILE:/server", "keytab FILE:/own"},
                   {NULL, "FILE:/own", "FILE:/own"}},
    [BY_CLIENT_KEYTAB] = {"the configuration's client_keytab",
                          NULL,
                          {"cache default, keytab FILE:/configured", "keytab -, cache default",
                           "cache default, keytab -"},
                          {NULL, "keytab FILE:/server, cache default", "cache default, keytab FILE:/server"},
                          {NULL, "-", "-"}},
    [BY_SESSION] = {"a logon session's tickets",
                    NULL,
                    {"session's cache MEMORY:lent", "session's cache MEMORY:lent", "session's cache MEMORY:lent"},
                    {NULL, "keytab FILE:/server", "session's cache MEMORY:lent"},
                    {NULL, "-", "-"}},
    [BY_SESSIONS_PASSWORD] = {"a logon session's password",
                              "robot",
                              {"session's password", "session's password", "session's password"},
                              {NULL, "keytab FILE:/server", "session's password"},
                              {NULL, "password", "-"}},
};

static const struct setting {
    uint32_t attribute;
    const char *value;
    const char *source; /* what tickets come from, of whatever kind the credential was */
} settings[] = {
    {OPENSSPI_CRED_ATTR_CCACHE, "FILE:/nonexistent/cache", "cache FILE:/nonexistent/cache"},
    {OPENSSPI_CRED_ATTR_CLIENT_KEYTAB, "FILE:/client", "keytab FILE:/client"},
    {OPENSSPI_CRED_ATTR_X509_IDENTITY, "FILE:/c,/k", "certificate FILE:/c,/k"},
    {OPENSSPI_CRED_ATTR_KEYTAB, "FILE:/server", NULL},
    {OPENSSPI_CRED_ATTR_CCACHE, "", NULL},
    {OPENSSPI_CRED_ATTR_CLIENT_KEYTAB, "", NULL},
    {OPENSSPI_CRED_ATTR_X509_IDENTITY, "", NULL},
    {OPENSSPI_CRED_ATTR_KEYTAB, "", NULL},
    {OPENSSPI_CRED_ATTR_X509_ANCHORS, "DIR:/anchors", NULL}, /* from here on: of no weight for the others */
    {OPENSSPI_CRED_ATTR_PIN, "1", NULL},
    {OPENSSPI_CRED_ATTR_X509_ANCHORS, "", NULL},
    {OPENSSPI_CRED_ATTR_PIN, "", NULL},
};
#define SETTINGS (sizeof settings / sizeof settings[0])
#define WEIGHTY 8 /* the first */

/* What was set last: the contract of sspi_ext.h needs no more. */
struct model {
    enum kind kind;
    unsigned use;
    const struct setting *proof; /* of CCACHE, CLIENT_KEYTAB and X509_IDENTITY */
    bool keytab;
    const char *anchors, *pin;
};

static SECURITY_STATUS model_set(struct model *model, const struct setting *setting)
{
    bool empty = setting->value[0] == '\0';
    switch (setting->attribute) {
    case OPENSSPI_CRED_ATTR_KEYTAB:
        if (model->use == OUT)
            return SEC_E_UNSUPPORTED_FUNCTION;
        model->keytab = !empty;
        break;
    case OPENSSPI_CRED_ATTR_X509_ANCHORS:
        model->anchors = empty ? NULL : setting->value;
        break;
    case OPENSSPI_CRED_ATTR_PIN:
        model->pin = empty ? NULL : setting->value;
        break;
    default:
        if (setting->attribute == OPENSSPI_CRED_ATTR_X509_IDENTITY && !empty && rows[model->kind].client == NULL)
            return SEC_E_UNKNOWN_CREDENTIALS;
        model->proof = empty ? NULL : setting;
    }
    return SEC_E_OK;
}

static const char *model_source(const struct model *model)
{
    const struct row *row = &rows[model->kind];
    if (model->proof != NULL)
        return model->proof->source;
    return model->keytab ? row->with_keytab[model->use] : row->source[model->use];
}

/* The password's keys go with the password, whose place another proof takes. */
static const char *model_keys(const struct model *model)
{
    const char *keys = rows[model->kind].keys[model->use];
    if (model->keytab)
        return "FILE:/server";
    return keys != NULL && strcmp(keys, "password") == 0 && model->proof != NULL ? "-" : keys;
}

static const char *model_name(const struct model *model)
{
    const char *client = rows[model->kind].client;
    bool of_cache = model->proof != NULL && model->proof->attribute == OPENSSPI_CRED_ATTR_CCACHE;
    return client != NULL && !of_cache ? client : "";
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "-";
}

#define REFUSED_UNTIL 12345 /* the session's password; what its KDC said is no matter of another key */

static int64_t model_refused(const struct model *model)
{
    return strcmp(model_source(model), "session's password") == 0 ? REFUSED_UNTIL : 0;
}

/* As the work at a KDC (task.c) goes through it. */
static void source_text(const struct kerberos_source *source, char *text, size_t size)
{
    char cache[80], then[100] = "";
    const char *of_session = source->lease != NULL ? "session's " : "";
    if (source->cache != NULL)
        snprintf(cache, sizeof cache, "cache %s", source->cache);
    else
        snprintf(cache, sizeof cache, "cache %s%s", source->client != NULL ? "of " : "default",
                 source->client != NULL ? source->client : "");
    assert_true(!source->lent || (source->lease != NULL && source->logon == LOGON_NONE));
    switch (source->logon) {
    case LOGON_NONE:
        snprintf(then, sizeof then, "%s", cache);
        break;
    case LOGON_PASSWORD:
        assert_string_equal((const char *)source->password.data, "pw");
        snprintf(then, sizeof then, "password");
        break;
    case LOGON_KEYTAB:
        snprintf(then, sizeof then, "keytab %s", or_none(source->keytab));
        break;
    case LOGON_CERTIFICATE:
        snprintf(then, sizeof then, "certificate %s", or_none(source->certificate));
        break;
    default:
        fail();
    }
    if (source->logon != LOGON_PASSWORD) /* which is forgotten with it */
        assert_null(source->password.data);
    snprintf(text, size, "%s%s%s%s%s%s", of_session, source->cache_first ? cache : "", source->cache_first ? ", " : "",
             then, source->cache_last ? ", " : "", source->cache_last ? cache : "");
}

/* As keys.c chooses them. */
static const char *keys_text(const struct kerberos_credential *credential)
{
    if (credential->keytab != NULL || (credential->use & SECPKG_CRED_INBOUND) == 0)
        return credential->keytab;
    return credential->use == SECPKG_CRED_INBOUND && credential->source->logon == LOGON_PASSWORD ? "password" : "-";
}

static bool same(const char *one, const char *two)
{
    return strcmp(one != NULL ? one : "", two != NULL ? two : "") == 0;
}

static unsigned n_wrong;

static void check(const char *what, const char *got, const char *wanted, const struct model *model, const char *history)
{
    static const char *const names[USES] = {"OUTBOUND", "INBOUND", "BOTH"};
    if (same(got, wanted))
        return;
    n_wrong++;
    print_error("%s, %s,%s: %s \"%s\", wanted \"%s\"\n", rows[model->kind].name, names[model->use], history, what,
                or_none(got), or_none(wanted));
}

static void credential_check(const struct kerberos_credential *credential, const struct model *model,
                             const char *history)
{
    char text[300];
    const struct kerberos_source *source = credential->source;
    source_text(source, text, sizeof text);
    check("tickets from", text, model_source(model), model, history);
    check("keys of", keys_text(credential), model_keys(model), model, history);
    check("name", credential->full_name, model_name(model), model, history);
    if (source->refusals.until != model_refused(model)) {
        n_wrong++;
        print_error("%s,%s: refused until %lld\n", rows[model->kind].name, history, (long long)source->refusals.until);
    }
    check("anchors", source->anchors, model->anchors, model, history);
    check("PIN", (const char *)source->pin.data, model->pin, model, history);
}

static struct kerberos_credential *acquire(enum kind kind, unsigned use)
{
    static char user[] = "robot";
    static uint8_t password[] = {'p', 0, 'w', 0}, own[] = "FILE:/own";
    const struct identity proved = {.user = user, .password = {password, sizeof password}, .has_password = true},
                          named = {.user = user},
                          with_keytab = {.proof_kind = IDENTITY_KEYTAB, .proof = {own, sizeof own - 1}};
    const struct identity *const identities[KINDS] = {
        [BY_NAME] = &named, [BY_PASSWORD] = &proved, [BY_KEYTAB] = &with_keytab};
    bool of_session = kind == BY_SESSION || kind == BY_SESSIONS_PASSWORD;
    const struct acquire_request request = {.config = kind == BY_CLIENT_KEYTAB ? client_keytab_config : config,
                                            .use = uses[use],
                                            .identity = identities[kind],
                                            .session_lease = of_session ? lease : NULL,
                                            .session_identity = of_session ? &proved : NULL,
                                            .session_has_realm = of_session,
                                            .session_refused_until = REFUSED_UNTIL,
                                            .session_cache = kind == BY_SESSION ? "MEMORY:lent" : NULL};
    void *credential = NULL;
    int64_t expiry;
    assert_int_equal(kerberos_acquire(&request, &credential, &expiry), SEC_E_OK);
    return credential;
}

static void step(struct kerberos_credential *credential, struct model *model, const struct setting *setting,
                 char *history, size_t size)
{
    size_t len = strlen(history);
    snprintf(history + len, size - len, " %x=%s", (unsigned)(setting->attribute & 0xff), setting->value);
    SECURITY_STATUS wanted = model_set(model, setting);
    SECURITY_STATUS got =
        kerberos_set_credential(credential, setting->attribute, setting->value, strlen(setting->value));
    if (got != wanted) {
        n_wrong++;
        print_error("%s: 0x%08x, wanted 0x%08x\n", history, (unsigned)got, (unsigned)wanted);
    }
}

/* The settings whose numbers are the digits of `path`, on a fresh credential. */
static void walk(enum kind kind, unsigned use, const size_t *path, size_t n)
{
    struct model model = {.kind = kind, .use = use};
    char history[120] = "";
    struct kerberos_credential *credential = acquire(kind, use);
    for (size_t i = 0; i < n; i++)
        step(credential, &model, &settings[path[i]], history, sizeof history);
    credential_check(credential, &model, history);
    kerberos_release(credential);
}

static void test_each_after_each(void **state)
{
    (void)state;
    n_wrong = 0;
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (unsigned use = 0; use < USES; use++) {
            walk(kind, use, NULL, 0);
            for (size_t i = 0; i < SETTINGS; i++) {
                walk(kind, use, &i, 1);
                for (size_t j = 0; j < SETTINGS; j++)
                    walk(kind, use, (const size_t[]){i, j}, 2);
            }
        }
    assert_int_equal(n_wrong, 0);
}

static void test_each_after_two(void **state)
{
    (void)state;
    n_wrong = 0;
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (unsigned use = 0; use < USES; use++)
            for (size_t i = 0; i < WEIGHTY * WEIGHTY * WEIGHTY; i++)
                walk(kind, use, (const size_t[]){i / (WEIGHTY * WEIGHTY), i / WEIGHTY % WEIGHTY, i % WEIGHTY}, 3);
    assert_int_equal(n_wrong, 0);
}

static char place[PLACE_LEN];

static void no_refresh(const struct lease *refreshed)
{
    (void)refreshed;
}

static int set_up(void **state)
{
    char path[PLACE_LEN + 16];
    (void)state;
    place_make(place);
    place_file(place, "krb5.conf",
               "[libdefaults]\ndefault_realm = R.TEST\ndns_lookup_kdc = false\ndns_lookup_realm = false\n");
    snprintf(path, sizeof path, "%s/krb5.conf", place);
    setenv("KRB5_CONFIG", path, 1);
    setenv("KRB5CCNAME", "MEMORY:none", 1);
    lease = lease_new(no_refresh);
    place_configure(place, "[kerberos]\nclient_keytab = FILE:/configured\n");
    if (lease == NULL || config_get(&client_keytab_config) != SEC_E_OK)
        return -1;
    place_configure(place, "");
    return config_get(&config) == SEC_E_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(atomic_load(&lease->n_references), 1); /* nothing was left */
    lease_put(lease);
    config_release(config);
    config_release(client_keytab_config);
    place_remove(place);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_after_each),
        cmocka_unit_test(test_each_after_two),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
