/*
 * Attributes of contexts, on both sides, before and after the handshake has ended; and contexts that move.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/client_identity.h"
#include "core/session.h"
#include "support/ntlm_loop.h"
#include <ntsecapi.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)

static struct loop loop;
static char ntlm[] = "NTLM";

static void text_is(CtxtHandle *context, ULONG attribute, const char *wanted)
{
    char *text = NULL; /* each of these structures is one pointer */
    assert_int_equal(QueryContextAttributesA(context, attribute, &text), SEC_E_OK);
    assert_string_equal(text, wanted);
    assert_int_equal(FreeContextBuffer(text), SEC_E_OK);
}

static void test_names(void **state)
{
    SecPkgContext_NativeNamesA native;
    SecPkgContext_NamesW wide;
    SecPkgContext_DceInfo dce;
    (void)state;
    text_is(&loop.server, SECPKG_ATTR_NAMES, "EXAMPLE\\alice");
    text_is(&loop.client, SECPKG_ATTR_NAMES, "EXAMPLE\\alice");
    text_is(&loop.server, SECPKG_ATTR_AUTHORITY, "EXAMPLE");
    SecPkgContext_ClientSpecifiedTarget target; /* UTF-16 also in the A form */
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_OK);
    assert_memory_equal(target.sTargetName, u"test/server.example.test", 50);
    assert_int_equal(FreeContextBuffer(target.sTargetName), SEC_E_OK);
    assert_int_equal(QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &wide), SEC_E_OK);
    assert_memory_equal(wide.sUserName, u"EXAMPLE\\alice", 28);
    FreeContextBuffer(wide.sUserName);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NATIVE_NAMES, &native), SEC_E_OK);
    assert_string_equal(native.sClientName, "EXAMPLE\\alice");
    assert_string_equal(native.sServerName, "SERVER");
    assert_int_equal(FreeContextBuffer(native.sClientName), SEC_E_OK);
    assert_int_equal(FreeContextBuffer(native.sServerName), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_DCE_INFO, &dce), SEC_E_OK);
    assert_int_equal(dce.AuthzSvc, 1);
    assert_string_equal(dce.pPac, "EXAMPLE\\alice");
    FreeContextBuffer(dce.pPac);
}

static void test_flags_and_times(void **state)
{
    SecPkgContext_Flags flags;
    SecPkgContext_Lifespan lifespan;
    SecPkgContext_PasswordExpiry expiry;
    (void)state;
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags,
                     ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY | ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT);
    assert_int_equal(flags.Flags, loop.client_attributes);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags,
                     ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY | ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_LIFESPAN, &lifespan), SEC_E_OK);
    assert_true(lifespan.tsStart.QuadPart > 0);
    assert_true(lifespan.tsExpiry.QuadPart == INT64_MAX);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_PASSWORD_EXPIRY, &expiry), SEC_E_OK);
    assert_true(expiry.tsPasswordExpires.QuadPart == INT64_MAX);
}

/* Of an account of our own; a client's side is not told. */
static void test_logon(void **state)
{
    SecPkgContext_UserFlags flags;
    SecPkgContext_LogoffTime logoff;
    (void)state;
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_USER_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.UserFlags, LOGON_NTLMV2_ENABLED | LOGON_NT_V2);
    assert_int_equal(QueryContextAttributesW(&loop.server, SECPKG_ATTR_LOGOFF_TIME, &logoff), SEC_E_OK);
    assert_true(logoff.tsLogoffTime.QuadPart == INT64_MAX);
    assert_int_equal(QueryContextAttributesExW(&loop.server, SECPKG_ATTR_LOGOFF_TIME, &logoff, sizeof logoff - 1),
                     SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_USER_FLAGS, &flags), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_LOGOFF_TIME, &logoff),
                     SEC_E_UNSUPPORTED_FUNCTION);
}

