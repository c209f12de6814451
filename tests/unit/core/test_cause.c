/*
 * The cause of a thread's last failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include <pthread.h>
#include <string.h>

static SECURITY_STATUS fails(void)
{
    return cause_set(SEC_E_INVALID_TOKEN, "%s %d", "number", 7);
}

static void test_first_cause_stays(void **state)
{
    (void)state;
    cause_clear();
    assert_string_equal(cause_text(), "");
    assert_int_equal(fails(), SEC_E_INVALID_TOKEN);
    assert_string_equal(cause_text(), "number 7");
    assert_int_equal(cause_set(SEC_E_INTERNAL_ERROR, "further up"), SEC_E_INTERNAL_ERROR);
    assert_string_equal(cause_text(), "number 7"); /* the nearest one */
    cause_clear();
    assert_string_equal(cause_text(), "");
    assert_int_equal(cause_set(SEC_E_INTERNAL_ERROR, "another call"), SEC_E_INTERNAL_ERROR);
    assert_string_equal(cause_text(), "another call");
    cause_clear();
}

static void test_long(void **state)
{
    char text[2 * CAUSE_TEXT_MAX];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cause_clear();
    (void)cause_set(SEC_E_INTERNAL_ERROR, "%s", text);
    assert_int_equal(strlen(cause_text()), CAUSE_TEXT_MAX - 1);
    cause_clear();
}

/* Neither line ends nor what steers a terminal, also where it takes two or three bytes; always UTF-8. */
static void test_calm(void **state)
{
    (void)state;
    cause_clear();
    (void)cause_set(SEC_E_INTERNAL_ERROR, "%s", "a\nb\x1b[c\x7f\xc2\x9b \xe2\x80\xae \xe2\x81\xa9");
    assert_string_equal(cause_text(), "a?b?[c??? ??? ???");
    cause_clear();
    (void)cause_set(SEC_E_INTERNAL_ERROR, "%s",
                    "\xe2\x80\x8b \xef\xbb\xbf \xe1\xa0\x8e \xf0\x9d\x85\xb3"); /* U+200B, U+FEFF, U+180E, U+1D173 */
    assert_string_equal(cause_text(), "??? ??? ??? ????");
    cause_clear();
    (void)cause_set(SEC_E_INTERNAL_ERROR, "%s",
                    "gr\xc3\xbc\xc3\x9f \xe2\x80\x93 \xe2\x80 \xff"); /* as it is, but for what is cut or no UTF-8 */
    assert_string_equal(cause_text(), "gr\xc3\xbc\xc3\x9f \xe2\x80\x93 ?? ?");
    cause_clear();
}

static void *other_thread(void *argument)
{
    if (cause_text()[0] != '\0')
        return argument;
    (void)cause_set(SEC_E_INTERNAL_ERROR, "theirs");
    return strcmp(cause_text(), "theirs") == 0 ? NULL : argument;
}

static void test_each_thread_its_own(void **state)
{
    pthread_t thread;
    int anything;
    void *result = &anything;
    (void)state;
    cause_clear();
    (void)cause_set(SEC_E_INTERNAL_ERROR, "mine");
    assert_int_equal(pthread_create(&thread, NULL, other_thread, &anything), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    assert_string_equal(cause_text(), "mine");
    cause_clear();
}

/* A decoder without memory calls its input bad; whoever asked is told the truth, for as long as his call lasts. */
static void test_no_memory(void **state)
{
    (void)state;
    cause_clear();
    assert_int_equal(cause_answer(SEC_E_OK), SEC_E_OK);
    assert_int_equal(cause_answer(SEC_E_LOGON_DENIED), SEC_E_LOGON_DENIED);
    mem_fault_set(1, false);
    assert_null(mem_zalloc(1));
    mem_fault_set(0, false);
    assert_int_equal(fails(), SEC_E_INVALID_TOKEN);
    cause_drop();
    assert_int_equal(fails(), SEC_E_INVALID_TOKEN);
    assert_int_equal(cause_answer(SEC_E_OK), SEC_E_OK); /* it could do without */
    assert_int_equal(cause_answer(SEC_I_CONTINUE_NEEDED), SEC_I_CONTINUE_NEEDED);
    assert_string_equal(cause_text(), "number 7");
    assert_int_equal(cause_answer(SEC_E_INVALID_TOKEN), SEC_E_INSUFFICIENT_MEMORY);
    assert_string_equal(cause_text(), "there was no memory");
    cause_clear();
    assert_int_equal(cause_answer(SEC_E_INVALID_TOKEN), SEC_E_INVALID_TOKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_first_cause_stays), cmocka_unit_test(test_long),
                                       cmocka_unit_test(test_calm), cmocka_unit_test(test_each_thread_its_own),
                                       cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
