#include "objects.h"

#include "fork.h"
#include "standard.h"

#include <stdlib.h>
#include <unistd.h>

#define TAG UINT64_C(0x4F00000000000000) /* no token's handle, no address */
#define TAG_MASK UINT64_C(0xFF00000000000000)
#define GENERATION_SHIFT 32
#define GENERATION_MASK UINT64_C(0xFFFFFF)
#define INDEX_SHIFT 2 /* handles are multiples of 4 */

static struct slot {
    struct object *object;
    uint64_t generation;
    size_t next_free; /* of a free one: SIZE_MAX for none */
} * slots;
static size_t n_slots, n_room; /* slots that have been used, and memory for so many */
static size_t first_free = SIZE_MAX;

pthread_mutex_t objects_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t objects_changed;

__attribute__((constructor)) static void condition_make(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&objects_changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* A child of fork has one thread. Nobody waits there, though condition and list may say so; and mutexes of others are nobody's. */
static void fork_child_begins(void)
{
    condition_make();
    waits_forget();
    for (size_t i = 0; i < n_slots; i++) {
        struct object *mutex = slots[i].object;
        if (mutex == NULL || mutex->kind != OBJECT_MUTEX || mutex->depth == 0 ||
            pthread_equal(mutex->owner, pthread_self()))
            continue;
        mutex->depth = 0;
        mutex->abandoned = true;
    }
}

FORK_GUARD_ANEW(objects_lock, fork_child_begins)

struct object *object_new(enum object_kind kind)
{
    struct object *object = calloc(1, sizeof *object);
    if (object == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    object->kind = kind;
    object->references = 1;
    return object;
}

/* A slot without an object, SIZE_MAX without memory. The one that was freed last comes first. */
static size_t slot_take(void)
{
    if (first_free != SIZE_MAX) {
        size_t i = first_free;
        first_free = slots[i].next_free;
        return i;
    }
    if (n_slots == n_room) {
        size_t n = n_room == 0 ? 16 : n_room * 2;
        struct slot *more = n >= UINT32_MAX >> INDEX_SHIFT ? NULL : realloc(slots, n * sizeof *slots);
        if (more == NULL)
            return SIZE_MAX;
        memset(more + n_room, 0, (n - n_room) * sizeof *slots);
        slots = more;
        n_room = n;
    }
    return n_slots++;
}

HANDLE object_publish(struct object *object)
{
    pthread_mutex_lock(&objects_lock);
    size_t i = slot_take();
    HANDLE handle = NULL;
    if (i == SIZE_MAX) {
        object_put(object);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    } else {
        slots[i].object = object;
        slots[i].generation = (slots[i].generation + 1) & GENERATION_MASK;
        handle = (HANDLE)(uintptr_t)(TAG | slots[i].generation << GENERATION_SHIFT | (i + 1) << INDEX_SHIFT);
    }
    pthread_mutex_unlock(&objects_lock);
    return handle;
}

static struct slot *slot_of(HANDLE handle)
{
    uint64_t value = (uintptr_t)handle, index = (value & UINT32_MAX) >> INDEX_SHIFT;
    if ((value & TAG_MASK) != TAG || (value & 3) != 0 || index == 0 || index > n_slots)
        return NULL;
    struct slot *slot = &slots[index - 1];
    return slot->object != NULL && slot->generation == ((value >> GENERATION_SHIFT) & GENERATION_MASK) ? slot : NULL;
}

struct object *object_get(HANDLE handle)
{
    struct slot *slot = slot_of(handle);
    if (slot == NULL)
        return NULL;
    slot->object->references++;
    return slot->object;
}

void object_put(struct object *object)
{
    if (--object->references != 0)
        return;
    if (object->kind == OBJECT_FILE)
        close(object->descriptor);
    free(object);
}

void objects_abandon(void)
{
    bool any = false;
    for (size_t i = 0; i < n_slots; i++) {
        struct object *mutex = slots[i].object;
        if (mutex == NULL || mutex->kind != OBJECT_MUTEX || mutex->depth == 0 ||
            !pthread_equal(mutex->owner, pthread_self()))
            continue;
        mutex->depth = 0;
        mutex->abandoned = any = true;
    }
    if (waits_abandon() || any)
        waits_settle();
}

bool object_close(HANDLE handle)
{
    pthread_mutex_lock(&objects_lock);
    struct slot *slot = slot_of(handle);
    if (slot != NULL) {
        object_put(slot->object);
        slot->object = NULL;
        slot->next_free = first_free;
        first_free = (size_t)(slot - slots);
    }
    pthread_mutex_unlock(&objects_lock);
    return slot != NULL;
}

BOOL CloseHandle(HANDLE hObject)
{
    return object_close(hObject) || standard_close(hObject) ? TRUE : OpenSspiCloseHandle(hObject);
}
