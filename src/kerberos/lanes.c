#include "kerberos/lanes.h"

#include "base/memory.h"
#include "base/result.h"
#include "kerberos/credential.h"
#include "kerberos/keys.h"
#include <sched.h>

struct kerberos_lane *kerberos_lanes_new(void)
{
    struct kerberos_lane *lanes = mem_zalloc_aligned(KERBEROS_LANE_LEN, KERBEROS_LANES, sizeof *lanes);
    for (unsigned i = 0; lanes != NULL && i < KERBEROS_LANES; i++)
        pthread_mutex_init(&lanes[i].lock, NULL);
    return lanes;
}

void kerberos_lanes_free(struct kerberos_lane *lanes)
{
    for (unsigned i = 0; lanes != NULL && i < KERBEROS_LANES; i++)
        pthread_mutex_destroy(&lanes[i].lock);
    mem_free(lanes);
}

/* Another one, or a turn of waiting. */
static struct kerberos_lane *lane_search(struct kerberos_lane *lanes, unsigned here)
{
    for (unsigned i = 1; i < KERBEROS_LANES; i++) {
        struct kerberos_lane *lane = &lanes[(here + i) % KERBEROS_LANES];
        if (pthread_mutex_trylock(&lane->lock) == 0)
            return lane;
    }
    pthread_mutex_lock(&lanes[here].lock);
    return &lanes[here];
}

struct kerberos_lane *kerberos_lane_enter(struct kerberos_lane *lanes)
{
    unsigned here = (unsigned)sched_getcpu() % KERBEROS_LANES; /* a kernel that does not tell: always the same */
    struct kerberos_lane *lane = &lanes[here];
    return __builtin_expect(pthread_mutex_trylock(&lane->lock) == 0, 1) ? lane : lane_search(lanes, here);
}

void kerberos_lane_leave(struct kerberos_lane *lane)
{
    pthread_mutex_unlock(&lane->lock);
}

void kerberos_lanes_lock(struct kerberos_lane *lanes)
{
    for (unsigned i = 0; i < KERBEROS_LANES; i++)
        pthread_mutex_lock(&lanes[i].lock);
}

void kerberos_lanes_unlock(struct kerberos_lane *lanes)
{
    for (unsigned i = 0; i < KERBEROS_LANES; i++)
        pthread_mutex_unlock(&lanes[i].lock);
}

SECURITY_STATUS kerberos_kit_take(struct kerberos_credential *credential, struct kerberos_kit *kit)
{
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    *kit = lane->idle;
    lane->idle = (struct kerberos_kit){0};
    kerberos_lane_leave(lane);
    return kit->krb != NULL ? SEC_E_OK : krb_pool_take(&credential->pool, &kit->krb);
}

/* Drops what is not the credential's now. In a lane. */
static void kit_purge(const struct kerberos_credential *credential, struct kerberos_kit *kit)
{
    if (kit->ticket != NULL && !kit->ticket->remembered)
        kerberos_ticket_put(kit->krb, STEAL(kit->ticket));
    if (kit->keys != NULL && kit->keys != credential->keys)
        kerberos_keys_put(STEAL(kit->keys));
}

/* Takes the kit. */
static void kit_end(struct kerberos_credential *credential, struct kerberos_kit *kit)
{
    if (kit->krb == NULL)
        return;
    kerberos_ticket_put(kit->krb, kit->ticket);
    kerberos_keys_put(kit->keys);
    krb_pool_give(&credential->pool, kit->krb);
    *kit = (struct kerberos_kit){0};
}

void kerberos_kit_give(struct kerberos_credential *credential, struct kerberos_kit *kit)
{
    if (kit->krb == NULL)
        return;
    krb_context_clean(kit->krb);
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    if (lane->idle.krb == NULL) {
        kit_purge(credential, kit);
        lane->idle = *kit;
        *kit = (struct kerberos_kit){0};
    }
    kerberos_lane_leave(lane);
    kit_end(credential, kit); /* one too many */
}

void kerberos_kits_purge(struct kerberos_credential *credential)
{
    for (unsigned i = 0; i < KERBEROS_LANES; i++)
        kit_purge(credential, &credential->lanes[i].idle);
}

void kerberos_kits_end(struct kerberos_credential *credential)
{
    for (unsigned i = 0; i < KERBEROS_LANES; i++)
        kit_end(credential, &credential->lanes[i].idle);
}
