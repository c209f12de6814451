/*
 * What an identity means (src/core/identity.h), and whom a package that proves passwords speaks as (src/core/login.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "core/login.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char empty[] = "", alice[] = "alice", example[] = "EXAMPLE", list[] = "ntlm";

/* Every combination of: a name that is missing, empty or there; the same of a domain; no password, an empty one, one, a hash; each kind of proof; a
 * list, an empty one or none. */
static void test_kinds(void **state)
{
    (void)state;
    char *const texts[] = {NULL, empty, alice}, *const domains[] = {NULL, empty, example},
                *const lists[] = {NULL, empty, list};
    uint8_t bytes[16] = "secret";
    const enum identity_kind meant[2][2] = {
        /* without a password, with one */
        {IDENTITY_DEFAULT, IDENTITY_NOBODY}, /* without a name */
        {IDENTITY_NAME, IDENTITY_LOGIN},
    };
    assert_int_equal(identity_kind(NULL), IDENTITY_DEFAULT);
    assert_false(identity_has_name(NULL));
    for (unsigned i = 0; i < 3 * 3 * 3 * 4 * 5; i++) {
        unsigned name = i % 3, domain = i / 3 % 3, listed = i / 9 % 3, password = i / 27 % 4, proof = i / 108;
        const struct identity identity = {
            .user = texts[name],
            .domain = domains[domain],
            .packages = lists[listed],
            .has_password = password > 0,
            .password = {password > 1 ? bytes : NULL, password > 1 ? sizeof bytes : 0},
            .password_is_hash = password == 3,
            .proof_kind = (enum identity_proof)proof,
        };
        bool says_nobody = name == 1 && listed < 2 && password == 0;
        enum identity_kind expected = proof != IDENTITY_PASSWORD ? IDENTITY_PROVED
                                      : says_nobody              ? IDENTITY_NOBODY
                                                                 : meant[name == 2][password > 0];
        assert_int_equal(identity_kind(&identity), expected);
        assert_int_equal(identity_has_name(&identity), name == 2);
    }
}

static void test_copy(void **state)
{
    (void)state;
    uint8_t bytes[] = {1, 2, 3};
    const struct identity from = {
        .user = alice, .packages = list, .has_password = true, .password_is_hash = true, .password = {bytes, 3}};
    AUTO_IDENTITY struct identity to = {0}, bare = {0};
    assert_true(identity_copy(&to, &from));
    assert_string_equal(to.user, alice);
    assert_null(to.domain);
    assert_null(to.packages);
    assert_true(to.has_password && to.password_is_hash);
    assert_int_equal(to.password.len, 3);
    assert_memory_equal(to.password.data, bytes, 3);
    assert_true(identity_copy(&bare, &(struct identity){.has_password = true}));
    assert_true(bare.has_password && bare.password.len == 0 && bare.user == NULL);
    for (unsigned long nth = 1; nth <= 2; nth++) {
        AUTO_IDENTITY struct identity lost = {0};
        mem_fault_set(nth, false);
        bool copied = identity_copy(&lost, &from);
        mem_fault_set(0, false);
        assert_false(copied);
    }
}

/* Without a list no package is forbidden; with one, those that it excludes, and where it names any, all that it does not name. The first word counts;
 * what it leaves standing it does not name. */
