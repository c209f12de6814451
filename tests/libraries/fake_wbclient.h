/*
 * What a test tells tests/libraries/fake_wbclient.c to answer, and sees of what it was asked. The types are Samba's own, so that the layouts of
 * access/wbclient.h are compared with them by every answer.
 */
#ifndef OPENSSPI_TESTS_FAKE_WBCLIENT_H
#define OPENSSPI_TESTS_FAKE_WBCLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <samba-4.0/wbclient.h>

#define FAKE_SIDS_MAX 4096

/* One answer; zeroed means: success, with what stands here. */
struct fake_answer {
    wbcErr error;
    bool no_details; /* an error without its structure, or success without one */
    struct wbcAuthErrorInfo failure;
    struct wbcAuthUserInfo user;
    uint32_t n_sids;
    struct wbcSidWithAttr sids[FAKE_SIDS_MAX];
};

struct fake_wbclient {
    /* Decides about a logon; without one every question gets WBC_ERR_WINBIND_NOT_AVAILABLE. Called in the asking thread. */
    void (*logon)(const struct wbcAuthUserParams *asked, struct fake_answer *answer);
    void (*change)(const struct wbcChangePasswordParams *asked, struct fake_answer *answer);
    wbcErr details_error, trusts_error, trust_check_error, name_error;
    struct wbcInterfaceDetails details; /* netbios_name NULL: SERVER of FAKE, fake.test */
    struct wbcDomainInfo trusts[8];
    size_t n_trusts;
    bool no_details;
    /* A question that comes while this is set waits until it is cleared. */
    bool hangs;
    /* So many lists of domains are made, and handed over when `holds` has become false. */
    unsigned n_to_hold, n_held;
    bool holds;
    struct wbcUnixId id_of_all;          /* type not 0: what every SID has that is none of FAKE's */
    const char *lies_domain, *lies_name; /* what every SID's name is, where set */
    uint32_t lies_number;                /* the domain of every name's SID, where not 0 */
    unsigned n_hanging, n_contexts, n_created, n_details, n_trust_checks;
};

/* Exported by the library as these names. The lock guards the structure; unlocking wakes whoever waits for a change. */
typedef struct fake_wbclient *fake_wbclient_lock_function(void);
typedef void fake_wbclient_unlock_function(void);

#endif
