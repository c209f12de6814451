/*
 * Modules of other people's packages: what is refused and in which words, what works, and what is left behind.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/writer.h"
#include "core/registry.h"
#include "negotiate/spnego.h"
#include "unit/foreign/modules.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_listed(const char *name)
{
    ULONG count;
    PSecPkgInfoA infos;
    bool found = false;
    assert_int_equal(EnumerateSecurityPackagesA(&count, &infos), SEC_E_OK);
    for (ULONG i = 0; i < count; i++)
        found |= strcmp(infos[i].Name, name) == 0;
    FreeContextBuffer(infos);
    return found;
}

static void refused(void **state)
{
    static const struct {
        const char *name, *words;
    } cases[] = {
        {"no_entry", "exports neither"},
        {"null_table", "no table"},
        {"version_0", "version 0"},
        {"version_6", "version 6"},
        {"no_enumerate", "lacks what every package needs"},
        {"no_release", "lacks what every package needs"},
        {"no_steps", "lacks what every package needs"},
        {"no_free", "lacks what every package needs"},
        {"enumerate_fails", "answered 0x80090304"},
        {"null_packages", "EnumerateSecurityPackages answered"},
        {"no_packages", "0 packages"},
        {"many_packages", "17 packages"},
        {"twice", "two packages \"Test\""},
        {"one_oid", "the mechanism of Second is another package's"},
        {"no_name", "fit name"},
        {"empty_name", "fit name"},
        {"long_name", "fit name"},
        {"comma_name", "fit name"},
        {"control_name", "fit name"},
        {"utf8_name", "fit name"},
        {"our_name", "\"nTLM\" already"},
        {"package_version", "version 2, not 1"},
        {"no_token", "tokens of up to 0 bytes"},
        {"huge_token", "tokens of up to 2147483648 bytes"},
        {"stream", "stream package"},
        {"our_oid", "another package's"},
        {"spnego_oid", "another package's"},
        {"cut_oid", "no object identifier"},
        {"long_oid", "no object identifier"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        (void)module_refused(cases[i].name, cases[i].words);
}

static void unsafe_places(void **state)
{
    char path[600], inside[700], text[] = "not a module";
    (void)state;
    assert_int_equal(module_add("libopensspi.so.0"), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(module_add("./x.so"), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(module_add("/nonexistent/x.so"), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(module_add(""), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(module_add(NULL), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(module_add(module_directory()), SEC_E_CANNOT_INSTALL);
    snprintf(path, sizeof path, "%s", module_copy("right"));
    char here[600];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(module_directory()),
                     0); /* wherever the process happens to be, what lies there is not meant */
    SECURITY_STATUS status = module_add(strrchr(path, '/') + 1);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(status, SEC_E_SECPKG_NOT_FOUND);
    static const mode_t modes[] = {0720, 0702, 0777};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(module_add(path), SEC_E_CANNOT_INSTALL);
        assert_non_null(strstr(OpenSspiLastErrorText(), "others may write it"));
    }
    assert_int_equal(chmod(path, 0700), 0);
    /* The same file by a link that anybody may have made is the same file; in a directory that anybody writes it is not. */
    snprintf(inside, sizeof inside, "%s/open", module_directory());
    assert_int_equal(mkdir(inside, 0700), 0);
    assert_int_equal(chmod(inside, 0777), 0);
    snprintf(inside, sizeof inside, "%s/open/link.so", module_directory());
    assert_int_equal(symlink(path, inside), 0);
    assert_int_equal(module_add(inside), SEC_E_OK);
    module_drop(path);
    assert_int_equal(unlink(inside), 0);
    snprintf(inside, sizeof inside, "%s/open/x.so", module_directory());
    assert_int_equal(rename(path, inside), 0);
    snprintf(path, sizeof path, "%s/open", module_directory());
    assert_int_equal(module_add(inside), SEC_E_CANNOT_INSTALL);
    assert_non_null(strstr(OpenSspiLastErrorText(), "others may write it"));
    assert_int_equal(chmod(path, 01777), 0); /* whereas nobody takes it away where the sticky bit is set */
    assert_int_equal(module_add(inside), SEC_E_OK);
    module_drop(inside);
    assert_int_equal(unlink(inside), 0);
    assert_int_equal(rmdir(path), 0);
    if (geteuid() == 0) {
        snprintf(path, sizeof path, "%s", module_copy("right"));
        assert_int_equal(chown(path, 12345, 12345), 0);
        assert_int_equal(module_add(path), SEC_E_CANNOT_INSTALL);
        assert_non_null(strstr(OpenSspiLastErrorText(), "must belong to"));
    }
    snprintf(path, sizeof path, "%s/text.so", module_directory());
    FILE *file = fopen(path, "w");
    assert_int_equal(fwrite(text, 1, sizeof text, file), sizeof text);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(module_add(path), SEC_E_CANNOT_INSTALL);
    assert_non_null(strstr(OpenSspiLastErrorText(), "text.so"));
    assert_null(strstr(OpenSspiLastErrorText(), "others may write it"));
}

