/* Files by handles: Microsoft, file management functions. What a standard handle is connected to is read and written here, too. */
#include "objects.h"
#include "standard.h"
#include "unicode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static BOOL refuse(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

/* Opening. */

/* Is it the folder that is missing, and not only the file? */
static bool folder_is_missing(const char *path)
{
    struct stat about;
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return false;
    char *folder = strndup(path, (size_t)(slash - path));
    bool missing = folder != NULL && stat(folder, &about) != 0;
    free(folder);
    return missing;
}

static DWORD open_error(int error, const char *path)
{
    switch (error) {
    case ENOENT:
        return folder_is_missing(path) ? ERROR_PATH_NOT_FOUND : ERROR_FILE_NOT_FOUND;
    case ENOTDIR:
        return ERROR_PATH_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EISDIR:
        return ERROR_ACCESS_DENIED;
    case EROFS:
        return ERROR_WRITE_PROTECT;
    case EEXIST:
        return ERROR_FILE_EXISTS;
    case EMFILE:
    case ENFILE:
        return ERROR_TOO_MANY_OPEN_FILES;
    case ENAMETOOLONG:
        return ERROR_FILENAME_EXCED_RANGE;
    case ETXTBSY:
        return ERROR_SHARING_VIOLATION;
    default:
        return standard_error(error, ERROR_GEN_FAILURE);
    }
}

/* Names that are devices on Windows: none is here but the one that is empty. */
static bool is_device(const char *name)
{
    return strcasecmp(name, "CON") == 0 || strcasecmp(name, "CONIN$") == 0 || strcasecmp(name, "CONOUT$") == 0 ||
           strncmp(name, "\\\\", 2) == 0;
}

static bool wants_read(DWORD access)
{
    return (access & (GENERIC_READ | GENERIC_ALL | GENERIC_EXECUTE | FILE_READ_DATA)) != 0;
}

