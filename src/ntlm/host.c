#include "ntlm/host.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static uint8_t machine_id[32];

static bool file_hash(struct md5 *md5, const char *path)
{
    uint8_t bytes[128];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    require(fd >= 0, false);
    ssize_t got = read(fd, bytes, sizeof bytes);
    close(fd);
    if (got > 0)
        md5_update(md5, bytes, (size_t)got);
    return got > 0;
}

static void machine_id_make(void)
{
    char host[256] = {0};
    (void)gethostname(host, sizeof host - 1); /* containers of one kernel differ in it */
    for (size_t half = 0; half < 2; half++) {
        struct md5 md5;
        md5_init(&md5);
        const uint8_t number = (uint8_t)half;
        md5_update(&md5, &number, 1);
        md5_update(&md5, "OpenSSPI NTLM machine id", 24);
        md5_update(&md5, host, sizeof host);
        bool booted = file_hash(&md5, "/proc/sys/kernel/random/boot_id");
        bool installed = file_hash(&md5, "/etc/machine-id");
        md5_final(&md5, machine_id + 16 * half);
        if (!booted && !installed) /* no machine to speak of: at least this process knows itself */
            (void)!random_bytes(machine_id + 16 * half, 16);
    }
}

void ntlm_single_host(uint8_t data[SINGLE_HOST_LEN])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, machine_id_make);
    memset(data, 0, SINGLE_HOST_LEN);
    data[0] =
        SINGLE_HOST_LEN; /* size, little-endian; four zeros; eight bytes of custom data, which carry nothing here */
    memcpy(data + 16, machine_id, sizeof machine_id);
}

/* The host part of "service/host:port/name", or of a bare host name. */
static void host_of(const char *target, char host[256])
{
    const char *slash = strchr(target, '/');
    const char *start = slash != NULL ? slash + 1 : target;
    size_t len = strcspn(start, "/@");
    if (*start == '[') { /* an IPv6 literal keeps its colons */
        start++;
        len = strcspn(start, "]");
    } else if (memchr(start, ':', len) == memrchr(start, ':', len))
        len = strcspn(start, ":/@");
    if (len > 255)
        len = 255;
    memcpy(host, start, len);
    host[len] = '\0';
}

static bool list_has(const struct config_list *list, const char *target, const char *host)
{
    for (unsigned i = 0; i < list->n_items; i++)
        if (text_equal_fold(list->item[i], target) || text_equal_fold(list->item[i], host))
            return true;
    return false;
}

static bool host_is_loopback(const char *host)
{
    struct in_addr address;
    struct in6_addr address6;
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return text_equal_fold(host, "localhost") ||
           (inet_pton(AF_INET6, host, &address6) == 1 && IN6_IS_ADDR_LOOPBACK(&address6));
}

static bool host_is_own(const struct config *config, const char *host)
{
    char first_label[256];
    if (text_equal_fold(host, config->computer) || text_equal_fold(host, config->dns_computer))
        return true;
    size_t len = strcspn(config->dns_computer, ".");
    if (len > 255)
        len = 255;
    memcpy(first_label, config->dns_computer, len);
    first_label[len] = '\0';
    return text_equal_fold(host, first_label);
}

bool ntlm_target_is_local(const struct config *config, const char *target)
{
    char host[256];
    host_of(target, host);
    return host_is_loopback(host) || host_is_own(config, host) || list_has(&config->ntlm_targets, target, host);
}

/* The loopback names every computer, so it binds to none. */
bool ntlm_target_is_accepted(const struct config *config, const char *target)
{
    char host[256];
    host_of(target, host);
    return config->ntlm_targets.n_items > 0 ? list_has(&config->ntlm_targets, target, host) : host_is_own(config, host);
}