static void options(void **state)
{
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof options, .Type = SECPKG_OPTIONS_TYPE_SSPI};
    char path[600];
    (void)state;
    snprintf(path, sizeof path, "%s", module_copy("right"));
    options.Type = SECPKG_OPTIONS_TYPE_LSA; /* what it exports decides */
    assert_int_equal(AddSecurityPackageA(path, &options), SEC_E_OK);
    module_drop(path);
    options.Type = 3;
    assert_int_equal(AddSecurityPackageA(path, &options), SEC_E_INVALID_PARAMETER);
    options.Type = SECPKG_OPTIONS_TYPE_SSPI;
    options.Flags = 2;
    assert_int_equal(AddSecurityPackageA(path, &options), SEC_E_INVALID_PARAMETER);
    options.Flags = SECPKG_OPTIONS_PERMANENT;
    assert_int_equal(AddSecurityPackageA(path, &options), SEC_E_UNSUPPORTED_FUNCTION);
    options.Flags = 0;
    options.Size = 4;
    assert_int_equal(AddSecurityPackageA(path, &options), SEC_E_INVALID_PARAMETER);
    options.Size = sizeof options;
    assert_false(is_listed("Test"));
    assert_int_equal(AddSecurityPackageA(path, &options), SEC_E_OK);
    assert_true(is_listed("Test"));
    assert_int_equal(module_add(path), SEC_E_OK); /* it is there */
    /* Another file with the same package. */
    char second[600];
    snprintf(second, sizeof second, "%s", module_copy("right"));
    assert_int_equal(module_add(second), SEC_E_CANNOT_INSTALL);
    assert_non_null(strstr(OpenSspiLastErrorText(), "\"Test\" already"));
    assert_int_equal(DeleteSecurityPackageA(second), SEC_E_SECPKG_NOT_FOUND);
    module_drop(path);
    assert_false(is_listed("Test"));
    assert_int_equal(DeleteSecurityPackageA(path), SEC_E_SECPKG_NOT_FOUND);
    /* Now its place is free, and the first comes back after it. */
    assert_int_equal(module_add(second), SEC_E_OK);
    module_drop(second);
    SEC_WCHAR wide[600];
    for (size_t i = 0; i <= strlen(path); i++)
        wide[i] = (unsigned char)path[i];
    assert_int_equal(AddSecurityPackageW(wide, NULL), SEC_E_OK);
    assert_true(is_listed("Test"));
    assert_int_equal(DeleteSecurityPackageW(wide), SEC_E_OK);
    char ntlm[] = "NTLM";
    assert_int_equal(DeleteSecurityPackageA(ntlm), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(DeleteSecurityPackageA(NULL), SEC_E_SECPKG_NOT_FOUND);
    assert_true(is_listed("NTLM"));
}

/* A file is what it is, wherever it lies: one that was moved is added and taken away by its new name, and by the old one as long as nothing else has
 * it. */
