#ifndef OPENSSPI_NEGOTIATE_PACKAGE_H
#define OPENSSPI_NEGOTIATE_PACKAGE_H

#include "core/package.h"

extern const struct package negotiate_package;

#endif
