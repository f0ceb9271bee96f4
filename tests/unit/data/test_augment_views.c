/* test_augment_views.c - whole views: the random choices equal those of a second program, and the
 * pixels of views and of the evaluation transform equal Pillow and torchvision
 * (tests/golden/augment.py). */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/half.h"
#include "context.h"
#include "data/augment.h"
#include "pictures.h"
#include "support/close.h"
#include "support/run.h"

/* (v / 255 - 0) / (1 / 255) restores the bytes */
/* recipes of the stored views besides MoCo v2's: HR_RECIPE_LINEAR is a crop and a flip, which they
 * contain */
enum { STORED = HR_RECIPES - 2 };

static const float none[3] = { 0, 0, 0 }, byte[3] = { 1 / 255.0f, 1 / 255.0f, 1 / 255.0f };
static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };

static hirl_context *context;
static hr_queue *queue;

static void open_queue(void)
{
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(hr_context_take_cpu_queue(&queue, context));
}

static void close_queue(void)
{
    hr_context_give_queue(queue);
    hr_context_drop(context);
}

static void augment(void *y, hr_dtype dtype, const uint8_t *picture, int64_t width, int64_t height,
                    const hr_augment_record *r)
{
    hr_array out = hr_array_4(y, dtype, 1, r->size, r->size, 3);
    hr_array pixels = { (void *)(uintptr_t)picture, HR_U8, 3, { height, width, 3, 1 } };

    queue->be->augment(queue, &out, &pixels, r);
}

/* Returns the bytes of a view normalised with `none` and `byte`. */
static uint8_t *bytes_of_view(const char *kind, int64_t width, int64_t height,
                              const hr_augment_record *r)
{
    int64_t n = 3 * (int64_t)r->size * r->size;
    uint8_t *picture = hr_picture(kind, width, height), *out = hr_alloc((size_t)n);
    real *y = hr_alloc_array((size_t)n, sizeof *y);

    augment(y, HR_REAL, picture, width, height, r);
    hr_assert_ok(queue->be->sync(queue));
    for (int64_t i = 0; i < n; i++)
        out[i] = (uint8_t)lrint((double)y[i]);
    hr_free(y);
    hr_free(picture);
    return out;
}

static void compare(const hr_print *print, const char *kind, int width, int height,
                    const hr_augment_record *r)
{
    uint8_t *got = bytes_of_view(kind, width, height, r);
    const char *differs = hr_print_differs(print, got, 3 * (int64_t)r->size * r->size);

    ck_assert_msg(!differs, "%s %dx%d to %d, box %d,%d %dx%d: got/want%s", kind, width, height,
                  r->size, r->left, r->top, r->width, r->height, differs);
    hr_free(got);
}

/* A line after "view": the arguments of hr_augment_draw and the expected record. */
typedef struct view_line {
    char kind[16];
    int width, height, recipe, size, epoch, image, view;
    unsigned long long seed;
    hr_augment_record record;
    hr_print print;
} view_line;

static int read_view(view_line *l, FILE *file)
{
    hr_augment_record *r = &l->record;
    int read = fscanf(file, "%15s %d %d %d %d %llu %d %d %d", l->kind, &l->width, &l->height,
                      &l->recipe, &l->size, &l->seed, &l->epoch, &l->image, &l->view);

    read += fscanf(file, "%d %d %d %d %d %d %d %d %d %f %f %f %f %d %f %d", &r->left, &r->top,
                   &r->width, &r->height, &r->flip, &r->order[0], &r->order[1], &r->order[2],
                   &r->order[3], &r->factor[0], &r->factor[1], &r->factor[2], &r->factor[3],
                   &r->gray, &r->sigma, &r->solarize);
    r->jitter = r->order[0] >= 0;
    return read == 25 && hr_print_read(&l->print, file);
}

