#include "cli.h"

#include "base/memory.h"

#include <inttypes.h>

static int group_add(const struct cli_options *options)
{
    AUTO_ADMIN struct account_admin *admin = NULL;
    struct group_spec group = {.name = options->operand[0], .comment = options->comment, .gid = -1};
    struct sid sid;
    int code = CLI_OK;
    if (options->gid != NULL)
        code = cli_number("gid", options->gid, &group.gid);
    if (code == CLI_OK && options->sid != NULL) {
        group.sid = &sid;
        if (sid_from_text(options->sid, &sid) != WIRE_OK)
            code = cli_misuse("\"%s\" is no SID: it must look like S-1-5-21-1-2-3-1000", options->sid);
    }
    if (code == CLI_OK)
        code = cli_open(options, true, &admin);
    return code == CLI_OK ? cli_status(group_admin_add(admin, &group)) : code;
}

static int group_remove(const struct cli_options *options)
{
    AUTO_ADMIN struct account_admin *admin = NULL;
    int code = cli_open(options, false, &admin);
    return code == CLI_OK ? cli_status(group_admin_remove(admin, options->operand[0])) : code;
}

static void json_group(const struct group_spec *group)
{
    char sid[SID_TEXT_MAX];
    sid_to_text(group->sid, sid);
    fputs("{\"name\": ", stdout);
    json_text(stdout, group->name);
    printf(", \"sid\": \"%s\", \"gid\": ", sid);
    if (group->gid < 0)
        fputs("null", stdout);
    else
        printf("%" PRId64, group->gid);
    fputs(", \"comment\": ", stdout);
    if (group->comment == NULL)
        fputs("null", stdout);
    else
        json_text(stdout, group->comment);
}

static SECURITY_STATUS list_group(void *context, const struct group_spec *group)
{
    char sid[SID_TEXT_MAX];
    sid_to_text(group->sid, sid);
    if (json_list_item(context)) {
        json_group(group);
        fputc('}', stdout);
    } else {
        cli_show(slice_of_text(group->name));
        printf("\t%s\t", sid);
        cli_show(slice_of_text(group->comment == NULL ? "" : group->comment));
        fputc('\n', stdout);
    }
    return SEC_E_OK;
}

static int group_list(const struct cli_options *options)
{
    AUTO_ADMIN struct account_admin *admin = NULL;
    int code = cli_open(options, false, &admin);
    if (code != CLI_OK)
        return code;
    struct json_list list = json_list_begin(options->json);
    code = cli_status(group_admin_list(admin, list_group, &list));
    json_list_end(&list);
    return code;
}

struct shown {
    bool json;
    unsigned n_members;
};

static SECURITY_STATUS show_group(void *context, const struct group_spec *group)
{
    struct shown *shown = context;
    char sid[SID_TEXT_MAX];
    sid_to_text(group->sid, sid);
    if (shown->json) {
        json_group(group);
        fputs(", \"members\": [", stdout);
        return SEC_E_OK;
    }
    printf("%-12s", "Name:");
    cli_show(slice_of_text(group->name));
    printf("\n%-12s%s\n%-12s", "SID:", sid, "Comment:");
    cli_show(slice_of_text(group->comment == NULL ? "" : group->comment));
    fputc('\n', stdout);
    if (group->gid >= 0)
        printf("%-12s%" PRId64 "\n", "Unix group:", group->gid);
    puts("Members:");
    return SEC_E_OK;
}

static SECURITY_STATUS show_member(void *context, const char *name, const char *domain)
{
    struct shown *shown = context;
    if (shown->json) {
        fputs(shown->n_members == 0 ? "{\"name\": " : ", {\"name\": ", stdout);
        json_text(stdout, name);
        fputs(", \"domain\": ", stdout);
        json_text(stdout, domain);
        fputc('}', stdout);
    } else {
        fputs("  ", stdout);
        cli_show(slice_of_text(domain));
        fputs(domain[0] == '\0' ? "" : "\\", stdout);
        cli_show(slice_of_text(name));
        fputc('\n', stdout);
    }
    shown->n_members++;
    return SEC_E_OK;
}

static int group_show(const struct cli_options *options)
{
    AUTO_ADMIN struct account_admin *admin = NULL;
    struct shown shown = {.json = options->json};
    int code = cli_open(options, false, &admin);
    if (code == CLI_OK)
        code = cli_status(group_admin_show(admin, options->operand[0], show_group, show_member, &shown));
    if (code == CLI_OK && options->json)
        puts("]}");
    return code;
}

static int membership(const struct cli_options *options,
                      SECURITY_STATUS (*change)(struct account_admin *admin, const char *group, const char *name,
                                                const char *domain))
{
    AUTO_ADMIN struct account_admin *admin = NULL;
    AUTO_FREE char *domain = NULL;
    AUTO_FREE char *name = NULL;
    int code = cli_split_name(options, options->operand[1], &domain, &name);
    if (code == CLI_OK)
        code = cli_open(options, false, &admin);
    if (code == CLI_OK)
        code = cli_domain_find(options, options->operand[1], admin, name, &domain);
    return code == CLI_OK ? cli_status(change(admin, options->operand[0], name, domain)) : code;
}

static int group_join(const struct cli_options *options)
{
    return membership(options, group_admin_join);
}

static int group_leave(const struct cli_options *options)
{
    return membership(options, group_admin_leave);
}

static const struct cli_command commands[] = {
    {"add", "GROUP", "Adds a group", OPTION_STORE | OPTION_GROUP | OPTION_SID, 1, 1, group_add},
    {"list", "", "Lists all groups", OPTION_STORE | OPTION_JSON, 0, 0, group_list},
    {"show", "GROUP", "Shows a group and its members", OPTION_STORE | OPTION_JSON, 1, 1, group_show},
    {"join", "GROUP NAME", "Puts an account into a group", OPTION_STORE | OPTION_DOMAIN, 2, 2, group_join},
    {"leave", "GROUP NAME", "Takes an account out of a group", OPTION_STORE | OPTION_DOMAIN, 2, 2, group_leave},
    {"remove", "GROUP", "Removes a group; its members stay", OPTION_STORE, 1, 1, group_remove},
};

const struct cli_family cli_group = {"group", "groups of the local store", commands, COUNT_OF(commands)};
