/*
 * Configuration: /etc/opensspi/opensspi.conf, then the user's file (XDG_CONFIG_HOME or ~/.config, opensspi/opensspi.conf), which wins key by
 * key; OPENSSPI_CONFIG=FILE is read instead of both (ignored in set-uid programs). One snapshot is parsed, kept, and parsed anew when a file's
 * status changes; whoever works under it holds it. All of it is the process's: it is read with the process's rights on whichever thread, and whether
 * root's or a user's paths are meant is decided once.
 */
#ifndef OPENSSPI_CORE_CONFIG_H
#define OPENSSPI_CORE_CONFIG_H

#include <sspi.h>
#include <stdbool.h>
#include <stdint.h>

#define LSA_SOCKET_DEFAULT "/run/opensspi/lsa.sock"
#define CONFIG_LIST_MAX 16 /* entries of one list: stores, names; more is a mistake */

enum config_when { WHEN_NEVER, WHEN_SUPPORTED, WHEN_ALWAYS };
enum config_fallback { FALLBACK_NO, FALLBACK_YES, FALLBACK_AUDIT };

/* Whom a client hands its ticket-granting ticket to when it was asked to delegate. */
enum config_delegate { DELEGATE_OK_AS_DELEGATE, DELEGATE_ALWAYS, DELEGATE_NEVER };

/* In order. */
enum config_tls { CONFIG_TLS_1_0, CONFIG_TLS_1_1, CONFIG_TLS_1_2, CONFIG_TLS_1_3 };
/* Who keeps secrets and walks handshakes: this process, a daemon, or a daemon where there is one. */
enum config_lsa { LSA_EMBEDDED, LSA_DAEMON, LSA_AUTO };

struct config_list {
    char *item[CONFIG_LIST_MAX];
    unsigned n_items;
};

