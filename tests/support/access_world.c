#include "support/access_world.h"

#include "access/impersonation.h"
#include "access/thread_ids.h"
#include "accounts/admin.h"
#include "base/utf16.h"
#include "support/place.h"
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <win32/winbase.h>

static char directory[PLACE_LEN];

static void account_put(struct account_admin *admin, const char *name, const char *full_name, int64_t uid)
{
    uint16_t password[32];
    size_t n_units = 0;
    const struct account_spec spec = {
        .name = name, .domain = "EXAMPLE", .full_name = full_name, .expires = INT64_MAX, .uid = uid, .gid = uid};
    for (const char *at = "Password1!"; *at != '\0'; at++)
        password[n_units++] = (uint16_t)*at;
    assert(account_admin_add(admin, &spec) == SEC_E_OK);
    assert(account_admin_passwd(admin, name, "EXAMPLE", slice_of(password, 2 * n_units), false) == SEC_E_OK);
}

static void accounts_make(const char *path)
{
    struct account_admin *admin;
    assert(account_admin_open(path, true, &admin) == SEC_E_OK);
    account_put(admin, "alice", "Alice Example", ALICE_UID);
    account_put(admin, "bob", NULL, BOB_UID);
    account_put(admin, "mapless", NULL, -1);
    account_put(admin, "rooted", NULL, 0);
    account_put(admin, "daemon", NULL, -1);
    assert(group_admin_add(admin, &(struct group_spec){.name = "staff", .gid = STAFF_GID}) == SEC_E_OK);
    assert(group_admin_add(admin, &(struct group_spec){.name = "audit", .gid = -1}) == SEC_E_OK);
    assert(group_admin_join(admin, "staff", "alice", "EXAMPLE") == SEC_E_OK);
    assert(group_admin_join(admin, "audit", "alice", "EXAMPLE") == SEC_E_OK);
    account_admin_close(admin);
}

void access_configure(const char *extra)
{
    char store[128], path[144], text[4096];
    bool made = place_make(directory);
    snprintf(store, sizeof store, "%s/store", directory); /* where only the process may read */
    if (made) {
        assert(chmod(directory, 0755) == 0);
        assert(mkdir(store, 0700) == 0);
        snprintf(path, sizeof path, "%s/accounts.db", store);
        accounts_make(path);
    }
    snprintf(text, sizeof text,
             "[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\n"
             "dns_domain = example.test\n[accounts]\nstores = sqlite:%s/accounts.db\n[access]\n%s",
             store, extra != NULL ? extra : "");
    place_configure(store, text);
}

void access_needs_root(void)
{
    assert(geteuid() == 0);
}

void access_cleanup(void)
{
    unsetenv("NTLM_USER_FILE");
    place_remove(directory);
}

int access_setup(void **state)
{
    (void)state;
    access_configure(NULL);
    return 0;
}

int access_setup_root(void **state)
{
    access_needs_root();
    return access_setup(state);
}

int access_teardown(void **state)
{
    (void)state;
    access_cleanup();
    return 0;
}

const char *access_directory(void)
{
    return directory;
}

void access_default_credentials(void)
{
    char path[160];
    snprintf(path, sizeof path, "%s/store/users", directory);
    FILE *file = fopen(path, "w");
    assert(file != NULL && fputs("EXAMPLE:rooted:Password1!\n", file) >= 0);
    fclose(file);
    assert(chmod(path, 0600) == 0);
    setenv("NTLM_USER_FILE", path, 1);
}

const char *access_file(const char *name, unsigned uid, unsigned gid, unsigned mode)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0 && write(fd, "text", 4) == 4);
    assert(fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0);
    close(fd);
    return path;
}

bool access_reads(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void access_assert_root(void)
{
    uid_t real, effective, saved;
    struct thread_ids ids;
    assert(getresuid(&real, &effective, &saved) == 0 && real == 0 && effective == 0 && saved == 0);
    assert(getegid() == 0 && impersonation_current() == NULL);
    assert(thread_ids_read(&ids) == SEC_E_OK && ids.effective[0] != 0);
    thread_ids_release(&ids);
}

bool access_acts_as(const char *package, const char *expected)
{
    CredHandle credential;
    SecPkgCredentials_NamesA names;
    if (AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                  &credential, NULL) != SEC_E_OK)
        return false;
    bool same = QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names) == SEC_E_OK;
    if (same) {
        same = strcmp(names.sUserName, expected) == 0;
        FreeContextBuffer(names.sUserName);
    }
    FreeCredentialsHandle(&credential);
    return same;
}

HANDLE access_token(CtxtHandle *context)
{
    HANDLE token = NULL;
    assert(QuerySecurityContextToken(context, &token) == SEC_E_OK);
    return token;
}

int access_level(HANDLE token)
{
    SECURITY_IMPERSONATION_LEVEL level;
    DWORD len;
    assert(GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &len));
    return (int)level;
}

void access_connect(struct loop *loop, const char *user, ULONG client_flags)
{
    *loop = (struct loop){.user = user, .client_flags = client_flags};
    assert(loop_run(loop));
}
