/*
 * tests/support/failing/calls.h for a program that a test starts: loaded before the C library (LD_PRELOAD).
 */
#include "support/failing/calls.c"
