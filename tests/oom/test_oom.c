/* test_oom.c - the n-th allocation of a scenario fails, once or from then on.
 *
 * The call must return NOMEM with a message, or succeed if it does not need the allocation. It
 * leaks neither memory nor descriptors, leaves no partial files, and the same call on the same
 * objects succeeds when memory is available.
 */
#include "base/alloc.h"
#include "oom/world.h"
#include "support/run.h"

/* Runs a scenario whose allocation number `nth` fails (0: none), and all later ones if `forever`.
 * Returns the number of allocations. */
static int64_t run_failing(const scenario *s, int64_t nth, bool forever)
{
    int64_t outside = hr_alloc_live(), total;
    int descriptors;
    hirl_status status;
    static world w;

    hr_world_open(&w, s);
    descriptors = hr_test_descriptors();
    total = hr_alloc_total();
    hr_alloc_fail_at(nth, forever);
    status = s->act(&w);
    hr_alloc_fail_at(0, false);
    total = hr_alloc_total() - total;
    ck_assert_msg(status >= 0 || status == HIRL_E_NOMEM, "%s, n = %lld: status %d: %s", s->name,
                  (long long)nth, (int)status, hirl_error_message());
    if (status < 0) {
        ck_assert_msg(strstr(hirl_error_message(), "memory") != NULL, "%s, n = %lld: '%s'", s->name,
                      (long long)nth, hirl_error_message());
        status = s->act(&w);
        ck_assert_msg(status >= 0, "%s, n = %lld, repeated: %s", s->name, (long long)nth,
                      hirl_error_message());
    }
    if (s->check)
        s->check(&w);
    if (!w.small.trainer)
        ck_assert_msg(hr_test_descriptors() == descriptors, "%s, n = %lld: descriptors leak",
                      s->name, (long long)nth);
    hr_world_close(&w);
    ck_assert_msg(hr_alloc_live() == outside, "%s, n = %lld: %lld blocks leak", s->name,
                  (long long)nth, (long long)(hr_alloc_live() - outside));
    return total;
}

static const scenario_list *const list[] = { &hr_settings_scenarios, &hr_images_scenarios,
                                             &hr_models_scenarios, &hr_trees_scenarios,
                                             &hr_runs_scenarios };
enum { LISTS = sizeof list / sizeof *list };

static int scenario_count(void)
{
    int count = 0;

    for (int l = 0; l < LISTS; l++)
        count += list[l]->count;
    return count;
}

static const scenario *scenario_at(int i)
{
    int l = 0;

    while (i >= list[l]->count)
        i -= list[l++]->count;
    return &list[l]->scenario[i];
}

START_TEST(a_scenario_recovers_from_every_failing_allocation)
{
    const scenario *s = scenario_at(_i);
    int64_t count = run_failing(s, 0, false);
    int64_t tried = count < hr_oom_most ? count : hr_oom_most;

    ck_assert_int_gt(count, 0);
    for (int64_t i = 0; i < tried; i++) {
        int64_t nth = 1 + i * count / tried;

        run_failing(s, nth, false);
        run_failing(s, nth, true);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("oom");
    TCase *c = tcase_create("oom");

    tcase_set_timeout(c, 0);
    tcase_add_loop_test(c, a_scenario_recovers_from_every_failing_allocation, 0, scenario_count());
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
