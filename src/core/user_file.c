#include "core/user_file.h"

#include "base/file_whole.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/as_process.h"
#include "core/cause.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static SECURITY_STATUS file_load(const char *path, struct secret *text)
{
    AS_PROCESS_SCOPE;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT
                   ? cause_set(SEC_E_NO_CREDENTIALS, "%s: there is no such file of default credentials", path)
                   : cause_set(SEC_E_INTERNAL_ERROR, "%s: cannot be opened: %s", path, strerror(errno));
    const char *problem = NULL;
    enum file_whole reading;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || (size_t)status.st_size > USER_FILE_MAX)
        problem = "not a regular file of at most 1 MiB";
    else if (status.st_uid != geteuid() && status.st_uid != 0)
        problem = "holds passwords and belongs to somebody else";
    else if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        problem = "holds passwords and is open to others: chmod 600";
    else if (!secret_alloc(text, (size_t)status.st_size))
        problem = "too large for memory";
    else if ((reading = file_whole_read(fd, &status, text->data)) != FILE_WHOLE)
        problem = reading == FILE_WHOLE_CHANGED ? "changed while it was read" : "cannot be read";
    close(fd);
    return problem == NULL ? SEC_E_OK : cause_set(SEC_E_INTERNAL_ERROR, "%s: %s", path, problem);
}

struct line {
    struct slice domain, user, password;
};

static bool line_parse(struct slice text, struct line *line)
{
    const uint8_t *first = memchr(text.data, ':', text.len);
    require(first != NULL, false);
    size_t rest = text.len - (size_t)(first - text.data) - 1;
    const uint8_t *second = memchr(first + 1, ':', rest);
    require(second != NULL && second > first + 1, false);
    line->domain = slice_of(text.data, (size_t)(first - text.data));
    line->user = slice_of(first + 1, (size_t)(second - first) - 1);
    line->password = slice_of(second + 1, text.len - (size_t)(second - text.data) - 1);
    return utf8_valid(text);
}

static SECURITY_STATUS identity_fill(const struct line *line, struct slice domain, struct identity *identity)
{
    AUTO_IDENTITY struct identity filled = {.has_password = true};
    struct slice kept = line->domain.len > 0 || domain.data == NULL ? line->domain : domain;
    filled.user = mem_dup(line->user.data, line->user.len);
    filled.domain = mem_dup(kept.data, kept.len);
    char *password = mem_dup(line->password.data, line->password.len);
    bool done = filled.user != NULL && filled.domain != NULL && password != NULL &&
                utf16le_secret(&filled.password, password) == WIRE_OK;
    secret_free_text(password);
    require(done, SEC_E_INSUFFICIENT_MEMORY);
    *identity = filled;
    filled = (struct identity){0};
    return SEC_E_OK;
}

SECURITY_STATUS user_file_search(const char *name, struct slice text, struct slice user, struct slice domain,
                                 struct identity *identity)
{
    unsigned number = 0;
    while (text.len > 0) {
        const uint8_t *newline = memchr(text.data, '\n', text.len);
        struct slice whole = slice_of(text.data, newline != NULL ? (size_t)(newline - text.data) : text.len);
        text = slice_of(text.data + whole.len + (newline != NULL ? 1 : 0),
                        text.len - whole.len - (newline != NULL ? 1 : 0));
        number++;
        if (whole.len > 0 && whole.data[whole.len - 1] == '\r')
            whole.len--;
        if (whole.len == 0 || whole.data[0] == '#')
            continue;
        struct line line;
        require(line_parse(whole, &line),
                cause_set(SEC_E_INTERNAL_ERROR, "%s:%u: not DOMAIN:user:password in UTF-8", name, number));
        bool user_fits = user.data == NULL || utf8_equal_fold(line.user, user);
        bool domain_fits = domain.len == 0 || line.domain.len == 0 || utf8_equal_fold(line.domain, domain);
        if (user_fits && domain_fits)
            return identity_fill(&line, domain, identity);
    }
    return cause_set(SEC_E_NO_CREDENTIALS, "%s: no line fits", name);
}

/* A name as it is, in any domain; else the domain that it tells itself, "DOMAIN\user" or "user@domain". */
static SECURITY_STATUS name_search(const char *path, struct slice text, const char *name, struct identity *identity)
{
    const char *backslash = strchr(name, '\\'), *at = strrchr(name, '@');
    const char *delimiter = backslash != NULL ? backslash : at;
    SECURITY_STATUS status = user_file_search(path, text, slice_of_text(name), slice_of_text(""), identity);
    if (status != SEC_E_NO_CREDENTIALS || delimiter == NULL)
        return status;
    cause_drop();
    struct slice before = slice_of(name, (size_t)(delimiter - name)), behind = slice_of_text(delimiter + 1);
    return delimiter == backslash ? user_file_search(path, text, behind, before, identity)
                                  : user_file_search(path, text, before, behind, identity);
}

SECURITY_STATUS user_file_find(const char *path, const char *principal, const char *user, const char *domain,
                               struct identity *identity)
{
    AUTO_SECRET struct secret text = {0};
    bool has_domain = domain != NULL && *domain != '\0', has_principal = principal != NULL && *principal != '\0';
    require(path != NULL,
            cause_set(SEC_E_NO_CREDENTIALS,
                      "there are no default NTLM credentials: give an identity, or set user_file in [credentials]"));
    try(file_load(path, &text));
    if (user != NULL && !has_domain)
        return name_search(path, secret_slice(&text), user, identity);
    if (user == NULL && has_principal)
        return name_search(path, secret_slice(&text), principal, identity);
    return user_file_search(path, secret_slice(&text), slice_of_text(user), slice_of_text(domain), identity);
}
