/* small_trainer.c - whole runs on 64 striped images of 16 x
 * 16 pixels through the public interface. */
#include "small_trainer.h"

#include "context.h"
#include "support/folder.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t small_pixels[SMALL_IMAGES][SMALL_SIDE][SMALL_SIDE][3];
int small_unreadable;
_Thread_local struct hr_comm *small_comm;
void (*small_made)(hirl_trainer *trainer);

/* four kinds of stripes in random colours */
static void draw_images(void)
{
    uint32_t state = 12345;

    for (int n = 0; n < SMALL_IMAGES; n++) {
        uint8_t colour[2][3];

        for (int i = 0; i < 6; i++) {
            state = state * 1664525u + 1013904223u;
            colour[i / 3][i % 3] = (uint8_t)(state >> 24);
        }
        for (int y = 0; y < SMALL_SIDE; y++)
            for (int x = 0; x < SMALL_SIDE; x++) {
                int kind = n % 4, stripe = kind == 0   ? x / 2
                                           : kind == 1 ? y / 2
                                           : kind == 2 ? (x + y) / 3
                                                       : x / 5;

                memcpy(small_pixels[n][y][x], colour[stripe & 1], 3);
            }
    }
}

static void set_all(hirl_options *options, const small_pair *pair)
{
    for (; (*pair)[0]; pair++)
        ck_assert_msg(hirl_options_set(options, (*pair)[0], (*pair)[1]) >= 0, "%s",
                      hirl_error_message());
}

static int32_t read_pixels(hirl_image *image, int64_t index, void *user)
{
    (void)user;
    if (index % small_unreadable == 0)
        return HIRL_IMAGE_NEVER;
    image->pixels = &small_pixels[index][0][0][0];
    image->width = image->height = SMALL_SIDE;
    image->channels = 3;
    return 0;
}

static hirl_status open_images(small_trainer *t)
{
    if (small_unreadable)
        return hirl_dataset_from_callback(&t->images, t->context, read_pixels, NULL, NULL,
                                          SMALL_IMAGES, NULL, t->options);
    return hirl_dataset_from_memory(&t->images, t->context, &small_pixels[0][0][0][0], SMALL_IMAGES,
                                    SMALL_SIDE, SMALL_SIDE, 3, NULL, 0, t->options);
}

void small_trainer_open(small_trainer *t, int threads, const small_pair *const *over)
{
    static const small_pair common[] = {
        { "arch", "resnet18" },    { "width", "0.125" },
        { "stem", "small" },       { "image_size", "16" },
        { "batch_size", "16" },    { "prototypes", "8,4,2" },
        { "negatives", "4" },      { "queue", "32" },
        { "lr", "0.03" },          { "z_dim", "16" },
        { "kmeans_redo", "2" },    { "kmeans_iterations", "4" },
        { "ema", "0.99" },         { "seed", "7" },
        { "loader_threads", "1" }, { "cluster_warmup_epoch", "1" },
        { "backend", "cpu" },      { "jitter_p", "0" },
        { "gray_p", "0" },         { NULL, NULL },
    };

    draw_images();
    ck_assert_int_eq(hirl_options_create(&t->options), HIRL_OK);
    set_all(t->options, common);
    for (; *over; over++)
        set_all(t->options, *over);
    ck_assert_int_eq(hirl_options_set_int(t->options, "threads", threads), HIRL_OK);
    ck_assert_msg(hirl_context_create(&t->context, t->options) >= 0, "%s", hirl_error_message());
    hr_context_set_comm(t->context, small_comm);
    ck_assert_msg(open_images(t) >= 0, "%s", hirl_error_message());
    ck_assert_msg(hirl_trainer_create(&t->trainer, t->context, NULL, t->images, t->options) >= 0,
                  "%s", hirl_error_message());
    if (small_made)
        small_made(t->trainer);
}

