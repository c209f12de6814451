#include "ntlm/host.h"

#include "core/target.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include <fcntl.h>
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

bool ntlm_target_is_local(const struct config *config, const char *target)
{
    char host[TARGET_HOST_SIZE];
    target_host(target, host);
    return target_host_is_loopback(host) || target_host_is_own(config, host) ||
           target_is_listed(&config->ntlm_targets, target, host);
}

/* The loopback names every computer, so it binds to none. */
bool ntlm_target_is_accepted(const struct config *config, const char *target)
{
    char host[TARGET_HOST_SIZE];
    target_host(target, host);
    return config->ntlm_targets.n_items > 0 ? target_is_listed(&config->ntlm_targets, target, host)
                                            : target_host_is_own(config, host);
}
