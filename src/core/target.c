#include "core/target.h"

#include "base/utf16.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

void target_host(const char *target, char host[TARGET_HOST_SIZE])
{
    const char *slash = strchr(target, '/');
    const char *start = slash != NULL ? slash + 1 : target;
    size_t len = strcspn(start, "/@");
    const char *bracket = *start == '[' ? strchr(start, ']') : NULL;
    /* An IPv6 literal keeps its colons; where it ends the host does. */
    if (bracket != NULL && strchr(":/@", bracket[1]) != NULL) {
        start++;
        len = (size_t)(bracket - start);
    } else if (memchr(start, ':', len) == memrchr(start, ':', len))
        len = strcspn(start, ":/@");
    if (len > TARGET_HOST_SIZE - 1)
        len = TARGET_HOST_SIZE - 1;
    memcpy(host, start, len);
    host[len] = '\0';
}

bool target_is_listed(const struct config_list *list, const char *target, const char *host)
{
    for (unsigned i = 0; i < list->n_items; i++)
        if (text_equal_fold(list->item[i], target) || text_equal_fold(list->item[i], host))
            return true;
    return false;
}

bool target_host_is_loopback(const char *host)
{
    struct in_addr address;
    struct in6_addr address6;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return text_equal_fold(host, "localhost") ||
           (inet_pton(AF_INET6, host, &address6) == 1 && IN6_IS_ADDR_LOOPBACK(&address6));
}

bool target_host_is_own(const struct config *config, const char *host)
{
    char first_label[TARGET_HOST_SIZE];
    if (text_equal_fold(host, config->computer) || text_equal_fold(host, config->dns_computer))
        return true;
    size_t len = strcspn(config->dns_computer, ".");
    if (len > TARGET_HOST_SIZE - 1)
        len = TARGET_HOST_SIZE - 1;
    memcpy(first_label, config->dns_computer, len);
    first_label[len] = '\0';
    return text_equal_fold(host, first_label);
}
