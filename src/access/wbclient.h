/*
 * Samba's libwbclient (wbclient.h, interface 0), through which winbind is asked. It is loaded when something is asked for the first time: nobody else
 * depends on Samba. Each question has a connection of its own to winbindd and a bound in time, for libwbclient itself waits for minutes.
 * Lock: one, over the libraries loaded and the connections that wait for the next question; never held while one is asked.
 */
#ifndef OPENSSPI_ACCESS_WBCLIENT_H
#define OPENSSPI_ACCESS_WBCLIENT_H

#include "access/sid.h"
#include <sspi.h>
#include <stdbool.h>
#include <sys/types.h>

#define WINBIND_SECONDS 10 /* the default */

struct winbind_settings {
    const char *library; /* NULL: libwbclient's own name */
    unsigned seconds;    /* how long one question may take; 0: WINBIND_SECONDS */
};

enum {
    WBC_SUCCESS = 0,
    WBC_NO_MEMORY = 3,
    WBC_NOT_AVAILABLE = 6,
    WBC_DOMAIN_NOT_FOUND = 7,
    WBC_AUTH_ERROR = 10,
    WBC_UNKNOWN_USER = 11,
    WBC_UNKNOWN_GROUP = 12,
    WBC_PASSWORD_CHANGE_FAILED = 13,
    WBC_NOT_MAPPED = 14,
};
enum { WBC_ID_UNKNOWN, WBC_ID_UID, WBC_ID_GID, WBC_ID_BOTH };
enum { WBC_LEVEL_RESPONSE = 3, WBC_CHANGE_PLAIN = 1 };
enum {
    WBC_ALLOW_SERVER_TRUST = 0x20, /* a controller's account may log on */
    WBC_ALLOW_WORKSTATION_TRUST = 0x800,
};
enum { WBC_USER_GUEST = 0x1 };
enum { WBC_TRUST_INCOMING = 0x2, WBC_TRUST_OUTGOING = 0x4 }; /* flags */
enum { WBC_TRUST_LOCAL = 4 };                                /* a type */

struct wbc_sid {
    uint8_t revision, n_subauthorities, authority[6];
    uint32_t subauthority[15];
};
struct wbc_sid_attribute {
    struct wbc_sid sid;
    uint32_t attributes;
};
struct wbc_id {
    int type;
    uint32_t id;
};
struct wbc_details {
    uint32_t version;
    char *winbind_version;
    char separator;
    char *netbios_name, *netbios_domain, *dns_domain;
};
struct wbc_domain {
    char *short_name, *dns_name;
    struct wbc_sid sid;
    uint32_t domain_flags, trust_flags, trust_type;
    char *routing;
};
struct wbc_logon {
    const char *account, *domain, *workstation;
    uint32_t flags, parameters;
    int level;
    struct { /* the largest of a union */
        uint8_t challenge[8];
        uint32_t nt_len;
        uint8_t *nt;
        uint32_t lm_len;
        uint8_t *lm;
    } response;
};
struct wbc_user {
    uint32_t user_flags;
    char *account, *principal, *full_name, *domain, *dns_domain;
    uint32_t account_flags;
    uint8_t session_key[16], lm_session_key[8];
    uint16_t n_logons, n_bad_passwords;
    uint64_t logon, logoff, kickoff, password_set, password_can_change, password_must_change; /* Unix times */
    char *logon_server, *logon_script, *profile, *home, *home_drive;
    uint32_t n_sids;
    struct wbc_sid_attribute *sids; /* the user, the primary group, the other groups */
};
struct wbc_failure {
    uint32_t nt_status;
    char *nt_text;
    int32_t pam_error;
    char *text;
    uint8_t authoritative;
};
struct wbc_password_change {
    const char *account, *domain;
    uint32_t flags;
    int level;
    struct { /* of a union whose larger part is not used here */
        const char *text;
        uint64_t unused[3];
    } old_password, new_password;
};

struct wbclient {
    void *(*context_new)(void);
    void (*context_free)(void *context);
    int (*sids_to_ids)(void *context, const struct wbc_sid *sids, uint32_t n_sids, struct wbc_id *ids);
    int (*uid_to_sid)(void *context, uid_t uid, struct wbc_sid *sid);
    int (*gid_to_sid)(void *context, gid_t gid, struct wbc_sid *sid);
    int (*lookup_sid)(void *context, const struct wbc_sid *sid, char **domain, char **name, int *type);
    int (*lookup_name)(void *context, const char *domain, const char *name, struct wbc_sid *sid, int *type);
    int (*details)(void *context, struct wbc_details **details);
    int (*trusts)(void *context, struct wbc_domain **domains, size_t *n_domains);
    int (*logon)(void *context, const struct wbc_logon *logon, struct wbc_user **user, struct wbc_failure **failure);
    int (*change_password)(void *context, const struct wbc_password_change *change, struct wbc_failure **failure,
                           int *reason, void **policy);
    int (*check_trust)(void *context, const char *domain, struct wbc_failure **failure);
    void (*free_memory)(void *block); /* NULL is fine */
};

struct wbclient_work {
    /* In a thread of its own, with a connection of its own; must touch nothing but `data` and what locks itself. */
    SECURITY_STATUS (*run)(const struct wbclient *wbc, void *context, void *data);
    void (*free)(void *data); /* also in that thread, when nobody waits any more */
};

/* Asks. Gives what `run` gave, with its cause, and *data is the caller's as before. SEC_E_NO_AUTHENTICATING_AUTHORITY when there is no answer in time
 * (*data is NULL then), or so many questions are unanswered that nothing more is asked; SEC_E_INTERNAL_ERROR without the library;
 * SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS wbclient_ask(const struct winbind_settings *settings, const struct wbclient_work *work, void **data);
/* The same without waiting: *data is gone when it answers SEC_E_OK. */
SECURITY_STATUS wbclient_start(const struct winbind_settings *settings, const struct wbclient_work *work, void **data);

/* A libwbclient error that is no answer to the question: SEC_E_NO_AUTHENTICATING_AUTHORITY with the cause, or SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS wbclient_failed(int error);
/* WBC_NOT_AVAILABLE for a question that only the privileged socket takes: is it winbindd that is not there, or the right to ask? */
SECURITY_STATUS wbclient_unprivileged(const struct wbclient *wbc, void *context);
#define WBCLIENT_UNPRIVILEGED                                                                                        \
    "winbindd runs, but refuses this process: who verifies passwords needs its privileged socket; put the server's " \
    "user into the group of the directory winbindd_privileged (Debian: winbindd_priv)"
/* Both ways; SEC_E_INTERNAL_ERROR for an answer that is no SID. */
struct wbc_sid wbclient_sid_of(const struct sid *sid);
SECURITY_STATUS wbclient_sid_take(const struct wbc_sid *found, struct sid *sid);
/* A copy of a text that has to be there; mem_free. */
SECURITY_STATUS wbclient_text_take(const char *text, char **copy);

#endif
