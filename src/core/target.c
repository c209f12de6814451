#include "core/target.h"

#include "base/utf16.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* What stands before the delimiter, or all. `rest` is left with what stands behind it, or with the empty end. */
static struct slice part_take(struct slice *rest, char delimiter)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->data, delimiter, rest->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - rest->data) : rest->len, behind = end != NULL ? len + 1 : len;
    struct slice part = slice_of(rest->data, len);
    *rest = slice_of(rest->data + behind, rest->len - behind);
    return part;
}

static bool begins_with(struct slice text, char letter)
{
    return text.len > 0 && text.data[0] == (uint8_t)letter;
}

/* "host:port", or "[address]:port"; what is neither is all host. */
static void host_split(struct slice whole, struct target *target)
{
    struct slice port = whole, host = part_take(&port, begins_with(whole, '[') ? ']' : ':');
    target->host = whole;
    target->port = slice_of(whole.data + whole.len, 0);
    if (host.len == whole.len)
        return;
    if (begins_with(whole, '[')) {
        if (port.len > 0 && !begins_with(port, ':')) /* what follows an address is not passed over */
            return;
        host = slice_of(host.data + 1, host.len - 1);
        (void)part_take(&port, ':');
    } else if (port.len > 0 && memchr(port.data, ':', port.len) != NULL) /* a bare address */
        return;
    target->host = host;
    target->port = port;
}

struct target target_parse(const char *text)
{
    struct slice rest = slice_of_text(text), nothing = slice_of(text, 0);
    struct target target = {.service = nothing, .instance = nothing, .realm = nothing};
    if (strchr(text, '/') == NULL) {
        target.host = rest;
        target.port = slice_of(text + rest.len, 0);
        if (strchr(text, '@') == NULL)
            host_split(rest, &target);
        return target;
    }
    target.service = part_take(&rest, '/');
    target.instance = part_take(&rest, '@');
    target.realm = rest;
    host_split(part_take(&target.instance, '/'), &target);
    return target;
}

bool target_has_host(const struct target *target)
{
    return target->host.len > 0 && !begins_with(target->host, '[') && !slice_equal(target->host, slice_of_text("."));
}

/* The dot of the root says that a name is whole, not which: browsers write it into targets where their user did. Behind brackets it is none. */
static struct slice without_root(struct slice host)
{
    bool dot = host.len > 1 && host.data[host.len - 1] == '.' && !begins_with(host, '[');
    return slice_of(host.data, dot ? host.len - 1 : host.len);
}

void target_host(const char *text, char host[TARGET_HOST_SIZE])
{
    /* Port, instance and realm say nothing about the computer. */
    struct slice found = without_root(target_parse(text).host);
    size_t len = found.len < TARGET_HOST_SIZE ? found.len : TARGET_HOST_SIZE - 1;
    memcpy(host, found.data, len);
    host[len] = '\0';
}

/* `name` as an administrator wrote it, `host` as target_host gives it. */
static bool host_is(const char *host, const char *name)
{
    return utf8_equal_fold(slice_of_text(host), without_root(slice_of_text(name)));
}

static bool target_equal(const char *text, const char *other)
{
    struct target a = target_parse(text), b = target_parse(other);
    return utf8_equal_fold(a.service, b.service) && utf8_equal_fold(without_root(a.host), without_root(b.host)) &&
           utf8_equal_fold(a.port, b.port) && utf8_equal_fold(a.instance, b.instance) &&
           utf8_equal_fold(a.realm, b.realm);
}

bool target_is_listed(const struct config_list *list, const char *target, const char *host)
{
    for (unsigned i = 0; i < list->n_items; i++)
        if (target_equal(list->item[i], target) || host_is(host, list->item[i]))
            return true;
    return false;
}

bool target_host_is_loopback(const char *host)
{
    struct in_addr address;
    struct in6_addr address6;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, host, &address6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&address6) ||
               (IN6_IS_ADDR_V4MAPPED(&address6) && address6.s6_addr[12] == IN_LOOPBACKNET);
    return text_equal_fold(host, "localhost");
}

bool target_host_is_own(const struct config *config, const char *host)
{
    if (host_is(host, config->computer) || host_is(host, config->dns_computer))
        return true;
    struct slice first_label = slice_of(config->dns_computer, strcspn(config->dns_computer, "."));
    return utf8_equal_fold(slice_of_text(host), first_label);
}