static void moved(void **state)
{
    char before[600], after[620];
    (void)state;
    snprintf(before, sizeof before, "%s", module_copy("right"));
    snprintf(after, sizeof after, "%s.moved", before);
    assert_int_equal(module_add(before), SEC_E_OK);
    assert_int_equal(rename(before, after), 0);
    module_drop(before);
    assert_int_equal(module_add(before), SEC_E_SECPKG_NOT_FOUND);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(module_add(after), SEC_E_OK);
        assert_true(is_listed("Test"));
        module_drop(after);
        assert_false(is_listed("Test"));
    }
}

/* All packages or none, also when a module comes back and one of its names was given away meanwhile. */
static void comes_back_whole(void **state)
{
    char pair[600], second[600];
    (void)state;
    snprintf(pair, sizeof pair, "%s", module_copy("pair"));
    snprintf(second, sizeof second, "%s", module_copy("second"));
    assert_int_equal(module_add(pair), SEC_E_OK);
    assert_true(is_listed("Test") && is_listed("Second"));
    module_drop(pair);
    assert_int_equal(module_add(second), SEC_E_OK);
    assert_int_equal(module_add(pair), SEC_E_CANNOT_INSTALL);
    assert_non_null(strstr(OpenSspiLastErrorText(), "\"Second\" already"));
    assert_false(is_listed("Test"));
    assert_int_equal(DeleteSecurityPackageA(pair), SEC_E_SECPKG_NOT_FOUND);
    module_drop(second);
    assert_int_equal(module_add(pair), SEC_E_OK);
    assert_true(is_listed("Test") && is_listed("Second"));
    module_drop(pair);
}

static char test_name[] = "Test";

