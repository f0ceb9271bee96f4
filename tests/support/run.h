/* run.h - main() of a test program: one suite, TAP output (environment: tests/meson.build).
 *
 *     HR_TESTS("rng", philox_gives_the_published_words, below_is_even)
 *
 * or, with loop tests or several test cases, HR_TEST_MAIN(make_suite) with Suite *make_suite(void).
 */
#ifndef HR_TEST_RUN_H
#define HR_TEST_RUN_H

#include <check.h>
#include <stddef.h>

static inline int hr_test_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

static inline Suite *hr_test_suite(const char *name, const TTest *const *test, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *cases = tcase_create(name);

    for (size_t i = 0; i < count; i++)
        tcase_add_test(cases, test[i]);
    suite_add_tcase(suite, cases);
    return suite;
}

#define HR_TEST_MAIN(make_suite)                                                                   \
    int main(void)                                                                                 \
    {                                                                                              \
        return hr_test_run(make_suite());                                                          \
    }

#define HR_TESTS(name, ...)                                                                        \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const test[] = { __VA_ARGS__ };                                               \
                                                                                                   \
        return hr_test_run(hr_test_suite(name, test, sizeof test / sizeof *test));                 \
    }

#endif
