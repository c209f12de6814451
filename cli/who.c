/* `sspi whoami` and `sspi creds`: what default credentials there are. */
#include "cli.h"
#include "servers.h"

#include "base/time.h"
#include "decode/clean.h"

#include <pwd.h>
#include <sspi_ext.h>
#include <string.h>
#include <unistd.h>

struct found {
    SECURITY_STATUS status;
    char name[256], cause[512];
    char ready[1024]; /* a server: by what */
    int64_t expiry;   /* local time, as the interface gives it */
};

static void look(const char *package, ULONG use, struct found *found)
{
    CredHandle credential;
    TimeStamp expiry = {0};
    SecPkgCredentials_NamesA names = {0};
    *found = (struct found){0};
    found->status = AcquireCredentialsHandleA(NULL, (SEC_CHAR *)(uintptr_t)package, use, NULL, NULL, NULL, NULL,
                                              &credential, &expiry);
    if (found->status != SEC_E_OK) {
        snprintf(found->cause, sizeof(found->cause), "%s", OpenSspiLastErrorText());
        return;
    }
    found->expiry = (int64_t)((uint64_t)(uint32_t)expiry.HighPart << 32 | (uint32_t)expiry.LowPart);
    SECURITY_STATUS status = QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names);
    if (status == SEC_E_OK) {
        snprintf(found->name, sizeof(found->name), "%s", names.sUserName);
        FreeContextBuffer(names.sUserName);
    } else {
        snprintf(found->cause, sizeof(found->cause), "%s", OpenSspiLastErrorText());
        if (use == SECPKG_CRED_OUTBOUND && status != SEC_E_UNSUPPORTED_FUNCTION)
            found->status = status;
    }
    FreeCredentialsHandle(&credential);
}

static int each_package(int (*run)(const SecPkgInfoA *package, void *context), void *context)
{
    ULONG n_packages = 0;
    PSecPkgInfoA packages = NULL;
    int code = cli_sspi_status("EnumerateSecurityPackages", EnumerateSecurityPackagesA(&n_packages, &packages));
    for (ULONG i = 0; code == CLI_OK && i < n_packages; i++)
        code = run(&packages[i], context);
    if (packages != NULL)
        FreeContextBuffer(packages);
    return code;
}

struct listing {
    struct json_list list;
    int width; /* of packages' names */
};

static int widest(const SecPkgInfoA *package, void *context)
{
    struct listing *listing = context;
    int len = (int)strlen(package->Name);
    if (len > listing->width)
        listing->width = len;
    return CLI_OK;
}

static int whoami_package(const SecPkgInfoA *package, void *context)
{
    const bool *json = context;
    struct found found;
    if ((package->fCapabilities & SECPKG_FLAG_STREAM) != 0)
        return CLI_OK; /* certificates, not users */
    look(package->Name, SECPKG_CRED_OUTBOUND, &found);
    if (*json) {
        fputs(", ", stdout);
        json_text(stdout, package->Name);
        fputs(": ", stdout);
        if (found.name[0] == '\0')
            fputs("null", stdout);
        else
            json_text(stdout, found.name);
    } else {
        printf("%-12s%s\n", package->Name, found.name[0] == '\0' ? "nobody: \"sspi creds\" says why" : found.name);
    }
    return CLI_OK;
}

static int whoami_run(const struct cli_options *options)
{
    bool json = options->json;
    char room[4096];
    struct passwd entry, *user = NULL;
    if (getpwuid_r(getuid(), &entry, room, sizeof(room), &user) != 0)
        user = NULL;
    if (json) {
        printf("{\"uid\": %u, \"user\": ", (unsigned)getuid());
        json_text(stdout, user == NULL ? "" : user->pw_name);
    } else {
        printf("%-12s%s (uid %u)\n", "Unix", user == NULL ? "without a name" : user->pw_name, (unsigned)getuid());
    }
    int code = each_package(whoami_package, &json);
    if (json)
        puts("}");
    return code;
}

static const char *time_of(int64_t expiry, char text[CLI_TIME_MAX])
{
    /* Local time comes out of the interface, and is shown as such. */
    if (expiry == FILETIME_NEVER || expiry <= 0)
        return "never";
    cli_time(expiry, text);
    text[strlen(text) - 1] = '\0';
    return text;
}