static void lives_on(void **state)
{
    struct module_use use = {.path = ""};
    CredHandle again;
    CtxtHandle second = {0};
    ULONG attributes;
    char data[4] = "abc", room[8];
    PSecPkgInfoA info;
    (void)state;
    module_use_begin(&use, "right");
    assert_false(use.credential.dwLower == 1 && use.credential.dwUpper == 2); /* the module's own handle stays inside */
    module_drop(use.path);
    assert_int_equal(module_acquire(&again, NULL), SEC_E_SECPKG_NOT_FOUND);
    assert_int_equal(QuerySecurityPackageInfoA(test_name, &info), SEC_E_SECPKG_NOT_FOUND);
    /* Credential and context go on. */
    assert_int_equal(module_initiate(&use.credential, &second, &attributes), SEC_E_OK);
    assert_int_equal(DeleteSecurityContext(&second), SEC_E_OK);
    SecBuffer buffers[] = {{sizeof room, SECBUFFER_TOKEN, room}, {3, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    assert_int_equal(MakeSignature(&use.context, 0, &message, 0), SEC_E_OK);
    assert_int_equal(buffers[0].cbBuffer, 0);
    assert_true(module_is_controlled(&use.context));
    assert_int_equal(module_add(use.path), SEC_E_OK);
    module_use_end(&use);
}

/* A table of version 1 ends before SetContextAttributes: what lies there is not called. */
static void first_version(void **state)
{
    CredHandle credential;
    CtxtHandle context;
    ULONG attributes;
    char path[600], name[] = "Second", value[] = "set";
    (void)state;
    snprintf(path, sizeof path, "%s", module_copy("second"));
    assert_int_equal(module_add(path), SEC_E_OK);
    assert_int_equal(AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL, &credential, NULL),
                     SEC_E_OK);
    assert_int_equal(module_initiate(&credential, &context, &attributes), SEC_E_OK);
    assert_int_equal(SetContextAttributesA(&context, 77, value, 3), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
    module_drop(path);
    module_counts_check(path);
}

static void missing_entries(void **state)
{
    struct module_use use = {.path = ""};
    char data[4] = "abc";
    SecBuffer buffer = {3, SECBUFFER_TOKEN, data};
    SecBufferDesc token = {SECBUFFER_VERSION, 1, &buffer};
    SecPkgContext_NamesA names;
    SecPkgCredentials_NamesA name;
    SecBuffer packed;
    ULONG attributes = 0;
    (void)state;
    module_use_begin(&use, "sparse");
    module_messages_missing(&use.context);
    assert_int_equal(QueryCredentialsAttributesA(&use.credential, SECPKG_CRED_ATTR_NAMES, &name),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(SetCredentialsAttributesA(&use.credential, 1, data, 3), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(&use.context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, ""); /* unknown */
    FreeContextBuffer(names.sUserName);
    assert_int_equal(ExportSecurityContext(&use.context, 0, &packed, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(ApplyControlToken(&use.context, &token), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(SetContextAttributesA(&use.context, 77, data, 3), SEC_E_UNSUPPORTED_FUNCTION);
    /* Its handshake has ended. */
    assert_int_equal(InitializeSecurityContextA(NULL, &use.context, NULL, 0, 0, 0, &token, 0, &use.context, &token,
                                                &attributes, NULL),
                     SEC_E_OUT_OF_SEQUENCE);
    module_use_end(&use);
    module_answers_check("server_only", SEC_E_OK, SEC_E_UNSUPPORTED_FUNCTION, NULL);
}

/* Modules that answer what nobody may answer. */
static void wrong_answers(void **state)
{
    static const struct {
        const char *name;
        SECURITY_STATUS acquire, step;
    } cases[] = {
        {"says_nothing", SEC_E_INTERNAL_ERROR, 0},
        {"no_memory", SEC_E_INTERNAL_ERROR, 0},
        {"long_token", SEC_E_OK, SEC_E_INTERNAL_ERROR},
        {"moved_token", SEC_E_OK, SEC_E_INTERNAL_ERROR},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        module_answers_check(cases[i].name, cases[i].acquire, cases[i].step, NULL);
}

static void wrong_messages(void **state)
{
    struct module_use use = {.path = ""};
    char data[4] = "abc", room[8];
    SecBuffer buffers[] = {{sizeof room, SECBUFFER_TOKEN, room}, {3, SECBUFFER_DATA, data}};
    SecBuffer stream[] = {{3, SECBUFFER_STREAM, data}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers}, whole = {SECBUFFER_VERSION, 2, stream};
    SecPkgContext_KeyInfoA info;
    (void)state;
    module_use_begin(&use, "long_signature");
    assert_int_equal(MakeSignature(&use.context, 0, &message, 0), SEC_E_INTERNAL_ERROR);
    assert_int_equal(buffers[0].cbBuffer, sizeof room);
    assert_int_equal(DecryptMessage(&use.context, &whole, 0, NULL), SEC_E_INTERNAL_ERROR);
    assert_null(stream[1].pvBuffer);
    for (unsigned i = 0; i < 3; i++) { /* the last answer is kept, not all */
        assert_int_equal(QueryContextAttributesA(&use.context, SECPKG_ATTR_KEY_INFO, &info), SEC_E_OK);
        assert_string_equal(info.sSignatureAlgorithmName, "text");
        assert_int_equal(info.KeySize, 8);
        FreeContextBuffer(info.sSignatureAlgorithmName);
        FreeContextBuffer(info.sEncryptAlgorithmName);
    }
    module_use_end(&use);
    SecPkgContext_TargetInformation target = {7, (unsigned char *)&use};
    use = (struct module_use){.path = ""};
    module_use_begin(&use, "no_target"); /* there is none, and nothing to free */
    assert_int_equal(QueryContextAttributesA(&use.context, SECPKG_ATTR_TARGET_INFORMATION, &target), SEC_E_OK);
    assert_int_equal(target.MarshalledTargetInfoLength, 0);
    FreeContextBuffer(target.MarshalledTargetInfo);
    module_use_end(&use);
    module_answers_check("long_key", SEC_E_OK, SEC_E_INTERNAL_ERROR, "a session key of 1025 bytes");
    /* A name that is no text must not pass for none. */
    module_answers_check("bad_text", SEC_E_OK, SEC_E_INTERNAL_ERROR, NULL);
}

/* What a step that fails wrote goes to the peer where the program asked for it and the package says so, and the program is told by the same flag;
 * otherwise none of it leaves. */
static void words_of_failures(void **state)
{
    static const struct {
        const char *name;
        bool told;
        ULONG asked;
        SECURITY_STATUS status;
    } cases[] = {{"tells_failure", true, ASC_REQ_EXTENDED_ERROR, SEC_E_LOGON_DENIED},
                 {"tells_failure", false, 0, SEC_E_LOGON_DENIED},
                 {"tells_failure", false, ISC_REQ_EXTENDED_ERROR, SEC_E_LOGON_DENIED}, /* the other side's flag */
                 {"hides_failure", false, ASC_REQ_EXTENDED_ERROR, SEC_E_LOGON_DENIED},
                 {"vague_failure", false, ASC_REQ_EXTENDED_ERROR, SEC_E_INTERNAL_ERROR}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (unsigned short_of = 0; short_of < 2; short_of++) {
            struct module_use use = {.path = ""};
            CtxtHandle context = {7, 7};
            char first[] = "T", room[64] = "untouched";
            ULONG attributes = 0;
            SecBuffer in = {1, SECBUFFER_TOKEN, first}, out = {short_of != 0 ? 2 : sizeof room, SECBUFFER_TOKEN, room};
            SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
            bool sent = cases[i].told && short_of == 0;
            module_use_begin(&use, cases[i].name);
            SECURITY_STATUS status = AcceptSecurityContext(&use.credential, NULL, &in_list, cases[i].asked, 0, &context,
                                                           &out_list, &attributes, NULL);
            assert_int_equal(status, cases[i].status);
            assert_non_null(strstr(OpenSspiLastErrorText(), "AcceptSecurityContext of package Test"));
            assert_true(context.dwLower == 7 && context.dwUpper == 7);
            assert_int_equal(out.cbBuffer, sent ? 3 : short_of != 0 ? 2 : sizeof room);
            assert_memory_equal(room, sent ? "whyouched" : "untouched", 9);
            assert_int_equal((attributes & ASC_RET_EXTENDED_ERROR) != 0, sent);
            module_use_end(&use);
        }
    /* A step that the package called good, and whose names nobody can read: its token proves something that has failed. */
    struct module_use use = {.context = {7, 7}};
    char target[] = "t", room[64] = "untouched";
    ULONG attributes = 0;
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    module_use_add(&use, "bad_text");
    assert_int_equal(module_acquire(&use.credential, NULL), SEC_E_OK);
    SecPkgCredentials_NamesA names = {.sUserName = room};
    assert_int_equal(QueryCredentialsAttributesA(&use.credential, SECPKG_CRED_ATTR_NAMES, &names),
                     SEC_E_INTERNAL_ERROR);
    assert_ptr_equal(names.sUserName, room);
    assert_non_null(strstr(OpenSspiLastErrorText(), "a name that cannot be read"));
    assert_int_equal(InitializeSecurityContextA(&use.credential, NULL, target, ISC_REQ_EXTENDED_ERROR, 0, 0, NULL, 0,
                                                &use.context, &list, &attributes, NULL),
                     SEC_E_INTERNAL_ERROR);
    assert_string_equal(room, "untouched");
    assert_int_equal(attributes & ISC_RET_EXTENDED_ERROR, 0);
    assert_int_equal(FreeCredentialsHandle(&use.credential), SEC_E_OK);
    module_drop(use.path);
    module_counts_check(use.path);
}

/* A module is asked with a password or with nothing: what else an identity may prove itself with it cannot take, and must not be asked as if there
 * were nothing. */
static void proofs(void **state)
{
    static const enum identity_proof kinds[] = {IDENTITY_KEYTAB, IDENTITY_KEYTAB_FILE, IDENTITY_CERTIFICATE,
                                                IDENTITY_RESPONSE, IDENTITY_PASSWORD};
    char user[] = "alice";
    struct module_use use = {.path = ""};
    const struct config *config = NULL;
    (void)state;
    module_use_add(&use, "right");
    assert_int_equal(config_get(&config), SEC_E_OK);
    const struct package *package = registry_find("Test");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct identity identity = {.user = user, .proof_kind = kinds[i]};
        const struct acquire_request request = {
            .package = package, .config = config, .use = SECPKG_CRED_OUTBOUND, .identity = &identity};
        void *credential = NULL;
        int64_t expiry;
        SECURITY_STATUS status = package->authority->acquire(&request, &credential, &expiry);
        assert_int_equal(status, kinds[i] == IDENTITY_PASSWORD ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS);
        assert_true((status == SEC_E_OK) == (credential != NULL));
        if (credential != NULL)
            package->authority->release(credential);
    }
    config_release(config);
    module_drop(use.path);
    module_counts_check(use.path);
}

/* A step that the package called good, by Negotiate: its reject has no words of the package's in it. */
static void token_of_a_success_by_negotiate(void **state)
{
    static const unsigned char oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x81, 0xfd, 0x59, 0x03};
    static uint16_t user[] = u"alice", packages[] = u"Test";
    const struct slice mech = slice_of(oid, sizeof oid);
    SEC_WINNT_AUTH_IDENTITY_EXW identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
                                            .Length = sizeof identity,
                                            .User = user,
                                            .UserLength = sizeof user / 2 - 1,
                                            .PackageList = packages,
                                            .PackageListLength = sizeof packages / 2 - 1,
                                            .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    struct module_use use = {.context = {7, 7}};
    struct spnego_resp resp;
    uint8_t list_room[64], first_room[128], room[128];
    struct writer list = writer_fixed(list_room, sizeof list_room), first = writer_fixed(first_room, sizeof first_room);
    char negotiate[] = "Negotiate";
    ULONG attributes = 0;
    (void)state;
    module_use_add(&use, "bad_text");
    spnego_mech_list_write(&list, &mech, 1);
    spnego_init_write(&first, writer_slice_of(&list), slice_of("T", 1));
    assert_int_equal(writer_finish(&first), WIRE_OK);
    SecBuffer in = {(ULONG)first.len, SECBUFFER_TOKEN, first_room}, out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    assert_int_equal(AcquireCredentialsHandleA(NULL, negotiate, SECPKG_CRED_INBOUND, NULL, &identity, NULL, NULL,
                                               &use.credential, NULL),
                     SEC_E_OK);
    assert_int_equal(AcceptSecurityContext(&use.credential, NULL, &in_list, ASC_REQ_EXTENDED_ERROR, 0, &use.context,
                                           &out_list, &attributes, NULL),
                     SEC_E_INTERNAL_ERROR);
    assert_non_null(strstr(OpenSspiLastErrorText(), "gave a name that cannot be read"));
    assert_int_equal(spnego_resp_parse(slice_of(room, out.cbBuffer), &resp), WIRE_OK);
    assert_int_equal(resp.state, SPNEGO_REJECT);
    assert_null(resp.token.data);
    assert_true((attributes & ASC_RET_EXTENDED_ERROR) != 0); /* the reject is one */
    assert_int_equal(FreeCredentialsHandle(&use.credential), SEC_E_OK);
    module_drop(use.path);
    module_counts_check(use.path);
}

static void lively_starts(void **state)
{
    static const char *const names[] = {"calls_back", "forks", "no_comment"};
    char path[600], way[32];
    (void)state;
    snprintf(way, sizeof way, "%lx", (unsigned long)(uintptr_t)EnumerateSecurityPackagesA);
    setenv("OPENSSPI_TEST_CALLBACK", way, 1);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s", module_copy(names[i]));
        SECURITY_STATUS status = module_add(path);
        if (status != SEC_E_OK)
            fail_msg("%s: 0x%08x, %s", names[i], (unsigned)status, OpenSspiLastErrorText());
        module_drop(path);
    }
}

static void threads(void **state)
{
    (void)state;
    module_threads_check("right");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),          cmocka_unit_test(unsafe_places),
        cmocka_unit_test(options),          cmocka_unit_test(moved),
        cmocka_unit_test(comes_back_whole), cmocka_unit_test(lives_on),
        cmocka_unit_test(missing_entries),  cmocka_unit_test(wrong_answers),
        cmocka_unit_test(wrong_messages),   cmocka_unit_test(words_of_failures),
        cmocka_unit_test(proofs),           cmocka_unit_test(token_of_a_success_by_negotiate),
        cmocka_unit_test(lively_starts),    cmocka_unit_test(threads),
        cmocka_unit_test(first_version),
    };
    return cmocka_run_group_tests(tests, modules_set_up, modules_tear_down);
}