static void expect_record(const hr_augment_record *got, const hr_augment_record *want, int line)
{
    ck_assert_msg(got->left == want->left && got->top == want->top && got->width == want->width &&
                      got->height == want->height,
                  "view %d: box %d,%d %dx%d, not %d,%d %dx%d", line, got->left, got->top,
                  got->width, got->height, want->left, want->top, want->width, want->height);
    ck_assert_int_eq(got->flip, want->flip);
    ck_assert_int_eq(got->gray, want->gray);
    ck_assert_int_eq(got->solarize, want->solarize);
    ck_assert_int_eq(got->jitter, want->jitter);
    ck_assert(fabsf(got->sigma - want->sigma) <= 2e-7f);
    for (int i = 0; got->jitter && i < 4; i++) {
        ck_assert_int_eq(got->order[i], want->order[i]);
        ck_assert(fabsf(got->factor[i] - want->factor[i]) <= 2e-7f);
    }
}

static void check_view(const view_line *l, int line)
{
    hr_augment_record r;
    hr_view view;

    hr_view_recipe(&view, (hr_recipe)l->recipe, l->size, none, byte);
    hr_augment_draw(&r, &view, l->width, l->height, l->seed, l->epoch, l->image, l->view);
    expect_record(&r, &l->record, line);
    r.sigma = l->record.sigma; /* the value that Pillow was given */
    memcpy(r.factor, l->record.factor, sizeof r.factor);
    compare(&l->print, l->kind, l->width, l->height, &r);
}

static void skip_line(FILE *file)
{
    int c;

    do
        c = fgetc(file);
    while (c != '\n' && c != EOF);
}

START_TEST(views_equal_pillow_and_the_second_program)
{
    FILE *file = hr_reference_open();
    int large = 0, mocov2 = 0, others = 0;
    char word[16];

    ck_assert_msg(file != NULL, "no augment.txt in HIRL_TEST_DATA");
    while (fscanf(file, "%15s", word) == 1) {
        view_line line = { 0 };

        if (strcmp(word, "view")) {
            skip_line(file);
            continue;
        }
        ck_assert(read_view(&line, file));
        check_view(&line, mocov2 + others);
        mocov2 += line.recipe == HR_RECIPE_MOCOV2;
        others += line.recipe != HR_RECIPE_MOCOV2;
        large += line.size > 200;
    }
    fclose(file);
    ck_assert_int_ge(mocov2, 50);
    ck_assert_int_ge(large, 10);
    ck_assert_int_eq(others, 7 * (STORED));
}
END_TEST

START_TEST(the_linear_recipe_only_crops_and_flips)
{
    int flipped = 0;
    hr_view view;

    hr_view_recipe(&view, HR_RECIPE_LINEAR, 32, none, byte);
    for (int image = 0; image < 200; image++) {
        hr_augment_record r;

        hr_augment_draw(&r, &view, 100, 80, 3, 1, image, 0);
        ck_assert(!r.jitter && !r.gray && !r.solarize && r.sigma == 0);
        ck_assert_int_eq(r.filter, HR_BILINEAR);
        /* 8 to 100 % of the area, up to rounding of the sides */
        ck_assert_int_ge(r.width * r.height, 100 * 80 * 7 / 100);
        flipped += r.flip != 0;
    }
    ck_assert_int_gt(flipped, 60);
    ck_assert_int_lt(flipped, 140);
}
END_TEST

/* Compares 50 views of each of the other recipes, with every operation as drawn. */
static int check_set(FILE *file)
{
    int width, height, recipe, size, image, n;
    unsigned long long seed;
    char kind[16];
    hr_view view;

    ck_assert_int_eq(fscanf(file, "%15s %d %d %d %d %llu %d %d", kind, &width, &height, &recipe,
                            &size, &seed, &image, &n),
                     8);
    hr_view_recipe(&view, (hr_recipe)recipe, size, none, byte);
    for (int epoch = 0; epoch < n; epoch++) {
        hr_print print = { 0 };
        hr_augment_record r;

        ck_assert_int_eq(fscanf(file, "%x", &print.crc), 1);
        hr_augment_draw(&r, &view, width, height, seed, epoch, image, recipe % 3);
        compare(&print, kind, width, height, &r);
    }
    return n;
}

