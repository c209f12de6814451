#include "server.h"

#include <sys/socket.h>

bool peer_uid(const uv_pipe_t *pipe, uid_t *uid)
{
    uv_os_fd_t fd;
    struct ucred peer;
    socklen_t len = sizeof peer;
    require(uv_fileno((const uv_handle_t *)pipe, &fd) == 0, false);
    require(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && len == sizeof peer, false);
    *uid = peer.uid;
    return true;
}
