#include "access/well_known.h"

#include "base/memory.h"
#include "base/utf16.h"

#define NT "NT AUTHORITY"
#define BUILTIN "BUILTIN"
#define GROUP SID_USE_WELL_KNOWN_GROUP
#define BUILTIN_ALIAS(type, letters, name, rid)                                    \
    {                                                                              \
        (letters), BUILTIN, (name), (type), SID_USE_ALIAS, 0, SID_OF(5, 32, (rid)) \
    }
#define OF_DOMAIN(type, letters, use, rid)           \
    {                                                \
        (letters), NULL, NULL, (type), (use), (rid), \
        {                                            \
            0                                        \
        }                                            \
    }
#define LABEL(type, letters, name, level)                                                   \
    {                                                                                       \
        (letters), "Mandatory Label", (name), (type), SID_USE_LABEL, 0, SID_OF(16, (level)) \
    }

static const struct well_known table[] = {
    {NULL, "", "NULL SID", 0, GROUP, 0, SID_OF(0, 0)},
    {"WD", "", "Everyone", 1, GROUP, 0, SID_OF(1, 0)},
    {NULL, "", "LOCAL", 2, GROUP, 0, SID_OF(2, 0)},
    {"CO", "", "CREATOR OWNER", 3, GROUP, 0, SID_OF(3, 0)},
    {"CG", "", "CREATOR GROUP", 4, GROUP, 0, SID_OF(3, 1)},
    {NULL, "", "CREATOR OWNER SERVER", 5, GROUP, 0, SID_OF(3, 2)},
    {NULL, "", "CREATOR GROUP SERVER", 6, GROUP, 0, SID_OF(3, 3)},
    {"OW", "", "OWNER RIGHTS", 71, GROUP, 0, SID_OF(3, 4)},
    {NULL, NT, "DIALUP", 8, GROUP, 0, SID_OF(5, 1)},
    {"NU", NT, "NETWORK", 9, GROUP, 0, SID_OF(5, 2)},
    {NULL, NT, "BATCH", 10, GROUP, 0, SID_OF(5, 3)},
    {"IU", NT, "INTERACTIVE", 11, GROUP, 0, SID_OF(5, 4)},
    {"SU", NT, "SERVICE", 12, GROUP, 0, SID_OF(5, 6)},
    {"AN", NT, "ANONYMOUS LOGON", 13, GROUP, 0, SID_OF(5, 7)},
    {NULL, NT, "PROXY", 14, GROUP, 0, SID_OF(5, 8)},
    {"ED", NT, "ENTERPRISE DOMAIN CONTROLLERS", 15, GROUP, 0, SID_OF(5, 9)},
    {"PS", NT, "SELF", 16, GROUP, 0, SID_OF(5, 10)},
    {"AU", NT, "Authenticated Users", 17, GROUP, 0, SID_OF(5, 11)},
    {"RC", NT, "RESTRICTED", 18, GROUP, 0, SID_OF(5, 12)},
    {NULL, NT, "TERMINAL SERVER USER", 19, GROUP, 0, SID_OF(5, 13)},
    {NULL, NT, "REMOTE INTERACTIVE LOGON", 20, GROUP, 0, SID_OF(5, 14)},
    {NULL, NT, "This Organization", 54, GROUP, 0, SID_OF(5, 15)},
    {NULL, NT, "IUSR", 63, GROUP, 0, SID_OF(5, 17)},
    {"SY", NT, "SYSTEM", 22, GROUP, 0, SID_OF(5, 18)},
    {"LS", NT, "LOCAL SERVICE", 23, GROUP, 0, SID_OF(5, 19)},
    {"NS", NT, "NETWORK SERVICE", 24, GROUP, 0, SID_OF(5, 20)},
    {"WR", NT, "WRITE RESTRICTED", 70, GROUP, 0, SID_OF(5, 33)},
    {NULL, NT, "NTLM Authentication", 51, GROUP, 0, SID_OF(5, 64, 10)},
    {NULL, NT, "SChannel Authentication", 53, GROUP, 0, SID_OF(5, 64, 14)},
    {NULL, NT, "Digest Authentication", 52, GROUP, 0, SID_OF(5, 64, 21)},
    {NULL, NT, "Other Organization", 55, GROUP, 0, SID_OF(5, 1000)},
    {NULL, BUILTIN, "BUILTIN", 25, SID_USE_DOMAIN, 0, SID_OF(5, 32)},
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
    BUILTIN_ALIAS(64, "CY", "Cryptographic Operators", 569),
    BUILTIN_ALIAS(76, "ER", "Event Log Readers", 573),
    BUILTIN_ALIAS(78, "CD", "Certificate Service DCOM Access", 574),
    BUILTIN_ALIAS(95, "RA", "RDS Remote Access Servers", 575),
    BUILTIN_ALIAS(96, "ES", "RDS Endpoint Servers", 576),
    BUILTIN_ALIAS(97, "MS", "RDS Management Servers", 577),
    BUILTIN_ALIAS(99, "HA", "Hyper-V Administrators", 578),
    BUILTIN_ALIAS(101, "AA", "Access Control Assistance Operators", 579),
    BUILTIN_ALIAS(102, "RM", "Remote Management Users", 580),
    {"UD", NT, "USER MODE DRIVERS", 98, GROUP, 0, SID_OF(5, 84, 0, 0, 0, 0, 0)},
    {"AC", "APPLICATION PACKAGE AUTHORITY", "ALL APPLICATION PACKAGES", 84, GROUP, 0, SID_OF(15, 2, 1)},
    LABEL(65, NULL, "Untrusted Mandatory Level", 0),
    LABEL(66, "LW", "Low Mandatory Level", 4096),
    LABEL(67, "ME", "Medium Mandatory Level", 8192),
    LABEL(79, "MP", "Medium Plus Mandatory Level", 8448),
    LABEL(68, "HI", "High Mandatory Level", 12288),
    LABEL(69, "SI", "System Mandatory Level", 16384),
    {"AS", "", "Authentication authority asserted identity", 103, GROUP, 0, SID_OF(18, 1)},
    {"SS", "", "Service asserted identity", 104, GROUP, 0, SID_OF(18, 2)},
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
