/* test_masks.c - the masks that an iBOT run draws for its student: their
 * number, size, shape and independence. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "small_methods.h"
#include "support/run.h"
#include "train/trainer.h"

enum { IBOT = 5 };

enum { GRID = 14, PATCHES = GRID * GRID, STEPS = 500, DRAWS = STEPS * SMALL_BATCH };

typedef struct masks {
    int64_t masked[2], both;    /* masked views of each kind; images with both views masked */
    int64_t again;              /* views masked in two successive steps */
    int64_t equal;              /* equal masks of two views or of two images */
    double count[2], square[2]; /* sums over masked views of the masked patches and their square */
    double product;     /* sum over images with both views masked of the product of deviations */
    double least, most; /* masked patches of a masked view */
} masks;

static double masked_patches(const uint8_t *mask)
{
    int64_t n = 0;

    for (int i = 0; i < PATCHES; i++)
        n += mask[i];
    return (double)n;
}

static void add_image(masks *m, double before[2], const uint8_t *const *mask, int64_t at)
{
    double n[2];

    for (int v = 0; v < 2; v++) {
        n[v] = masked_patches(mask[v] + at * PATCHES);
        m->again += n[v] > 0 && before[v] > 0;
        before[v] = n[v];
        if (n[v] <= 0)
            continue;
        m->masked[v]++;
        m->count[v] += n[v];
        m->square[v] += n[v] * n[v];
        m->least = fmin(m->least, n[v]);
        m->most = fmax(m->most, n[v]);
        m->equal += at && !memcmp(mask[v] + at * PATCHES, mask[v] + (at - 1) * PATCHES, PATCHES);
    }
    if (n[0] > 0 && n[1] > 0) {
        m->both++;
        m->equal += !memcmp(mask[0] + at * PATCHES, mask[1] + at * PATCHES, PATCHES);
        m->product += (n[0] - 57.4536) * (n[1] - 57.4536);
    }
}

/* statistics of the masks of the same 16 images in 500 steps of iBOT with 14 x 14 patches */
static masks draw_masks(void)
{
    static const small_pair own[] = { { "epochs", "2" },
                                      { "hirl", "0" },
                                      { "vit_depth", "1" },
                                      { "image_size", "56" },
                                      { NULL, NULL } };
    const small_pair *const over[] = { small_method[IBOT], own, NULL };
    double before[SMALL_BATCH][2] = { 0 };
    int64_t image[SMALL_BATCH];
    hr_batch batch = { .n = SMALL_BATCH, .image = image };
    masks m = { .least = PATCHES };
    small_trainer t;

    for (int i = 0; i < SMALL_BATCH; i++)
        image[i] = 3 * i;
    small_trainer_open(&t, 1, over);
    for (int s = 0; s < STEPS; s++) {
        hr_step_input in = hr_trainer_input(t.trainer, &batch, s);

        ck_assert_int_eq(in.globals, 2);
        for (int v = 2; v < in.views; v++)
            ck_assert_ptr_null(in.mask[v]);
        for (int i = 0; i < SMALL_BATCH; i++)
            add_image(&m, before[i], in.mask, i);
    }
    small_trainer_close(&t);
    return m;
}

/* checks that count / of is within six standard errors of p */
static void expect_share(int64_t count, int64_t of, double p, const char *what)
{
    double share = (double)count / (double)of;

    ck_assert_msg(fabs(share - p) <= 6 * sqrt(p * (1 - p) / (double)of), "%s: %g, expected %g",
                  what, share, p);
}

/* Each of the two global views is masked with probability 1/2, independently, in 10 to 50 % of its
 * 196 patches (Zhou et al. 2022, iBOT), on average 57.4536 (tests/golden/mask.py). The share is
 * uniform in [0.1, 0.5], so the standard deviation is 0.4 * 196 / sqrt(12) = 22.6. */
START_TEST(half_of_the_global_views_are_masked_independently)
{
    masks m = draw_masks();

    for (int v = 0; v < 2; v++) {
        double n = (double)m.masked[v], mean = m.count[v] / n;
        double deviation = sqrt(m.square[v] / n - mean * mean);

        expect_share(m.masked[v], DRAWS, 0.5, v ? "masked views 1" : "masked views 0");
        ck_assert_msg(fabs(mean - 57.4536) <= 6 * deviation / sqrt(n), "view %d: %g patches", v,
                      mean);
        ck_assert_msg(fabs(deviation - 22.6) < 1, "view %d: deviation %g", v, deviation);
    }
    ck_assert_double_gt(m.most, 95);
    ck_assert_double_le(m.most, 98);
    ck_assert_double_lt(m.least, 21);
    expect_share(m.both, DRAWS, 0.25, "both views masked");
    expect_share(m.again, (STEPS - 1) * 2 * SMALL_BATCH, 0.25, "a view masked in two steps");
    ck_assert_int_eq(m.equal, 0);
    /* a mean of products of independent numbers with standard deviation 22.6 */
    ck_assert_double_le(fabs(m.product / (double)m.both), 6 * 22.6 * 22.6 / sqrt((double)m.both));
}
END_TEST

/* share of the masked patches without a masked neighbour, over the masks of 8 steps */
static double share_alone(const char *shape)
{
    const small_pair own[] = { { "epochs", "2" },       { "hirl", "0" },
                               { "vit_depth", "1" },    { "image_size", "56" },
                               { "mask_shape", shape }, { NULL, NULL } };
    const small_pair *const over[] = { small_method[IBOT], own, NULL };
    int64_t image[SMALL_BATCH] = { 0 };
    hr_batch batch = { .n = SMALL_BATCH, .image = image };
    int64_t alone = 0, all = 0;
    small_trainer t;

    for (int i = 0; i < SMALL_BATCH; i++)
        image[i] = i;
    small_trainer_open(&t, 1, over);
    for (int s = 0; s < 8; s++) {
        hr_step_input in = hr_trainer_input(t.trainer, &batch, s);

        for (int64_t i = 0; i < SMALL_BATCH * PATCHES; i++) {
            int64_t y = i % PATCHES / GRID, x = i % GRID;
            const uint8_t *p = in.mask[0] + i;

            if (!*p)
                continue;
            all++;
            alone += !((y && p[-GRID]) || (y < GRID - 1 && p[GRID]) || (x && p[-1]) ||
                       (x < GRID - 1 && p[1]));
        }
    }
    small_trainer_close(&t);
    ck_assert_int_gt(all, 1000);
    return (double)alone / (double)all;
}

/* With a share p masked, (1 - p)^4 of scattered patches have no masked neighbour: about a quarter.
 * Blocks have at least 16 patches. */
START_TEST(masks_are_blocks_or_scattered_patches)
{
    ck_assert_double_lt(share_alone("block"), 0.03);
    ck_assert_double_gt(share_alone("random"), 0.1);
}
END_TEST

HR_TESTS("masks", half_of_the_global_views_are_masked_independently,
         masks_are_blocks_or_scattered_patches)