/* In the order of its sections, for there is one of it. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct config {
    /* [names] what this computer calls itself in protocols; taken from the host name where not given */
    char *computer, *domain;                      /* NetBIOS names */
    char *dns_computer, *dns_domain, *dns_forest; /* DNS names; the latter two may be NULL */
    /* [packages] */
    struct config_list packages; /* modules of other people's packages, by absolute paths */
    /* [credentials] */
    char *user_file; /* default NTLM credentials, DOMAIN:user:password lines */
    char *askpass;   /* program asked for a password under PROMPT_FOR_CREDS */
    /* [accounts] */
    struct config_list stores; /* "sqlite:PATH", "smbpasswd:PATH", "sam:PATH", "winbind:", "winbind:DOMAIN" */
    unsigned lockout_threshold, lockout_seconds, lockout_reset_seconds;
    /* [ntlm] */
    bool ntlm_v1, ntlm_lm, ntlm_anonymous, ntlm_require_128, ntlm_refuse_reflection;
    enum config_when ntlm_channel_bindings, ntlm_service_binding;
    struct config_list ntlm_targets; /* SPNs or host names that a client may have meant */
    unsigned ntlm_challenge_seconds, ntlm_clock_skew_seconds;
    /* [kerberos] */
    char *kerberos_keytab;         /* NULL: libkrb5's default */
    unsigned kerberos_kdc_seconds; /* how long a handshake may wait for KDCs, in all */
    bool kerberos_require_pac, kerberos_anonymous;
    bool kerberos_shared_replay_cache; /* also ask libkrb5's, which all processes share */
    enum config_delegate kerberos_delegate;
    bool kerberos_s4u2proxy; /* impersonating a client that forwarded no ticket, ask the KDC for tickets in its name */
    char *kerberos_client_keytab; /* default credentials log on with it when there are no tickets; NULL: they do not */
    /* [negotiate] */
    enum config_fallback negotiate_ntlm_fallback;
    unsigned negotiate_kdc_seconds;        /* shortens kerberos_kdc_seconds; 0 does not */
    struct config_list negotiate_packages; /* empty: all that can be negotiated */
    /* [certificates] paths of files or directories; NULL: the default */
    char *certificates_root, *certificates_ca, *certificates_my, *certificates_machine_my;
    unsigned certificates_security_level; /* OpenSSL's security level for chains, 0 to 5 */
    /* [schannel] */
    enum config_tls schannel_min, schannel_max;
    bool schannel_require_client_certificate; /* ASC_REQ_MUTUAL_AUTH refuses a client without one */
    char *schannel_ciphers;                   /* of OpenSSL's syntax, for TLS 1.2 and before; NULL: our own list */
    /* [access] */
    bool access_winbind;                    /* ask winbind for Unix ids and names */
    char *access_winbind_library;           /* NULL: libwbclient's */
    unsigned access_winbind_seconds;        /* how long one question to winbind may take */
    struct config_list access_name_domains; /* domains and realms whose accounts are the Unix users of the same name */
    struct config_list access_ranges;       /* "DOMAIN-SID:FIRST:SIZE" */
    bool access_allow_root;                 /* clients may be mapped to uid 0 and gid 0 */
    char *access_anonymous_user;            /* whom ImpersonateAnonymousToken makes a thread */
    bool
        access_identify_without_privilege; /* a process that may not change users still gets a thread token, to identify */
    char *access_logon_service; /* the SPN whose key proves the KDC to LogonUser; NULL: host/ and the DNS name */
    /* [credssp] targets to which a client hands passwords over; the _ntlm lists hold without Kerberos or a trusted certificate too */
    struct config_list credssp_allow_fresh, credssp_allow_fresh_ntlm, credssp_deny_fresh;
    struct config_list credssp_allow_saved, credssp_allow_saved_ntlm, credssp_deny_saved;
    unsigned credssp_min_version, credssp_max_version;
    /* [digest] */
    struct config_list digest_realms; /* passwords leave hashes for them when they are set; a server's first realm */
    struct config_list digest_algorithms; /* what a server offers over HTTP; empty: SHA-256 */
    struct config_list digest_targets;    /* "service/host" that SASL clients may mean; empty: any */
    bool digest_md5;                      /* a client answers servers that offer nothing but MD5 over HTTP */
    bool digest_no_qop;                   /* responses without qop, as before RFC 2617 */
    bool digest_userhash;                 /* a server asks for hashed user names */
    unsigned digest_nonce_seconds;
    enum config_when digest_channel_bindings;
    /* [lsa] */
    enum config_lsa lsa_mode;
    char *lsa_socket;     /* NULL: LSA_SOCKET_DEFAULT */
    unsigned lsa_seconds; /* how long a process waits for the daemon's answer */
    char *lsa_user;       /* whom a daemon that root starts becomes; NULL: it stays root */
    struct config_list
        lsa_accept; /* users and @groups who may be servers with the daemon's accounts and keytab, beside root and the daemon's own user */
    struct config_list lsa_keys; /* "NAME WHO FILE": private keys that a daemon keeps for others */
    unsigned lsa_workers, lsa_connections, lsa_user_connections, lsa_user_contexts, lsa_user_credentials;
    /* of no section: which of two snapshots is the newer one */
    uint64_t number;
};

/* Gives the current snapshot; release it. SEC_E_OK; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR when a file cannot be read, has an unknown key
 * or a bad value: the cause names file and line, and nothing is guessed. */
SECURITY_STATUS config_get(const struct config **config);
/* The same snapshot with another kerberos_kdc_seconds; release it too. NULL without memory. */
const struct config *config_with_kdc_seconds(const struct config *config, unsigned seconds);
/* For the daemon, before its first config_get: default credentials of the process are nobody's, and the account store is the system's. */
void config_for_daemon(void);
const struct config *config_retain(const struct config *config);
void config_release(const struct config *config);

/* NULL, or the setting of [negotiate] by which Negotiate may not choose this package, in words; `named`: an identity's list has it. */
const char *config_forbids_negotiating(const struct config *config, const char *package, bool named);

#endif