START_TEST(fifty_views_of_each_recipe_equal_pillow)
{
    FILE *file = hr_reference_open();
    int views = 0;
    char word[16];

    ck_assert_msg(file != NULL, "no augment.txt in HIRL_TEST_DATA");
    while (fscanf(file, "%15s", word) == 1)
        if (strcmp(word, "set"))
            skip_line(file);
        else
            views += check_set(file);
    fclose(file);
    ck_assert_int_eq(views, 50 * (STORED));
}
END_TEST

START_TEST(evaluation_transform_equals_torchvision)
{
    FILE *file = hr_reference_open();
    int count = 0;
    char word[16];

    ck_assert_msg(file != NULL, "no augment.txt in HIRL_TEST_DATA");
    while (fscanf(file, "%15s", word) == 1) {
        int width, height, size, filter;
        hr_augment_record r;
        hr_print print;
        char kind[16];
        hr_view view;

        if (strcmp(word, "eval")) {
            skip_line(file);
            continue;
        }
        ck_assert_int_eq(fscanf(file, "%15s %d %d %d %d", kind, &width, &height, &size, &filter),
                         5);
        ck_assert(hr_print_read(&print, file));
        hr_view_evaluation(&view, size, filter, none, byte);
        hr_augment_draw(&r, &view, width, height, 1, 2, 3, 0);
        compare(&print, kind, width, height, &r);
        count++;
    }
    fclose(file);
    ck_assert_int_ge(count, 48);
}
END_TEST

static void whole(hr_augment_record *r, int32_t size)
{
    memset(r, 0, sizeof *r);
    r->width = r->height = r->size = size;
    r->filter = HR_BILINEAR;
    memcpy(r->mean, mean, sizeof mean);
    memcpy(r->std, std, sizeof std);
}

/* (51 / 255 - 0.485) / 0.229 = (0.2 - 0.485) / 0.229 = -1.244541, and so on by hand */
START_TEST(output_is_normalised_by_channel_and_flipped)
{
    static const uint8_t pixels[] = { 51, 102, 153, 255, 0, 51, /**/ 0, 0, 0, 255, 255, 255 };
    static const double want[] = {
        2.248908, -2.035714, -0.915556, -1.244541, -0.250000, 0.862222,
        2.248908, 2.428571,  2.640000,  -2.117904, -2.035714, -1.804444
    };
    hr_augment_record r;
    real y[12];

    whole(&r, 2);
    r.flip = 1;
    augment(y, HR_REAL, pixels, 2, 2, &r);
    hr_assert_ok(queue->be->sync(queue));
    hr_assert_close(y, want, 12, 2e-6, 0);
}
END_TEST

START_TEST(bf16_is_the_rounded_output)
{
    uint8_t *picture = hr_picture("photo", 40, 30);
    uint16_t narrow[3 * 16 * 16];
    real wide[3 * 16 * 16];
    hr_augment_record r;
    hr_view view;

    hr_view_recipe(&view, HR_RECIPE_MOCOV2, 16, mean, std);
    hr_augment_draw(&r, &view, 40, 30, 1, 2, 3, 0);
    augment(narrow, HR_BF16, picture, 40, 30, &r);
    augment(wide, HR_REAL, picture, 40, 30, &r);
    hr_assert_ok(queue->be->sync(queue));
    for (int i = 0; i < 3 * 16 * 16; i++)
        ck_assert_int_eq(narrow[i], hr_bf16_narrow((float)wide[i]));
    hr_free(picture);
}
END_TEST

