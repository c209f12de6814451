/*
 * Which Unix user a client is: the order of the sources, what each gives, and winbind through a library that plays libwbclient.
 * build: all
 */
#include "access/unix_ids.h"

#include "access/client_identity.h"
#include "access/names.h"
#include "access/token_build.h"
#include "access/winbind.h"
#include "base/memory.h"
#include "core/cause.h"
#include "libraries/fake_wbclient.h"
#include <dlfcn.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define LITERAL(literal) ((char *)(uintptr_t)(literal))

static struct config config_with_winbind(void)
{
    return (struct config){.access_winbind = true,
                           .access_winbind_library = LITERAL(TEST_LIBRARIES "/fake_wbclient.so"),
                           .computer = LITERAL("SERVER"),
                           .dns_computer = LITERAL("server.example.test"), /* no configuration is without these three */
                           .domain = LITERAL("EXAMPLE")};
}

static struct client_group group(uint32_t rid, uint32_t attributes, int64_t gid)
{
    return (struct client_group){SID_LITERAL(5, 21, 7, 7, 7, rid), attributes, gid};
}

static void test_winbind(void **state)
{
    struct config config = config_with_winbind();
    struct client_group groups[] = {group(513, 7, -1), group(2000, 7, -1), group(2000, 7, -1), group(3000, 7, -1)};
    struct client_identity identity = {
        .user = SID_OF(5, 21, 7, 7, 7, 1000), .uid = -1, .gid = -1, .groups = groups, .n_groups = 4};
    struct unix_ids ids = {0};
    (void)state;
    assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
    assert_true(ids.known);
    assert_int_equal(ids.uid, 71000);
    assert_int_equal(ids.gid, 70513);
    assert_int_equal(ids.n_groups, 2);
    assert_int_equal(ids.groups[0], 70513);
    assert_int_equal(ids.groups[1], 72000);
    unix_ids_release(&ids);
    /* A primary group that only denies opens nothing; nobody else here knows that user's. */
    groups[0].attributes = 0x10;
    assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
    assert_false(ids.known);
    unix_ids_release(&ids);
    groups[0].attributes = 7;
    /* Nor does it where it comes from the name service: user 5 ("games") has gid 60. */
    identity.uid = 5;
    groups[1].gid = 60;
    groups[1].attributes = 0x10;
    assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
    assert_true(ids.known && ids.uid == 71000 &&
                ids.gid == 70513); /* so the store's word is none, and winbind's counts */
    unix_ids_release(&ids);
    groups[1].attributes = 7;
    assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
    assert_true(ids.known && ids.uid == 5 && ids.gid == 60);
    unix_ids_release(&ids);
    identity.uid = -1;
    groups[1].gid = -1;
    /* The store's word goes before winbind's. */
    identity.uid = 5000;
    identity.gid = 5001;
    groups[1].gid = 5002;
    assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
    assert_int_equal(ids.uid, 5000);
    assert_int_equal(ids.gid, 5001);
    assert_int_equal(ids.n_groups, 1);
    assert_int_equal(ids.groups[0], 5002);
    unix_ids_release(&ids);
    /* Groups that only deny, or are not enabled, give nothing. */
    groups[1].attributes = 0x10;
    assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
    assert_int_equal(ids.n_groups, 0);
    unix_ids_release(&ids);
    /* Whom winbind does not know has no user. */
    identity = (struct client_identity){.user = SID_OF(5, 21, 7, 7, 7, 1001), .uid = -1, .gid = -1};
    assert_int_equal(unix_ids_find(&config, &identity, "eve", "FAKE", &ids), SEC_E_OK);
    assert_false(ids.known);
}

static char copies[3][40];
static unsigned n_copies;

static int copies_remove(void **state)
{
    (void)state;
    while (n_copies > 0)
        unlink(copies[--n_copies]);
    return 0;
}

