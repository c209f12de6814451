/*
 * Configuration: /etc/opensspi/opensspi.conf, then the user's file (XDG_CONFIG_HOME or ~/.config, opensspi/opensspi.conf), which wins key by
 * key; OPENSSPI_CONFIG=FILE is read instead of both (ignored in set-uid programs). One snapshot is parsed, kept, and parsed anew when a file's
 * status changes; whoever works under it holds it.
 */
#ifndef OPENSSPI_CORE_CONFIG_H
#define OPENSSPI_CORE_CONFIG_H

#include <sspi.h>
#include <stdbool.h>

#define CONFIG_LIST_MAX 16 /* entries of one list: stores, names; more is a mistake */

enum config_when { WHEN_NEVER, WHEN_SUPPORTED, WHEN_ALWAYS };

struct config_list {
    char *item[CONFIG_LIST_MAX];
    unsigned n_items;
};

struct config {
    /* [names] what this computer calls itself in protocols; taken from the host name where not given */
    char *computer, *domain;                      /* NetBIOS names */
    char *dns_computer, *dns_domain, *dns_forest; /* DNS names; the latter two may be NULL */
    /* [credentials] */
    char *user_file; /* default NTLM credentials, DOMAIN:user:password lines */
    char *askpass;   /* program asked for a password under PROMPT_FOR_CREDS */
    /* [accounts] */
    struct config_list stores; /* "sqlite:PATH", "smbpasswd:PATH", "sam:PATH" */
    unsigned lockout_threshold, lockout_seconds, lockout_reset_seconds;
    /* [ntlm] */
    bool ntlm_v1, ntlm_lm, ntlm_anonymous, ntlm_require_128, ntlm_refuse_reflection;
    enum config_when ntlm_channel_bindings, ntlm_service_binding;
    struct config_list ntlm_targets; /* SPNs or host names that a client may have meant */
    unsigned ntlm_challenge_seconds, ntlm_clock_skew_seconds;
    /* [kerberos] */
    char *kerberos_keytab;         /* NULL: libkrb5's default */
    unsigned kerberos_kdc_seconds; /* how long a handshake may wait for KDCs, in all */
    bool kerberos_require_pac;
    /* [access] */
    bool access_winbind;                    /* ask winbind for Unix ids and names */
    char *access_winbind_library;           /* NULL: libwbclient's */
    struct config_list access_name_domains; /* domains and realms whose accounts are the Unix users of the same name */
    struct config_list access_ranges;       /* "DOMAIN-SID:FIRST:SIZE" */
    bool access_allow_root;                 /* clients may be mapped to uid 0 and gid 0 */
    char *access_anonymous_user;            /* whom ImpersonateAnonymousToken makes a thread */
    bool
        access_identify_without_privilege; /* a process that may not change users still gets a thread token, to identify */
    char *access_logon_service; /* the SPN whose key proves the KDC to LogonUser; NULL: host/ and the DNS name */
};

/* Gives the current snapshot; release it. SEC_E_OK; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR when a file cannot be read, has an unknown key
 * or a bad value: the cause names file and line, and nothing is guessed. */
SECURITY_STATUS config_get(const struct config **config);
const struct config *config_retain(const struct config *config);
void config_release(const struct config *config);

#endif