/* images of different sizes, on several threads: as one by one */
START_TEST(a_batch_is_its_images_one_by_one)
{
    enum { IMAGES = 5, SIDE = 24, NUMBERS = 3 * SIDE * SIDE };
    static const int width[IMAGES] = { 60, 24, 90, 33, 48 },
                     height[IMAGES] = { 40, 50, 30, 33, 64 };
    static real want[IMAGES][NUMBERS], got[IMAGES][NUMBERS];
    hr_array y = hr_array_4(got, HR_REAL, IMAGES, SIDE, SIDE, 3), images[IMAGES];
    hr_augment_record records[IMAGES];
    hirl_context *several;
    hr_view view;
    hr_queue *q;

    hr_assert_ok(hr_context_create(&several, "cpu", 3));
    hr_assert_ok(hr_context_take_cpu_queue(&q, several));
    hr_view_recipe(&view, HR_RECIPE_DINO_SECOND, SIDE, mean, std);
    for (int i = 0; i < IMAGES; i++) {
        images[i] = (hr_array){
            hr_picture("photo", width[i], height[i]), HR_U8, 3, { height[i], width[i], 3, 1 }
        };
        hr_augment_draw(&records[i], &view, width[i], height[i], 1, 2, i, 0);
        augment(want[i], HR_REAL, images[i].data, width[i], height[i], &records[i]);
    }
    q->be->augment(q, &y, images, records);
    hr_assert_ok(q->be->sync(q));
    hr_assert_ok(queue->be->sync(queue));
    ck_assert_mem_eq(got, want, sizeof want);
    records[3].size = SIDE + 1;
    q->be->augment(q, &y, images, records);
    hr_assert_fails(q->be->sync(q), HIRL_E_INTERNAL, "size 25, output of side 24");
    for (int i = 0; i < IMAGES; i++)
        hr_free(images[i].data);
    hr_context_give_queue(q);
    hr_context_drop(several);
}
END_TEST

START_TEST(nothing_is_allocated_after_the_first_view)
{
    uint8_t *picture = hr_picture("photo", 200, 150);
    real *y = hr_alloc_array(3 * 96 * 96, sizeof *y);
    hr_view view;
    int64_t taken;

    hr_view_recipe(&view, HR_RECIPE_DINO_FIRST, 96, mean, std);
    for (int i = 0; i < 50; i++) {
        hr_augment_record r;

        hr_augment_draw(&r, &view, 200, 150, 1, 2, i, 0);
        augment(y, HR_REAL, picture, 200, 150, &r);
        if (!i)
            taken = hr_alloc_total();
    }
    ck_assert_int_eq(hr_alloc_total(), taken);
    hr_assert_ok(queue->be->sync(queue));
    hr_free(picture);
    hr_free(y);
}
END_TEST

START_TEST(a_box_outside_the_image_fails_the_queue)
{
    static const uint8_t pixels[12];
    hr_augment_record r;
    real y[12];

    whole(&r, 2);
    r.left = 1;
    augment(y, HR_REAL, pixels, 2, 2, &r);
    hr_assert_fails(queue->be->sync(queue), HIRL_E_INTERNAL, "box");
    hr_assert_ok(queue->be->sync(queue));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("augment_views");
    TCase *cases = tcase_create("augment_views");

    tcase_add_checked_fixture(cases, open_queue, close_queue);
    tcase_add_test(cases, views_equal_pillow_and_the_second_program);
    tcase_add_test(cases, fifty_views_of_each_recipe_equal_pillow);
    tcase_add_test(cases, the_linear_recipe_only_crops_and_flips);
    tcase_add_test(cases, evaluation_transform_equals_torchvision);
    tcase_add_test(cases, output_is_normalised_by_channel_and_flipped);
    tcase_add_test(cases, bf16_is_the_rounded_output);
    tcase_add_test(cases, a_batch_is_its_images_one_by_one);
    tcase_add_test(cases, nothing_is_allocated_after_the_first_view);
    tcase_add_test(cases, a_box_outside_the_image_fails_the_queue);
    suite_add_tcase(suite, cases);
    return suite;
}

HR_TEST_MAIN(make_suite)
