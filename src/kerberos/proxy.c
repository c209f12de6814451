#include "kerberos/proxy.h"

#include "base/memory.h"
#include "base/reader.h"
#include "base/utf16.h"
#include "base/writer.h"
#include "core/cause.h"
#include <errno.h>
#include <profile.h>
#include <stdatomic.h>
#include <string.h>

/* libkrb5 takes KDCs, among them HTTPS proxies, from the profile alone. So the context gets a profile that answers as krb5.conf does but for one
 * question. */
struct overlay {
    atomic_uint n_references; /* copies of the profile share it */
    profile_t below;
    bool forced;
    char *proxies;
};

static void overlay_free(void *data)
{
    struct overlay *overlay = data;
    if (atomic_fetch_sub(&overlay->n_references, 1) != 1)
        return;
    if (overlay->below != NULL)
        profile_abandon(overlay->below);
    mem_free(overlay->proxies);
    mem_free(overlay);
}

static void values_free(void *data, char **values)
{
    (void)data;
    for (size_t i = 0; values != NULL && values[i] != NULL; i++)
        mem_free(values[i]);
    mem_free(values);
}

static size_t words_count(const char *text)
{
    size_t n = 0;
    for (const char *at = text + strspn(text, " "); *at != '\0'; at += strspn(at, " ")) {
        at += strcspn(at, " ");
        n++;
    }
    return n;
}

