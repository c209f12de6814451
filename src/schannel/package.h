/*
 * The TLS packages: one implementation under the three names that Windows gives it.
 */
#ifndef OPENSSPI_SCHANNEL_PACKAGE_H
#define OPENSSPI_SCHANNEL_PACKAGE_H

#include "core/package.h"

extern const struct package schannel_package, schannel_unified_package, schannel_default_package;

#endif