/* One that knows nothing of what went before, and can be told what to say. */
static struct config config_with_fake(fake_wbclient_lock_function **lock, fake_wbclient_unlock_function **unlock)
{
    assert_true(n_copies < sizeof copies / sizeof copies[0]);
    char *copy = copies[n_copies++];
    struct config config = config_with_winbind();
    char bytes[4096];
    strcpy(copy, "/tmp/opensspi-wbclient-XXXXXX");
    int fd = mkstemp(copy);
    FILE *from = fopen(TEST_LIBRARIES "/fake_wbclient.so", "r");
    assert_true(fd >= 0 && from != NULL);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, from)) > 0;)
        assert_int_equal(write(fd, bytes, n), n);
    fclose(from);
    close(fd);
    void *library = dlopen(copy, RTLD_NOW | RTLD_LOCAL); /* stays, so that the library's own dlopen finds this one */
    assert_non_null(library);
    *(void **)lock = dlsym(library, "fake_wbclient_lock");
    *(void **)unlock = dlsym(library, "fake_wbclient_unlock");
    config.access_winbind_library = copy;
    return config;
}

/* A winbind that has ids for every SID: those of Unix users, of BUILTIN and of this computer's own accounts are nothing that a domain can give. */
static void test_winbind_of_this_computer(void **state)
{
    fake_wbclient_lock_function *lock;
    fake_wbclient_unlock_function *unlock;
    struct client_group groups[] = {group(513, 7, -1),
                                    {SID_OF(22, 2, 27), 7, -1},
                                    {SID_OF(5, 32, 544), 7, -1},
                                    {SID_OF(5, 21, 9, 9, 9, 1001), 7, -1},
                                    {SID_OF(5, 21, 8, 8, 8, 2000), 7, -1}};
    struct client_identity identity = {
        .user = SID_OF(5, 21, 7, 7, 7, 1000), .uid = -1, .gid = -1, .groups = groups, .n_groups = 4};
    static const struct sid users[] = {SID_OF(22, 1, 1000), SID_OF(5, 21, 9, 9, 9, 1000), SID_OF(5, 32, 544)};
    struct unix_ids ids = {0};
    (void)state;
    struct config config = config_with_fake(&lock, &unlock);
    struct fake_wbclient *fake = lock();
    fake->id_of_all = (struct wbcUnixId){.type = WBC_ID_TYPE_BOTH, .id = {.uid = 61000}};
    fake->trusts[0] = (struct wbcDomainInfo){.short_name = LITERAL("SERVER"),
                                             .trust_type = WBC_DOMINFO_TRUSTTYPE_LOCAL,
                                             .sid = {1, 4, {0, 0, 0, 0, 0, 5}, {21, 9, 9, 9}}};
    fake->n_trusts = 1;
    unlock();
    assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
    assert_true(ids.known && ids.n_groups == 1 && ids.groups[0] == 70513);
    unix_ids_release(&ids);
    identity.n_groups = 5; /* of another domain: that one counts */
    assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
    assert_true(ids.known && ids.n_groups == 2 && ids.groups[0] == 61000 && ids.groups[1] == 70513);
    unix_ids_release(&ids);
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        identity = (struct client_identity){.user = users[i], .uid = -1, .gid = -1};
        assert_int_equal(unix_ids_find(&config, &identity, "alice", "FAKE", &ids), SEC_E_OK);
        assert_false(ids.known);
    }
}

/* A winbind that gives accounts of FAKE other names, and names of FAKE other accounts. */
static void test_winbind_lies(void **state)
{
    static const struct {
        const char *domain, *name;
        bool believed;
    } cases[] = {{"FAKE", "alice", true},
                 {"fake", "Alice", true},
                 {"FRIEND", "alice", false},
                 {"SERVER", "bob", false},
                 {"BUILTIN", "Administrators", false},
                 {"NT AUTHORITY", "SYSTEM", false},
                 {"OTHER", "x", false},
                 {"", "alice", false}};
    fake_wbclient_lock_function *lock;
    fake_wbclient_unlock_function *unlock;
    struct config config = config_with_fake(&lock, &unlock);
    struct fake_wbclient *fake = lock();
    static const char *const names[] = {"SERVER", "FAKE", "FRIEND"};
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        fake->trusts[i] =
            (struct wbcDomainInfo){.short_name = LITERAL(names[i]),
                                   .trust_type = i == 0 ? WBC_DOMINFO_TRUSTTYPE_LOCAL : WBC_DOMINFO_TRUSTTYPE_FOREST,
                                   .trust_flags = WBC_DOMINFO_TRUST_OUTGOING,
                                   .sid = {1, 4, {0, 0, 0, 0, 0, 5}, {21, 7, 7, i == 0 ? 9 : 6 + i}}};
    fake->n_trusts = 3;
    unlock();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sid_name name = {0};
        lock()->lies_domain = cases[i].domain;
        fake->lies_name = cases[i].name;
        unlock();
        SECURITY_STATUS status = names_of_sid(&config, &SID_LITERAL(5, 21, 7, 7, 7, 1000), &name);
        assert_int_equal(status, cases[i].believed ? SEC_E_OK : SEC_E_TARGET_UNKNOWN);
        sid_name_release(&name);
    }
    lock()->lies_domain = fake->lies_name = NULL;
    unlock();
    for (uint32_t number = 7; number < 11; number++) { /* FAKE's, FRIEND's, this computer's, nobody's */
        struct sid_name name = {0};
        struct sid sid;
        lock()->lies_number = number;
        unlock();
        assert_int_equal(names_to_sid(&config, "FAKE\\alice", &sid, &name),
                         number == 7 ? SEC_E_OK : SEC_E_TARGET_UNKNOWN);
        sid_name_release(&name);
    }
}