/* What stands in files of others steers no terminal. */
static void say_line(const char *lead, const char *text)
{
    fputs(lead, stdout);
    clean_put(stdout, slice_of_text(text), CLEAN_LINE);
    putchar('\n');
}

static void creds_one(struct listing *listing, const SecPkgInfoA *info, const char *side, const struct found *found)
{
    char text[CLI_TIME_MAX];
    const char *package = info->Name;
    /* Streams are TLS, whose identities are certificates; but CredSSP's clients are users. */
    bool good = found->status == SEC_E_OK,
         stream = (info->fCapabilities & SECPKG_FLAG_STREAM) != 0 && strcmp(package, "CREDSSP") != 0;
    /* Packages look for tickets, users and keys when they need them; a name is there when something was found. */
    const char *name = found->name[0] != '\0'        ? found->name
                       : stream                      ? "ready, without a certificate"
                       : strcmp(side, "server") == 0 ? "ready"
                                                     : "nobody: no default user or ticket was found";
    if (json_list_item(&listing->list)) {
        fputs("{\"package\": ", stdout);
        json_text(stdout, package);
        printf(", \"side\": \"%s\", \"available\": %s, \"status\": \"0x%08X\", \"name\": ", side,
               good ? "true" : "false", (unsigned)found->status);
        json_text(stdout, found->name);
        fputs(", \"expires\": ", stdout);
        json_text(stdout, good ? time_of(found->expiry, text) : "");
        fputs(", \"cause\": ", stdout);
        json_text(stdout, found->cause);
        fputs(", \"by\": ", stdout);
        json_text(stdout, found->ready);
        fputs("}", stdout);
        return;
    }
    printf("%-*s  %-8s", listing->width, package, side);
    if (good && found->name[0] != '\0')
        printf("%s, expires %s\n", name, time_of(found->expiry, text));
    else if (good && found->ready[0] != '\0')
        say_line("ready: ", found->ready);
    else if (good)
        puts(name);
    else {
        printf("none: %s", cli_status_name(found->status));
        say_line(found->cause[0] == '\0' ? "" : ": ", found->cause);
    }
}

/* A server's credential is there before anybody knows whether there are keys and accounts to take clients by. */
static void look_further(const char *package, struct found *found)
{
    struct server_look server;
    if (found->status != SEC_E_OK || !server_look(package, &server))
        return;
    if (server.good) {
        snprintf(found->ready, sizeof(found->ready), "%.1000s", server.text);
    } else {
        found->status = SEC_E_NO_CREDENTIALS;
        snprintf(found->cause, sizeof(found->cause), "%.500s", server.text);
    }
}

static int creds_package(const SecPkgInfoA *package, void *context)
{
    struct found found;
    look(package->Name, SECPKG_CRED_OUTBOUND, &found);
    creds_one(context, package, "client", &found);
    if ((package->fCapabilities & SECPKG_FLAG_CLIENT_ONLY) == 0) {
        look(package->Name, SECPKG_CRED_INBOUND, &found);
        look_further(package->Name, &found);
        creds_one(context, package, "server", &found);
    }
    return CLI_OK;
}

static int creds_run(const struct cli_options *options)
{
    struct listing listing = {.list = json_list_begin(options->json)};
    int code = each_package(widest, &listing);
    if (code == CLI_OK)
        code = each_package(creds_package, &listing);
    json_list_end(&listing.list);
    return code;
}

static const struct cli_command whoami_commands[] = {
    {"", "", "Tells who we are: to the system, and to others by each package's default credentials", OPTION_JSON, 0, 0,
     whoami_run},
};
const struct cli_family cli_whoami = {"whoami", "who we are, by each package", whoami_commands, 1};

static const struct cli_command creds_commands[] = {
    {"", "", "Shows each package's default credentials, as client and as server, or why there are none", OPTION_JSON, 0,
     0, creds_run},
};
const struct cli_family cli_creds = {"creds", "default credentials, or why there are none", creds_commands, 1};
