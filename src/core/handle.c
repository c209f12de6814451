#include "core/handle.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/thread_end.h"
#include "crypto/random.h"
#include <pthread.h>
#include <stdatomic.h>

/* One word says all of a slot, so that look-up is one compare-and-swap: generation, whether it is published, references.
 * 2^40 generations outlast any process; 2^22 references outnumber any machine's threads, and all contexts, which hold their credentials'. */
#define REFERENCES_MASK UINT64_C(0x3fffff)
#define LIVE (UINT64_C(1) << 23)
#define GENERATION_SHIFT 24
#define GENERATION_MASK ((UINT64_C(1) << 40) - 1)

#define CHUNK_SLOTS 256
#define CHUNKS_MAX 4096 /* a million handles; a process that has more leaks them */
#define KIND_SHIFT 28

_Static_assert(sizeof(((SecHandle *)0)->dwUpper) >= 8, "a handle half holds a 40-bit generation");

/* On its own cache line: the neighbours belong to other threads' objects, which are looked up at the same time. */
#define LINE_LEN 64
struct slot {
    _Alignas(LINE_LEN) _Atomic(uint64_t) word;
    void *object;
    void (*destroy)(void *object);
    struct slot *next_free;
    uint32_t index;
    enum handle_kind kind;
};

static _Atomic(struct slot *) chunks[CHUNKS_MAX];
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two below, and adding chunks */
static struct slot *free_slots;
static uint32_t n_chunks;

/* A thread takes the slots that it gave back last, without the lock; and their lines are in its cache. */
#define KEPT_MAX 4
static _Thread_local struct {
    struct slot *free;
    unsigned count;
} kept;

FORK_GUARD(table_lock, FORK_RANK_HANDLES)

static bool table_grow(void)
{
    require(n_chunks < CHUNKS_MAX, false);
    struct slot *chunk = mem_zalloc_aligned(LINE_LEN, CHUNK_SLOTS, sizeof *chunk);
    require(chunk != NULL, false);
    /* A random first generation makes another process's handle a stranger here. */
    uint64_t generation = 0;
    if (!random_bytes(&generation, sizeof generation)) {
        mem_free(chunk);
        return false;
    }
    for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
        chunk[i].index = n_chunks * CHUNK_SLOTS + i;
        atomic_init(&chunk[i].word, (((generation >> 1) + 1) & (GENERATION_MASK >> 1)) << GENERATION_SHIFT);
        chunk[i].next_free = i + 1 < CHUNK_SLOTS ? &chunk[i + 1] : NULL;
    }
    free_slots = &chunk[0];
    atomic_store_explicit(&chunks[n_chunks], chunk, memory_order_release);
    n_chunks++;
    return true;
}

static struct slot *slot_unlink(struct slot **first)
{
    struct slot *slot = *first;
    if (slot != NULL)
        *first = slot->next_free;
    return slot;
}

static void slot_link(struct slot **first, struct slot *slot)
{
    slot->next_free = *first;
    *first = slot;
}

/* NULL when there is none. */
static struct slot *slot_take(void)
{
    if (kept.free != NULL) {
        kept.count--;
        return slot_unlink(&kept.free);
    }
    pthread_mutex_lock(&table_lock);
    struct slot *slot = free_slots != NULL || table_grow() ? slot_unlink(&free_slots) : NULL;
    pthread_mutex_unlock(&table_lock);
    return slot;
}

static void slot_give_back(struct slot *slot)
{
    if (kept.count < KEPT_MAX && thread_may_keep()) {
        slot_link(&kept.free, slot);
        kept.count++;
        return;
    }
    pthread_mutex_lock(&table_lock);
    slot_link(&free_slots, slot);
    pthread_mutex_unlock(&table_lock);
}

static void kept_give_back(void)
{
    pthread_mutex_lock(&table_lock);
    while (kept.free != NULL)
        slot_link(&free_slots, slot_unlink(&kept.free));
    kept.count = 0;
    pthread_mutex_unlock(&table_lock);
}

THREAD_END(kept_give_back)

SECURITY_STATUS handle_create(enum handle_kind kind, void *object, void (*destroy)(void *object), SecHandle *handle)
{
    struct slot *slot = slot_take();
    require(slot != NULL, SEC_E_INSUFFICIENT_MEMORY);
    slot->object = object;
    slot->destroy = destroy;
    slot->kind = kind;
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    atomic_store_explicit(&slot->word, word | LIVE, memory_order_release);
    handle->dwLower = (ULONG_PTR)kind << KIND_SHIFT | (slot->index + 1);
    handle->dwUpper = (ULONG_PTR)(word >> GENERATION_SHIFT);
    return SEC_E_OK;
}

