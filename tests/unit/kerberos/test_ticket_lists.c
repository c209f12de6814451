/* What LsaCallAuthenticationPackage says and does of the tickets in a cache: names of realms that are older than UTF-8, purges by any of the four
 * names, a ticket itself, and whose keys. With a KDC: tests/interop/test_lsa_functions.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/kerberos_loop.h"
#include <ntsecapi.h>
#include <stdio.h>
#include <string.h>
#include <win32/ntstatus.h>

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

#define NAME_MAX_UNITS 64

struct purge {
    KERB_PURGE_TKT_CACHE_EX_REQUEST request;
    WCHAR text[4][NAME_MAX_UNITS];
};

static void text_copy(struct purge *purge, unsigned i, UNICODE_STRING *to, const WCHAR *text)
{
    USHORT len = 0;
    for (; text != NULL && text[len] != 0; len++)
        purge->text[i][len] = text[len];
    *to = (UNICODE_STRING){2 * len, 2 * len, purge->text[i]};
}

static NTSTATUS purge_send(struct purge *purge)
{
    NTSTATUS status = -1;
    assert_int_equal(LsaCallAuthenticationPackage(lsa, package, purge, sizeof *purge, NULL, NULL, &status), 0);
    return status;
}

static NTSTATUS purge_by(const WCHAR *client, const WCHAR *client_realm, const WCHAR *server, const WCHAR *server_realm)
{
    struct purge purge = {.request.MessageType = KerbPurgeTicketCacheExMessage};
    KERB_TICKET_CACHE_INFO_EX *template = &purge.request.TicketTemplate;
    text_copy(&purge, 0, &template->ClientName, client);
    text_copy(&purge, 1, &template->ClientRealm, client_realm);
    text_copy(&purge, 2, &template->ServerName, server);
    text_copy(&purge, 3, &template->ServerRealm, server_realm);
    return purge_send(&purge);
}

static ULONG n_tickets(void)
{
    KERB_QUERY_TKT_CACHE_EX3_RESPONSE *answer = tickets_of_cache();
    ULONG count = answer->CountOfTickets;
    assert_int_equal(LsaFreeReturnBuffer(answer), 0);
    return count;
}

/* A template that names a client spares all other clients' tickets; every name that it has counts. */
static void test_purge_by_client(void **state)
{
    static const WCHAR *const others[][4] = {
        {u"bob", NULL, NULL, NULL},
        {NULL, u"ELSE.TEST", NULL, NULL},
        {u"alice", u"ELSE.TEST", NULL, NULL},
        {u"bob", u"EXAMPLE.TEST", u"HTTP/web.example.test", u"OTHER.TEST"},
        {u"alice", u"EXAMPLE.TEST", u"HTTP/web.example.test", u"EXAMPLE.TEST"},
    };
    static const WCHAR *const ours[][4] = {
        {u"alice", NULL, NULL, NULL},
        {NULL, u"EXAMPLE.TEST", NULL, NULL},
        {u"alice", u"EXAMPLE.TEST", u"HTTP/web.example.test", u"OTHER.TEST"},
        {NULL, NULL, NULL, NULL}, /* names nothing: all */
    };
    (void)state;
    one_ticket("alice@EXAMPLE.TEST", "HTTP/web.example.test@OTHER.TEST");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(purge_by(others[i][0], others[i][1], others[i][2], others[i][3]), SEC_E_NO_CREDENTIALS);
        assert_int_equal(n_tickets(), 1);
    }
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        one_ticket("alice@EXAMPLE.TEST", "HTTP/web.example.test@OTHER.TEST");
        assert_int_equal(purge_by(ours[i][0], ours[i][1], ours[i][2], ours[i][3]), STATUS_SUCCESS);
        assert_int_equal(n_tickets(), 0);
    }
}

/* The flag is for all, whatever the template says. */
static void test_purge_all(void **state)
{
    struct purge purge = {.request = {.MessageType = KerbPurgeTicketCacheExMessage, .Flags = KERB_PURGE_ALL_TICKETS}};
    (void)state;
    one_ticket("alice@EXAMPLE.TEST", "HTTP/web.example.test@OTHER.TEST");
    text_copy(&purge, 0, &purge.request.TicketTemplate.ClientName, u"bob");
    assert_int_equal(purge_send(&purge), STATUS_SUCCESS);
    assert_int_equal(n_tickets(), 0);
}