static bool wants_write(DWORD access)
{
    return (access & (GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
}

/* open's flags for an access; -1 for what can be no access. */
static int flags_of_access(DWORD access)
{
    const DWORD append = FILE_APPEND_DATA, any = GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA;
    int appends = (access & append) != 0 && (access & any) == 0 ? O_APPEND : 0;
    if (wants_write(access))
        return (wants_read(access) ? O_RDWR : O_WRONLY) | appends;
    return wants_read(access) ? O_RDONLY : O_PATH; /* attributes alone */
}

static bool flags_of_disposition(DWORD disposition, DWORD access, int *flags)
{
    switch (disposition) {
    case CREATE_NEW:
        *flags = O_CREAT | O_EXCL;
        return true;
    case CREATE_ALWAYS:
        *flags = O_CREAT | O_TRUNC;
        return true;
    case OPEN_EXISTING:
        *flags = 0;
        return true;
    case OPEN_ALWAYS:
        *flags = O_CREAT;
        return true;
    case TRUNCATE_EXISTING:
        *flags = O_TRUNC;
        return wants_write(access);
    default:
        return false;
    }
}

/* With O_CREAT a first try without O_EXCL cannot tell whether the file was there, and programs ask. */
static int open_telling(const char *path, int flags, bool *was_there)
{
    *was_there = false;
    if ((flags & O_CREAT) == 0 || (flags & O_EXCL) != 0)
        return open(path, flags, 0666);
    int descriptor = open(path, (flags | O_EXCL) & ~O_TRUNC, 0666);
    if (descriptor >= 0 || errno != EEXIST)
        return descriptor;
    *was_there = true;
    return open(path, flags, 0666); /* made again where somebody has just removed it, or where a link leads nowhere */
}

/* A folder cannot be read as a file; open alone lets it be opened for reading. */
static bool is_folder(int descriptor)
{
    struct stat about;
    return fstat(descriptor, &about) == 0 && S_ISDIR(about.st_mode);
}

static HANDLE open_path(const char *path, int flags)
{
    bool was_there;
    struct object *file = object_new(OBJECT_FILE);
    if (file == NULL)
        return INVALID_HANDLE_VALUE;
    file->signalled = true;
    file->descriptor = open_telling(path, flags | O_CLOEXEC | O_NOCTTY, &was_there);
    if (file->descriptor < 0) {
        SetLastError(open_error(errno, path));
        free(file);
        return INVALID_HANDLE_VALUE;
    }
    if (is_folder(file->descriptor)) {
        close(file->descriptor);
        free(file);
        SetLastError(ERROR_ACCESS_DENIED);
        return INVALID_HANDLE_VALUE;
    }
    HANDLE handle = object_publish(file);
    if (handle == NULL)
        return INVALID_HANDLE_VALUE;
    SetLastError(was_there ? ERROR_ALREADY_EXISTS : NO_ERROR);
    return handle;
}

/* Attributes, and hints about how it will be read. */
#define IGNORED (0xFFFFu | FILE_FLAG_RANDOM_ACCESS | FILE_FLAG_SEQUENTIAL_SCAN | FILE_FLAG_WRITE_THROUGH)

HANDLE CreateFileA(LPCSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
                   LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition, DWORD dwFlagsAndAttributes,
                   HANDLE hTemplateFile)
{
    int disposition, access = flags_of_access(dwDesiredAccess);
    DWORD error = NO_ERROR;
    (void)dwShareMode, (void)lpSecurityAttributes, (void)hTemplateFile;
    if (lpFileName == NULL || *lpFileName == '\0')
        error = ERROR_PATH_NOT_FOUND;
    else if (!flags_of_disposition(dwCreationDisposition, dwDesiredAccess, &disposition))
        error = ERROR_INVALID_PARAMETER;
    else if ((dwFlagsAndAttributes & ~(DWORD)IGNORED) != 0 || is_device(lpFileName))
        error = ERROR_NOT_SUPPORTED;
    if (error != NO_ERROR) {
        SetLastError(error);
        return INVALID_HANDLE_VALUE;
    }
    if ((dwFlagsAndAttributes & FILE_FLAG_WRITE_THROUGH) != 0)
        access |= O_DSYNC;
    if (access == O_PATH && disposition != 0)
        access = O_RDONLY; /* nothing is made by a handle for attributes alone */
    return open_path(strcasecmp(lpFileName, "NUL") == 0 ? "/dev/null" : lpFileName, access | disposition);
}

/* A file's name as UTF-8 (free); NULL with the error, also for what is no text: another file must not be meant. */
static char *name_of(LPCWSTR name)
{
    const WCHAR *from = name;
    if (name == NULL || utf8_fill(NULL, &from, SIZE_MAX) == (size_t)-1) {
        SetLastError(name == NULL ? ERROR_PATH_NOT_FOUND : ERROR_INVALID_NAME);
        return NULL;
    }
    return utf8_of(name);
}

HANDLE CreateFileW(LPCWSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
                   LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition, DWORD dwFlagsAndAttributes,
                   HANDLE hTemplateFile)
{
    char *name = name_of(lpFileName);
    if (name == NULL)
        return INVALID_HANDLE_VALUE;
    HANDLE handle = CreateFileA(name, dwDesiredAccess, dwShareMode, lpSecurityAttributes, dwCreationDisposition,
                                dwFlagsAndAttributes, hTemplateFile);
    free(name);
    return handle;
}

BOOL DeleteFileA(LPCSTR lpFileName)
{
    struct stat about;
    if (lpFileName == NULL || *lpFileName == '\0')
        return refuse(ERROR_PATH_NOT_FOUND);
    if (unlink(lpFileName) == 0)
        return TRUE;
    int error = errno;
    bool folder = lstat(lpFileName, &about) == 0 && S_ISDIR(about.st_mode);
    return refuse(folder ? ERROR_ACCESS_DENIED : open_error(error, lpFileName));
}

BOOL DeleteFileW(LPCWSTR lpFileName)
{
    char *name = name_of(lpFileName);
    BOOL done = name != NULL && DeleteFileA(name);
    free(name);
    return done;
}

DWORD GetFileAttributesA(LPCSTR lpFileName)
{
    struct stat about;
    if (lpFileName == NULL || *lpFileName == '\0' || stat(lpFileName, &about) != 0) {
        bool none = lpFileName == NULL || *lpFileName == '\0';
        SetLastError(none ? ERROR_PATH_NOT_FOUND : open_error(errno, lpFileName));
        return INVALID_FILE_ATTRIBUTES;
    }
    if (S_ISDIR(about.st_mode))
        return FILE_ATTRIBUTE_DIRECTORY;
    return faccessat(AT_FDCWD, lpFileName, W_OK, AT_EACCESS) != 0 ? FILE_ATTRIBUTE_READONLY : FILE_ATTRIBUTE_NORMAL;
}

DWORD GetFileAttributesW(LPCWSTR lpFileName)
{
    char *name = name_of(lpFileName);
    DWORD attributes = name != NULL ? GetFileAttributesA(name) : INVALID_FILE_ATTRIBUTES;
    free(name);
    return attributes;
}

/* What is open. */

/* A handle's descriptor, which stays open as long as a call uses it. */
struct opened {
    int descriptor;
    struct object *file; /* NULL for a standard handle */
};

/* False with ERROR_INVALID_HANDLE. */
static bool opened_get(HANDLE handle, struct opened *opened)
{
    *opened = (struct opened){.descriptor = -1};
    if (standard_is(handle)) {
        opened->descriptor = standard_descriptor(handle);
        return opened->descriptor >= 0;
    }
    pthread_mutex_lock(&objects_lock);
    struct object *object = object_get(handle);
    if (object != NULL && object->kind == OBJECT_FILE)
        *opened = (struct opened){.descriptor = object->descriptor, .file = object};
    else if (object != NULL)
        object_put(object);
    pthread_mutex_unlock(&objects_lock);
    return opened->file != NULL || refuse(ERROR_INVALID_HANDLE);
}

static void opened_put(struct opened *opened)
{
    if (opened->file == NULL)
        return;
    pthread_mutex_lock(&objects_lock);
    object_put(opened->file);
    pthread_mutex_unlock(&objects_lock);
}

#define AUTO_OPENED __attribute__((cleanup(opened_put)))

DWORD GetFileType(HANDLE hFile)
{
    struct stat about;
    AUTO_OPENED struct opened opened;
    if (!opened_get(hFile, &opened))
        return FILE_TYPE_UNKNOWN;
    if (fstat(opened.descriptor, &about) != 0) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FILE_TYPE_UNKNOWN;
    }
    SetLastError(NO_ERROR);
    switch (about.st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFBLK:
        return FILE_TYPE_DISK;
    case S_IFCHR:
        return FILE_TYPE_CHAR;
    case S_IFIFO:
    case S_IFSOCK:
        return FILE_TYPE_PIPE;
    default:
        return FILE_TYPE_UNKNOWN;
    }
}

BOOL WriteFile(HANDLE hFile, LPCVOID lpBuffer, DWORD nNumberOfBytesToWrite, LPDWORD lpNumberOfBytesWritten,
               LPOVERLAPPED lpOverlapped)
{
    DWORD error = NO_ERROR;
    AUTO_OPENED struct opened opened;
    if (lpNumberOfBytesWritten != NULL)
        *lpNumberOfBytesWritten = 0;
    if (!opened_get(hFile, &opened))
        return FALSE;
    if (lpOverlapped != NULL || lpNumberOfBytesWritten == NULL || (lpBuffer == NULL && nNumberOfBytesToWrite != 0))
        return refuse(ERROR_INVALID_PARAMETER);
    if (opened.file == NULL && isatty(opened.descriptor)) {
        if (opened.descriptor == STDIN_FILENO) /* though the terminal itself is both */
            return refuse(ERROR_ACCESS_DENIED);
        console_flush();
    }
    *lpNumberOfBytesWritten = (DWORD)standard_write(opened.descriptor, lpBuffer, nNumberOfBytesToWrite, &error);
    return error == NO_ERROR || refuse(error);
}

static BOOL read_some(int descriptor, void *room, DWORD len, DWORD *n_read)
{
    ssize_t n;
    while ((n = read(descriptor, room, len)) < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
        if (errno != EINTR)
            standard_wait(descriptor, POLLIN);
    struct stat about;
    DWORD error = n < 0 ? standard_error(errno, ERROR_READ_FAULT) : NO_ERROR;
    if (n == 0 && len != 0 && fstat(descriptor, &about) == 0 && S_ISFIFO(about.st_mode))
        error = ERROR_BROKEN_PIPE; /* the end of a pipe is an error, that of a file is not */
    if (error != NO_ERROR)
        return refuse(error);
    *n_read = (DWORD)n;
    return TRUE;
}

BOOL ReadFile(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead, LPDWORD lpNumberOfBytesRead,
              LPOVERLAPPED lpOverlapped)
{
    AUTO_OPENED struct opened opened;
    if (lpNumberOfBytesRead != NULL)
        *lpNumberOfBytesRead = 0;
    if (!opened_get(hFile, &opened))
        return FALSE;
    if (lpOverlapped != NULL || lpNumberOfBytesRead == NULL || (lpBuffer == NULL && nNumberOfBytesToRead != 0))
        return refuse(ERROR_INVALID_PARAMETER);
    if (opened.file != NULL || !isatty(opened.descriptor))
        return read_some(opened.descriptor, lpBuffer, nNumberOfBytesToRead, lpNumberOfBytesRead);
    if (opened.descriptor != STDIN_FILENO)
        return refuse(ERROR_ACCESS_DENIED);
    return console_read(opened.descriptor, lpBuffer, nNumberOfBytesToRead, lpNumberOfBytesRead);
}

BOOL FlushFileBuffers(HANDLE hFile)
{
    AUTO_OPENED struct opened opened;
    if (!opened_get(hFile, &opened))
        return FALSE;
    if (fsync(opened.descriptor) == 0 || errno == EINVAL ||
        errno == EROFS) /* a pipe or a terminal keeps nothing back */
        return TRUE;
    return refuse(standard_error(errno, ERROR_WRITE_FAULT));
}

/* Sizes and places. */

BOOL GetFileSizeEx(HANDLE hFile, PLARGE_INTEGER lpFileSize)
{
    struct stat about;
    AUTO_OPENED struct opened opened;
    if (!opened_get(hFile, &opened))
        return FALSE;
    if (lpFileSize == NULL)
        return refuse(ERROR_INVALID_PARAMETER);
    if (fstat(opened.descriptor, &about) != 0 || !S_ISREG(about.st_mode))
        return refuse(ERROR_INVALID_FUNCTION);
    lpFileSize->QuadPart = about.st_size;
    return TRUE;
}

DWORD GetFileSize(HANDLE hFile, LPDWORD lpFileSizeHigh)
{
    LARGE_INTEGER size;
    if (!GetFileSizeEx(hFile, &size))
        return INVALID_FILE_SIZE;
    SetLastError(NO_ERROR); /* the lower half alone may look like a failure */
    if (lpFileSizeHigh != NULL)
        *lpFileSizeHigh = (DWORD)size.HighPart;
    return size.LowPart;
}

BOOL SetFilePointerEx(HANDLE hFile, LARGE_INTEGER liDistanceToMove, PLARGE_INTEGER lpNewFilePointer, DWORD dwMoveMethod)
{
    static const int whence[] = {[FILE_BEGIN] = SEEK_SET, [FILE_CURRENT] = SEEK_CUR, [FILE_END] = SEEK_END};
    AUTO_OPENED struct opened opened;
    if (!opened_get(hFile, &opened))
        return FALSE;
    if (dwMoveMethod >= sizeof whence / sizeof whence[0])
        return refuse(ERROR_INVALID_PARAMETER);
    off_t place = lseek(opened.descriptor, liDistanceToMove.QuadPart, whence[dwMoveMethod]);
    if (place < 0)
        return refuse(errno == EINVAL || errno == EOVERFLOW ? ERROR_NEGATIVE_SEEK : ERROR_INVALID_FUNCTION);
    if (lpNewFilePointer != NULL)
        lpNewFilePointer->QuadPart = place;
    return TRUE;
}

DWORD SetFilePointer(HANDLE hFile, LONG lDistanceToMove, PLONG lpDistanceToMoveHigh, DWORD dwMoveMethod)
{
    LARGE_INTEGER distance = {.QuadPart = lDistanceToMove}, place;
    if (lpDistanceToMoveHigh != NULL)
        distance = (LARGE_INTEGER){.LowPart = (DWORD)lDistanceToMove, .HighPart = *lpDistanceToMoveHigh};
    if (!SetFilePointerEx(hFile, distance, &place, dwMoveMethod))
        return INVALID_SET_FILE_POINTER;
    if (lpDistanceToMoveHigh != NULL)
        *lpDistanceToMoveHigh = place.HighPart;
    SetLastError(NO_ERROR); /* as for sizes */
    return place.LowPart;
}

BOOL SetEndOfFile(HANDLE hFile)
{
    AUTO_OPENED struct opened opened;
    if (!opened_get(hFile, &opened))
        return FALSE;
    off_t place = lseek(opened.descriptor, 0, SEEK_CUR);
    if (place >= 0 && ftruncate(opened.descriptor, place) == 0)
        return TRUE;
    return refuse(errno == EINVAL || errno == EBADF ? ERROR_ACCESS_DENIED
                                                    : standard_error(errno, ERROR_INVALID_FUNCTION));
}