static void test_forbids(void **state)
{
    static const struct {
        const char *packages, *package;
        bool forbidden, named;
    } cases[] = {
        {NULL, "NTLM", false, false},
        {"", "NTLM", false, false},
        {" ,, ", "NTLM", false, false},
        {"!", "NTLM", false, false},
        {"ntlm", "NTLM", false, true},
        {"ntlm", "Kerberos", true, false},
        {"ntlm2", "NTLM", true, false},
        {"nt", "NTLM", true, false},
        {"!ntlm", "NTLM", true, false},
        {"!ntlm", "Kerberos", false, false},
        {"!ntlm,!kerberos", "KERBEROS", true, false},
        {"!ntlm,!kerberos", "Negotiate", false, false},
        {"kerberos,!ntlm", "Kerberos", false, true},
        {"kerberos,!ntlm", "NTLM", true, false},
        {"kerberos,!ntlm", "Negotiate", true, false},
        {", kerberos ,ntlm,", "NTLM", false, true},
        {"ntlm,!ntlm", "NTLM", false, true},
        {"!ntlm,ntlm", "NTLM", true, false},
        {",", "NTLM", false, false},
        {"!,", "NTLM", false, false},
        {"ntlm,", "NTLM", false, true},
        {"!,ntlm,!", "NTLM", false, true},
        {"!,ntlm", "Kerberos", true, false},
        {"!kerberos", "NTLM", false, false},
        /* What stands between the mark and the name does not make a name of what is avoided. */
        {"! ntlm", "NTLM", true, false},
        {"! ntlm", "Kerberos", false, false},
        {"!\tntlm", "NTLM", true, false},
        {" ! \t ntlm , kerberos", "NTLM", true, false},
        {"! kerberos ! ntlm", "NTLM", true, false},
        {"! kerberos ! ntlm", "Kerberos", true, false},
        {"! , ntlm", "NTLM", false, true}, /* the comma ends the item */
        {"ntlm ! kerberos", "Kerberos", true, false},
        {"!ntlm\n", "NTLM", true, false},
        {"!kerberos\r\n!ntlm\r\n", "NTLM", true, false},
        {"\tkerberos\t,\tntlm\t", "NTLM", false, true},
        {"! ", "NTLM", false, false},
        {"ntlm,", "", true, false}, /* no package has that name, and no item means it */
        {"!", "", false, false},
        {",,", "", false, false},
    };
    (void)state;
    assert_false(identity_forbids(NULL, "NTLM"));
    assert_false(identity_names(NULL, "NTLM"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct identity identity = {.packages = (char *)(uintptr_t)cases[i].packages};
        if (identity_forbids(&identity, cases[i].package) != cases[i].forbidden ||
            identity_names(&identity, cases[i].package) != cases[i].named)
            fail_msg("\"%s\", %s", cases[i].packages, cases[i].package);
    }
}

/* From memory of exactly its length. */
static enum wire_result response_of(struct slice proof, struct identity_response *response, uint8_t **copy)
{
    *copy = malloc(proof.len + (proof.len == 0));
    assert_non_null(*copy);
    memcpy(*copy, proof.data, proof.len);
    return identity_response_read(slice_of(*copy, proof.len), response);
}

static void test_response(void **state)
{
    const struct identity_response one = {.challenge = (const uint8_t *)"12345678",
                                          .client_challenge = true,
                                          .lm = slice_of("lm", 2),
                                          .nt = slice_of("response", 8),
                                          .workstation = "W\xc3\xa4"};
    struct identity_response read = {0};
    AUTO_WRITER struct writer proof = writer_growing(64);
    uint8_t *copy;
    (void)state;
    identity_response_write(&proof, &one);
    assert_int_equal(response_of(writer_slice_of(&proof), &read, &copy), WIRE_OK);
    assert_memory_equal(read.challenge, "12345678", 8);
    assert_true(read.client_challenge && slice_equal(read.lm, one.lm) && slice_equal(read.nt, one.nt));
    assert_string_equal(read.workstation, one.workstation);
    free(copy);
    for (size_t len = 0; len < proof.len; len++) {
        assert_int_not_equal(response_of(slice_of(proof.data, len), &read, &copy), WIRE_OK);
        free(copy);
    }
    static const struct {
        size_t behind; /* bytes after it: the name's last is its NUL */
        uint8_t value;
    } damage[] = {{1, 'x'}, {2, 0xff}, {2, 0}, {3, 'a'}};
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        uint8_t *at = proof.data + proof.len - damage[i].behind, before = *at;
        *at = damage[i].value;
        assert_int_equal(response_of(writer_slice_of(&proof), &read, &copy), WIRE_BAD);
        free(copy);
        *at = before;
    }
    for (uint8_t flag = 0; flag < 3; flag++) {
        proof.data[8] = flag;
        assert_int_equal(response_of(writer_slice_of(&proof), &read, &copy), flag < 2 ? WIRE_OK : WIRE_BAD);
        assert_true(flag == 2 || read.client_challenge == (flag == 1));
        free(copy);
    }
    proof.len = 0;
    identity_response_write(&proof, &(struct identity_response){.challenge = one.challenge, .workstation = ""});
    assert_int_equal(response_of(writer_slice_of(&proof), &read, &copy), WIRE_OK);
    assert_true(!read.client_challenge && read.lm.len == 0 && read.nt.len == 0 && read.workstation[0] == '\0');
    free(copy);
}

static void names_are(const char *user, const char *domain, const char *wanted_user, const char *wanted_domain)
{
    const struct identity identity = {.user = (char *)(uintptr_t)user, .domain = (char *)(uintptr_t)domain};
    char *found_user = NULL, *found_domain = NULL;
    assert_int_equal(login_names(&identity, &found_user, &found_domain), SEC_E_OK);
    assert_string_equal(found_user, wanted_user);
    assert_string_equal(found_domain, wanted_domain);
    mem_free(found_user);
    mem_free(found_domain);
}

static void test_names(void **state)
{
    (void)state;
    names_are("alice", "EXAMPLE", "alice", "EXAMPLE");
    names_are("alice", NULL, "alice", "");
    names_are("EXAMPLE\\alice", "", "alice", "EXAMPLE");
    names_are("EXAMPLE\\alice", NULL, "alice", "EXAMPLE");
    names_are("EXAMPLE\\alice", "OTHER", "EXAMPLE\\alice", "OTHER"); /* the domain says which */
    names_are("\\alice", NULL, "alice", "");
    names_are("a\\b\\c", NULL, "b\\c", "a");
    names_are(NULL, NULL, "", "");
    for (unsigned long nth = 1; nth < 3; nth++) {
        const struct identity identity = {.user = alice, .domain = example};
        char *found_user = NULL, *found_domain = NULL;
        mem_fault_set(nth, false);
        assert_int_equal(login_names(&identity, &found_user, &found_domain), SEC_E_INSUFFICIENT_MEMORY);
        mem_fault_set(0, false);
        mem_free(found_user);
        mem_free(found_domain);
    }
    char *full = login_full_name("EXAMPLE", "alice"), *bare = login_full_name("", "alice");
    assert_string_equal(full, "EXAMPLE\\alice");
    assert_string_equal(bare, "alice");
    mem_free(full);
    mem_free(bare);
}

