/* test_memory.c - available memory, from files like those of Linux. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/memory.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

static char root[HR_TEST_PATH];

static void put(const char *name, const char *text)
{
    char path[HR_TEST_PATH];

    hr_test_path(path, root, name);
    hr_test_write(path, text, strlen(text));
}

static void open_root(void)
{
    static const char *const folder[] = { "proc",
                                          "sys",
                                          "sys/fs",
                                          "sys/fs/cgroup",
                                          "sys/fs/cgroup/jobs",
                                          "sys/fs/cgroup/jobs/job 7",
                                          "proc/self" };
    char path[HR_TEST_PATH];

    hr_test_folder(root);
    for (size_t i = 0; i < sizeof folder / sizeof *folder; i++) {
        hr_test_path(path, root, folder[i]);
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
}

START_TEST(the_machine_has_what_is_available_and_its_swap)
{
    open_root();
    ck_assert_int_eq(hr_memory_available_in(root), INT64_MAX); /* no file reports it */
    put("proc/meminfo", "MemTotal:       16000 kB\nMemFree:  1 kB\nMemAvailable:    3000 kB\n"
                        "SwapTotal:  9 kB\nSwapFree:          50 kB\n");
    ck_assert_int_eq(hr_memory_available_in(root), 1024 * 3050);
    hr_test_remove(root);
}
END_TEST

START_TEST(a_container_may_have_less)
{
    open_root();
    put("proc/meminfo", "MemTotal: 16000 kB\nMemAvailable: 3000 kB\n");
    put("sys/fs/cgroup/memory.max", "max\n");
    put("sys/fs/cgroup/memory.current", "700000\n");
    put("sys/fs/cgroup/memory.stat", "anon 1\nactive_file 7\ninactive_file 300\nslab 2\n");
    ck_assert_int_eq(hr_memory_available_in(root), 1024 * 3000);
    put("sys/fs/cgroup/memory.max", "1000000\n");
    ck_assert_int_eq(hr_memory_available_in(root), 1000000 - 700000 + 300);
    put("sys/fs/cgroup/memory.max", "600000\n");
    ck_assert_int_eq(hr_memory_available_in(root), 0);
    hr_test_remove(root);
}
END_TEST

/* as set by a batch system or `systemd-run -p MemoryMax=` */
START_TEST(a_group_within_groups_has_the_least_of_their_limits)
{
    open_root();
    put("proc/meminfo", "MemTotal: 16000 kB\nMemAvailable: 3000 kB\n");
    put("proc/self/cgroup", "1:name=old:/x\n0::/jobs/job 7\n");
    put("sys/fs/cgroup/jobs/job 7/memory.max", "max\n");
    put("sys/fs/cgroup/jobs/job 7/memory.current", "100000\n");
    ck_assert_int_eq(hr_memory_available_in(root), 1024 * 3000);
    put("sys/fs/cgroup/jobs/job 7/memory.max", "900000\n");
    ck_assert_int_eq(hr_memory_available_in(root), 800000);
    put("sys/fs/cgroup/jobs/memory.max", "500000\n");
    put("sys/fs/cgroup/jobs/memory.current", "300000\n");
    put("sys/fs/cgroup/jobs/memory.stat", "inactive_file 1000\n");
    ck_assert_int_eq(hr_memory_available_in(root), 201000);
    put("proc/self/cgroup", "0::/\n");
    ck_assert_int_eq(hr_memory_available_in(root), 1024 * 3000);
    hr_test_remove(root);
}
END_TEST

START_TEST(this_machine_reports_its_memory)
{
    ck_assert_int_gt(hr_memory_peak(), 1 << 20);
    ck_assert_int_gt(hr_memory_available(), 1 << 20);
    ck_assert_int_lt(hr_memory_available(), INT64_MAX);
}
END_TEST

/* No machine has so much memory, and some systems would grant it nevertheless. */
START_TEST(a_block_above_it_is_refused_with_both_numbers)
{
    ck_assert_ptr_null(hr_alloc((size_t)1 << 46));
    ck_assert_ptr_nonnull(strstr(hr_error_text(), "70368744177664 bytes were requested, "));
    ck_assert_ptr_nonnull(strstr(hr_error_text(), " are available"));
}
END_TEST

HR_TESTS("memory", the_machine_has_what_is_available_and_its_swap, a_container_may_have_less,
         a_group_within_groups_has_the_least_of_their_limits, this_machine_reports_its_memory,
         a_block_above_it_is_refused_with_both_numbers)
