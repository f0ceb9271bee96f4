/* test_streams.c - models, trees and checkpoints in memory and through functions of the application
 * have the bytes of the files. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "small_trainer.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

static const small_pair own[] = { { "epochs", "2" }, { "hirl", "1" }, { NULL, NULL } };
static const small_pair *const two_epochs[] = { own, NULL };

/* bytes that the application keeps, and how its functions answer */
typedef struct store {
    char *data;
    size_t bytes;
    int calls, fail_at;
    int32_t answer;
    int64_t last; /* offset of the last read */
} store;

static int32_t take(const void *data, size_t bytes, void *user)
{
    store *s = user;

    if (++s->calls == s->fail_at)
        return s->answer;
    s->data = realloc(s->data, s->bytes + bytes);
    memcpy(s->data + s->bytes, data, bytes);
    s->bytes += bytes;
    return 0;
}

static int32_t give(void *data, size_t bytes, int64_t offset, void *user)
{
    store *s = user;

    if (++s->calls == s->fail_at)
        return s->answer;
    ck_assert_uint_le((size_t)offset + bytes, s->bytes);
    ck_assert_int_ge(offset, s->last);
    s->last = offset;
    memcpy(data, s->data + offset, bytes);
    return 0;
}

/* One kind of object: how it is saved and read in each way. `object` is released by `end`. */
typedef struct kind {
    hirl_status (*save)(void *object, const char *path);
    hirl_status (*to_memory)(void **data, size_t *bytes, void *object);
    hirl_status (*write)(void *object, store *s);
    hirl_status (*from_memory)(small_trainer *t, const void *data, size_t bytes);
    hirl_status (*read)(small_trainer *t, store *s);
} kind;

static hirl_status model_save(void *object, const char *path)
{
    return hirl_model_save(object, path);
}

static hirl_status model_to_memory(void **data, size_t *bytes, void *object)
{
    return hirl_model_to_memory(data, bytes, object);
}

static hirl_status model_write(void *object, store *s)
{
    return hirl_model_write(object, take, s);
}

static hirl_status model_from_memory(small_trainer *t, const void *data, size_t bytes)
{
    hirl_model *model;
    hirl_status status = hirl_model_from_memory(&model, t->context, data, bytes, NULL);

    hirl_model_destroy(model);
    return status;
}

static hirl_status model_read(small_trainer *t, store *s)
{
    hirl_model *model;
    hirl_status status = hirl_model_read(&model, t->context, give, s, (int64_t)s->bytes, NULL);

    hirl_model_destroy(model);
    return status;
}

static hirl_status tree_save(void *object, const char *path)
{
    return hirl_tree_save(object, path);
}

static hirl_status tree_to_memory(void **data, size_t *bytes, void *object)
{
    return hirl_tree_to_memory(data, bytes, object);
}

static hirl_status tree_write(void *object, store *s)
{
    return hirl_tree_write(object, take, s);
}

static hirl_status tree_from_memory(small_trainer *t, const void *data, size_t bytes)
{
    hirl_tree *tree;
    hirl_status status = hirl_tree_from_memory(&tree, t->context, data, bytes);

    hirl_tree_destroy(tree);
    return status;
}

static hirl_status tree_read(small_trainer *t, store *s)
{
    hirl_tree *tree;
    hirl_status status = hirl_tree_read(&tree, t->context, give, s, (int64_t)s->bytes);

    hirl_tree_destroy(tree);
    return status;
}

static hirl_status trainer_save(void *object, const char *path)
{
    return hirl_trainer_save(object, path);
}

static hirl_status trainer_to_memory(void **data, size_t *bytes, void *object)
{
    return hirl_trainer_to_memory(data, bytes, object);
}

static hirl_status trainer_write(void *object, store *s)
{
    return hirl_trainer_write(object, take, s);
}

static hirl_status trainer_from_memory(small_trainer *t, const void *data, size_t bytes)
{
    return hirl_trainer_from_memory(t->trainer, data, bytes);
}

static hirl_status trainer_read(small_trainer *t, store *s)
{
    return hirl_trainer_read(t->trainer, give, s, (int64_t)s->bytes);
}

