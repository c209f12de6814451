"""Run as a service with the daemon's settings: prints, a line each, what these let a program do: "NAME ERRNO", or "NAME TEXT"."""
import ctypes
import mmap
import os
import resource
import socket
import tempfile

libc = ctypes.CDLL(None, use_errno=True)
RWX, RX = 7, 5
NEW_USER, LINUX32, CHARACTER = 0x10000000, 8, 0o020600


def called(name, *arguments):
    return lambda: ctypes.get_errno() if getattr(libc, name)(*arguments) == -1 else 0


def done(function, *arguments, **named):
    def attempt():
        try:
            function(*arguments, **named)
        except OSError as error:
            return error.errno
        return 0
    return attempt


def protected():
    libc.mmap.restype = ctypes.c_void_p
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return called("mprotect", libc.mmap(None, 4096, 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0), 4096, RX)


def mapped_file(directory):
    """What it wrote itself, to be run."""
    with tempfile.TemporaryFile(dir=directory) as file:
        file.write(bytes(4096))
        file.flush()
        return done(mmap.mmap, file.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=RX)()


def mapped_store():
    """A file that is there already: the directory is the daemon's user's, and root has no right to write in it here."""
    with open("/var/lib/opensspi/mapped", "rb") as file:
        return done(mmap.mmap, file.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=RX)()


def mounted():
    with tempfile.TemporaryDirectory() as place:
        error = called("mount", b"none", place.encode(), b"tmpfs", 0, None)()
        if error == 0:
            libc.umount(place.encode())
    return error


def set_user_id():
    with tempfile.NamedTemporaryFile() as file:
        return done(os.chmod, file.name, 0o4700)()


def writable(path):
    return "read-only" if os.statvfs(path).f_flag & os.ST_RDONLY else "writable"


for what, probe in {
        "mmap": done(mmap.mmap, -1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=RWX), "mprotect": protected(),
        "written": lambda: mapped_file("/tmp"), "written_store": mapped_store,
        "written_var": lambda: mapped_file("/var/tmp"), "written_shared": lambda: mapped_file("/dev/shm"),
        "netlink": done(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW), "set_user_id": set_user_id,
        "personality": called("personality", LINUX32), "ptrace": called("ptrace", 0, 0, 0, 0),
        "hostname": done(socket.sethostname, socket.gethostname()), "mount": mounted,
        "device": done(os.mknod, "/tmp/device", CHARACTER, os.makedev(1, 3))}.items():
    print(what, probe(), flush=True)
for directory in ("/", "/usr", "/etc", "/var", "/var/lib", "/root", "/home", "/sys", "/proc/sys", "/run", "/tmp", "/var/tmp", "/var/lib/opensspi"):
    print(directory, writable(directory))
print("tmp", " ".join(os.listdir("/tmp")))
print("marked", os.path.exists("/dev/marker"))
print("umask", oct(os.umask(0)))
print("core", *resource.getrlimit(resource.RLIMIT_CORE))
print("files", *resource.getrlimit(resource.RLIMIT_NOFILE))
print("user_namespace", called("unshare", NEW_USER)())  # the last: in one of its own it would have other rights
