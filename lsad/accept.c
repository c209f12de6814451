#include "server.h"

#include "base/memory.h"
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_MAX 16384 /* bytes of an entry of the name service; one that needs more fits nobody */
#define GROUPS_MAX 1024

static bool number_is(const char *text, uid_t uid)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && number == uid;
}

static bool user_is(const char *name, uid_t uid)
{
    struct passwd entry, *found = NULL;
    AUTO_FREE char *room = mem_zalloc(NAMES_MAX);
    return number_is(name, uid) || (room != NULL && getpwnam_r(name, &entry, room, NAMES_MAX, &found) == 0 &&
                                    found != NULL && found->pw_uid == uid);
}

static bool group_has(const char *name, uid_t uid)
{
    struct passwd user, *found_user = NULL;
    struct group group, *found_group = NULL;
    gid_t groups[GROUPS_MAX];
    int n_groups = GROUPS_MAX;
    AUTO_FREE char *user_room = mem_zalloc(NAMES_MAX), *group_room = mem_zalloc(NAMES_MAX);
    require(user_room != NULL && group_room != NULL, false);
    require(getpwuid_r(uid, &user, user_room, NAMES_MAX, &found_user) == 0 && found_user != NULL, false);
    require(getgrnam_r(name, &group, group_room, NAMES_MAX, &found_group) == 0 && found_group != NULL, false);
    require(getgrouplist(user.pw_name, user.pw_gid, groups, &n_groups) >= 0, false);
    for (int i = 0; i < n_groups; i++)
        if (groups[i] == group.gr_gid)
            return true;
    return false;
}

bool may_be_server(const struct config *config, uid_t uid)
{
    return is_one_of(&config->lsa_accept, uid);
}

bool is_one_of(const struct config_list *names, uid_t uid)
{
    if (uid == 0 || uid == geteuid())
        return true;
    for (unsigned i = 0; i < names->n_items; i++) {
        const char *who = names->item[i];
        if (who[0] == '@' ? group_has(who + 1, uid) : user_is(who, uid))
            return true;
    }
    return false;
}