/* An account and a name of a domain that winbind does not list: want of memory is no answer to whether they belong together. */
static void test_winbind_without_memory(void **state)
{
    fake_wbclient_lock_function *lock;
    fake_wbclient_unlock_function *unlock;
    struct config config = config_with_fake(&lock, &unlock);
    const struct sid sid = SID_OF(5, 21, 1, 2, 3, 1000);
    bool struck = true, belongs = false;
    (void)state;
    assert_int_equal(winbind_sid_belongs(&config, &sid, "ELSEWHERE", "x", &belongs), SEC_E_OK);
    assert_true(belongs);
    for (unsigned long n = 1; struck; n++) {
        mem_fault_set(n, false);
        SECURITY_STATUS status = winbind_sid_belongs(&config, &sid, "ELSEWHERE", "x", &belongs);
        struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        assert_int_equal(status, struck ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK);
        if (status == SEC_E_OK)
            assert_true(belongs);
    }
}

static void test_winbind_fails(void **state)
{
    struct config config = config_with_winbind();
    struct client_identity identity = {.user = SID_OF(5, 21, 7, 7, 7, 666), .uid = -1, .gid = -1};
    static const struct {
        const char *library, *cause;
    } missing[] = {{TEST_LIBRARIES "/no-such-library.so", "cannot be loaded"},
                   {TEST_LIBRARIES "/empty_module.so", "has no function"}};
    struct unix_ids ids = {0};
    (void)state;
    cause_clear();
    assert_int_equal(unix_ids_find(&config, &identity, NULL, NULL, &ids), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(cause_text(), "winbind does not answer"));
    for (size_t i = 0; i < 2; i++) {
        config.access_winbind_library = LITERAL(missing[i].library);
        cause_clear();
        assert_int_equal(unix_ids_find(&config, &identity, NULL, NULL, &ids), SEC_E_INTERNAL_ERROR);
        assert_non_null(strstr(cause_text(), missing[i].cause));
    }
    assert_false(ids.known);
}

