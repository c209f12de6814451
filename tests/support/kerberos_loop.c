#include "support/kerberos_loop.h"

#include "support/lsa_daemon.h"
#include "support/place.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[PLACE_LEN];

const int32_t kerberos_loop_types[KERBEROS_TYPES] = {KRB_AES256_SHA1, KRB_AES128_SHA1, KRB_AES256_SHA384,
                                                     KRB_AES128_SHA256, KRB_RC4_HMAC};

const char *kerberos_loop_directory(void)
{
    return directory;
}

static const char *path_of(const char *name)
{
    static _Thread_local char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

void kerberos_loop_configure(const char *libdefaults, const char *sections, const char *own)
{
    char text[4096], cache[140], keytab[140];
    bool first = place_make(directory);
    snprintf(text, sizeof text,
             "[libdefaults]\n%s\ndefault_realm = " FORGE_REALM "\ndns_lookup_kdc = false\ndns_lookup_realm = false\n"
             "dns_canonicalize_hostname = false\nrdns = false\nallow_rc4 = true\n"
             "permitted_enctypes = aes256-cts aes128-cts aes256-sha2 aes128-sha2 rc4-hmac\n"
             "[domain_realm]\n.example.test = " FORGE_REALM "\n%s\n",
             libdefaults != NULL ? libdefaults : "", sections != NULL ? sections : "");
    place_file(directory, "krb5.conf", text);
    snprintf(text, sizeof text, "[names]\ncomputer = SERVER\ndomain = EXAMPLE\n[kerberos]\nkdc_seconds = 5\n%s%s",
             own != NULL ? own : "", lsa_daemon_section(directory));
    place_configure(directory, text);
    snprintf(cache, sizeof cache, "FILE:%s/cache", directory);
    snprintf(keytab, sizeof keytab, "FILE:%s/keytab", directory);
    setenv("KRB5CCNAME", cache, 1);
    setenv("KRB5_KTNAME", keytab, 1);
    setenv("KRB5_CONFIG", path_of("krb5.conf"), 1);
    if (first)
        kerberos_loop_keytab();
    lsa_daemon_ensure();
}

void kerberos_loop_cleanup(void)
{
    lsa_daemon_stop();
    place_remove(directory);
}

static krb5_context krb5(void)
{
    krb5_context context;
    krb5_error_code code = krb5_init_context(&context);
    assert(code == 0);
    return context;
}

void kerberos_loop_keytab_add(const char *file, const char *principal, uint32_t kvno, const struct krb_key *key)
{
    krb5_context context = krb5();
    krb5_keytab keytab;
    krb5_keytab_entry entry = {
        .vno = kvno,
        .key = {.enctype = key->enctype, .length = key->len, .contents = (krb5_octet *)(uintptr_t)key->bytes},
    };
    char name[160];
    snprintf(name, sizeof name, "WRFILE:%s", path_of(file));
    krb5_error_code code = krb5_parse_name(context, principal, &entry.principal);
    assert(code == 0);
    code = krb5_kt_resolve(context, name, &keytab);
    assert(code == 0);
    code = krb5_kt_add_entry(context, keytab, &entry);
    assert(code == 0);
    krb5_kt_close(context, keytab);
    krb5_free_principal(context, entry.principal);
    krb5_free_context(context);
}

void kerberos_loop_keytab(void)
{
    char from[128];
    unlink(path_of("keytab.new"));
    for (int i = 0; i < KERBEROS_TYPES; i++) {
        const struct krb_key key = forge_key(kerberos_loop_types[i], 1);
        kerberos_loop_keytab_add("keytab.new", FORGE_SERVER, 2, &key);
    }
    snprintf(from, sizeof from, "%s", path_of("keytab.new"));
    int failed = rename(from, path_of("keytab"));
    assert(failed == 0);
}

void kerberos_loop_ticket(const struct forge *forge)
{
    krb5_context context = krb5();
    krb5_ccache cache;
    krb5_creds creds = {0};
    AUTO_WRITER struct writer ticket = writer_growing(1024);
    char from[128];
    forge_ticket(&ticket, forge);
    krb5_error_code code = krb5_parse_name(context, forge->client, &creds.client);
    assert(code == 0);
    code = krb5_parse_name(context, forge->server, &creds.server);
    assert(code == 0);
    creds.keyblock = (krb5_keyblock){.enctype = forge->session.enctype,
                                     .length = forge->session.len,
                                     .contents = (krb5_octet *)(uintptr_t)forge->session.bytes};
    creds.times.authtime = (krb5_timestamp)forge->auth_time;
    creds.times.starttime = (krb5_timestamp)forge->start_time;
    creds.times.endtime = (krb5_timestamp)forge->end_time;
    creds.ticket_flags = (krb5_flags)forge->flags;
    creds.ticket = (krb5_data){.data = (char *)ticket.data, .length = (unsigned)ticket.len};
    snprintf(from, sizeof from, "%s", path_of("cache.new"));
    code = krb5_cc_resolve(context, from, &cache);
    assert(code == 0);
    code = krb5_cc_initialize(context, cache, creds.client);
    assert(code == 0);
    code = krb5_cc_store_cred(context, cache, &creds);
    assert(code == 0);
    krb5_cc_close(context, cache);
    int failed = rename(from, path_of("cache"));
    assert(failed == 0);
    krb5_free_principal(context, creds.client);
    krb5_free_principal(context, creds.server);
    krb5_free_context(context);
}

bool kerberos_loop_acquire(struct loop *loop)
{
    char *package = (char *)(uintptr_t) "Kerberos";
    loop->keep_credentials = true;
    if (loop->target == NULL)
        loop->target = "host/server.example.test";
    loop->client_status = AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                                    &loop->client_credential, NULL);
    loop->server_status = AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                    &loop->server_credential, NULL);
    return loop->client_status == SEC_E_OK && loop->server_status == SEC_E_OK;
}

bool kerberos_loop_run(struct loop *loop, int32_t enctype, ULONG flags)
{
    struct forge forge;
    forge_begin(&forge, enctype);
    kerberos_loop_ticket(&forge);
    loop->client_flags = flags;
    return kerberos_loop_acquire(loop) && loop_run(loop);
}

void kerberos_loop_end(struct loop *loop)
{
    loop->keep_credentials = false;
    loop_end(loop);
}

void kerberos_duel_begin(struct duel *duel)
{
    struct loop loop = {0};
    bool acquired = kerberos_loop_acquire(&loop);
    assert(acquired);
    duel->client_credential = loop.client_credential;
    duel->server_credential = loop.server_credential;
    if (duel->target == NULL)
        duel->target = "host/server.example.test";
}