static void test_package_and_negotiation(void **state)
{
    SecPkgContext_PackageInfoA package;
    SecPkgContext_NegotiationInfoA negotiation;
    (void)state;
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_PACKAGE_INFO, &package), SEC_E_OK);
    assert_string_equal(package.PackageInfo->Name, "NTLM");
    FreeContextBuffer(package.PackageInfo);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation), SEC_E_OK);
    assert_int_equal(negotiation.NegotiationState, SECPKG_NEGOTIATION_COMPLETE);
    assert_string_equal(negotiation.PackageInfo->Name, "NTLM");
    FreeContextBuffer(negotiation.PackageInfo);
}

static void test_unsupported(void **state)
{
    unsigned char room[256];
    const ULONG wrong[] = {SECPKG_ATTR_STREAM_SIZES,
                           SECPKG_ATTR_UNIQUE_BINDINGS,
                           SECPKG_ATTR_ENDPOINT_BINDINGS,
                           SECPKG_ATTR_APPLICATION_PROTOCOL,
                           1108,
                           1110,
                           0xffff};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(QueryContextAttributesA(&loop.server, wrong[i], room), SEC_E_UNSUPPORTED_FUNCTION);
        assert_string_not_equal(OpenSspiLastErrorText(), "");
    }
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, room),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_SIZES, NULL), SEC_E_INTERNAL_ERROR);
    assert_int_equal(QueryContextAttributesExA(&loop.server, SECPKG_ATTR_SIZES, room, 15), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(QueryContextAttributesExA(&loop.server, SECPKG_ATTR_SIZES, room, 16), SEC_E_OK);
}

/* While the handshake runs, after the server's token: sizes and the target information in it. */
static void asked_meanwhile(struct loop *during, int leg, unsigned char *token, ULONG *len)
{
    SecPkgContext_Sizes sizes;
    SecPkgContext_NegotiationInfoA negotiation;
    SecPkgContext_TargetInformation target;
    SecPkgContext_LastClientTokenStatus last;
    char *name = NULL;
    (void)token;
    (void)len;
    if (leg != 2)
        return;
    assert_int_equal(QueryContextAttributesA(&during->client, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbMaxToken, 2888);
    assert_int_equal(QueryContextAttributesA(&during->client, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation), SEC_E_OK);
    assert_int_equal(negotiation.NegotiationState, SECPKG_NEGOTIATION_IN_PROGRESS);
    FreeContextBuffer(negotiation.PackageInfo);
    assert_int_equal(QueryContextAttributesA(&during->client, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &last), SEC_E_OK);
    assert_int_equal(last.LastClientTokenStatus, SecPkgAttrLastClientTokenNo);
    assert_int_equal(QueryContextAttributesA(&during->server, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &last),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&during->client, SECPKG_ATTR_NAMES, &name), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&during->client, SECPKG_ATTR_TARGET_INFORMATION, &target),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&during->server, SECPKG_ATTR_TARGET_INFORMATION, &target), SEC_E_OK);
    assert_true(target.MarshalledTargetInfoLength > 20);
    FreeContextBuffer(target.MarshalledTargetInfo);
    *(bool *)during->alter_data = true;
}

static void test_during_the_handshake(void **state)
{
    bool asked = false;
    struct loop during = {.alter = asked_meanwhile, .alter_data = &asked};
    (void)state;
    assert_true(loop_run(&during));
    assert_true(asked);
    loop_end(&during);
}

/* Both sides can give the target information once the handshake has ended. */
static void test_target_information(void **state)
{
    SecPkgContext_TargetInformation client, server;
    (void)state;
    assert_int_equal(QueryContextAttributesA(&loop.client, SECPKG_ATTR_TARGET_INFORMATION, &client), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_TARGET_INFORMATION, &server), SEC_E_OK);
    assert_true(client.MarshalledTargetInfoLength > 20);
    assert_int_equal(client.MarshalledTargetInfoLength, server.MarshalledTargetInfoLength);
    assert_memory_equal(client.MarshalledTargetInfo, server.MarshalledTargetInfo, client.MarshalledTargetInfoLength);
    FreeContextBuffer(client.MarshalledTargetInfo);
    FreeContextBuffer(server.MarshalledTargetInfo);
}

