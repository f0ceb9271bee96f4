/* test_labels.c - five minutes of training with labels on two cores learn the generated images. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "small_network.h"
#include "support/close.h"
#include "support/run.h"

enum { SECONDS = 2 * 300, EPOCHS = 40 };

/* processor time, so that the load of the machine does not change the number of steps */
static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* random crops of at least 60 % of the area, and flips */
static hr_loader *open_shuffled(small_network *s)
{
    static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    hr_loader_config config = { .batch = SMALL_BATCH, .threads = 1, .shuffled = true, .views = 1 };
    hr_loader *loader = NULL;

    hr_view_recipe(&config.view[0], HR_RECIPE_MOCOV2, SMALL_SIDE, mean, std);
    config.view[0].scale_low = 0.6;
    config.view[0].jitter_p = config.view[0].gray_p = config.view[0].blur_p = 0;
    hr_assert_ok(hr_loader_create(&loader, s->train, &config));
    return loader;
}

static void train(small_network *s)
{
    hr_loader *loader = open_shuffled(s);
    int64_t steps = EPOCHS * hr_loader_steps(loader);
    double start = seconds(), done = 0;

    for (int64_t i = 0; done < 1; i++) {
        const hr_batch *batch = NULL;
        double warm = fmin(done / 0.1, 1), rate = 0.15 * warm * 0.5 * (1 + cos(3.14159265 * done));

        hr_assert_ok(hr_loader_next(&batch, loader));
        ck_assert(isfinite(small_network_step(s, batch, rate)));
        done = fmax((seconds() - start) / SECONDS, (double)(i + 1) / (double)steps);
    }
    hr_loader_destroy(loader);
}

START_TEST(five_minutes_of_training_with_labels_find_the_fine_class)
{
    int32_t *label;
    float *score;
    int right = 0;
    small_network s;

    small_network_open(&s);
    train(&s);
    score = small_network_embed(&s, HR_LAYER_Z0, s.test, &label);
    for (int64_t i = 0; i < s.test->count; i++) {
        const float *row = score + i * SMALL_CLASSES;
        int best = 0;

        for (int c = 1; c < SMALL_CLASSES; c++)
            best = row[c] > row[best] ? c : best;
        right += best == label[i];
    }
    ck_assert_msg(right >= 0.8 * (double)s.test->count, "%d of %lld fine classes are found", right,
                  (long long)s.test->count);
    printf("# %d of %lld fine classes are found\n", right, (long long)s.test->count);
    hr_free(score);
    hr_free(label);
    small_network_close(&s);
}
END_TEST

HR_TESTS("labels", five_minutes_of_training_with_labels_find_the_fine_class)