void small_trainer_close(small_trainer *t)
{
    hirl_trainer_destroy(t->trainer);
    hirl_dataset_destroy(t->images);
    hirl_context_destroy(t->context);
    hirl_options_destroy(t->options);
}

void small_trainer_steps(small_trainer *t, int steps)
{
    for (int s = 0; s < steps; s++)
        ck_assert_msg(hirl_train_step(NULL, t->trainer) == HIRL_OK, "step %d of %d: %s", s, steps,
                      hirl_error_message());
}

char *small_trainer_state(size_t *bytes, small_trainer *t)
{
    char path[HR_TEST_PATH], *data;

    hr_test_file(path);
    ck_assert_msg(hirl_trainer_save(t->trainer, path) >= 0, "%s", hirl_error_message());
    data = hr_test_read(bytes, path);
    unlink(path);
    return data;
}

static int32_t record_phase(const char *phase, int64_t done, int64_t total, void *user)
{
    small_polls *polls = user;

    (void)done;
    (void)total;
    ck_assert_int_lt(polls->count, SMALL_POLLS);
    polls->phase[polls->count++] = *phase;
    return 0;
}

char *small_trainer_run(size_t *bytes, small_polls *polls, int threads,
                        const small_pair *const *over)
{
    small_trainer t;
    char *state;

    small_trainer_open(&t, threads, over);
    if (polls) {
        polls->count = 0;
        hirl_context_set_progress(t.context, record_phase, polls, NULL);
    }
    ck_assert_msg(hirl_train_run(NULL, t.trainer) == HIRL_OK, "%s", hirl_error_message());
    state = small_trainer_state(bytes, &t);
    small_trainer_close(&t);
    return state;
}

int small_polls_middle(const small_polls *polls, int n)
{
    int first = 0;

    for (int i = 1; i <= polls->count; i++)
        if (i == polls->count || polls->phase[i] != polls->phase[first]) {
            if (!n--)
                return (first + i) / 2 + 1;
            first = i;
        }
    return 0;
}

typedef struct stopper {
    int poll, stop_at;
} stopper;

static int32_t count_polls(const char *phase, int64_t done, int64_t total, void *user)
{
    stopper *s = user;

    (void)phase;
    (void)done;
    (void)total;
    return ++s->poll == s->stop_at;
}

/* Stops a run at poll n and saves a checkpoint at `path`.
 * Returns false if the run ends before poll n. */
static bool save_at(int n, const char *path, const small_pair *const *over)
{
    stopper s = { 0, n };
    hirl_status status;
    small_trainer t;

    small_trainer_open(&t, 2, over);
    hirl_context_set_progress(t.context, count_polls, &s, NULL);
    status = hirl_train_run(NULL, t.trainer);
    if (status != HIRL_OK) {
        ck_assert_msg(status == HIRL_E_CANCELED, "poll %d: %s", n, hirl_error_message());
        ck_assert_msg(hirl_trainer_save(t.trainer, path) >= 0, "%s", hirl_error_message());
    }
    small_trainer_close(&t);
    return status != HIRL_OK;
}

bool small_trainer_stop(int n, const char *whole, size_t whole_bytes, const small_pair *const *over)
{
    char path[HR_TEST_PATH], *state;
    bool stopped;
    size_t bytes;
    small_trainer t;

    hr_test_file(path);
    stopped = save_at(n, path, over);
    if (stopped) {
        small_trainer_open(&t, n % 2 ? 1 : 3, over);
        ck_assert_msg(hirl_trainer_load(t.trainer, path) >= 0, "%s", hirl_error_message());
        ck_assert_msg(hirl_train_run(NULL, t.trainer) >= 0, "%s", hirl_error_message());
        state = small_trainer_state(&bytes, &t);
        ck_assert_uint_eq(bytes, whole_bytes);
        ck_assert_msg(!memcmp(state, whole, bytes),
                      "stopped at poll %d, the run ends in another state", n);
        free(state);
        small_trainer_close(&t);
    }
    unlink(path);
    return stopped;
}