static void test_winbind_names(void **state)
{
    struct config config = config_with_winbind();
    AUTO_SID_NAME struct sid_name name = {0}, again = {0};
    struct sid sid;
    (void)state;
    assert_int_equal(names_of_sid(&config, &SID_LITERAL(5, 21, 7, 7, 7, 2000), &name), SEC_E_OK);
    assert_string_equal(name.domain, "FAKE");
    assert_string_equal(name.name, "staff");
    assert_int_equal(name.use, SID_USE_GROUP);
    assert_int_equal(names_to_sid(&config, "fake\\ALICE", &sid, &again), SEC_E_OK);
    assert_true(sid_equal(&sid, &SID_LITERAL(5, 21, 7, 7, 7, 1000)));
    assert_string_equal(again.name, "alice");
    sid_name_release(&again);
    assert_int_equal(names_to_sid(&config, "fake\\nobody-there", &sid, &again), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(names_of_sid(&config, &SID_LITERAL(5, 21, 7, 7, 8, 1), &again), SEC_E_TARGET_UNKNOWN);
    assert_null(again.name);
}

/* What of a client's name is its account. */
static void test_account_of_a_name(void **state)
{
    static const struct {
        const char *package, *client, *account;
        bool principal;
    } cases[] = {
        {"NTLM", "EXAMPLE\\alice", "alice", false},
        {"NTLM", "EXAMPLE\\alice@home", "alice@home", false},
        {"NTLM", "alice", "alice", false},
        {"WDigest", "alice@EXAMPLE.TEST", "alice", true},
        {"Kerberos", "alice@EXAMPLE.TEST", "alice", true},
        {"Kerberos", "host/server@EXAMPLE.TEST", "host/server", true},
        {"Kerberos", "x\\@root@EXAMPLE.TEST", "x\\@root", true}, /* an "@" in the name, escaped */
        {"Kerberos", "x\\\\root@EXAMPLE.TEST", "x\\\\root", true},
        {"Kerberos", "x\\\\@EXAMPLE.TEST", "x\\\\", true},
        {"Kerberos", "alice@EXAMPLE\\@TEST", "alice", true}, /* and one in the realm */
        {"Kerberos", "alice", "alice", false},
        {"Kerberos", "alice\\", "alice\\", false},
    };
    const struct client_identity identity = {.user = SID_OF(5, 21, 7, 7, 7, 1000), .uid = -1, .gid = -1};
    struct config config = {.access_allow_root = false};
    uint8_t room[256];
    struct writer writer = writer_fixed(room, sizeof room);
    client_identity_write(&writer, &identity);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct token *token = NULL;
        const struct token_request request = {.package = cases[i].package,
                                              .client = cases[i].client,
                                              .identity = writer_slice_of(&writer),
                                              .level = SecurityImpersonation};
        assert_int_equal(token_of_client(&request, &config, &token), SEC_E_OK);
        assert_string_equal(token->facts->account, cases[i].account);
        if (cases[i].principal)
            assert_string_equal(token->facts->principal, cases[i].client);
        else
            assert_null(token->facts->principal);
        token_release(token);
    }
}

/* What a client is here is told here: its record takes nothing of that away. */
static void test_usual_groups(void **state)
{
    struct client_group groups[] = {
        {WELL_KNOWN_EVERYONE, GROUP_USUAL | GROUP_DENY_ONLY, -1},
        {WELL_KNOWN_AUTHENTICATED_USERS, 0, -1},
        {SID_OF(5, 21, 7, 7, 7, 2000), GROUP_MANDATORY, -1},
        {SID_OF(5, 21, 7, 7, 7, 2001), GROUP_USUAL, -1},
    };
    const struct client_identity identity = {
        .user = SID_OF(5, 21, 7, 7, 7, 1000), .uid = -1, .gid = -1, .groups = groups, .n_groups = COUNT_OF(groups)};
    struct config config = {.access_allow_root = false};
    const struct token *token = NULL;
    uint8_t room[512];
    struct writer writer = writer_fixed(room, sizeof room);
    (void)state;
    client_identity_write(&writer, &identity);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    const struct token_request request = {.package = "Kerberos",
                                          .client = "alice@EXAMPLE.TEST",
                                          .identity = writer_slice_of(&writer),
                                          .level = SecurityImpersonation};
    assert_int_equal(token_of_client(&request, &config, &token), SEC_E_OK);
    assert_true(token_has(token, &WELL_KNOWN_EVERYONE) && token_has(token, &WELL_KNOWN_AUTHENTICATED_USERS));
    assert_false(token_has(token, &groups[2].sid));
    assert_true(token_has(token, &groups[3].sid));
    size_t n_everyone = 0;
    for (size_t i = 0; i < token->facts->n_groups; i++)
        n_everyone += sid_equal(&token->facts->groups[i].sid, &WELL_KNOWN_EVERYONE);
    assert_int_equal(n_everyone, 1);
    token_release(token);
}

