#include "access/name_service.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#define BUFFER_FIRST 2048
#define BUFFER_MAX ((size_t)4 << 20) /* a group of a hundred thousand members */
#define GROUPS_FIRST 64

/* One of the four look-ups that want a buffer of their own size. */
struct question {
    enum { USER_BY_NAME, USER_BY_ID, GROUP_BY_NAME, GROUP_BY_ID } kind;
    const char *name;
    uint32_t id;
    struct passwd user;
    struct group group;
    bool found;
    char *buffer; /* what the answer points into; mem_free */
};

static int ask_once(struct question *question, size_t len)
{
    struct passwd *user = NULL;
    struct group *group = NULL;
    int error = 0;
    switch (question->kind) {
    case USER_BY_NAME:
        error = getpwnam_r(question->name, &question->user, question->buffer, len, &user);
        break;
    case USER_BY_ID:
        error = getpwuid_r((uid_t)question->id, &question->user, question->buffer, len, &user);
        break;
    case GROUP_BY_NAME:
        error = getgrnam_r(question->name, &question->group, question->buffer, len, &group);
        break;
    case GROUP_BY_ID:
        error = getgrgid_r((gid_t)question->id, &question->group, question->buffer, len, &group);
        break;
    }
    question->found = user != NULL || group != NULL;
    return error;
}

static SECURITY_STATUS ask(struct question *question)
{
    int error = ERANGE;
    for (size_t len = BUFFER_FIRST; error == ERANGE && len <= BUFFER_MAX; len *= 2) {
        mem_free(question->buffer);
        question->buffer = mem_zalloc(len);
        require(question->buffer != NULL, SEC_E_INSUFFICIENT_MEMORY);
        do {
            error = ask_once(question, len);
        } while (error == EINTR);
    }
    /* What these mean besides "nobody" differs from one service to the next (getpwnam(3)). */
    if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)
        return SEC_E_OK;
    return error == ENOMEM ? SEC_E_INSUFFICIENT_MEMORY
                           : cause_set(SEC_E_INTERNAL_ERROR, "the name service fails: %s", strerror(error));
}

SECURITY_STATUS name_service_gid_of(uid_t uid, int64_t *gid)
{
    struct question question = {.kind = USER_BY_ID, .id = uid};
    SECURITY_STATUS status = ask(&question);
    if (status == SEC_E_OK)
        *gid = question.found ? (int64_t)question.user.pw_gid : -1;
    mem_free(question.buffer);
    return status;
}

SECURITY_STATUS name_service_uid_of(const char *name, int64_t *uid)
{
    struct question question = {.kind = USER_BY_NAME, .name = name};
    SECURITY_STATUS status = ask(&question);
    if (status == SEC_E_OK)
        *uid = question.found ? (int64_t)question.user.pw_uid : -1;
    mem_free(question.buffer);
    return status;
}

SECURITY_STATUS name_service_gid_of_group(const char *name, int64_t *gid)
{
    struct question question = {.kind = GROUP_BY_NAME, .name = name};
    SECURITY_STATUS status = ask(&question);
    if (status == SEC_E_OK)
        *gid = question.found ? (int64_t)question.group.gr_gid : -1;
    mem_free(question.buffer);
    return status;
}

static SECURITY_STATUS groups_of(const char *name, gid_t gid, struct unix_ids *ids)
{
    for (int max = GROUPS_FIRST; max <= UNIX_GROUPS_MAX; max *= 2) {
        int n = max;
        mem_free(ids->groups);
        ids->groups = mem_zalloc_array((size_t)max, sizeof ids->groups[0]);
        require(ids->groups != NULL, SEC_E_INSUFFICIENT_MEMORY);
        if (getgrouplist(name, gid, ids->groups, &n) >= 0) {
            ids->n_groups = (size_t)n;
            return SEC_E_OK;
        }
    }
    return cause_set(SEC_E_INTERNAL_ERROR, "user %.64s is in more groups than the kernel takes", name);
}

SECURITY_STATUS name_service_user(const char *name, struct unix_ids *ids)
{
    struct question question = {.kind = USER_BY_NAME, .name = name};
    struct unix_ids found = {0};
    SECURITY_STATUS status = ask(&question);
    if (status == SEC_E_OK && question.found) {
        found.known = true;
        found.uid = question.user.pw_uid;
        found.gid = question.user.pw_gid;
        status = groups_of(question.user.pw_name, found.gid, &found);
    }
    mem_free(question.buffer);
    if (status != SEC_E_OK) {
        unix_ids_release(&found);
        return status;
    }
    unix_groups_sort(found.groups, &found.n_groups);
    *ids = found;
    return SEC_E_OK;
}

/* Names of the service may be of any bytes; ours are UTF-8. */
static SECURITY_STATUS text_take(const char *text, size_t len, char **copy)
{
    if (!utf8_valid(slice_of(text, len)))
        return SEC_E_OK;
    *copy = mem_dup(text, len);
    return *copy != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS name_service_user_name(uid_t uid, char **name, char **full_name)
{
    struct question question = {.kind = USER_BY_ID, .id = uid};
    AUTO_FREE char *first = NULL;
    AUTO_FREE char *second = NULL;
    SECURITY_STATUS status = ask(&question);
    if (status == SEC_E_OK && question.found) {
        const char *gecos = question.user.pw_gecos != NULL ? question.user.pw_gecos : "";
        status = text_take(question.user.pw_name, strlen(question.user.pw_name), &first);
        if (status == SEC_E_OK && full_name != NULL)
            status = text_take(gecos, strcspn(gecos, ","), &second);
    }
    mem_free(question.buffer);
    require(status == SEC_E_OK, status);
    *name = STEAL(first);
    if (full_name != NULL)
        *full_name = STEAL(second);
    return SEC_E_OK;
}

SECURITY_STATUS name_service_group_name(gid_t gid, char **name)
{
    struct question question = {.kind = GROUP_BY_ID, .id = gid};
    char *found = NULL;
    SECURITY_STATUS status = ask(&question);
    if (status == SEC_E_OK && question.found)
        status = text_take(question.group.gr_name, strlen(question.group.gr_name), &found);
    mem_free(question.buffer);
    require(status == SEC_E_OK, status);
    *name = found;
    return SEC_E_OK;
}
