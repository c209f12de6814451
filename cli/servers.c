/* What a server would take clients by, which its package looks for only when one comes: the keytab, the account stores. */
#include "servers.h"

#include "accounts/accounts.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/config.h"
#include "lsa/logons.h"

#include <string.h>
#include <strings.h>

/* Does a daemon answer in this process's place? Then they are its keytab and its stores, which only it can look at. */
static bool daemon_answers(const struct config *config)
{
    AUTO_FREE uint64_t *ids = NULL;
    size_t n_ids = 0;
    struct config wanted = *config;
    wanted.lsa_mode = LSA_DAEMON;
    return config->lsa_mode == LSA_DAEMON ||
           (config->lsa_mode == LSA_AUTO && logons_list(&wanted, &ids, &n_ids) == SEC_E_OK);
}

static void kerberos_server(const struct config *config, struct server_look *found)
{
#ifdef OPENSSPI_WITH_KERBEROS
    struct keytab_look keytab;
    keytab_look(config, &keytab);
    found->good = keytab.good;
    if (keytab.good)
        snprintf(found->text, sizeof(found->text), "keytab %.480s: %s", keytab.name, keytab.content);
    else
        snprintf(found->text, sizeof(found->text), "no keytab: %s", keytab.cause);
#else
    (void)config;
    *found = (struct server_look){.text = "no Kerberos"};
#endif
}

static void store_add(struct server_look *found, const char *text)
{
    size_t len = strlen(found->text);
    snprintf(found->text + len, sizeof(found->text) - len, "%s%s", len > 0 ? ", " : "", text);
}

/* The stores that there are; where there is none, what became of them. One that is refused refuses everybody, so that it alone is told. `digest`: of
 * those that can have its hashes; but all of them are opened. */
static void accounts_server(const struct config *config, bool digest, struct server_look *found)
{
    struct server_look good = {.good = true}, empty = {0};
    for (unsigned i = 0; i < config->stores.n_items; i++) {
        const char *store = config->stores.item[i], *colon = strchr(store, ':');
        char text[600];
        bool passed_over = digest && strncmp(store, "sqlite:", strlen("sqlite:")) != 0;
        SECURITY_STATUS status = accounts_check_store(store, accounts_default_domain(config));
        if (status != SEC_E_OK && status != SEC_E_NO_CREDENTIALS) {
            *found = (struct server_look){0};
            snprintf(found->text, sizeof(found->text), "no accounts: %.1000s", cause_text());
            return;
        }
        if (passed_over)
            continue;
        if (status == SEC_E_NO_CREDENTIALS) {
            snprintf(text, sizeof(text), "%.500s has none", colon == NULL ? store : colon + 1);
            store_add(&empty, text);
        } else {
            bool winbind = strncmp(store, "winbind:", strlen("winbind:")) == 0;
            store_add(&good, winbind ? "winbind, which asks the domain" : store);
        }
    }
    *found = (struct server_look){.good = good.text[0] != '\0'};
    if (found->good)
        snprintf(found->text, sizeof(found->text), "accounts %.1000s", good.text);
    else
        snprintf(found->text, sizeof(found->text), "no accounts: %.1000s",
                 empty.text[0] == '\0' ? "the configuration names no store of them" : empty.text);
}

static void policy_apply(const struct config *config, const char *package, struct server_look *found)
{
    const char *why = config_forbids_negotiating(config, package, false);
    if (why == NULL)
        return;
    *found = (struct server_look){0};
    snprintf(found->text, sizeof(found->text), "%s", why);
}

/* One of them is enough, and who has one alone shall know it. */
static void negotiate_server(const struct config *config, struct server_look *found)
{
    struct server_look kerberos = {0}, ntlm = {0};
    kerberos_server(config, &kerberos);
    accounts_server(config, false, &ntlm);
    policy_apply(config, "Kerberos", &kerberos);
    policy_apply(config, "NTLM", &ntlm);
    found->good = kerberos.good || ntlm.good;
    snprintf(found->text, sizeof(found->text), "Kerberos: %.480s; NTLM: %.480s", kerberos.text, ntlm.text);
}

bool server_look(const char *package, struct server_look *found)
{
    const struct config *config = NULL;
    bool kerberos = strcasecmp(package, "Kerberos") == 0, ntlm = strcasecmp(package, "NTLM") == 0,
         negotiate = strcasecmp(package, "Negotiate") == 0, digest = strcasecmp(package, "WDigest") == 0;
    *found = (struct server_look){0};
    if (!(kerberos || ntlm || negotiate || digest) || config_get(&config) != SEC_E_OK)
        return false;
    if (daemon_answers(config)) {
        found->good = true;
        snprintf(found->text, sizeof(found->text), "by what the daemon has");
    } else if (kerberos) {
        kerberos_server(config, found);
    } else if (negotiate) {
        negotiate_server(config, found);
    } else {
        accounts_server(config, digest, found);
    }
    config_release(config);
    return true;
}
