/*
 * What the tests of the account stores share: a private directory, a database with accounts, and a client's side of NTLMv2.
 */
#ifndef OPENSSPI_TESTS_ACCOUNTS_TEST_H
#define OPENSSPI_TESTS_ACCOUNTS_TEST_H

#include "accounts/accounts.h"
#include "accounts/admin.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/status.h"
#include "crypto/ntlm_response.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define UNUSED_FUNCTION __attribute__((unused))

static char test_directory[64], test_database[96], test_store[112];

static UNUSED_FUNCTION int directory_make(void **state)
{
    (void)state;
    strcpy(test_directory, "/tmp/opensspi-accounts-XXXXXX");
    if (mkdtemp(test_directory) == NULL)
        return -1;
    snprintf(test_database, sizeof(test_database), "%s/accounts.db", test_directory);
    snprintf(test_store, sizeof(test_store), "sqlite:%s", test_database);
    cause_clear();
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static UNUSED_FUNCTION int directory_remove(void **state)
{
    (void)state;
    filetime_fix(0);
    chmod(test_directory, 0700);
    return nftw(test_directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static UNUSED_FUNCTION void file_put(const char *path, const char *text, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(file >= 0);
    assert_int_equal(fchmod(file, mode), 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

/* ASCII passwords only. */
static UNUSED_FUNCTION struct slice utf16_of(const char *text, uint8_t room[128])
{
    size_t len = strlen(text);
    assert_true(len <= 64);
    for (size_t i = 0; i < len; i++) {
        room[2 * i] = (uint8_t)text[i];
        room[2 * i + 1] = 0;
    }
    return slice_of(room, 2 * len);
}

static UNUSED_FUNCTION struct account_admin *admin_open(void)
{
    struct account_admin *admin = NULL;
    assert_int_equal(account_admin_open(test_database, true, &admin), SEC_E_OK);
    return admin;
}

static UNUSED_FUNCTION void account_put(struct account_admin *admin, const char *domain, const char *name,
                                        const char *password)
{
    uint8_t room[128];
    struct key16 hash;
    ntlm_nt_hash(utf16_of(password, room), &hash);
    struct account_spec spec = {
        .name = name, .domain = domain, .nt_hash = &hash, .expires = FILETIME_NEVER, .uid = -1, .gid = -1};
    assert_int_equal(account_admin_add(admin, &spec), SEC_E_OK);
}

static UNUSED_FUNCTION struct accounts *stores_open(const char *store, unsigned threshold)
{
    struct account_policy policy = {.lockout_threshold = threshold, .lockout_seconds = 600, .reset_seconds = 300};
    struct accounts *accounts = NULL;
    SECURITY_STATUS status = accounts_open(&store, 1, "HOST", &policy, &accounts);
    if (status != SEC_E_OK)
        print_error("%s\n", cause_text());
    assert_int_equal(status, SEC_E_OK);
    return accounts;
}

static const uint8_t test_challenge[8] = {1, 2, 3, 4, 5, 6, 7, 8};

/* A right NTLMv2 response of the given names and password, then what the stores say to it. */
static UNUSED_FUNCTION SECURITY_STATUS logon_full(struct accounts *accounts, const char *domain, const char *user,
                                                  const char *password, const struct account **account)
{
    uint8_t room[128], response[NTLM_V2_RESPONSE_MIN] = {0};
    struct key16 hash, base, expected;
    struct hmac_md5_key key;
    response[16] = response[17] = 1;
    ntlm_nt_hash(utf16_of(password, room), &hash);
    assert_int_equal(ntlm_v2_key(&hash, user, domain, &key), WIRE_OK);
    ntlm_v2_proof(&key, test_challenge, slice_of(response + 16, sizeof(response) - 16), response);
    struct ntlm_check check = {.user = user,
                               .domain = domain,
                               .workstation = "WS",
                               .challenge = test_challenge,
                               .nt_response = slice_of(response, sizeof(response))};
    const struct account *found = NULL;
    cause_clear();
    SECURITY_STATUS status = account_verify_ntlm(accounts, &check, &found, &base);
    if (status == SEC_E_OK) {
        ntlm_v2_base_key(&key, response, &expected);
        assert_memory_equal(base.bytes, expected.bytes, 16);
        assert_non_null(found);
    } else {
        assert_null(found);
    }
    if (account != NULL)
        *account = found;
    else
        account_release(found);
    return status;
}

static UNUSED_FUNCTION SECURITY_STATUS logon(struct accounts *accounts, const char *domain, const char *user,
                                             const char *password)
{
    return logon_full(accounts, domain, user, password, NULL);
}

#endif
