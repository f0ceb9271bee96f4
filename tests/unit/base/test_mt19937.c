/* test_mt19937.c - the Mersenne Twister gives the numbers of the C++ standard. */
#include "base/mt19937.h"
#include "support/run.h"

START_TEST(the_standard_seed_gives_the_standard_numbers)
{
    hr_mt19937 mt;
    uint32_t last = 0;

    hr_mt19937_init(&mt, 5489);
    ck_assert_uint_eq(hr_mt19937_u32(&mt), 3499211612u);
    for (int i = 2; i <= 10000; i++)
        last = hr_mt19937_u32(&mt);
    ck_assert_uint_eq(last, 4123659995u);
}
END_TEST

HR_TESTS("mt19937", the_standard_seed_gives_the_standard_numbers)