/* A client whom no SID names, of a realm whose accounts are the users here. */
static void test_client_without_sid(void **state)
{
    const struct passwd *user = getpwuid(getuid());
    struct config config = {.access_name_domains = {.item = {LITERAL("EXAMPLE.TEST")}, .n_items = 1},
                            .access_allow_root = true};
    char principal[128];
    const struct token *token = NULL;
    (void)state;
    assert_non_null(user);
    strcpy(principal, user->pw_name);
    strcat(principal, "@EXAMPLE.TEST");
    struct token_request request = {
        .package = "Kerberos", .client = principal, .authority = "EXAMPLE.TEST", .level = SecurityImpersonation};
    assert_int_equal(token_of_client(&request, &config, &token), SEC_E_OK);
    assert_true(sid_equal(&token->facts->user, &SID_OF_UID(getuid())));
    assert_true(token_has(token, &SID_OF_GID(user->pw_gid)));
    assert_true(token_has(token, &WELL_KNOWN_AUTHENTICATED_USERS));
    assert_string_equal(token->facts->account, user->pw_name);
    assert_string_equal(token->facts->principal, principal);
    token_release(token);
    token = NULL;
    request.authority = "ELSEWHERE.TEST"; /* the same name of another realm is somebody else */
    assert_int_equal(token_of_client(&request, &config, &token), SEC_E_NO_IMPERSONATION);
    request.authority = NULL;
    assert_int_equal(token_of_client(&request, &config, &token), SEC_E_NO_IMPERSONATION);
    request.client = "no-such-user-here@EXAMPLE.TEST";
    request.authority = "EXAMPLE.TEST";
    assert_int_equal(token_of_client(&request, &config, &token), SEC_E_NO_IMPERSONATION);
    assert_null(token);
    request.identity = slice_of("\1\1damaged", 9);
    assert_int_equal(token_of_client(&request, &config, &token), SEC_E_INVALID_TOKEN);
}

static void test_ids_out_of_range(void **state)
{
    struct config config = {0};
    static const int64_t bad[] = {-1, -2, INT64_C(0xffffffff), INT64_C(0x100000000), INT64_MIN};
    struct unix_ids ids = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct client_identity identity = {.user = SID_OF(5, 21, 7, 7, 7, 1000), .uid = bad[i], .gid = 1000};
        assert_int_equal(unix_ids_find(&config, &identity, NULL, NULL, &ids), SEC_E_OK);
        assert_false(ids.known);
    }
    /* Group 0 is root's, and is left out with it. */
    struct client_group groups[] = {group(1, 7, 0), group(2, 7, 9), group(3, 7, INT64_C(0x100000001))};
    struct client_identity identity = {
        .user = SID_OF(5, 21, 7, 7, 7, 1000), .uid = 1000, .gid = 1000, .groups = groups, .n_groups = 3};
    assert_int_equal(unix_ids_find(&config, &identity, NULL, NULL, &ids), SEC_E_OK);
    assert_int_equal(ids.n_groups, 1);
    assert_int_equal(ids.groups[0], 9);
    unix_ids_release(&ids);
    identity.gid = 0;
    assert_int_equal(unix_ids_find(&config, &identity, NULL, NULL, &ids), SEC_E_OK);
    assert_false(ids.known);
    config.access_allow_root = true;
    assert_int_equal(unix_ids_find(&config, &identity, NULL, NULL, &ids), SEC_E_OK);
    assert_true(ids.known);
    assert_int_equal(ids.n_groups, 2);
    unix_ids_release(&ids);
}

static void test_levels_of_flags(void **state)
{
    (void)state;
    assert_int_equal(token_level_of_flags(0), SecurityImpersonation);
    assert_int_equal(token_level_of_flags(ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY), SecurityImpersonation);
    assert_int_equal(token_level_of_flags(ASC_RET_DELEGATE), SecurityDelegation);
    assert_int_equal(token_level_of_flags(ASC_RET_IDENTIFY), SecurityIdentification);
    assert_int_equal(token_level_of_flags(ASC_RET_IDENTIFY | ASC_RET_DELEGATE), SecurityIdentification);
    assert_int_equal(token_level_of_flags(ASC_RET_NULL_SESSION | ASC_RET_DELEGATE), SecurityAnonymous);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_winbind),
        cmocka_unit_test(test_winbind_fails),
        cmocka_unit_test(test_winbind_of_this_computer),
        cmocka_unit_test(test_winbind_lies),
        cmocka_unit_test(test_winbind_without_memory),
        cmocka_unit_test(test_winbind_names),
        cmocka_unit_test(test_account_of_a_name),
        cmocka_unit_test(test_usual_groups),
        cmocka_unit_test(test_client_without_sid),
        cmocka_unit_test(test_ids_out_of_range),
        cmocka_unit_test(test_levels_of_flags),
    };
    return cmocka_run_group_tests(tests, NULL, copies_remove);
}
