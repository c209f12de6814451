/* What `sspi doctor` says of Kerberos: realm, KDCs, a server's keys. */
#include "doctor.h"
#include "servers.h"

#include "core/config.h"

#include <errno.h>
#include <krb5.h>
#include <netdb.h>
#include <poll.h>
#include <profile.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KDC_PATIENCE_MS 2000

/* Whether somebody listens there, within KDC_PATIENCE_MS. */
static bool reachable(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    bool good = false;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return false;
    for (struct addrinfo *each = list; each != NULL && !good; each = each->ai_next) {
        int error = 0,
            file = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, each->ai_protocol);
        socklen_t len = sizeof(error);
        if (file < 0)
            continue;
        struct pollfd entry = {.fd = file, .events = POLLOUT};
        good = connect(file, each->ai_addr, each->ai_addrlen) == 0 ||
               (errno == EINPROGRESS && poll(&entry, 1, KDC_PATIENCE_MS) == 1 &&
                getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0);
        close(file);
    }
    freeaddrinfo(list);
    return good;
}

/* "host", "host:port", "[address]:port"; proxies (https://...) are left alone: -1. */
static int kdc_answers(const char *entry)
{
    char host[256], port[16] = "88";
    const char *colon = strrchr(entry, ':');
    bool bracket = entry[0] == '[',
         has_port = colon != NULL && (bracket ? colon[-1] == ']' : strchr(entry, ':') == colon);
    if (strncmp(entry, "https://", 8) == 0)
        return -1;
    size_t len = has_port ? (size_t)(colon - entry) : strlen(entry);
    snprintf(host, sizeof(host), "%.*s", (int)(bracket && len >= 2 ? len - 2 : len), entry + (bracket ? 1 : 0));
    if (has_port)
        snprintf(port, sizeof(port), "%s", colon + 1);
    return reachable(host, port) ? 1 : 0;
}

#define KDCS_MAX 16 /* more are not asked: each may cost KDC_PATIENCE_MS */

/* One KDC that answers is enough: the others are worth a note. So are all of them where nobody needs any. */
static void check_kdcs(struct doctor *doctor, char *const *entries, bool needed)
{
    int answers[KDCS_MAX];
    size_t n = 0;
    bool enough = !needed;
    for (; n < KDCS_MAX && entries[n] != NULL; n++) {
        answers[n] = kdc_answers(entries[n]);
        enough = enough || answers[n] != 0;
    }
    for (size_t i = 0; i < n; i++)
        if (answers[i] < 0)
            doctor_tell(doctor, NOTE, "KDC", NULL, "%s is a proxy, and was not asked", entries[i]);
        else if (answers[i] > 0)
            doctor_tell(doctor, GOOD, "KDC", NULL, "%s answers (TCP)", entries[i]);
        else
            doctor_tell(doctor, enough ? NOTE : BAD, "KDC",
                        "is it running, is the name right in krb5.conf, does a firewall stand between (port 88)?",
                        "%s does not answer (TCP)", entries[i]);
}

void doctor_check_realm(struct doctor *doctor)
{
    krb5_context context;
    char *realm = NULL, **kdcs = NULL;
    profile_t profile = NULL;
    if (krb5_init_context(&context) != 0) {
        doctor_tell(doctor, BAD, "Kerberos", "repair krb5.conf (KRB5_CONFIG names another)", "libkrb5 does not start");
        return;
    }
    if (krb5_get_default_realm(context, &realm) != 0) {
        doctor_tell(doctor, NOTE, "Kerberos",
                    "name one in krb5.conf: [libdefaults] default_realm; without Kerberos there is only NTLM and TLS",
                    "there is no default realm");
        krb5_free_context(context);
        return;
    }
    /* Debian's krb5-config leaves MIT's realm in krb5.conf where whoever installed it did not name one. */
    bool chosen = strcmp(realm, "ATHENA.MIT.EDU") != 0;
    if (chosen)
        doctor_tell(doctor, GOOD, "Kerberos", NULL, "default realm %s", realm);
    else
        doctor_tell(doctor, NOTE, "Kerberos",
                    "unless you are at MIT, nobody has chosen a realm here: [libdefaults] default_realm",
                    "default realm %s, the example that krb5.conf comes with", realm);
    const char *names[] = {"realms", realm, "kdc", NULL};
    if (krb5_get_profile(context, &profile) == 0 && profile_get_values(profile, names, &kdcs) == 0) {
        check_kdcs(doctor, kdcs, chosen);
        profile_free_list(kdcs);
    } else {
        doctor_tell(doctor, NOTE, "KDC", NULL, "krb5.conf names none for %s: DNS is asked when one is needed", realm);
    }
    if (profile != NULL)
        profile_release(profile);
    krb5_free_default_realm(context, realm);
    krb5_free_context(context);
}

