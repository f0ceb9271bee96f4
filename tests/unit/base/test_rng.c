/* test_rng.c - the counter-based generator against published words and simple counts. */
#include "base/rng.h"
#include "support/close.h"
#include "support/run.h"

static void expect(const uint32_t counter[4], const uint32_t key[2], const uint32_t want[4])
{
    uint32_t got[4];

    hr_philox(got, counter, key);
    for (int i = 0; i < 4; i++)
        ck_assert_msg(got[i] == want[i], "word %d: %08x, not %08x", i, got[i], want[i]);
}

/* Random123 1.14, tests/kat_vectors, philox4x32 10 */
START_TEST(philox_gives_the_published_words)
{
    expect((uint32_t[4]){ 0 }, (uint32_t[2]){ 0 },
           (uint32_t[4]){ 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 });
    expect((uint32_t[4]){ ~0u, ~0u, ~0u, ~0u }, (uint32_t[2]){ ~0u, ~0u },
           (uint32_t[4]){ 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd });
    /* digits of pi */
    expect((uint32_t[4]){ 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
           (uint32_t[2]){ 0xa4093822, 0x299f31d0 },
           (uint32_t[4]){ 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 });
}
END_TEST

START_TEST(draws_follow_the_documented_counter)
{
    hr_rng rng;
    uint32_t words[8];

    hr_rng_init(&rng, 0x1122334455667788u, HR_RNG_AUGMENT, 5, 6, 7);
    hr_philox(words, (uint32_t[4]){ 0, 3u << 24 | 5, 6, 7 },
              (uint32_t[2]){ 0x55667788, 0x11223344 });
    hr_philox(words + 4, (uint32_t[4]){ 1, 3u << 24 | 5, 6, 7 },
              (uint32_t[2]){ 0x55667788, 0x11223344 });
    for (int i = 0; i < 8; i++)
        ck_assert_uint_eq(hr_rng_u32(&rng), words[i]);
}
END_TEST

START_TEST(below_returns_every_value_about_equally_often)
{
    enum { N = 7, DRAWS = 70000 };
    int count[N] = { 0 };
    hr_rng rng;

    hr_rng_init(&rng, 3, HR_RNG_TEST, 0, 0, 0);
    for (int i = 0; i < DRAWS; i++)
        count[hr_rng_below(&rng, N)]++;
    /* binomial: sd = sqrt(70000 * 1/7 * 6/7) = 92.6; five of them */
    for (int i = 0; i < N; i++)
        ck_assert_int_le(count[i] > 10000 ? count[i] - 10000 : 10000 - count[i], 463);
    ck_assert_uint_eq(hr_rng_below(&rng, 1), 0);
}
END_TEST

START_TEST(uniform_and_normal_have_their_moments)
{
    enum { N = 100000 };
    double sum = 0, first = 0, second = 0;
    hr_rng rng;

    hr_rng_init(&rng, 4, HR_RNG_TEST, 0, 0, 0);
    for (int i = 0; i < N; i++) {
        double u = hr_rng_uniform(&rng);

        ck_assert(u >= 0 && u < 1);
        sum += u;
    }
    for (int i = 0; i < N; i++) {
        double x = hr_rng_normal(&rng);

        first += x;
        second += x * x;
    }
    ck_assert_double_eq_tol(sum / N, 0.5, 5 * 0.2887 / 316.2);  /* sd 1/sqrt(12) */
    ck_assert_double_eq_tol(first / N, 0, 5 / 316.2);           /* sd 1 */
    ck_assert_double_eq_tol(second / N, 1, 5 * 1.4142 / 316.2); /* sd of x^2: sqrt(2) */
}
END_TEST

START_TEST(a_permutation_has_every_number_once)
{
    enum { N = 1000 };
    int64_t p[N];
    bool seen[N] = { false };
    int still = 0;
    hr_rng rng;

    hr_rng_init(&rng, 5, HR_RNG_ORDER, 0, 2, 0);
    hr_rng_permutation(&rng, p, N);
    for (int i = 0; i < N; i++) {
        ck_assert(p[i] >= 0 && p[i] < N && !seen[p[i]]);
        seen[p[i]] = true;
        still += p[i] == i;
    }
    ck_assert_int_lt(still, 10); /* expected 1 */
}
END_TEST

HR_TESTS("rng", philox_gives_the_published_words, draws_follow_the_documented_counter,
         below_returns_every_value_about_equally_often, uniform_and_normal_have_their_moments,
         a_permutation_has_every_number_once)