static struct slot *slot_of(const SecHandle *handle, enum handle_kind kind)
{
    require(handle != NULL, NULL);
    uint64_t lower = handle->dwLower;
    require(lower >> KIND_SHIFT == (uint64_t)kind, NULL);
    uint64_t index = (lower & ((UINT64_C(1) << KIND_SHIFT) - 1)) - 1;
    require(index < (uint64_t)CHUNKS_MAX * CHUNK_SLOTS, NULL);
    struct slot *chunk = atomic_load_explicit(&chunks[index / CHUNK_SLOTS], memory_order_acquire);
    require(chunk != NULL, NULL);
    return &chunk[index % CHUNK_SLOTS];
}

static bool word_is(uint64_t word, const SecHandle *handle)
{
    return (word & LIVE) != 0 && word >> GENERATION_SHIFT == (uint64_t)handle->dwUpper;
}

SECURITY_STATUS handle_get(const SecHandle *handle, enum handle_kind kind, struct handle_ref *ref)
{
    struct slot *slot = slot_of(handle, kind);
    require(slot != NULL, SEC_E_INVALID_HANDLE);
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    do {
        require(word_is(word, handle), SEC_E_INVALID_HANDLE);
        require((word & REFERENCES_MASK) != REFERENCES_MASK, SEC_E_INSUFFICIENT_MEMORY);
    } while (!atomic_compare_exchange_weak_explicit(&slot->word, &word, word + 1, memory_order_acquire,
                                                    memory_order_relaxed));
    ref->object = slot->object;
    ref->slot = slot;
    if (slot->kind !=
        kind) { /* the handle says one kind and the slot another: forged, or packed and unpacked as the wrong one */
        handle_put(ref);
        return SEC_E_INVALID_HANDLE;
    }
    return SEC_E_OK;
}

/* Nobody can reach the slot any more: ends the object and gives the slot to the next generation. */
static void slot_retire(struct slot *slot)
{
    void *object = slot->object;
    void (*destroy)(void *) = slot->destroy;
    slot->object = NULL;
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    uint64_t generation = ((word >> GENERATION_SHIFT) + 1) & GENERATION_MASK;
    if (generation == 0)
        generation = 1; /* a valid handle is never all zero */
    atomic_store_explicit(&slot->word, generation << GENERATION_SHIFT, memory_order_release);
    destroy(object);
    slot_give_back(slot);
}

void handle_put(struct handle_ref *ref)
{
    struct slot *slot = ref->slot;
    if (slot == NULL)
        return;
    ref->slot = NULL;
    ref->object = NULL;
    uint64_t word = atomic_fetch_sub_explicit(&slot->word, 1, memory_order_acq_rel) - 1;
    if ((word & (LIVE | REFERENCES_MASK)) == 0)
        slot_retire(slot);
}

SECURITY_STATUS handle_delete(const SecHandle *handle, enum handle_kind kind)
{
    struct handle_ref ref;
    try(handle_get(handle, kind, &ref)); /* while it is held the slot stays whose it is */
    struct slot *slot = ref.slot;
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    bool mine;
    do {
        mine = word_is(word, handle);
    } while (mine && !atomic_compare_exchange_weak_explicit(&slot->word, &word, word & ~LIVE, memory_order_acq_rel,
                                                            memory_order_relaxed));
    handle_put(&ref);
    return mine ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

/* 40 bits of generation above 24 of index, which is a multiple of 4: 2^20 slots and the one that is added leave a bit to spare. */
#define PACKED_INDEX_SHIFT 2
_Static_assert((((uint64_t)CHUNKS_MAX * CHUNK_SLOTS + 1) << PACKED_INDEX_SHIFT) < (UINT64_C(1) << GENERATION_SHIFT),
               "");
_Static_assert(sizeof(void *) == 8, "a HANDLE holds generation and index");

void *handle_pack(const SecHandle *handle)
{
    uint64_t index = handle->dwLower & ((UINT64_C(1) << KIND_SHIFT) - 1);
    uint64_t value = (uint64_t)handle->dwUpper << GENERATION_SHIFT | index << PACKED_INDEX_SHIFT;
    return (void *)(uintptr_t)value;
}

SecHandle handle_unpack(const void *value, enum handle_kind kind)
{
    uint64_t packed = (uintptr_t)value;
    uint64_t index = (packed & ((UINT64_C(1) << GENERATION_SHIFT) - 1)) >> PACKED_INDEX_SHIFT;
    if ((packed & ((1u << PACKED_INDEX_SHIFT) - 1)) != 0 || index == 0)
        return (SecHandle){0};
    return (SecHandle){.dwLower = (ULONG_PTR)kind << KIND_SHIFT | index,
                       .dwUpper = (ULONG_PTR)(packed >> GENERATION_SHIFT)};
}

bool handle_is_null(const SecHandle *handle)
{
    return handle == NULL || (handle->dwLower == 0 && handle->dwUpper == 0);
}
