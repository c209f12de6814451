#include "foreign/module.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/registry.h"
#include "core/trace.h"
#include "foreign/foreign.h"
#include "foreign/splsa.h"
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

static pthread_mutex_t modules_lock = PTHREAD_MUTEX_INITIALIZER;
static struct foreign_module *modules; /* guarded by modules_lock */
static _Thread_local bool loading;     /* a module's start may call us: then nothing more is loaded */

/* Not guarded like other locks: a module's start, which runs under it, may fork. A child finds it free; the list is whole at any moment. */
static void child_free(void)
{
    pthread_mutex_init(&modules_lock, NULL);
}

__attribute__((constructor)) static void guard(void)
{
    (void)pthread_atfork(NULL, NULL, child_free);
}

ULONG foreign_version(const struct foreign_module *module)
{
    return module->wide != NULL ? module->wide->dwVersion : module->narrow->dwVersion;
}

/* A symbol of the module itself, not of a library that it stands on: a module may be linked with this very library. */
static void *own_symbol(void *library, const char *name)
{
    struct link_map *map;
    Dl_info info;
    void *symbol = dlsym(library, name);
    return symbol != NULL && dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && dladdr(symbol, &info) != 0 &&
                   info.dli_fbase == (void *)map->l_addr
               ? symbol
               : NULL;
}