static const kind kinds[] = {
    { model_save, model_to_memory, model_write, model_from_memory, model_read },
    { tree_save, tree_to_memory, tree_write, tree_from_memory, tree_read },
    { trainer_save, trainer_to_memory, trainer_write, trainer_from_memory, trainer_read },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void check_kind(const kind *k, void *object, small_trainer *t)
{
    char path[HR_TEST_PATH];
    store s = { .fail_at = -1 };
    size_t file_bytes, bytes;
    void *file, *data;

    hr_test_file(path);
    hr_assert_ok(k->save(object, path));
    hr_assert_ok(hr_file_read(&file, &file_bytes, path, SIZE_MAX));
    unlink(path);
    hr_assert_ok(k->to_memory(&data, &bytes, object));
    hr_assert_ok(k->write(object, &s));
    ck_assert_uint_eq(bytes, file_bytes);
    ck_assert_uint_eq(s.bytes, file_bytes);
    ck_assert_mem_eq(data, file, file_bytes);
    ck_assert_mem_eq(s.data, file, file_bytes);
    hr_assert_ok(k->from_memory(t, data, bytes));
    hr_assert_ok(k->read(t, &s));
    hr_assert_fails(k->from_memory(t, data, bytes - 1), HIRL_E_FORMAT, "memory");
    ((char *)data)[bytes - 1] ^= 4;
    hr_assert_fails(k->from_memory(t, data, bytes), HIRL_E_FORMAT, "damaged");
    hirl_free(data);
    hirl_free(file);
    free(s.data);
}

/* A negative answer is returned to the application; a positive one stops the call. */
static void check_answers(const kind *k, void *object, small_trainer *t)
{
    static const int32_t answer[] = { -31, 2 };
    static const hirl_status wanted[] = { HIRL_E_CALLBACK, HIRL_E_CANCELED };
    store whole = { .fail_at = -1 };

    hr_assert_ok(k->write(object, &whole));
    for (int i = 0; i < 2; i++) {
        store s = { .fail_at = 3, .answer = answer[i] };

        ck_assert_int_eq(k->write(object, &s), wanted[i]);
        if (!i)
            ck_assert_int_eq(hirl_error_callback_value(), -31);
        free(s.data);
        whole.calls = 0;
        whole.last = 0;
        whole.fail_at = 2;
        whole.answer = answer[i];
        ck_assert_int_eq(k->read(t, &whole), wanted[i]);
    }
    free(whole.data);
}

START_TEST(every_door_has_the_bytes_of_the_file)
{
    void *object[KINDS];
    hirl_model *model;
    hirl_tree *tree;
    small_trainer t;

    small_trainer_open(&t, 1, two_epochs);
    small_trainer_steps(&t, SMALL_PER_EPOCH + 1);
    hr_assert_ok(hirl_trainer_model(&model, t.trainer, NULL));
    hr_assert_ok(hirl_trainer_tree(&tree, t.trainer));
    object[0] = model;
    object[1] = tree;
    object[2] = t.trainer;
    for (int i = 0; i < KINDS; i++) {
        check_kind(&kinds[i], object[i], &t);
        check_answers(&kinds[i], object[i], &t);
    }
    hirl_tree_destroy(tree);
    hirl_model_destroy(model);
    small_trainer_close(&t);
}
END_TEST

START_TEST(a_run_continues_from_memory_to_the_same_bits)
{
    size_t bytes, end, again;
    char *whole, *resumed;
    small_trainer t;
    void *state;

    small_trainer_open(&t, 1, two_epochs);
    small_trainer_steps(&t, 3);
    hr_assert_ok(hirl_trainer_to_memory(&state, &bytes, t.trainer));
    hr_assert_ok(hirl_train_run(NULL, t.trainer));
    whole = small_trainer_state(&end, &t);
    hr_assert_ok(hirl_trainer_from_memory(t.trainer, state, bytes));
    hr_assert_ok(hirl_train_run(NULL, t.trainer));
    resumed = small_trainer_state(&again, &t);
    ck_assert_uint_eq(end, again);
    ck_assert_mem_eq(whole, resumed, end);
    hirl_free(state);
    free(whole);
    free(resumed);
    small_trainer_close(&t);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    hirl_context *context;
    hirl_model *model;
    size_t bytes;
    char few[8] = { 0 };

    hr_assert_ok(hirl_context_create(&context, NULL));
    hr_assert_fails(hirl_model_from_memory(&model, context, NULL, 8, NULL), HIRL_E_INVALID, "NULL");
    hr_assert_fails(hirl_model_from_memory(&model, context, few, 8, NULL), HIRL_E_FORMAT, "short");
    hr_assert_fails(hirl_model_from_memory(&model, context, few, SIZE_MAX, NULL), HIRL_E_INVALID,
                    "bytes");
    hr_assert_fails(hirl_model_read(&model, context, NULL, NULL, 8, NULL), HIRL_E_INVALID, "read");
    hr_assert_fails(hirl_model_to_memory(NULL, &bytes, NULL), HIRL_E_INVALID, "model");
    hirl_context_destroy(context);
}
END_TEST

static Suite *streams(void)
{
    Suite *suite = suite_create("streams");
    TCase *tests = tcase_create("streams");

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, every_door_has_the_bytes_of_the_file);
    tcase_add_test(tests, a_run_continues_from_memory_to_the_same_bits);
    tcase_add_test(tests, what_is_missing_is_named);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(streams)