static SecBuffer export(CtxtHandle *context, ULONG flags)
{
    SecBuffer packed = {0};
    HANDLE token = &packed;
    assert_int_equal(ExportSecurityContext(context, flags, &packed, &token), SEC_E_OK);
    assert_null(token);
    return packed;
}

/* The record names the client for the access token to come: SID and groups. */
static void test_record_carries_the_identity(void **state)
{
    SecBuffer packed = export(&loop.server, 0);
    struct session *session = NULL;
    struct client_identity identity = {0};
    char text[SID_TEXT_MAX];
    (void)state;
    assert_int_equal(session_open(slice_of(packed.pvBuffer, packed.cbBuffer), &session), SEC_E_OK);
    assert_int_equal(client_identity_read(session->facts.identity, &identity), WIRE_OK);
    sid_to_text(&identity.user, text);
    assert_memory_equal(text, "S-1-5-21-", 9);
    assert_false(identity.anonymous);
    client_identity_release(&identity);
    session_close(session);
    FreeContextBuffer(packed.pvBuffer);
}

static void test_export_and_import_in_another_process(void **state)
{
    struct loop moving = {.client_flags = PROTECT, .target = "test/server.example.test"};
    int ends[2], child_status;
    (void)state;
    assert_true(loop_run(&moving));
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_seal(&moving.client, &moving.server, "before it moves"), SEC_E_OK);
    SecBuffer packed = export(&moving.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD);
    assert_int_equal(loop_seal(&moving.server, &moving.client, "it is gone here"), SEC_E_INVALID_HANDLE);
    /* seal for it, and let another process open it */
    unsigned char signature[16], text[] = "after it has moved";
    SecBuffer buffers[] = {{16, SECBUFFER_TOKEN, signature}, {sizeof text, SECBUFFER_DATA, text}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    assert_int_equal(EncryptMessage(&moving.client, 0, &list, 0), SEC_E_OK);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        CtxtHandle here;
        bool fine = ImportSecurityContextA(ntlm, &packed, NULL, &here) == SEC_E_OK &&
                    DecryptMessage(&here, &list, 0, NULL) == SEC_E_OK &&
                    strcmp((char *)text, "after it has moved") == 0 && EncryptMessage(&here, 0, &list, 0) == SEC_E_OK &&
                    write(ends[1], signature, 16) == 16 && write(ends[1], text, sizeof text) == (ssize_t)sizeof text;
        _exit(fine ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &child_status, 0), child);
    assert_int_equal(child_status, 0);
    assert_int_equal(read(ends[0], signature, 16), 16);
    assert_int_equal(read(ends[0], text, sizeof text), sizeof text);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(DecryptMessage(&moving.client, &list, 0, NULL), SEC_E_OK);
    assert_string_equal((char *)text, "after it has moved");
    FreeContextBuffer(packed.pvBuffer);
    memset(&moving.server, 0, sizeof moving.server);
    loop_end(&moving);
}

