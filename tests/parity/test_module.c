/* test_module.c - backend modules: every refusal has a status and a message; an explicit backend
 * never falls back; auto falls back to the CPU and logs why. */
#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hirl/hirl.h>

#include "context.h"
#include "host.h"
#include "nn/model.h"
#include "support/close.h"
#include "support/run.h"

/* a new folder for each module: an opened library is never closed, and dlopen compares files */
static char folder[64];

static void in_folder(char path[512], const char *name)
{
    snprintf(path, 512, "%s/%s", folder, name);
}

static int folders;

static void clean(void)
{
    char path[512];

    if (!folder[0])
        return;
    in_folder(path, "libhirl-cuda.so");
    unlink(path);
    rmdir(folder);
    folder[0] = 0;
}

/* makes a new folder the module path, with these bytes as libhirl-cuda.so; NULL: an empty folder */
static void place(const void *bytes, size_t count)
{
    char path[512];
    FILE *file;

    clean();
    snprintf(folder, sizeof folder, "/tmp/hirl-module-%ld-%d-XXXXXX", (long)getpid(), ++folders);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("HIRL_BACKEND_PATH", folder, 1);
    in_folder(path, "libhirl-cuda.so");
    if (!bytes)
        return;
    file = fopen(path, "wb");
    ck_assert_uint_eq(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

/* places the first `most` bytes of a file, or all of them if most is 0 */
static void place_copy(const char *from, long most)
{
    FILE *file = fopen(from, "rb");
    char *bytes;
    long count;

    ck_assert_msg(file != NULL, "%s", from);
    fseek(file, 0, SEEK_END);
    count = ftell(file);
    count = most && most < count ? most : count;
    rewind(file);
    bytes = malloc((size_t)count);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)count, file), (size_t)count);
    fclose(file);
    place(bytes, (size_t)count);
    free(bytes);
}

static void assert_refused(const char *word)
{
    hirl_context *context = NULL;

    hr_assert_fails(hr_context_create(&context, "cuda", 1), HIRL_E_BACKEND_UNAVAILABLE, word);
    ck_assert_ptr_null(context);
}

static void keep_line(int32_t level, const char *text, void *user)
{
    (void)level;
    snprintf(user, 512, "%s", text);
}

START_TEST(a_missing_module_is_named)
{
    place(NULL, 0);
    assert_refused("there is no");
}
END_TEST

START_TEST(auto_takes_the_cpu_and_says_why)
{
    hirl_context *context;
    char line[512] = "";

    place(NULL, 0);
    hr_assert_ok(hr_context_create(&context, "auto", 1));
    ck_assert_str_eq(hr_context_backend(context)->name, "cpu");
    hr_context_set_log(context, HIRL_LOG_DEBUG, keep_line, (hr_user){ line, NULL });
    ck_assert_msg(strstr(line, "there is no") != NULL, "%s", line);
    hr_context_drop(context);
}
END_TEST

START_TEST(a_file_that_is_no_library_is_refused)
{
    place("not a library", 13);
    assert_refused("libhirl-cuda.so");
}
END_TEST

START_TEST(a_pipe_is_refused_without_waiting_for_its_writer)
{
    char path[512];

    place(NULL, 0);
    in_folder(path, "libhirl-cuda.so");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_refused("not a regular file");
}
END_TEST

START_TEST(a_library_without_the_symbol_is_refused)
{
    const char *library = getenv("HIRL_TEST_LIBRARY");

    ck_assert_msg(library != NULL, "HIRL_TEST_LIBRARY is not set");
    place_copy(library, 0);
    assert_refused("no symbol");
}
END_TEST

START_TEST(unknown_names_and_devices_are_refused)
{
    hirl_context *context = NULL;

    hr_assert_fails(hr_context_create(&context, "cuda:x", 1), HIRL_E_INVALID, "cuda:x");
    hr_assert_fails(hr_context_create(&context, "gpu", 1), HIRL_E_INVALID, "gpu");
    hr_assert_fails(hr_context_create(&context, "cuda:99", 1), HIRL_E_INVALID, "cuda:99");
}
END_TEST