/* "principal 2, 3; other 1": each with its numbers, whatever the types of its keys are. */
static void entry_add(krb5_context context, const krb5_keytab_entry *entry, char last[256], struct keytab_look *found)
{
    char *name = NULL;
    size_t len = strlen(found->content), room = sizeof(found->content) - len;
    if (krb5_unparse_name(context, entry->principal, &name) != 0)
        return;
    bool same = strcmp(name, last) == 0;
    char number[16];
    snprintf(number, sizeof(number), " %u", (unsigned)entry->vno);
    const char *start = strrchr(found->content, ' ');
    if (same && start != NULL && strcmp(start, number) == 0) {
        krb5_free_unparsed_name(context, name);
        return; /* another type */
    }
    if (room < strlen(name) + 32) {
        if (room > sizeof("; ...") && (len < 3 || strcmp(found->content + len - 3, "...") != 0))
            snprintf(found->content + len, room, "; ...");
    } else if (same) {
        snprintf(found->content + len, room, ",%s", number);
    } else {
        snprintf(found->content + len, room, "%s%s%s", len > 0 ? "; " : "", name, number);
        snprintf(last, 256, "%s", name);
    }
    krb5_free_unparsed_name(context, name);
}

static krb5_error_code entries_list(krb5_context context, krb5_keytab keytab, struct keytab_look *found)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    char last[256] = "";
    krb5_error_code error = krb5_kt_start_seq_get(context, keytab, &cursor);
    if (error != 0)
        return error;
    while ((error = krb5_kt_next_entry(context, keytab, &entry, &cursor)) == 0) {
        entry_add(context, &entry, last, found);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return error == KRB5_KT_END ? 0 : error;
}

void keytab_look(const struct config *config, struct keytab_look *found)
{
    krb5_context context;
    krb5_keytab keytab = NULL;
    *found = (struct keytab_look){0};
    if (krb5_init_context(&context) != 0) {
        snprintf(found->cause, sizeof(found->cause), "libkrb5 does not start");
        return;
    }
    krb5_error_code error = config->kerberos_keytab == NULL
                                ? krb5_kt_default(context, &keytab)
                                : krb5_kt_resolve(context, config->kerberos_keytab, &keytab);
    if (error == 0)
        error = krb5_kt_get_name(context, keytab, found->name, sizeof(found->name));
    if (error == 0)
        error = entries_list(context, keytab, found);
    found->good = error == 0 && found->content[0] != '\0';
    if (error != 0) {
        const char *message = krb5_get_error_message(context, error);
        snprintf(found->cause, sizeof(found->cause), "%s", message);
        krb5_free_error_message(context, message);
    } else if (!found->good) {
        snprintf(found->cause, sizeof(found->cause), "the keytab %.400s has no keys", found->name);
    }
    if (keytab != NULL)
        krb5_kt_close(context, keytab);
    krb5_free_context(context);
}

void doctor_check_keytab(struct doctor *doctor, const struct config *config)
{
    struct keytab_look found;
    keytab_look(config, &found);
    if (found.good)
        doctor_tell(doctor, GOOD, "keytab", NULL, "%s: %s (not compared with the KDC's)", found.name, found.content);
    else
        doctor_tell(doctor, NOTE, "keytab",
                    "servers for Kerberos need one: [kerberos] keytab, or KRB5_KTNAME; readable by the server's user",
                    "%s", found.cause);
}