/* The proxies, if wanted, and behind them the values of krb5.conf. */
static long values_join(const char *proxies, char *const *below, char ***values)
{
    size_t n = words_count(proxies), at_value = 0;
    for (size_t i = 0; below != NULL && below[i] != NULL; i++)
        n++;
    char **joined = mem_zalloc_array(n + 1, sizeof *joined);
    if (joined == NULL)
        return ENOMEM;
    for (const char *at = proxies + strspn(proxies, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        joined[at_value++] = mem_dup(at, len);
        at += len;
    }
    for (size_t i = 0; below != NULL && below[i] != NULL; i++)
        joined[at_value++] = mem_strdup(below[i]);
    for (size_t i = 0; i < n; i++)
        if (joined[i] == NULL) {
            for (size_t j = 0; j < n; j++)
                mem_free(joined[j]);
            mem_free(joined);
            return ENOMEM;
        }
    *values = joined;
    return 0;
}

/* What libkrb5 asks for in a realm's section. */
enum asked { ASKS_OTHERS, ASKS_KDC, ASKS_PRIMARY, ASKS_ADMIN };

static enum asked asked_for(const char *const *names)
{
    static const struct {
        const char *name;
        enum asked asked;
    } servers[] = {{"kdc", ASKS_KDC},
                   {"kpasswd_server", ASKS_KDC},
                   {"primary_kdc", ASKS_PRIMARY},
                   {"master_kdc", ASKS_PRIMARY},
                   {"admin_server", ASKS_ADMIN}};
    if (names[0] == NULL || strcmp(names[0], "realms") != 0 || names[1] == NULL || names[2] == NULL || names[3] != NULL)
        return ASKS_OTHERS;
    for (size_t i = 0; i < COUNT_OF(servers); i++)
        if (strcmp(names[2], servers[i].name) == 0)
            return servers[i].asked;
    return ASKS_OTHERS;
}

static long values_get(void *data, const char *const *names, char ***values)
{
    const struct overlay *overlay = data;
    enum asked asked = asked_for(names);
    bool proxied = asked != ASKS_OTHERS;
    /* libkrb5 asks DNS for a primary KDC that the profile does not name, and then that one directly. Who is asked is the primary one where there is
     * no other: then it is not asked a second time either. */
    bool is_kdc = asked == ASKS_KDC || (asked == ASKS_PRIMARY && overlay->forced);
    char **below = NULL;
    long code = proxied && overlay->forced ? PROF_NO_RELATION : profile_get_values(overlay->below, names, &below);
    if (code == 0 || is_kdc)
        code = values_join(is_kdc ? overlay->proxies : "", below, values);
    if (below != NULL)
        profile_free_list(below);
    return code;
}

static long overlay_copy(void *data, void **copy)
{
    struct overlay *overlay = data;
    atomic_fetch_add(&overlay->n_references, 1);
    *copy = overlay;
    return 0;
}

static struct overlay *overlay_new(krb5_context base, const char *proxies, bool forced)
{
    struct overlay *overlay = mem_zalloc(sizeof *overlay);
    require(overlay != NULL, NULL);
    atomic_init(&overlay->n_references, 1);
    overlay->forced = forced;
    overlay->proxies = mem_strdup(proxies);
    if (overlay->proxies == NULL || krb5_get_profile(base, &overlay->below) != 0) {
        overlay_free(overlay);
        return NULL;
    }
    return overlay;
}

krb5_error_code krb_proxy_context(krb5_context base, const char *proxies, bool forced, krb5_context *krb)
{
    static struct profile_vtable table = {
        .minor_ver = 1,
        .get_values = values_get,
        .free_values = values_free,
        .cleanup = overlay_free,
        .copy = overlay_copy,
    };
    profile_t profile = NULL;
    struct overlay *overlay = overlay_new(base, proxies, forced);
    if (overlay == NULL)
        return ENOMEM;
    krb5_error_code code = (krb5_error_code)profile_init_vtable(&table, overlay, &profile);
    if (code != 0) {
        overlay_free(overlay);
        return code;
    }
    code = krb5_init_context_profile(profile, 0, krb);
    profile_abandon(profile);
    return code;
}

#define SETTINGS_V1 1
#define SETTINGS_V2 2
#define FLAG_FORCED 0x1u
#define FLAGS_DISCOVERY 0xC0000000u /* how V2 looks for domain controllers, which is krb5.conf's matter here */
#define PROXY_TEXT_MAX 2048

static const char proxy_form[] = "a KDC proxy is https://HOST[:PORT][/PATH] or HOST[:PORT[:PATH]]";

/* Takes the characters up to the next colon. */
static struct slice part_take(struct slice *rest)
{
    const uint8_t *colon = rest->len > 0 ? memchr(rest->data, ':', rest->len) : NULL;
    size_t len = colon != NULL ? (size_t)(colon - rest->data) : rest->len;
    struct slice part = slice_of(rest->data, len);
    len += colon != NULL ? 1 : 0;
    *rest = slice_of(rest->data + len, rest->len - len);
    return part;
}

static bool is_port(struct slice port)
{
    unsigned number = 0;
    for (size_t i = 0; i < port.len; i++) {
        if (port.data[i] < '0' || port.data[i] > '9' || number > UINT16_MAX)
            return false;
        number = number * 10 + (unsigned)(port.data[i] - '0');
    }
    return number > 0 && number <= UINT16_MAX;
}

/* "host[:port[:path]]" is what Windows' group policy writes. */
static SECURITY_STATUS plain_write(struct writer *urls, struct slice word)
{
    const struct slice host = part_take(&word);
    bool has_port = word.len > 0;
    const struct slice port = has_port ? part_take(&word) : slice_of_text("443");
    const struct slice path = word.len > 0 ? word : slice_of_text("KdcProxy");
    require(host.len > 0 && memchr(host.data, '/', host.len) == NULL && is_port(port),
            cause_set(SEC_E_INVALID_TOKEN, "%s", proxy_form));
    writer_slice(urls, slice_of_text("https://"));
    writer_slice(urls, host);
    writer_slice(urls, slice_of_text(":"));
    writer_slice(urls, port);
    writer_slice(urls, slice_of_text("/"));
    writer_slice(urls, path);
    return SEC_E_OK;
}

static SECURITY_STATUS url_write(struct writer *urls, struct slice word)
{
    static const char https[] = "https://";
    if (urls->len > 0)
        writer_slice(urls, slice_of_text(" "));
    if (word.len <= strlen(https) || memcmp(word.data, https, strlen(https)) != 0)
        return plain_write(urls, word);
    writer_slice(urls, word);
    return SEC_E_OK;
}

static SECURITY_STATUS urls_make(const char *text, char **proxies)
{
    static const char separators[] = " ,;";
    AUTO_WRITER struct writer urls = writer_growing(128);
    require(strlen(text) <= PROXY_TEXT_MAX, cause_set(SEC_E_INVALID_TOKEN, "the KDC proxies' names are too long"));
    for (const char *at = text + strspn(text, separators); *at != '\0'; at += strspn(at, separators)) {
        size_t len = strcspn(at, separators);
        try(url_write(&urls, slice_of(at, len)));
        at += len;
    }
    require(writer_finish(&urls) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    *proxies = urls.len > 0 ? mem_dup(urls.data, urls.len) : NULL;
    return urls.len == 0 || *proxies != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS krb_proxy_settings_read(struct slice settings, char **proxies, bool *forced)
{
    struct reader reader = reader_of(settings);
    uint32_t version, flags, discovery = 0;
    uint16_t server_offset, server_len, tls_offset, tls_len;
    struct slice server;
    AUTO_FREE char *text = NULL;
    require(reader_u32le(&reader, &version) == WIRE_OK && reader_u32le(&reader, &flags) == WIRE_OK &&
                reader_u16le(&reader, &server_offset) == WIRE_OK && reader_u16le(&reader, &server_len) == WIRE_OK &&
                reader_u16le(&reader, &tls_offset) == WIRE_OK && reader_u16le(&reader, &tls_len) == WIRE_OK,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "KDC proxy settings have at least 16 bytes"));
    require(version == SETTINGS_V1 || version == SETTINGS_V2,
            cause_set(SEC_E_INVALID_TOKEN, "KDC proxy settings of version %u", (unsigned)version));
    if (version == SETTINGS_V2)
        require(reader_u32le(&reader, &discovery) == WIRE_OK,
                cause_set(SEC_E_BUFFER_TOO_SMALL, "KDC network settings have at least 20 bytes"));
    require((flags & ~(FLAG_FORCED | (version == SETTINGS_V2 ? FLAGS_DISCOVERY : 0))) == 0,
            cause_set(SEC_E_INVALID_TOKEN, "KDC proxy settings with flags 0x%x", (unsigned)flags));
    require(tls_len == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a TLS client credential for the KDC proxy is not supported"));
    require(server_len % 2 == 0 && slice_at(settings, server_offset, server_len, &server) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the KDC proxy's name lies outside the settings"));
    while (server.len >= 2 && server.data[server.len - 1] == 0 && server.data[server.len - 2] == 0)
        server.len -= 2; /* a NUL may be counted */
    require(utf16le_to_text(server, &text) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the KDC proxy's name is not valid UTF-16"));
    char *urls = NULL;
    try(urls_make(text, &urls));
    require(urls != NULL || (flags & FLAG_FORCED) == 0,
            cause_set(SEC_E_INVALID_TOKEN, "a KDC proxy is forced, and none is named"));
    *proxies = urls;
    *forced = (flags & FLAG_FORCED) != 0;
    return SEC_E_OK;
}
