/*
 * A loaded module and its packages, inside this folder.
 */
#ifndef OPENSSPI_FOREIGN_MODULE_H
#define OPENSSPI_FOREIGN_MODULE_H

#include "core/package.h"
#include <ntsecpkg.h>
#include <sspi_ext.h>
#include <sys/types.h>

#define FOREIGN_PACKAGES_MAX 16
#define FOREIGN_NAME_MAX 64
#define FOREIGN_COMMENT_MAX 256
#define FOREIGN_OID_MAX 64
#define FOREIGN_THUNKS_MAX 64
#define FOREIGN_TOKEN_MAX ((uint32_t)1 << 20) /* each step sets so much aside */

struct foreign_module;

struct foreign_package {
    struct package package; /* first: what the registry has is this */
    const struct foreign_module *module;
    char name[FOREIGN_NAME_MAX + 1], comment[FOREIGN_COMMENT_MAX + 1];
    SEC_WCHAR wide_name[FOREIGN_NAME_MAX + 1];
    uint8_t oid[FOREIGN_OID_MAX];
    /* Of a package written for Windows' LSA, else NULL: its two parts, the second of which may be missing, and the attributes that the first answers.
     * */
    const SECPKG_FUNCTION_TABLE *lsa;
    const SECPKG_USER_FUNCTION_TABLE *user;
    ULONG thunk[FOREIGN_THUNKS_MAX];
    unsigned n_thunks;
};

/* Never freed and never unloaded, also where it was refused. Of the two tables one is there; the members without strings are alike in both. */
struct foreign_module {
    struct foreign_module *next;
    char *path;
    dev_t device; /* which file it was when it was loaded */
    ino_t inode;
    void *
        library; /* dlopen's, which knows files by their names: for another file in this one's place it gives the same */
    bool started; /* its packages are described below; else it was refused, and may be started again */
    const SecurityFunctionTableW *wide;
    const SecurityFunctionTableA *narrow;
    struct foreign_package package[FOREIGN_PACKAGES_MAX];
    unsigned n_packages;
};

/* A member of the table that takes no strings, NULL where it is missing. */
#define FOREIGN_CALL(module, member) ((module)->wide != NULL ? (module)->wide->member : (module)->narrow->member)
ULONG foreign_version(const struct foreign_module *module);

/* Fills module->package from the table; every claim is checked. SEC_E_CANNOT_INSTALL with its cause. */
SECURITY_STATUS foreign_packages_read(struct foreign_module *module, OPENSSPI_PACKAGE_MECHANISM_FN mechanism);
/* The same from descriptions that are there already. */
SECURITY_STATUS foreign_infos_take(struct foreign_module *module, ULONG count, const SecPkgInfoW *infos,
                                   OPENSSPI_PACKAGE_MECHANISM_FN mechanism);
/* Do the packages' names and mechanisms stand for nobody else now: in the registry, of Negotiate's own, among each other? SEC_E_CANNOT_INSTALL with
 * its cause. */
SECURITY_STATUS foreign_names_check(const struct foreign_module *module);
/* The file's path, resolved (mem_free), when it is safe to load. */
SECURITY_STATUS foreign_path_check(const char *path, char **real);

extern const struct package_authority foreign_authority;
extern const struct package_session foreign_session;

#endif
