#ifndef OPENSSPI_KERBEROS_PACKAGE_H
#define OPENSSPI_KERBEROS_PACKAGE_H

#include "core/package.h"

extern const struct package kerberos_package;

#endif