/* An entry of the list, given back as it came, names its ticket: also where the realm is older than UTF-8. */
static void test_purge_of_an_entry(void **state)
{
    struct purge purge = {.request.MessageType = KerbPurgeTicketCacheExMessage};
    KERB_TICKET_CACHE_INFO_EX *template = &purge.request.TicketTemplate;
    (void)state;
    one_ticket("J\xFCrgen@EX\xC4MPLE.TEST", "HTTP/gr\xFCn.example.test@EX\xC4MPLE.TEST");
    KERB_QUERY_TKT_CACHE_EX3_RESPONSE *answer = tickets_of_cache();
    text_copy(&purge, 0, &template->ClientName, answer->Tickets[0].ClientName.Buffer);
    text_copy(&purge, 1, &template->ClientRealm, answer->Tickets[0].ClientRealm.Buffer);
    text_copy(&purge, 2, &template->ServerName, answer->Tickets[0].ServerName.Buffer);
    text_copy(&purge, 3, &template->ServerRealm, answer->Tickets[0].ServerRealm.Buffer);
    assert_int_equal(LsaFreeReturnBuffer(answer), 0);
    assert_int_equal(purge_send(&purge), STATUS_SUCCESS);
    assert_int_equal(n_tickets(), 0);
}

static KERB_RETRIEVE_TKT_RESPONSE *ticket_get(const char *target, ULONG options)
{
    struct {
        KERB_RETRIEVE_TKT_REQUEST request;
        WCHAR text[NAME_MAX_UNITS];
    } asked = {.request = {.MessageType = KerbRetrieveEncodedTicketMessage, .CacheOptions = options}};
    void *answer = NULL;
    ULONG len = 0;
    NTSTATUS status = -1;
    USHORT target_len = 0;
    for (; target[target_len] != 0; target_len++)
        asked.text[target_len] = (WCHAR)target[target_len];
    asked.request.TargetName = (UNICODE_STRING){2 * target_len, 2 * target_len, asked.text};
    assert_int_equal(LsaCallAuthenticationPackage(lsa, package, &asked, sizeof asked, &answer, &len, &status), 0);
    assert_int_equal(status, 0);
    return answer;
}

/* The domain is the one that issued the ticket, and not its client's; the target's is where it is valid: that is another one for a ticket between
 * two. */
static void test_domains(void **state)
{
    (void)state;
    one_ticket("alice@EXAMPLE.TEST", "HTTP/web.other.test@OTHER.TEST");
    KERB_RETRIEVE_TKT_RESPONSE *answer =
        ticket_get("HTTP/web.other.test@OTHER.TEST", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY);
    assert_text(answer->Ticket.DomainName, u"OTHER.TEST");
    assert_text(answer->Ticket.TargetDomainName, u"OTHER.TEST");
    assert_text(answer->Ticket.AltTargetDomainName, u"OTHER.TEST");
    assert_int_equal(LsaFreeReturnBuffer(answer), 0);
    one_ticket("alice@EXAMPLE.TEST", "krbtgt/A.DOMAIN.WITH.A.LONG.NAME.TEST@EXAMPLE.TEST");
    answer = ticket_get("krbtgt/A.DOMAIN.WITH.A.LONG.NAME.TEST@EXAMPLE.TEST", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY);
    assert_text(answer->Ticket.DomainName, u"EXAMPLE.TEST");
    assert_text(answer->Ticket.TargetDomainName, u"A.DOMAIN.WITH.A.LONG.NAME.TEST");
    assert_text(answer->Ticket.AltTargetDomainName, u"A.DOMAIN.WITH.A.LONG.NAME.TEST");
    assert_int_equal(answer->Ticket.ServiceName->NameCount, 2);
    const UNICODE_STRING *parts = answer->Ticket.ServiceName->Names;
    assert_text(parts[1], u"A.DOMAIN.WITH.A.LONG.NAME.TEST");
    assert_text(answer->Ticket.ClientName->Names[0], u"alice");
    assert_int_equal(LsaFreeReturnBuffer(answer), 0);
}

static ULONG key_len_of(const char *target, ULONG options)
{
    KERB_RETRIEVE_TKT_RESPONSE *answer = ticket_get(target, options);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_latin1),    cmocka_unit_test(test_purge_by_client),
                                       cmocka_unit_test(test_purge_all), cmocka_unit_test(test_purge_of_an_entry),
                                       cmocka_unit_test(test_domains),   cmocka_unit_test(test_keys)};
    kerberos_loop_configure(NULL, NULL, NULL);
    if (LsaConnectUntrusted(&lsa) != 0 || LsaLookupAuthenticationPackage(lsa, &kerberos, &package) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)LsaDeregisterLogonProcess(lsa);
    kerberos_loop_cleanup();
    return failed;
}
