#include "access/well_known.h"

#include "base/memory.h"
#include "base/utf16.h"

#define NT "NT AUTHORITY"
#define BUILTIN "BUILTIN"
#define GROUP SID_USE_WELL_KNOWN_GROUP
#define BUILTIN_ALIAS(type, letters, name, rid)                                    \
    {                                                                              \
        (type), (letters), BUILTIN, (name), SID_USE_ALIAS, 0, SID_OF(5, 32, (rid)) \
    }
#define OF_DOMAIN(type, letters, use, rid)           \
    {                                                \
        (type), (letters), NULL, NULL, (use), (rid), \
        {                                            \
            0                                        \
        }                                            \
    }
#define LABEL(type, letters, name, level)                                                   \
    {                                                                                       \
        (type), (letters), "Mandatory Label", (name), SID_USE_LABEL, 0, SID_OF(16, (level)) \
    }

static const struct well_known table[] = {
    {0, NULL, "", "NULL SID", GROUP, 0, SID_OF(0, 0)},
    {1, "WD", "", "Everyone", GROUP, 0, SID_OF(1, 0)},
    {2, NULL, "", "LOCAL", GROUP, 0, SID_OF(2, 0)},
    {3, "CO", "", "CREATOR OWNER", GROUP, 0, SID_OF(3, 0)},
    {4, "CG", "", "CREATOR GROUP", GROUP, 0, SID_OF(3, 1)},
    {5, NULL, "", "CREATOR OWNER SERVER", GROUP, 0, SID_OF(3, 2)},
    {6, NULL, "", "CREATOR GROUP SERVER", GROUP, 0, SID_OF(3, 3)},
    {71, "OW", "", "OWNER RIGHTS", GROUP, 0, SID_OF(3, 4)},
    {8, NULL, NT, "DIALUP", GROUP, 0, SID_OF(5, 1)},
    {9, "NU", NT, "NETWORK", GROUP, 0, SID_OF(5, 2)},
    {10, NULL, NT, "BATCH", GROUP, 0, SID_OF(5, 3)},
    {11, "IU", NT, "INTERACTIVE", GROUP, 0, SID_OF(5, 4)},
    {12, "SU", NT, "SERVICE", GROUP, 0, SID_OF(5, 6)},
    {13, "AN", NT, "ANONYMOUS LOGON", GROUP, 0, SID_OF(5, 7)},
    {14, NULL, NT, "PROXY", GROUP, 0, SID_OF(5, 8)},
    {15, "ED", NT, "ENTERPRISE DOMAIN CONTROLLERS", GROUP, 0, SID_OF(5, 9)},
    {16, "PS", NT, "SELF", GROUP, 0, SID_OF(5, 10)},
    {17, "AU", NT, "Authenticated Users", GROUP, 0, SID_OF(5, 11)},
    {18, "RC", NT, "RESTRICTED", GROUP, 0, SID_OF(5, 12)},
    {19, NULL, NT, "TERMINAL SERVER USER", GROUP, 0, SID_OF(5, 13)},
    {20, NULL, NT, "REMOTE INTERACTIVE LOGON", GROUP, 0, SID_OF(5, 14)},
    {54, NULL, NT, "This Organization", GROUP, 0, SID_OF(5, 15)},
    {63, NULL, NT, "IUSR", GROUP, 0, SID_OF(5, 17)},
    {22, "SY", NT, "SYSTEM", GROUP, 0, SID_OF(5, 18)},
    {23, "LS", NT, "LOCAL SERVICE", GROUP, 0, SID_OF(5, 19)},
    {24, "NS", NT, "NETWORK SERVICE", GROUP, 0, SID_OF(5, 20)},
    {70, "WR", NT, "WRITE RESTRICTED", GROUP, 0, SID_OF(5, 33)},
    {51, NULL, NT, "NTLM Authentication", GROUP, 0, SID_OF(5, 64, 10)},
    {53, NULL, NT, "SChannel Authentication", GROUP, 0, SID_OF(5, 64, 14)},
    {52, NULL, NT, "Digest Authentication", GROUP, 0, SID_OF(5, 64, 21)},
    {55, NULL, NT, "Other Organization", GROUP, 0, SID_OF(5, 1000)},
    {25, NULL, BUILTIN, "BUILTIN", SID_USE_DOMAIN, 0, SID_OF(5, 32)},
    BUILTIN_ALIAS(26, "BA", "Administrators", 544),
    BUILTIN_ALIAS(27, "BU", "Users", 545),
    BUILTIN_ALIAS(28, "BG", "Guests", 546),
    BUILTIN_ALIAS(29, "PU", "Power Users", 547),
    BUILTIN_ALIAS(30, "AO", "Account Operators", 548),
    BUILTIN_ALIAS(31, "SO", "Server Operators", 549),
    BUILTIN_ALIAS(32, "PO", "Print Operators", 550),
    BUILTIN_ALIAS(33, "BO", "Backup Operators", 551),
    BUILTIN_ALIAS(34, "RE", "Replicator", 552),
    BUILTIN_ALIAS(35, "RU", "Pre-Windows 2000 Compatible Access", 554),
    BUILTIN_ALIAS(36, "RD", "Remote Desktop Users", 555),
    BUILTIN_ALIAS(37, "NO", "Network Configuration Operators", 556),
    BUILTIN_ALIAS(57, "MU", "Performance Monitor Users", 558),
    BUILTIN_ALIAS(58, "LU", "Performance Log Users", 559),
    BUILTIN_ALIAS(62, "IS", "IIS_IUSRS", 568),
    BUILTIN_ALIAS(-1, "CY", "Cryptographic Operators", 569),
    BUILTIN_ALIAS(-1, "ER", "Event Log Readers", 573),
    BUILTIN_ALIAS(-1, "CD", "Certificate Service DCOM Access", 574),
    LABEL(65, NULL, "Untrusted Mandatory Level", 0),
    LABEL(66, "LW", "Low Mandatory Level", 4096),
    LABEL(67, "ME", "Medium Mandatory Level", 8192),
    LABEL(79, "MP", "Medium Plus Mandatory Level", 8448),
    LABEL(68, "HI", "High Mandatory Level", 12288),
    LABEL(69, "SI", "System Mandatory Level", 16384),
    {103, "AS", "", "Authentication authority asserted identity", GROUP, 0, SID_OF(18, 1)},
    {104, "SS", "", "Service asserted identity", GROUP, 0, SID_OF(18, 2)},
    OF_DOMAIN(38, "LA", SID_USE_USER, 500),
    OF_DOMAIN(39, "LG", SID_USE_USER, 501),
    OF_DOMAIN(40, NULL, SID_USE_USER, 502),
    OF_DOMAIN(41, "DA", SID_USE_GROUP, 512),
    OF_DOMAIN(42, "DU", SID_USE_GROUP, 513),
    OF_DOMAIN(43, "DG", SID_USE_GROUP, 514),
    OF_DOMAIN(44, "DC", SID_USE_GROUP, 515),
    OF_DOMAIN(45, "DD", SID_USE_GROUP, 516),
    OF_DOMAIN(46, "CA", SID_USE_GROUP, 517),
    OF_DOMAIN(47, "SA", SID_USE_GROUP, 518),
    OF_DOMAIN(48, "EA", SID_USE_GROUP, 519),
    OF_DOMAIN(49, "PA", SID_USE_GROUP, 520),
    OF_DOMAIN(50, "RS", SID_USE_ALIAS, 553),
};

const struct well_known *well_known_of_type(int type)
{
    for (size_t i = 0; type >= 0 && i < COUNT_OF(table); i++)
        if (table[i].type == type)
            return &table[i];
    return NULL;
}

const struct well_known *well_known_of_letters(const char letters[2])
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].letters != NULL && table[i].letters[0] == letters[0] && table[i].letters[1] == letters[1])
            return &table[i];
    return NULL;
}

const struct well_known *well_known_of_sid(const struct sid *sid)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].rid == 0 && sid_equal(&table[i].sid, sid))
            return &table[i];
    return NULL;
}

const struct well_known *well_known_of_name(const char *domain, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].rid == 0 && text_equal_fold(table[i].name, name) &&
            (domain == NULL || *domain == '\0' || text_equal_fold(table[i].domain, domain)))
            return &table[i];
    return NULL;
}
