/* test_loader.c - the batch of (seed, epoch, step), for any threads and any first batch. */
#include "data/loader.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "support/close.h"
#include "support/run.h"

enum { COUNT = 50, SIDE = 8, BATCH = 8, STEPS = COUNT / BATCH };

/* 50 images of one gray value each. Those marked in `broken` cannot be read. */
typedef struct host {
    uint8_t pixels[COUNT][SIDE * SIDE];
    bool broken[COUNT];
} host;

static host images;
static hirl_context *context;
static hirl_dataset *dataset;

static int32_t hand_over(hirl_image *image, int64_t index, void *user)
{
    host *h = user;

    if (h->broken[index]) {
        image->value = -7;
        return HIRL_IMAGE_NEVER;
    }
    image->pixels = h->pixels[index];
    image->width = image->height = SIDE;
    image->channels = 1;
    return 0;
}

static void open_set(void)
{
    memset(&images, 0, sizeof images);
    for (int i = 0; i < COUNT; i++)
        memset(images.pixels[i], 4 * i, SIDE * SIDE);
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(
        hirl_dataset_from_callback(&dataset, context, hand_over, &images, NULL, COUNT, NULL, NULL));
}

static void close_set(void)
{
    hr_dataset_drop(dataset);
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

static hr_loader_config plain(int threads, bool shuffled)
{
    static const float mean[3] = { 0.5f, 0.5f, 0.5f }, std[3] = { 0.25f, 0.25f, 0.25f };
    hr_loader_config config = { .batch = BATCH,
                                .threads = threads,
                                .seed = 11,
                                .shuffled = shuffled,
                                .on_bad = shuffled ? HR_BAD_ROW_REPLACE : HR_BAD_ROW_BLANK,
                                .max_bad = 1,
                                .views = 2 };

    hr_view_recipe(&config.view[0], HR_RECIPE_MOCOV2, 6, mean, std);
    hr_view_evaluation(&config.view[1], SIDE, HR_BILINEAR, mean, std);
    return config;
}

static uint32_t sum_of(const hr_batch *batch)
{
    uLong crc = crc32(0, (const Bytef *)batch->image, (uInt)(batch->n * sizeof *batch->image));

    crc = crc32(crc, batch->readable, (uInt)batch->n);
    crc = crc32(crc, (const Bytef *)batch->view[0], (uInt)(batch->n * 6 * 6 * 3 * sizeof(float)));
    crc = crc32(crc, (const Bytef *)batch->view[1],
                (uInt)(batch->n * SIDE * SIDE * 3 * sizeof(float)));
    return (uint32_t)crc;
}

/* three epochs */
static void run(uint32_t *sum, int threads)
{
    hr_loader_config config = plain(threads, true);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;

    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    ck_assert_int_eq(hr_loader_steps(loader), STEPS);
    for (int i = 0; i < 3 * STEPS; i++) {
        hr_assert_ok(hr_loader_next(&batch, loader));
        ck_assert_int_eq(batch->epoch, i / STEPS);
        ck_assert_int_eq(batch->step, i % STEPS);
        sum[i] = sum_of(batch);
    }
    hr_loader_destroy(loader);
}

START_TEST(batches_do_not_depend_on_threads)
{
    uint32_t want[3 * STEPS], got[3 * STEPS];

    open_set();
    run(want, 0);
    for (int threads = 1; threads <= 4; threads++) {
        run(got, threads);
        ck_assert_mem_eq(got, want, sizeof want);
    }
    close_set();
}
END_TEST

/* image 5 has the gray value 20: (20 / 255 - 0.5) / 0.25 */
START_TEST(the_order_is_the_keyed_permutation_and_views_are_of_its_images)
{
    hr_loader_config config = plain(2, true);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;
    int64_t order[COUNT];
    hr_rng rng;

    open_set();
    hr_rng_init(&rng, 11, HR_RNG_ORDER, 0, 3, 0);
    hr_rng_permutation(&rng, order, COUNT);
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    hr_assert_ok(hr_loader_seek(loader, 3, 2));
    hr_assert_ok(hr_loader_next(&batch, loader));
    for (int i = 0; i < BATCH; i++) {
        float grey = ((float)(4 * order[2 * BATCH + i]) / 255 - 0.5f) / 0.25f;

        ck_assert_int_eq(batch->image[i], order[2 * BATCH + i]);
        hr_assert_close(&batch->view[1][i * SIDE * SIDE * 3 + 31], &grey, 1, 1e-5, 0);
    }
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

START_TEST(seeking_gives_the_batches_of_a_whole_run)
{
    static const int at[] = { 7, 0, 17, 16, 3 };
    uint32_t want[3 * STEPS];
    hr_loader_config config = plain(3, true);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;

    open_set();
    run(want, 0);
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        hr_assert_ok(hr_loader_seek(loader, at[i] / STEPS, at[i] % STEPS));
        hr_assert_ok(hr_loader_next(&batch, loader));
        ck_assert_uint_eq(sum_of(batch), want[at[i]]);
        hr_assert_ok(hr_loader_next(&batch, loader));
        if (at[i] + 1 < 3 * STEPS)
            ck_assert_uint_eq(sum_of(batch), want[at[i] + 1]);
    }
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

START_TEST(in_order_the_last_batch_is_short_and_then_it_is_done)
{
    for (int threads = 0; threads < 3; threads++) {
        hr_loader_config config = plain(threads, false);
        hr_loader *loader = NULL;
        const hr_batch *batch = NULL;
        int64_t next = 0;

        open_set();
        hr_assert_ok(hr_loader_create(&loader, dataset, &config));
        ck_assert_int_eq(hr_loader_steps(loader), 7);
        for (int s = 0; s < 7; s++) {
            hr_assert_ok(hr_loader_next(&batch, loader));
            ck_assert_int_eq(batch->n, s < 6 ? 8 : 2);
            for (int i = 0; i < batch->n; i++)
                ck_assert_int_eq(batch->image[i], next++);
        }
        ck_assert_int_eq(hr_loader_next(&batch, loader), HIRL_DONE);
        hr_assert_ok(hr_loader_seek(loader, 0, 1));
        hr_assert_ok(hr_loader_next(&batch, loader));
        ck_assert_int_eq(batch->image[0], 8);
        hr_loader_destroy(loader);
        close_set();
    }
}
END_TEST

/* ---- unreadable images ---- */

/* Computes the images of a batch from the definition, without the loader. */
static void expect_images(int64_t want[BATCH], int epoch, int step)
{
    int64_t order[COUNT];
    hr_rng rng;
    int at = (step + 1) * BATCH;

    hr_rng_init(&rng, 11, HR_RNG_ORDER, 0, (uint32_t)epoch, 0);
    hr_rng_permutation(&rng, order, COUNT);
    for (int i = 0; i < BATCH; i++) {
        want[i] = order[step * BATCH + i];
        while (images.broken[want[i]])
            want[i] = order[at++ % COUNT];
    }
}

START_TEST(unreadable_images_are_replaced_by_the_next_of_the_order)
{
    for (int threads = 0; threads < 4; threads++)
        for (int known = 0; known < 2; known++) {
            hr_loader_config config = plain(threads, true);
            hr_loader *loader = NULL;
            const hr_batch *batch = NULL;
            int64_t want[BATCH];

            open_set();
            for (int i = 0; i < COUNT; i += 3) {
                images.broken[i] = true;
                if (known)
                    ck_assert(hr_dataset_mark(dataset, i));
            }
            hr_assert_ok(hr_loader_create(&loader, dataset, &config));
            for (int i = 0; i < 2 * STEPS; i++) {
                hr_assert_ok(hr_loader_next(&batch, loader));
                expect_images(want, i / STEPS, i % STEPS);
                ck_assert_mem_eq(batch->image, want, sizeof want);
                for (int k = 0; k < BATCH; k++)
                    ck_assert_int_eq(batch->readable[k], 1);
            }
            hr_loader_destroy(loader);
            ck_assert_int_eq(dataset->bad, 17);
            close_set();
        }
}
END_TEST

START_TEST(images_are_marked_when_their_batch_is_handed_over)
{
    hr_loader_config config = plain(3, true);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;
    int64_t order[COUNT];
    hr_rng rng;

    open_set();
    hr_rng_init(&rng, 11, HR_RNG_ORDER, 0, 0, 0);
    hr_rng_permutation(&rng, order, COUNT);
    images.broken[order[2]] = images.broken[order[BATCH + 5]] = true;
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    hr_assert_ok(hr_loader_next(&batch, loader));
    ck_assert_int_eq(dataset->bad, 1);
    ck_assert(hr_dataset_marked(dataset, order[2]));
    hr_assert_ok(hr_loader_next(&batch, loader));
    ck_assert_int_eq(dataset->bad, 2);
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

START_TEST(in_order_unreadable_rows_are_zero)
{
    hr_loader_config config = plain(2, false);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;
    float zero[SIDE * SIDE * 3] = { 0 };

    open_set();
    images.broken[3] = true;
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    hr_assert_ok(hr_loader_next(&batch, loader));
    ck_assert_int_eq(batch->readable[2], 1);
    ck_assert_int_eq(batch->readable[3], 0);
    ck_assert_int_eq(batch->image[3], 3);
    ck_assert_mem_eq(batch->view[1] + 3 * SIDE * SIDE * 3, zero, sizeof zero);
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

START_TEST(a_shuffled_sample_keeps_the_rows_of_unreadable_images_blank)
{
    hr_loader_config config = plain(2, true);
    hr_loader *loader = NULL;
    const hr_batch *batch;
    int blank = 0;

    open_set();
    config.batch = COUNT; /* no image is left to replace one */
    config.on_bad = HR_BAD_ROW_BLANK;
    images.broken[3] = true;
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    hr_assert_ok(hr_loader_next(&batch, loader));
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(batch->readable[i], batch->image[i] != 3);
        blank += batch->image[i] == 3;
    }
    ck_assert_int_eq(blank, 1);
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

START_TEST(more_than_max_bad_stops_with_share_and_file)
{
    for (int threads = 0; threads < 3; threads += 2) {
        hr_loader_config config = plain(threads, true);
        hr_loader *loader = NULL;
        const hr_batch *batch = NULL;
        hirl_status status = HIRL_OK;

        open_set();
        config.max_bad = 0.05;
        images.broken[4] = images.broken[20] = images.broken[30] = true; /* 3 of 50 = 6 % */
        hr_assert_ok(hr_loader_create(&loader, dataset, &config));
        for (int i = 0; i < 3 * STEPS && status >= 0; i++)
            status = hr_loader_next(&batch, loader);
        ck_assert_int_eq(status, HIRL_E_FORMAT);
        ck_assert_ptr_nonnull(strstr(hr_error_text(), "3 of 50 images (0.06 of all)"));
        ck_assert_ptr_nonnull(strstr(hr_error_text(), "0: the application cannot read the image"));
        ck_assert_int_eq(hr_loader_next(&batch, loader), HIRL_E_FORMAT); /* the failure persists */
        ck_assert_ptr_nonnull(strstr(hr_error_text(), "3 of 50 images (0.06 of all)"));
        hr_loader_destroy(loader);
        close_set();
    }
}
END_TEST

START_TEST(without_replacing_an_unreadable_image_stops_and_is_named)
{
    hr_loader_config config = plain(2, true);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;
    int64_t order[COUNT];
    char name[16];
    hr_rng rng;

    open_set();
    hr_rng_init(&rng, 11, HR_RNG_ORDER, 0, 0, 0);
    hr_rng_permutation(&rng, order, COUNT);
    images.broken[order[BATCH + 1]] = true;
    snprintf(name, sizeof name, "%d: ", (int)order[BATCH + 1]);
    config.on_bad = HR_BAD_ROW_FAIL;
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    hr_assert_ok(hr_loader_next(&batch, loader));
    hr_assert_fails(hr_loader_next(&batch, loader), HIRL_E_IO, name);
    ck_assert_int_eq(hr_error_callback(), -7);
    images.broken[order[BATCH + 1]] = false; /* repaired: the same call succeeds */
    hr_assert_ok(hr_loader_next(&batch, loader));
    ck_assert_int_eq(batch->step, 1);
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

START_TEST(when_all_are_unreadable_it_fails)
{
    hr_loader_config config = plain(2, true);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;

    open_set();
    memset(images.broken, 1, sizeof images.broken);
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    hr_assert_fails(hr_loader_next(&batch, loader), HIRL_E_FORMAT, "too few");
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

/* ---- ranks ---- */

typedef struct row {
    int64_t image;
    uint32_t pixels; /* checksum of its views */
} row;

static void copy_rows(row *to, const hr_batch *batch)
{
    for (int i = 0; i < batch->n; i++) {
        const float *first = batch->view[0] + i * 6 * 6 * 3;
        const float *second = batch->view[1] + i * SIDE * SIDE * 3;
        uLong crc = crc32(0, (const Bytef *)first, 6 * 6 * 3 * sizeof *first);

        ck_assert_int_eq(batch->readable[i], 1);
        crc = crc32(crc, (const Bytef *)second, SIDE * SIDE * 3 * sizeof *second);
        to[i] = (row){ batch->image[i], (uint32_t)crc };
    }
}

/* Puts what one rank gets of two epochs, and then of batch (1, 3), into its rows of the global
 * batches. The set is fresh: no image is known to be unreadable. */
static void read_rank(row to[2 * STEPS + 1][BATCH], int threads, bool broken, int rank, int ranks)
{
    hr_loader_config config = plain(threads, true);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;

    open_set();
    for (int i = 0; i < COUNT && broken; i += 3)
        images.broken[i] = true;
    config.batch = BATCH / ranks;
    config.rank = rank;
    config.ranks = ranks;
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    ck_assert_int_eq(hr_loader_steps(loader), STEPS);
    for (int s = 0; s <= 2 * STEPS; s++) {
        if (s == 2 * STEPS)
            hr_assert_ok(hr_loader_seek(loader, 1, 3));
        hr_assert_ok(hr_loader_next(&batch, loader));
        ck_assert_int_eq(batch->n, BATCH / ranks);
        copy_rows(to[s] + rank * (BATCH / ranks), batch);
    }
    hr_loader_destroy(loader);
    close_set();
}

START_TEST(ranks_share_the_batches_of_one_rank)
{
    static row want[2 * STEPS + 1][BATCH], got[2 * STEPS + 1][BATCH];
    int ranks = _i & 1 ? 4 : 2;
    bool broken = _i & 2;

    memset(want, 0, sizeof want);
    memset(got, 0, sizeof got);
    read_rank(want, 0, broken, 0, 1);
    for (int r = 0; r < ranks; r++)
        read_rank(got, r, broken, r, ranks);
    ck_assert_mem_eq(got, want, sizeof want);
    ck_assert_mem_eq(got[2 * STEPS], want[STEPS + 3], sizeof want[0]);
}
END_TEST

START_TEST(in_order_the_last_batch_may_have_no_image_for_a_rank)
{
    for (int threads = 0; threads < 3; threads++)
        for (int rank = 0; rank < 2; rank++) {
            hr_loader_config config = plain(threads, false);
            hr_loader *loader = NULL;
            const hr_batch *batch = NULL;

            open_set();
            config.batch = BATCH / 2;
            config.rank = rank;
            config.ranks = 2;
            hr_assert_ok(hr_loader_create(&loader, dataset, &config));
            ck_assert_int_eq(hr_loader_steps(loader), 7);
            for (int s = 0; s < 7; s++) {
                hr_assert_ok(hr_loader_next(&batch, loader));
                ck_assert_int_eq(batch->n, s < 6 ? 4 : rank ? 0 : 2);
                for (int i = 0; i < batch->n; i++)
                    ck_assert_int_eq(batch->image[i], s * 8 + rank * 4 + i);
            }
            ck_assert_int_eq(hr_loader_next(&batch, loader), HIRL_DONE);
            hr_loader_destroy(loader);
            close_set();
        }
}
END_TEST

START_TEST(a_rank_that_is_none_and_a_batch_of_all_ranks_above_the_set_are_refused)
{
    hr_loader_config config = plain(0, true);
    hr_loader *loader = NULL;

    open_set();
    config.rank = config.ranks = 2;
    hr_assert_fails(hr_loader_create(&loader, dataset, &config), HIRL_E_INVALID, "rank 2 of 2");
    config.rank = 1;
    config.batch = 26;
    hr_assert_fails(hr_loader_create(&loader, dataset, &config), HIRL_E_INVALID, "of 52 images");
    close_set();
}
END_TEST

/* ---- the rest ---- */

START_TEST(cancel_stops_the_wait_and_the_next_call_continues)
{
    uint32_t want[3 * STEPS];
    hr_loader_config config = plain(0, true);
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;

    open_set();
    run(want, 0);
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    hr_halt_obey(&(hr_halt){ .stop = &(hirl_stop){ 1 } });
    hr_assert_fails(hr_loader_next(&batch, loader), HIRL_E_CANCELED, "stopped");
    hr_halt_obey(NULL);
    for (int i = 0; i < 3; i++) {
        hr_assert_ok(hr_loader_next(&batch, loader));
        ck_assert_uint_eq(sum_of(batch), want[i]);
    }
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

START_TEST(a_batch_larger_than_the_set_is_refused)
{
    hr_loader_config config = plain(0, true);
    hr_loader *loader = NULL;

    open_set();
    config.batch = 51;
    hr_assert_fails(hr_loader_create(&loader, dataset, &config), HIRL_E_INVALID, "only 50");
    close_set();
}
END_TEST

START_TEST(batches_allocate_nothing_after_the_first)
{
    hr_loader_config config =
        plain(1, true); /* with two threads, one may read its first image late */
    hr_loader *loader = NULL;
    const hr_batch *batch = NULL;
    int64_t before;

    open_set();
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    for (int i = 0; i < 2 * STEPS; i++)
        hr_assert_ok(hr_loader_next(&batch, loader));
    before = hr_alloc_total();
    for (int i = 0; i < 3 * STEPS; i++)
        hr_assert_ok(hr_loader_next(&batch, loader));
    ck_assert_int_eq(hr_alloc_total(), before);
    hr_loader_destroy(loader);
    close_set();
}
END_TEST

static Suite *suite(void)
{
    const TTest *const test[] = {
        batches_do_not_depend_on_threads,
        the_order_is_the_keyed_permutation_and_views_are_of_its_images,
        seeking_gives_the_batches_of_a_whole_run,
        in_order_the_last_batch_is_short_and_then_it_is_done,
        unreadable_images_are_replaced_by_the_next_of_the_order,
        images_are_marked_when_their_batch_is_handed_over,
        in_order_unreadable_rows_are_zero,
        a_shuffled_sample_keeps_the_rows_of_unreadable_images_blank,
        more_than_max_bad_stops_with_share_and_file,
        without_replacing_an_unreadable_image_stops_and_is_named,
        when_all_are_unreadable_it_fails,
        in_order_the_last_batch_may_have_no_image_for_a_rank,
        a_rank_that_is_none_and_a_batch_of_all_ranks_above_the_set_are_refused,
        cancel_stops_the_wait_and_the_next_call_continues,
        a_batch_larger_than_the_set_is_refused,
        batches_allocate_nothing_after_the_first,
    };
    Suite *s = hr_test_suite("loader", test, sizeof test / sizeof *test);
    TCase *ranks = tcase_create("ranks");

    tcase_add_loop_test(ranks, ranks_share_the_batches_of_one_rank, 0, 4);
    suite_add_tcase(s, ranks);
    return s;
}

HR_TEST_MAIN(suite)