/* What every package needs, so that nothing of it is left behind. */
#define TABLE_IS_USABLE(table, letter)                                                                          \
    ((table)->EnumerateSecurityPackages##letter != NULL && (table)->AcquireCredentialsHandle##letter != NULL && \
     (table)->FreeCredentialsHandle != NULL && (table)->DeleteSecurityContext != NULL &&                        \
     (table)->FreeContextBuffer != NULL &&                                                                      \
     ((table)->InitializeSecurityContext##letter != NULL || (table)->AcceptSecurityContext != NULL))

static SECURITY_STATUS table_find(struct foreign_module *module, void *library)
{
    INIT_SECURITY_INTERFACE_W start_w;
    INIT_SECURITY_INTERFACE_A start_a;
    SECURITY_STATUS bad = SEC_E_CANNOT_INSTALL;
    *(void **)&start_w = own_symbol(library, SECURITY_ENTRYPOINT_ANSIW);
    *(void **)&start_a = own_symbol(library, SECURITY_ENTRYPOINT_ANSIA);
    if (start_w != NULL)
        module->wide = start_w();
    if (module->wide == NULL && start_a != NULL)
        module->narrow = start_a();
    require(start_w != NULL || start_a != NULL,
            cause_set(bad, "%s: exports neither InitSecurityInterfaceW or A nor SpLsaModeInitialize", module->path));
    require(module->wide != NULL || module->narrow != NULL,
            cause_set(bad, "%s: InitSecurityInterface gave no table", module->path));
    ULONG version = foreign_version(module);
    require(version >= SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION &&
                version <= SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_5,
            cause_set(bad, "%s: a function table of version %u", module->path, (unsigned)version));
    require(module->wide != NULL ? TABLE_IS_USABLE(module->wide, W) : TABLE_IS_USABLE(module->narrow, A),
            cause_set(bad, "%s: its function table lacks what every package needs", module->path));
    return SEC_E_OK;
}

/* All of the packages or none. */
static SECURITY_STATUS packages_add(struct foreign_module *module)
{
    SECURITY_STATUS status = foreign_names_check(module);
    unsigned n_added = 0;
    while (status == SEC_E_OK && n_added < module->n_packages) {
        status = registry_add(&module->package[n_added].package);
        n_added += status == SEC_E_OK ? 1 : 0;
    }
    while (status != SEC_E_OK && n_added > 0) /* the registry is full */
        (void)registry_hide(&module->package[--n_added].package);
    return status;
}

/* Calls the module's start, which fills its packages. */
static SECURITY_STATUS module_start(struct foreign_module *module)
{
    OPENSSPI_PACKAGE_MECHANISM_FN mechanism;
    SpLsaModeInitializeFn lsa;
    SpUserModeInitializeFn user;
    void *library = module->library;
    *(void **)&mechanism = own_symbol(library, OPENSSPI_PACKAGE_MECHANISM_NAME);
    *(void **)&lsa = own_symbol(library, SECPKG_LSAMODEINIT_NAME);
    *(void **)&user = own_symbol(library, SECPKG_USERMODEINIT_NAME);
    /* SSPI's own table is preferred: it needs no interpreter. */
    if (lsa != NULL && own_symbol(library, SECURITY_ENTRYPOINT_ANSIW) == NULL &&
        own_symbol(library, SECURITY_ENTRYPOINT_ANSIA) == NULL)
        return splsa_open(module, lsa, user, mechanism);
    try(table_find(module, library));
    return foreign_packages_read(module, mechanism);
}

static bool is_file(const struct foreign_module *module, const struct stat *file)
{
    return module->device == file->st_dev && module->inode == file->st_ino;
}

/* Under the lock. The module that this file is, if it was loaded before. */
static struct foreign_module *module_find(const struct stat *file)
{
    struct foreign_module *module = modules;
    while (module != NULL && !is_file(module, file))
        module = module->next;
    return module;
}

static bool library_is_known(const void *library)
{
    const struct foreign_module *module = modules;
    while (module != NULL && module->library != library)
        module = module->next;
    return module != NULL;
}

/* Under the lock. A file that is not known yet, whose code is in the process from here on. */
static SECURITY_STATUS module_open(const char *real, const struct stat *file, struct foreign_module **opened)
{
    AUTO_FREE struct foreign_module *module = mem_zalloc(sizeof *module);
    AUTO_FREE char *path = mem_strdup(real);
    require(module != NULL && path != NULL, SEC_E_INSUFFICIENT_MEMORY);
    /* Never closed again: a module that was refused may have left threads or handlers behind. */
    module->library = dlopen(real, RTLD_NOW | RTLD_LOCAL);
    require(module->library != NULL, cause_set(SEC_E_CANNOT_INSTALL, "%.400s", dlerror()));
    require(!library_is_known(module->library),
            cause_set(SEC_E_CANNOT_INSTALL,
                      "%s: was replaced after it was loaded, and code is never unloaded: a new process has the new one",
                      real));
    module->path = STEAL(path);
    module->device = file->st_dev;
    module->inode = file->st_ino;
    module->next = modules;
    modules = module; /* kept from here on, so that the registry may point to it */
    *opened = STEAL(module);
    return SEC_E_OK;
}

/* Under the lock. What a start before it left, which failed, is gone. */
static SECURITY_STATUS module_begin(struct foreign_module *module)
{
    module->wide = NULL;
    module->narrow = NULL;
    module->n_packages = 0;
    memset(module->package, 0, sizeof module->package);
    try(module_start(module));
    module->started = true;
    return packages_add(module);
}

/* Under the lock. A module that has started is not started again. */
static SECURITY_STATUS load_locked(const char *real)
{
    struct stat file;
    require(stat(real, &file) == 0, cause_set(SEC_E_SECPKG_NOT_FOUND, "%s: is gone", real));
    struct foreign_module *module = module_find(&file);
    if (module == NULL)
        try(module_open(real, &file, &module));
    if (!module->started)
        return module_begin(module);
    bool listed = registry_find(module->package[0].name) == &module->package[0].package;
    return listed ? SEC_E_OK : packages_add(module);
}

SECURITY_STATUS foreign_load(const char *path)
{
    AUTO_FREE char *real = NULL;
    try(foreign_path_check(path, &real));
    require(!loading, cause_set(SEC_E_CANNOT_INSTALL, "%s: a module that starts cannot load another", real));
    pthread_mutex_lock(&modules_lock);
    loading = true;
    SECURITY_STATUS status = load_locked(real);
    loading = false;
    pthread_mutex_unlock(&modules_lock);
    TRACE("module", "%s: 0x%08x", real, (unsigned)status);
    return status;
}

SECURITY_STATUS foreign_unload(const char *path)
{
    SECURITY_STATUS status = SEC_E_SECPKG_NOT_FOUND;
    char real[PATH_MAX];
    const char *resolved = path[0] == '/' && realpath(path, real) != NULL ? real : path;
    struct stat file;
    bool exists = path[0] == '/' && stat(path, &file) == 0; /* a file that was moved is known, as it is to loading */
    require(!loading, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a module that starts cannot take away others"));
    pthread_mutex_lock(&modules_lock);
    for (const struct foreign_module *module = modules; module != NULL; module = module->next)
        if (strcmp(module->path, resolved) == 0 || strcmp(module->path, path) == 0 ||
            (exists && is_file(module, &file)))
            for (unsigned i = 0; i < module->n_packages; i++)
                if (registry_hide(&module->package[i].package) == SEC_E_OK)
                    status = SEC_E_OK;
    pthread_mutex_unlock(&modules_lock);
    return status == SEC_E_OK ? status : cause_set(status, "no module \"%.256s\" is loaded", path);
}
