/*
 * Stands in for Samba's libwbclient (wbclient.h, interface 0): a domain FAKE, S-1-5-21-7-7-7, of which user alice (RID 1000) is uid 71000, group staff (RID 2000) gid
 * 72000, and "Domain Users" gid 70513. RID 666 makes winbind fail.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

struct wbcDomainSid {
    uint8_t sid_rev_num, num_auths, id_auth[6];
    uint32_t sub_auths[15];
};
struct wbcUnixId {
    int type;
    uint32_t id;
};

static const struct {
    uint32_t rid, id;
    int id_type, sid_type;
    const char *name;
} known[] = {{1000, 71000, 1, 1, "alice"}, {2000, 72000, 2, 2, "staff"}, {513, 70513, 2, 2, "Domain Users"}};
#define KNOWN (sizeof known / sizeof known[0])
#define NOT_MAPPED 14
#define DOMAIN_NOT_FOUND 7
#define NOT_AVAILABLE 6

static int rid_of(const struct wbcDomainSid *sid, uint32_t *rid)
{
    const uint32_t domain[] = {21, 7, 7, 7};
    *rid = sid->num_auths == 5 ? sid->sub_auths[4] : 0;
    return sid->num_auths == 5 && memcmp(sid->sub_auths, domain, sizeof domain) == 0;
}

static struct wbcDomainSid sid_of(uint32_t rid)
{
    return (struct wbcDomainSid){1, 5, {0, 0, 0, 0, 0, 5}, {21, 7, 7, 7, rid}};
}

int wbcSidsToUnixIds(const struct wbcDomainSid *sids, uint32_t n_sids, struct wbcUnixId *ids);
int wbcSidsToUnixIds(const struct wbcDomainSid *sids, uint32_t n_sids, struct wbcUnixId *ids)
{
    for (uint32_t i = 0; i < n_sids; i++) {
        uint32_t rid;
        ids[i] = (struct wbcUnixId){0, 0};
        if (!rid_of(&sids[i], &rid))
            continue;
        if (rid == 666)
            return NOT_AVAILABLE;
        for (size_t at = 0; at < KNOWN; at++)
            if (known[at].rid == rid)
                ids[i] = (struct wbcUnixId){known[at].id_type, known[at].id};
    }
    return 0;
}

static int sid_of_id(uint32_t id, int type, struct wbcDomainSid *sid)
{
    for (size_t at = 0; at < KNOWN; at++)
        if (known[at].id == id && known[at].id_type == type) {
            *sid = sid_of(known[at].rid);
            return 0;
        }
    return NOT_MAPPED;
}

int wbcUidToSid(uid_t uid, struct wbcDomainSid *sid);
int wbcUidToSid(uid_t uid, struct wbcDomainSid *sid)
{
    return sid_of_id(uid, 1, sid);
}

int wbcGidToSid(gid_t gid, struct wbcDomainSid *sid);
int wbcGidToSid(gid_t gid, struct wbcDomainSid *sid)
{
    return sid_of_id(gid, 2, sid);
}

int wbcLookupSid(const struct wbcDomainSid *sid, char **domain, char **name, int *type);
int wbcLookupSid(const struct wbcDomainSid *sid, char **domain, char **name, int *type)
{
    uint32_t rid;
    if (!rid_of(sid, &rid))
        return DOMAIN_NOT_FOUND;
    for (size_t at = 0; at < KNOWN; at++)
        if (known[at].rid == rid) {
            *domain = strdup("FAKE");
            *name = strdup(known[at].name);
            *type = known[at].sid_type;
            return 0;
        }
    return NOT_MAPPED;
}

int wbcLookupName(const char *domain, const char *name, struct wbcDomainSid *sid, int *type);
int wbcLookupName(const char *domain, const char *name, struct wbcDomainSid *sid, int *type)
{
    if (strcasecmp(domain, "FAKE") != 0)
        return DOMAIN_NOT_FOUND;
    for (size_t at = 0; at < KNOWN; at++)
        if (strcasecmp(known[at].name, name) == 0) {
            *sid = sid_of(known[at].rid);
            *type = known[at].sid_type;
            return 0;
        }
    return NOT_MAPPED;
}

void wbcFreeMemory(void *block);
void wbcFreeMemory(void *block)
{
    free(block);
}
