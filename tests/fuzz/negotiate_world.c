#ifdef OPENSSPI_WITH_NEGOTIATE
#ifdef OPENSSPI_WITH_NTLM
#include "fuzz/negotiate_world.h"

#include <string.h>

/* The tests' package; the targets are not linked with the tests' helpers. */
#include "support/fake_package.c" // NOLINT(bugprone-suspicious-include)

struct negotiate_world *negotiate_world(void)
{
    static struct negotiate_world world;
    static bool made;
    if (made)
        return &world;
    made = true;
    fake_register();
    world_configure("[negotiate]\npackages = ntlm");
    world.client = world_credential_of("Negotiate", SECPKG_CRED_OUTBOUND);
    world.server = world_credential_of("Negotiate", SECPKG_CRED_INBOUND);
    world_configure("[negotiate]\npackages = fake, ntlm");
    world.both_client = world_credential_of("Negotiate", SECPKG_CRED_OUTBOUND);
    world.both_server = world_credential_of("Negotiate", SECPKG_CRED_INBOUND);
    return &world;
}

static void package_compare(CtxtHandle *client, CtxtHandle *server)
{
    SecPkgContext_PackageInfoA one, other;
    MUST(QueryContextAttributesA(client, SECPKG_ATTR_PACKAGE_INFO, &one) == SEC_E_OK);
    MUST(QueryContextAttributesA(server, SECPKG_ATTR_PACKAGE_INFO, &other) == SEC_E_OK);
    MUST(strcmp(one.PackageInfo->Name, other.PackageInfo->Name) == 0);
    FreeContextBuffer(one.PackageInfo);
    FreeContextBuffer(other.PackageInfo);
}

void negotiate_world_compare(CtxtHandle *client, CtxtHandle *server)
{
    SecPkgContext_SessionKey one, other;
    if (QueryContextAttributesA(client, SECPKG_ATTR_SESSION_KEY, &one) != SEC_E_OK)
        return;
    if (QueryContextAttributesA(server, SECPKG_ATTR_SESSION_KEY, &other) == SEC_E_OK) {
        MUST(one.SessionKeyLength == other.SessionKeyLength &&
             memcmp(one.SessionKey, other.SessionKey, one.SessionKeyLength) == 0);
        FreeContextBuffer(other.SessionKey);
        package_compare(client, server);
    }
    FreeContextBuffer(one.SessionKey);
}
#endif
#endif
