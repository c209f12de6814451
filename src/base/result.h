/*
 * The ground floor's verdict on bytes, and the two control-flow macros of the library.
 * From the package floor up a SECURITY_STATUS speaks.
 */
#ifndef OPENSSPI_BASE_RESULT_H
#define OPENSSPI_BASE_RESULT_H

enum wire_result {
    WIRE_OK = 0,
    WIRE_SHORT, /* the input ends before the structure does: more bytes may mend it */
    WIRE_BAD,   /* no continuation of this input can be right; also: out of memory or a limit passed */
};

#define MUST_USE __attribute__((warn_unused_result))

/* Both return from the calling function. `try` hands on whatever is not OK (0, in both result types);
 * `require` answers `otherwise` unless the condition holds. Early return is safe: cleanup is by attribute. */
#define try(expression)                                   \
    do {                                                  \
        __typeof__(expression) try_result = (expression); \
        if (try_result != 0)                              \
            return try_result;                            \
    } while (0)

#define require(condition, otherwise) \
    do {                              \
        if (!(condition))             \
            return (otherwise);       \
    } while (0)

#endif
