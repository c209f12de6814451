#ifndef OPENSSPI_NTLM_PACKAGE_H
#define OPENSSPI_NTLM_PACKAGE_H

#include "core/package.h"

extern const struct package ntlm_package;

#endif
