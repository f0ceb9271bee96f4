/* test_message.c - a thread's error message belongs to its last failing call: a call that recovers
 * from an internal failure and succeeds leaves the message alone. */
#include <stdlib.h>

#include <hirl/hirl.h>

#include "base/error.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

enum { IMAGES = 20, SIDE = 16 };

static hirl_context *context;
static hirl_options *options;
static char folder[HR_TEST_PATH];

static void set(const char *key, const char *value)
{
    hr_assert_ok(hirl_options_set(options, key, value));
}

/* sets the error message that must survive */
static void fail_before(void)
{
    ck_assert_int_eq(hr_fail_callback(-42, "before"), HIRL_E_CALLBACK);
}

static void assert_message_is_unchanged(void)
{
    ck_assert_msg(strstr(hirl_error_message(), "before") != NULL, "%s", hirl_error_message());
    ck_assert_int_eq(hirl_error_callback_value(), -42);
}

static void begin(void)
{
    static const char *const small[][2] = {
        { "arch", "resnet18" },    { "width", "0.0625" }, { "stem", "small" },
        { "image_size", "16" },    { "batch_size", "8" }, { "hirl", "0" },
        { "queue", "8" },          { "epochs", "2" },     { "z_dim", "8" },
        { "loader_threads", "0" }, { "lr", "0.03" },      { "max_bad", "0.5" },
        { "backend", "cpu" },      { "threads", "1" },
    };

    hr_assert_ok(hirl_options_create(&options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        set(small[i][0], small[i][1]);
    hr_assert_ok(hirl_context_create(&context, options));
    hr_test_folder(folder);
}

static void end(void)
{
    hr_test_remove(folder);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
}

START_TEST(creating_a_context_without_gpu_and_valid_thread_count_keeps_the_message)
{
    hirl_context *made;

    setenv("HIRL_BACKEND_PATH", "/no/such/folder", 1);
    setenv("OMP_NUM_THREADS", "x", 1);
    fail_before();
    hr_assert_ok(hirl_context_create(&made, NULL));
    assert_message_is_unchanged();
    ck_assert_str_eq(hirl_context_backend(made), "cpu");
    hirl_context_destroy(made);
    unsetenv("HIRL_BACKEND_PATH");
    unsetenv("OMP_NUM_THREADS");
}
END_TEST

START_TEST(opening_a_folder_with_a_broken_image_keeps_the_message)
{
    char path[HR_TEST_PATH];
    hirl_dataset *images;

    begin();
    hr_test_write(hr_test_path(path, folder, "a.png"), "not a picture", 13);
    fail_before();
    hr_assert_ok(hirl_dataset_open(&images, context, folder, NULL));
    assert_message_is_unchanged();
    hirl_dataset_destroy(images);
    end();
}
END_TEST

/* fails for every seventh image */
static int32_t read_pixels(hirl_image *image, int64_t index, void *user)
{
    static uint8_t grey[SIDE * SIDE];

    (void)user;
    if (index % 7 == 3)
        return HIRL_IMAGE_NEVER;
    for (int i = 0; i < SIDE * SIDE; i++)
        grey[i] = (uint8_t)(i * 3 + index * 11);
    image->pixels = grey;
    image->height = image->width = SIDE;
    image->channels = 1;
    return 0;
}

START_TEST(a_run_with_unreadable_images_keeps_the_message)
{
    hirl_dataset *images;
    hirl_trainer *trainer;

    begin();
    set("mean", "auto");
    set("std", "auto");
    hr_assert_ok(hirl_dataset_from_callback(&images, context, read_pixels, NULL, NULL, IMAGES, NULL,
                                            options));
    fail_before();
    hr_assert_ok(hirl_trainer_create(&trainer, context, NULL, images, options));
    assert_message_is_unchanged();
    hr_assert_ok(hirl_train_run(NULL, trainer));
    assert_message_is_unchanged();
    hirl_trainer_destroy(trainer);
    hirl_dataset_destroy(images);
    end();
}
END_TEST

START_TEST(health_is_measured_when_one_batch_holds_all_images)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_dataset *images;
    hirl_trainer *trainer;

    begin();
    set("eval_batch", "64");
    hr_assert_ok(hirl_dataset_from_callback(&images, context, read_pixels, NULL, NULL, IMAGES, NULL,
                                            options));
    hr_assert_ok(hirl_trainer_create(&trainer, context, NULL, images, options));
    hr_assert_ok(hirl_train_run(&report, trainer));
    ck_assert_int_eq(report.epoch_end, 1);
    ck_assert(report.health_std > 0);
    hirl_trainer_destroy(trainer);
    hirl_dataset_destroy(images);
    end();
}
END_TEST

START_TEST(resuming_beside_a_damaged_checkpoint_keeps_the_message)
{
    char path[HR_TEST_PATH];
    hirl_dataset *images;
    hirl_trainer *trainer;

    begin();
    set("out", hr_test_path(path, folder, "run"));
    hr_assert_ok(hirl_dataset_from_callback(&images, context, read_pixels, NULL, NULL, IMAGES, NULL,
                                            options));
    hr_assert_ok(hirl_trainer_create(&trainer, context, NULL, images, options));
    hr_assert_ok(hirl_train_run(NULL, trainer));
    hirl_trainer_destroy(trainer);
    set("resume", "1");
    set("lr", "3e-2");
    unlink(hr_test_path(path, folder, "run/checkpoints/last.safetensors"));
    hr_test_write(path, "not a checkpoint", 16);
    fail_before();
    hr_assert_ok(hirl_trainer_create(&trainer, context, NULL, images, options));
    assert_message_is_unchanged();
    hirl_trainer_destroy(trainer);
    hirl_dataset_destroy(images);
    end();
}
END_TEST

HR_TESTS("message", creating_a_context_without_gpu_and_valid_thread_count_keeps_the_message,
         opening_a_folder_with_a_broken_image_keeps_the_message,
         a_run_with_unreadable_images_keeps_the_message,
         health_is_measured_when_one_batch_holds_all_images,
         resuming_beside_a_damaged_checkpoint_keeps_the_message)
