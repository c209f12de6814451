/* What LsaCallAuthenticationPackage says of the tickets in a cache: names of realms that are older than UTF-8, and whose keys. With a KDC: tests/interop/test_lsa_functions.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kerberos_loop.h"
#include <ntsecapi.h>
#include <stdio.h>
#include <string.h>

static HANDLE lsa;
static ULONG package;

static KERB_QUERY_TKT_CACHE_EX3_RESPONSE *tickets_of_cache(void)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = KerbQueryTicketCacheEx3Message};
    void *answer = NULL;
    ULONG len = 0;
    NTSTATUS status = -1;
    assert_int_equal(LsaCallAuthenticationPackage(lsa, package, &request, sizeof request, &answer, &len, &status), 0);
    assert_int_equal(status, 0);
    return answer;
}

static void assert_text(UNICODE_STRING string, const WCHAR *expected)
{
    size_t len = 0;
    while (expected[len] != 0)
        len++;
    assert_int_equal(string.Length, 2 * len);
    assert_memory_equal(string.Buffer, expected, string.Length);
}

static void one_ticket(const char *client, const char *server)
{
    struct forge forge;
    forge_begin(&forge, 18);
    forge.client = client;
    forge.server = server;
    kerberos_loop_ticket(&forge);
}

/* Text that is no UTF-8 is Latin 1, letter by letter; what is UTF-8 stays what it is, each name for itself. */
static void test_latin1(void **state)
{
    (void)state;
    one_ticket("J\xFCrgen@EX\xC4MPLE.TEST", "HTTP/gr\xFCn.example.test@EX\xC4MPLE.TEST");
    KERB_QUERY_TKT_CACHE_EX3_RESPONSE *answer = tickets_of_cache();
    assert_int_equal(answer->CountOfTickets, 1);
    assert_text(answer->Tickets[0].ClientName, u"J\u00FCrgen");
    assert_text(answer->Tickets[0].ClientRealm, u"EX\u00C4MPLE.TEST");
    assert_text(answer->Tickets[0].ServerName, u"HTTP/gr\u00FCn.example.test");
    assert_text(answer->Tickets[0].ServerRealm, u"EX\u00C4MPLE.TEST");
    assert_int_equal(LsaFreeReturnBuffer(answer), 0);
    one_ticket("J\xC3\xBCrgen@EX\xC4MPLE.TEST", "HTTP/\xE2\x82\xAC.example.test@EXAMPLE.TEST");
    answer = tickets_of_cache();
    assert_int_equal(answer->CountOfTickets, 1);
    assert_text(answer->Tickets[0].ClientName, u"J\u00FCrgen");
    assert_text(answer->Tickets[0].ClientRealm, u"EX\u00C4MPLE.TEST");
    assert_text(answer->Tickets[0].ServerName, u"HTTP/\u20AC.example.test");
    assert_text(answer->Tickets[0].ServerRealm, u"EXAMPLE.TEST");
    assert_int_equal(LsaFreeReturnBuffer(answer), 0);
}

/* The length of the session key that comes with the ticket for `target`. */
static ULONG key_len_of(const char *target, ULONG options)
{
    struct {
        KERB_RETRIEVE_TKT_REQUEST request;
        WCHAR text[64];
    } block = {.request = {.MessageType = KerbRetrieveEncodedTicketMessage, .CacheOptions = options}};
    KERB_RETRIEVE_TKT_RESPONSE *answer = NULL;
    ULONG len = 0;
    NTSTATUS status = -1;
    size_t n = strlen(target);
    assert_true(n < sizeof block.text / sizeof block.text[0]);
    for (size_t i = 0; i < n; i++)
        block.text[i] = (WCHAR)target[i];
    block.request.TargetName = (UNICODE_STRING){(USHORT)(2 * n), (USHORT)(2 * n), block.text};
    assert_int_equal(LsaCallAuthenticationPackage(lsa, package, &block, sizeof block, (void **)&answer, &len, &status),
                     0);
    assert_int_equal(status, 0);
    assert_int_not_equal(answer->Ticket.EncodedTicketSize, 0);
    assert_int_equal(answer->Ticket.SessionKey.KeyType, 18);
    ULONG key_len = answer->Ticket.SessionKey.Length;
    assert_int_equal(LsaFreeReturnBuffer(answer), 0);
    return key_len;
}

/* With the key of a ticket that gets others whoever has it is the user: it stays here, whatever it is asked for as. */
static void test_keys(void **state)
{
    static const struct {
        const char *target;
        ULONG key_len;
    } cases[] = {{"krbtgt/EXAMPLE.TEST", 0},   {"krbtgt/OTHER.TEST", 0},   {"host/server.example.test", 32},
                 {"krbtgt2/EXAMPLE.TEST", 32}, {"KrbTgt/EXAMPLE.TEST", 0}, {"krbtgt", 0}};
    char server[64];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(server, sizeof server, "%s@EXAMPLE.TEST", cases[i].target);
        one_ticket("alice@EXAMPLE.TEST", server);
        assert_int_equal(key_len_of(cases[i].target, KERB_RETRIEVE_TICKET_USE_CACHE_ONLY), cases[i].key_len);
        assert_int_equal(key_len_of(cases[i].target, 0), cases[i].key_len);
    }
}

int main(void)
{
    char name[] = MICROSOFT_KERBEROS_NAME_A;
    LSA_STRING kerberos = {sizeof name - 1, sizeof name, name};
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_latin1), cmocka_unit_test(test_keys)};
    kerberos_loop_configure(NULL, NULL, NULL);
    if (LsaConnectUntrusted(&lsa) != 0 || LsaLookupAuthenticationPackage(lsa, &kerberos, &package) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)LsaDeregisterLogonProcess(lsa);
    kerberos_loop_cleanup();
    return failed;
}