struct chosen {
    SECURITY_STATUS status;
    const char *user; /* NULL: nobody */
    bool kept;
    enum identity_kind kind;
};

static char user_file[] = "/tmp/opensspi-identity-XXXXXX";

static struct chosen choose(const char *path, const char *principal, const struct identity *given)
{
    struct config config = {.user_file = (char *)(uintptr_t)path};
    const struct acquire_request request = {.config = &config, .principal = principal};
    AUTO_IDENTITY struct identity kept = {0};
    const struct identity *who = NULL;
    cause_clear();
    struct chosen chosen = {.status = login_choose("Test", &request, given, &kept, &who)};
    if (chosen.status != SEC_E_OK)
        return chosen;
    assert_string_equal(cause_text(), "");
    assert_true(who == NULL || who == given || who == &kept);
    chosen.kept = who == &kept;
    chosen.user = who != NULL ? "given" : NULL;
    if (chosen.kept)
        chosen.user = strcmp(who->user, "alice") == 0 ? "alice" : strcmp(who->user, "bob") == 0 ? "bob" : "another";
    chosen.kind = identity_kind(who);
    return chosen;
}

static void is_kept(struct chosen chosen, const char *user)
{
    assert_int_equal(chosen.status, SEC_E_OK);
    assert_true(chosen.kept);
    assert_string_equal(chosen.user, user);
    assert_int_equal(chosen.kind, IDENTITY_LOGIN);
}

static void test_choose(void **state)
{
    (void)state;
    struct identity login = {.user = alice, .has_password = true}, name = {.user = alice};
    struct identity nobody = {.user = empty, .has_password = true}, proved = {.proof_kind = IDENTITY_KEYTAB};
    struct identity only_list = {.packages = list, .user = empty}, domain = {.domain = example};
    static char eve[] = "eve";
    struct identity unknown = {.user = eve};
    struct chosen chosen = choose(user_file, NULL, &login);
    assert_true(chosen.status == SEC_E_OK && !chosen.kept && chosen.kind == IDENTITY_LOGIN);
    chosen = choose(user_file, "bob", &nobody); /* never somebody whose password it is not */
    assert_true(chosen.status == SEC_E_OK && !chosen.kept && chosen.kind == IDENTITY_NOBODY);
    assert_int_equal(choose(user_file, NULL, &proved).status, SEC_E_UNKNOWN_CREDENTIALS);
    assert_string_equal(cause_text(), "Test needs a password, not a keytab or a certificate");
    for (int i = 0; i < 4; i++) { /* nor is the process whoever is nobody */
        const struct identity says_nobody = {.user = empty, .domain = i < 2 ? NULL : example};
        chosen = choose(user_file, i % 2 == 0 ? NULL : "bob", &says_nobody);
        assert_true(chosen.status == SEC_E_OK && !chosen.kept && chosen.kind == IDENTITY_NOBODY);
    }
    is_kept(choose(user_file, NULL, NULL), "bob"); /* the first line */
    is_kept(choose(user_file, NULL, &only_list), "bob");
    is_kept(choose(user_file, "alice", NULL), "alice");
    is_kept(choose(user_file, NULL, &name), "alice");
    is_kept(choose(user_file, NULL, &domain), "alice");
    chosen = choose(user_file, NULL, &unknown);
    assert_true(chosen.status == SEC_E_OK && !chosen.kept && chosen.kind == IDENTITY_NAME);
    chosen = choose(user_file, "eve", NULL);
    assert_true(chosen.status == SEC_E_OK && chosen.user == NULL && chosen.kind == IDENTITY_DEFAULT);
    chosen = choose(NULL, NULL, NULL);
    assert_true(chosen.status == SEC_E_OK && chosen.user == NULL && chosen.kind == IDENTITY_DEFAULT);
    assert_int_equal(chmod(user_file, 0644), 0); /* others could read it */
    assert_int_equal(choose(user_file, NULL, NULL).status, SEC_E_INTERNAL_ERROR);
}

static int file_make(void **state)
{
    (void)state;
    static const char lines[] = "OTHER:bob:one\nEXAMPLE:alice:two\n";
    int file = mkstemp(user_file);
    return file >= 0 && write(file, lines, sizeof lines - 1) == (ssize_t)sizeof lines - 1 && close(file) == 0 ? 0 : -1;
}

static int file_remove(void **state)
{
    (void)state;
    return unlink(user_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),   cmocka_unit_test(test_copy),
        cmocka_unit_test(test_forbids), cmocka_unit_test(test_response),
        cmocka_unit_test(test_names),   cmocka_unit_test_setup_teardown(test_choose, file_make, file_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