START_TEST(a_backend_that_lacks_operations_refuses_every_call_that_needs_them)
{
    static const float rows[] = { 1, 0, 0, 1, -1, 0, 0, -1 };
    static const int32_t label[] = { 0, 1, 0, 1 }, leaf[] = { 0, 1, 1, 0 };
    const char *const partial = getenv("HIRL_TEST_PARTIAL");
    hirl_knn_score report = { .struct_size = sizeof report };
    hirl_context *context;
    hirl_dataset *images;
    hirl_model *model;
    hirl_trainer *trainer;
    hirl_tree *tree, *made;
    double loss;
    int32_t path[4];

    ck_assert_msg(partial != NULL, "HIRL_TEST_PARTIAL is not set");
    place_copy(partial, 0);
    hr_assert_ok(hr_context_create(&context, "cuda:3", 1));
    ck_assert_str_eq(hirl_context_backend(context), "partial");
    hr_assert_ok(hirl_tree_create(&tree, context, 1, 2, (int64_t[]){ 4 },
                                  (const float *const[]){ rows }, NULL, leaf, 4));
    hr_assert_ok(hirl_dataset_open(&images, context, "generated", NULL));
    hr_assert_fails(hirl_cluster(&made, context, rows, 4, 2, NULL, NULL, NULL), HIRL_E_UNSUPPORTED,
                    "backend=cpu");
    hr_assert_fails(hirl_tree_assign(path, NULL, tree, rows, 4), HIRL_E_UNSUPPORTED, "partial");
    hr_assert_fails(hirl_spd_loss(&loss, NULL, context, tree, rows, 4, leaf, NULL, 2, 1, NULL),
                    HIRL_E_UNSUPPORTED, "partial");
    hr_assert_fails(hirl_knn_evaluate(&report, context, rows, label, 4, NULL, NULL, 0, 2, NULL),
                    HIRL_E_UNSUPPORTED, "partial");
    hr_assert_fails(hirl_model_create(&model, context, NULL), HIRL_E_UNSUPPORTED, "partial");
    hr_assert_fails(hirl_trainer_create(&trainer, context, NULL, images, NULL), HIRL_E_UNSUPPORTED,
                    "partial");
    hirl_dataset_destroy(images);
    hirl_tree_destroy(tree);
    hr_context_drop(context);
}
END_TEST

static char refusal[256];

static hirl_status keep_refusal(hirl_status status, const char *text)
{
    snprintf(refusal, sizeof refusal, "%s", text);
    return status;
}

START_TEST(the_real_module_refuses_another_build_and_a_machine_without_a_device)
{
    const char *module = getenv("HIRL_TEST_MODULE");
    hr_host host = { .abi = HR_MODULE_ABI, .build_id = "another build", .fail = keep_refusal };
    hr_opening opening = { .device = -1 };
    hr_module_open_fn *entry;
    hirl_context *context = NULL;
    hr_backend backend;
    hirl_model *model;
    hr_model_config config;
    void *library;

    library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library != NULL, "%s", dlerror());
    *(void **)&entry = dlsym(library, HR_MODULE_SYMBOL);
    ck_assert_int_eq(entry(&backend, &host, HR_MODULE_ABI, "another build", &opening),
                     HIRL_E_BACKEND_UNAVAILABLE);
    ck_assert(strstr(refusal, "different builds") != NULL);
    ck_assert_int_eq(entry(&backend, &host, HR_MODULE_ABI + 1, "another build", &opening),
                     HIRL_E_BACKEND_UNAVAILABLE);

    place_copy(module, 4096);
    assert_refused("libhirl-cuda.so");
    place_copy(module, 0);
    if (hr_context_create(&context, "cuda", 1) < 0) {
        ck_assert_msg(strstr(hr_error_text(), "device") != NULL, "%s", hr_error_text());
        return;
    }
    hr_assert_ok(hr_model_config_read(
        &config, NULL)); /* with a device, operations that training needs are missing */
    hr_assert_fails(hr_model_alloc(&model, context, &config, 0, "online"), HIRL_E_UNSUPPORTED,
                    "conv");
    hr_context_drop(context);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("module");
    TCase *c = tcase_create("refusals");
    const char *module = getenv("HIRL_TEST_MODULE");

    tcase_add_unchecked_fixture(c, NULL, clean);
    tcase_add_test(c, a_missing_module_is_named);
    tcase_add_test(c, auto_takes_the_cpu_and_says_why);
    tcase_add_test(c, a_file_that_is_no_library_is_refused);
    tcase_add_test(c, a_pipe_is_refused_without_waiting_for_its_writer);
    tcase_add_test(c, a_library_without_the_symbol_is_refused);
    tcase_add_test(c, unknown_names_and_devices_are_refused);
    tcase_add_test(c, a_backend_that_lacks_operations_refuses_every_call_that_needs_them);
    if (module && module[0]) /* without nvcc, tests/parity/meson.build reports a skipped test */
        tcase_add_test(c, the_real_module_refuses_another_build_and_a_machine_without_a_device);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