/* RESET_NEW: the copy begins as after the handshake, the original goes on. Of whom messages came none begins anew: its key stream would. */
static void test_export_reset(void **state)
{
    struct loop moving = {.client_flags = PROTECT};
    CtxtHandle fresh[2];
    (void)state;
    assert_true(loop_run(&moving));
    SecBuffer none = {0}, client = export(&moving.client, SECPKG_CONTEXT_EXPORT_RESET_NEW),
              server = export(&moving.server, SECPKG_CONTEXT_EXPORT_RESET_NEW);
    assert_int_equal(ImportSecurityContextA(ntlm, &client, NULL, &fresh[0]), SEC_E_OK);
    assert_int_equal(ImportSecurityContextW((SEC_WCHAR *)(uintptr_t)u"NTLM", &server, NULL, &fresh[1]), SEC_E_OK);
    assert_int_equal(loop_seal(&fresh[0], &fresh[1], "anew, on both sides"), SEC_E_OK);
    assert_int_equal(loop_seal(&moving.server, &moving.client, "and as it was before"), SEC_E_OK);
    assert_int_equal(loop_seal(&moving.client, &moving.server, "and as it was before"), SEC_E_OK);
    text_is(&fresh[1], SECPKG_ATTR_NAMES, "EXAMPLE\\alice");
    assert_int_equal(ExportSecurityContext(&fresh[0], SECPKG_CONTEXT_EXPORT_RESET_NEW, &none, NULL),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(ExportSecurityContext(&moving.server, SECPKG_CONTEXT_EXPORT_RESET_NEW, &none, NULL),
                     SEC_E_UNSUPPORTED_FUNCTION);
    SecBuffer listener = export(&fresh[1], SECPKG_CONTEXT_EXPORT_RESET_NEW); /* it has sent nothing */
    FreeContextBuffer(listener.pvBuffer);
    for (int i = 0; i < 2; i++)
        DeleteSecurityContext(&fresh[i]);
    FreeContextBuffer(client.pvBuffer);
    FreeContextBuffer(server.pvBuffer);
    loop_end(&moving);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RUNNING_UNDER_SANITIZER 1
#endif
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(RUNNING_UNDER_SANITIZER) /* there secrets are the sanitizer's blocks */
/* Session keys are in it: the mapping that it lies in says "dd" (proc(5), VmFlags: do not include area into core dump). */
static void test_export_is_kept_out_of_core_dumps(void **state)
{
    SecBuffer packed = export(&loop.client, 0);
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false, kept = false;
    (void)state;
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)packed.pvBuffer >= from && (uintptr_t)packed.pvBuffer < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            kept = strstr(line, " dd") != NULL;
    }
    fclose(maps);
    assert_true(kept);
    FreeContextBuffer(packed.pvBuffer);
}
#endif

static void test_wrong_exports_and_imports(void **state)
{
    CtxtHandle here = {5, 5};
    SecBuffer packed = export(&loop.client, 0), none = {0};
    char stranger[] = "Nonesuch";
    (void)state;
    assert_int_equal(ExportSecurityContext(&loop.client, 0, NULL, NULL), SEC_E_INVALID_TOKEN);
    assert_int_equal(ExportSecurityContext(&loop.client, 0x80, &none, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(ImportSecurityContextA(stranger, &packed, NULL, &here), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(ImportSecurityContextA(ntlm, NULL, NULL, &here), SEC_E_INVALID_TOKEN);
    assert_int_equal(ImportSecurityContextA(ntlm, &none, NULL, &here), SEC_E_INVALID_TOKEN);
    assert_int_equal(ImportSecurityContextA(ntlm, &packed, NULL, NULL), SEC_E_INVALID_TOKEN);
    for (ULONG len = 0; len < packed.cbBuffer; len++) {
        SecBuffer cut = {len, SECBUFFER_TOKEN, packed.pvBuffer};
        assert_true(ImportSecurityContextA(ntlm, &cut, NULL, &here) < 0);
    }
    assert_int_equal(here.dwLower, 5);
    FreeContextBuffer(packed.pvBuffer);
}

static int setup(void **state)
{
    (void)state;
    loop_configure(NULL);
    loop.client_flags = PROTECT;
    loop.target = "test/server.example.test";
    return loop_run(&loop) ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    loop_end(&loop);
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_flags_and_times),
        cmocka_unit_test(test_logon),
        cmocka_unit_test(test_package_and_negotiation),
        cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_during_the_handshake),
        cmocka_unit_test(test_target_information),
        cmocka_unit_test(test_record_carries_the_identity),
        cmocka_unit_test(test_export_and_import_in_another_process),
        cmocka_unit_test(test_export_reset),
        cmocka_unit_test(test_wrong_exports_and_imports),
#if !defined(__SANITIZE_ADDRESS__) && !defined(RUNNING_UNDER_SANITIZER)
        cmocka_unit_test(test_export_is_kept_out_of_core_dumps),
#endif
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
