/* test_damage.c - damaged files of a run: the newest whole checkpoint is used, lost files are
 * written again, lost lines are named, and no flipped bit is overlooked. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/safetensors.h"
#include "small_trainer.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

enum { LINE = 512 };

static char folder[HR_TEST_PATH];
static const char newest[] = "checkpoints/step_000008.safetensors";
static const char last[] = "checkpoints/last.safetensors";
static const char model[] = "model.safetensors";

static const char *at(const char *name)
{
    static char path[4][HR_TEST_PATH];
    static int turn;

    turn = (turn + 1) % 4;
    return hr_test_path(path[turn], folder, name);
}

/* Opens a run without its directory; begin() makes the trainer in the directory. */
static void open_world(small_trainer *t)
{
    static const small_pair own[] = {
        { "epochs", "2" }, { "keep", "2" }, { "log_every", "1" }, { NULL, NULL }
    };
    static const small_pair *const over[] = { own, NULL };

    small_trainer_open(t, 2, over);
    hirl_trainer_destroy(t->trainer);
    t->trainer = NULL;
    hr_assert_ok(hirl_options_set(t->options, "out", folder));
}

/* the warnings of the last resume, one a line */
static char warnings[4 * LINE];

static void keep_warning(int32_t level, const char *line, void *user)
{
    (void)user;
    if (level == HIRL_LOG_WARNING)
        snprintf(warnings + strlen(warnings), sizeof warnings - strlen(warnings), "%s\n", line);
}

static hirl_status make(small_trainer *t, const char *is_resumed)
{
    warnings[0] = 0;
    hirl_context_set_log(t->context, HIRL_LOG_DEBUG, keep_warning, NULL, NULL);
    hr_assert_ok(hirl_options_set(t->options, "resume", is_resumed));
    return hirl_trainer_create(&t->trainer, t->context, NULL, t->images, t->options);
}

static void run_to_the_end(const char *is_resumed)
{
    small_trainer t;

    open_world(&t);
    hr_assert_ok(make(&t, is_resumed));
    hr_assert_ok(hirl_train_run(NULL, t.trainer));
    small_trainer_close(&t);
}

static void begin(void)
{
    hr_test_folder(folder);
    run_to_the_end("0");
}

static void expect_same(const char *name, const char *bytes, size_t size)
{
    size_t now;
    char *found = hr_test_read(&now, at(name));

    ck_assert_uint_eq(now, size);
    ck_assert_msg(!memcmp(found, bytes, size), "%s has changed", name);
    free(found);
}

/* ---- checkpoints ---- */

static void header_only(const char *path, const char *header)
{
    uint64_t n = strlen(header);
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    fwrite(&n, 8, 1, file);
    fwrite(header, 1, n, file);
    fclose(file);
}

static void flip(const char *path, const char *text, int bit)
{
    size_t size;
    char *data = hr_test_read(&size, path), *found = memmem(data, size, text, strlen(text));

    ck_assert_ptr_nonnull(found);
    found[strlen(text) - 1] ^= (char)(1 << bit);
    hr_test_write(path, data, size);
    free(data);
}

/* Puts the keys of each entry into the order of other programs; the length stays. */
static void write_again(const char *path)
{
    size_t size;
    char *data = hr_test_read(&size, path), *end = data + size;
    static const char begin_of_entry[] = "{\"data_offsets\":";

    for (char *entry = data;
         (entry = memmem(entry, (size_t)(end - entry), begin_of_entry, sizeof begin_of_entry - 1));
         entry++) {
        char *comma = strstr(entry, "],\"dtype\"") + 1, *close = strchr(entry, '}');
        size_t offsets = (size_t)(comma - entry) - 1, rest = (size_t)(close - comma) - 1;
        char kept[128];

        ck_assert_uint_lt(offsets, sizeof kept);
        memcpy(kept, entry + 1, offsets);
        memmove(entry + 1, comma + 1, rest);
        entry[1 + rest] = ',';
        memcpy(entry + 2 + rest, kept, offsets);
    }
    hr_test_write(path, data, size);
    free(data);
}

static void cut(const char *path, long bytes)
{
    ck_assert_int_eq(truncate(path, bytes), 0);
}

enum {
    EMPTY,
    SHORT,
    HALF,
    TEXT,
    FOLDER,
    PIPE,
    DEAD_LINK,
    OTHER_FORMAT,
    LATER_VERSION,
    UNKNOWN_TYPE,
    HUGE_HEADER,
    FLIPPED_VERSION,
    FLIPPED_NAME,
    FLIPPED_STEP,
    FOREIGN,
    KINDS
};

static void damage(const char *path, int kind)
{
    switch (kind) {
    case EMPTY:
        cut(path, 0);
        break;
    case SHORT:
        cut(path, 9);
        break;
    case HALF:
        cut(path, 20000);
        break;
    case TEXT:
        hr_test_write(path, "this is text of no format at all", 32);
        break;
    case FOLDER:
        unlink(path);
        ck_assert_int_eq(mkdir(path, 0777), 0);
        break;
    case PIPE:
        unlink(path);
        ck_assert_int_eq(mkfifo(path, 0666), 0);
        break;
    case DEAD_LINK:
        unlink(path);
        ck_assert_int_eq(symlink("nowhere", path), 0);
        break;
    case OTHER_FORMAT:
        header_only(path, "{\"__metadata__\":{\"format\":\"hirl-tree\"}}");
        break;
    case LATER_VERSION:
        header_only(path, "{\"__metadata__\":{\"format\":\"hirl-checkpoint\",\"version\":\"3\"}}");
        break;
    case UNKNOWN_TYPE:
        header_only(path, "{\"a\":{\"data_offsets\":[0,0],\"dtype\":\"F31\",\"shape\":[0]}}");
        break;
    case HUGE_HEADER:
        hr_test_write(path, "\0\0\0\x7f\0\0\0\0{}", 10);
        break;
    case FLIPPED_VERSION:
        flip(path, "\"version\":\"1", 1);
        break;
    case FLIPPED_NAME:
        flip(path, "\"online.conv1", 3);
        break;
    case FLIPPED_STEP:
        flip(path, "\"step\":\"8", 0);
        break;
    case FOREIGN:
        write_again(path);
        break;
    }
}

START_TEST(any_damage_of_the_newest_checkpoint_falls_back_to_the_one_before)
{
    static const char *const words[KINDS] = {
        [FOLDER] = "it is a folder",
        [PIPE] = "not a regular file",
        [OTHER_FORMAT] = "hirl-tree",
        [LATER_VERSION] = "version is 3",
        [UNKNOWN_TYPE] = "F31",
        [FLIPPED_VERSION] = "the header is damaged",
        [FOREIGN] = "another program wrote",
        [EMPTY] = "0 bytes",
    };
    char *whole, *network;
    size_t bytes, more;

    begin();
    whole = hr_test_read(&bytes, at(newest));
    network = hr_test_read(&more, at(model));
    for (int kind = 0; kind < KINDS; kind++) {
        unlink(at(last));
        damage(at(newest), kind);
        run_to_the_end("1");
        ck_assert_msg(strstr(warnings, "step_000008.safetensors is damaged, so "
                                       "step_000004.safetensors is used instead: ") &&
                          (!words[kind] || strstr(warnings, words[kind])),
                      "kind %d: %s", kind, warnings);
        ck_assert_ptr_eq(strstr(strchr(warnings, '\n'), "damaged"), NULL);
        expect_same(newest, whole, bytes);
        expect_same(last, whole, bytes);
        expect_same(model, network, more);
    }
    free(whole);
    free(network);
    hr_test_remove(folder);
}
END_TEST

/* A copied directory has two files in place of one with two names. */
START_TEST(a_damaged_last_is_replaced_by_the_checkpoint_of_its_step)
{
    char *whole;
    size_t bytes;

    begin();
    whole = hr_test_read(&bytes, at(newest));
    for (int kind = 0; kind < KINDS; kind++) {
        unlink(at(last));
        hr_test_write(at(last), whole, bytes);
        damage(at(last), kind);
        run_to_the_end("1");
        ck_assert_msg(strstr(warnings, "last.safetensors is damaged, so step_000008.safetensors is "
                                       "used instead: "),
                      "kind %d: %s", kind, warnings);
        rmdir(at(last));
    }
    free(whole);
    hr_test_remove(folder);
}
END_TEST

/* Writes a checkpoint of a later version whose checksums are right. */
static void write_later_version(const char *path)
{
    hr_tensors list;

    hr_assert_ok(hr_tensors_load(&list, path));
    hr_assert_ok(hr_tensors_set_int(&list, "version", 2));
    unlink(path);
    hr_assert_ok(hr_tensors_save(&list, path));
    hr_tensors_done(&list);
}

START_TEST(a_whole_checkpoint_of_a_later_version_ends_the_resume)
{
    small_trainer t;

    begin();
    unlink(at(last));
    write_later_version(at(newest));
    open_world(&t);
    hr_assert_fails(make(&t, "1"), HIRL_E_VERSION,
                    "version is 2, this library reads versions up to 1");
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

static void expect_model(small_trainer *t, const char *path, const char *warning)
{
    hirl_model *loaded;

    warnings[0] = 0;
    hr_assert_ok(hirl_model_load(&loaded, t->context, path, NULL));
    hirl_model_destroy(loaded);
    ck_assert_msg(warning ? strstr(warnings, warning) != NULL : !warnings[0], "%s", warnings);
}

static void flip_last_byte(const char *path)
{
    size_t size;
    char *data = hr_test_read(&size, path);

    data[size - 1] ^= 1;
    hr_test_write(path, data, size);
    free(data);
}

START_TEST(a_file_that_another_program_wrote_is_a_model_but_no_checkpoint)
{
    small_trainer t;
    hirl_tree *tree;

    begin();
    open_world(&t);
    hr_assert_ok(make(&t, "1"));
    expect_model(&t, at(newest), NULL);
    expect_model(&t, at(model), NULL);
    write_again(at(newest));
    write_again(at(model));
    hr_assert_fails(hirl_trainer_load(t.trainer, at(newest)), HIRL_E_FORMAT,
                    "another program wrote this file");
    expect_model(&t, at(newest), "another program wrote this file");
    expect_model(&t, at(model), "another program wrote this file, so damage may go unseen; 0 of");
    flip_last_byte(at(model));
    expect_model(&t, at(model), "1 of");
    write_again(at("trees/current.hpt"));
    warnings[0] = 0;
    hr_assert_ok(hirl_tree_load(&tree, t.context, at("trees/current.hpt")));
    hirl_tree_destroy(tree);
    ck_assert_ptr_nonnull(strstr(warnings, "another program wrote this file"));
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

/* ---- other files ---- */

START_TEST(a_lost_model_of_a_finished_run_is_written_again)
{
    size_t bytes;
    char *whole;

    begin();
    whole = hr_test_read(&bytes, at(model));
    for (int kind = -1; kind <= HALF; kind++) {
        if (kind < 0)
            unlink(at(model));
        else
            damage(at(model), kind);
        if (kind >= 0) {
            hirl_model *loaded;
            small_trainer t;

            open_world(&t);
            warnings[0] = 0;
            hirl_context_set_log(t.context, HIRL_LOG_DEBUG, keep_warning, NULL, NULL);
            hr_assert_ok(hirl_model_load(&loaded, t.context, folder, NULL));
            ck_assert_ptr_nonnull(strstr(warnings, "model.safetensors is damaged, so the newest"));
            hirl_model_destroy(loaded);
            small_trainer_close(&t);
        }
        run_to_the_end("1");
        ck_assert_msg(strstr(warnings, "model.safetensors of the finished run is lost or damaged"),
                      "%s", warnings);
        expect_same(model, whole, bytes);
    }
    run_to_the_end("1");
    ck_assert_str_eq(warnings, "");
    free(whole);
    hr_test_remove(folder);
}
END_TEST

START_TEST(lost_lines_of_metrics_are_made_again_or_named)
{
    static const char metrics[] = "metrics.jsonl";
    char *whole, *newline;
    size_t bytes;

    begin();
    whole = hr_test_read(&bytes, at(metrics));
    newline = whole;
    for (int i = 0; i < 6; i++)
        newline = strchr(newline, '\n') + 1;
    cut(at(metrics), newline - whole - 3); /* five lines and a part */
    run_to_the_end("1");
    ck_assert_msg(strstr(warnings, "metrics.jsonl has lost lines: up to step 8 it had 8, and 5 are "
                                   "left, the last one of step 5"),
                  "%s", warnings);
    run_to_the_end("1"); /* a finished run writes no new checkpoint, so they are named again */
    ck_assert_ptr_nonnull(strstr(warnings, "lost lines"));
    damage(at(newest), EMPTY); /* from step 4 on all lines are made again */
    run_to_the_end("1");
    ck_assert_ptr_eq(strstr(warnings, "lost lines"), NULL);
    free(whole);
    whole = hr_test_read(&bytes, at(metrics));
    for (int i = 1; i <= 8; i++) {
        char step[32];

        snprintf(step, sizeof step, "{\"step\":%d,", i);
        ck_assert_ptr_nonnull(strstr(whole, step));
    }
    free(whole);
    unlink(at(metrics));
    run_to_the_end("1");
    ck_assert_ptr_nonnull(strstr(warnings, "it had 8, and 0 are left"));
    hr_test_remove(folder);
}
END_TEST

/* ---- every byte ---- */

typedef hirl_status load_fn(small_trainer *t, const char *path);

static hirl_status load_checkpoint(small_trainer *t, const char *path)
{
    hr_tensors list;
    hirl_status status = hr_tensors_load(&list, path);

    (void)t;
    hr_tensors_done(&list);
    return status;
}

static hirl_status load_model(small_trainer *t, const char *path)
{
    hirl_model *loaded = NULL;
    hirl_status status = hirl_model_load(&loaded, t->context, path, NULL);

    hirl_model_destroy(loaded);
    return status;
}

static hirl_status load_tree(small_trainer *t, const char *path)
{
    hirl_tree *tree = NULL;
    hirl_status status = hirl_tree_load(&tree, t->context, path);

    hirl_tree_destroy(tree);
    return status;
}

/* Flips `bits` bits of each byte of the header, and a bit of every data_step-th byte after it. */
static void flip_bytes(small_trainer *t, const char *path, load_fn *load, int bits,
                       size_t data_step)
{
    size_t size, header;
    char *data = hr_test_read(&size, path);
    int fd = open(path, O_WRONLY);

    ck_assert_int_ge(fd, 0);
    hr_assert_ok(load(t, path));
    header = 8 + *(uint64_t *)(void *)data;
    for (size_t i = 0; i < size; i += i < header ? 1 : data_step)
        for (int k = 0; k < (i < header ? bits : 1); k++) {
            int bit = (int)(i + (size_t)k) % 8;
            char byte = (char)(data[i] ^ 1 << bit);

            ck_assert(pwrite(fd, &byte, 1, (off_t)i) == 1);
            ck_assert_msg(load(t, path) < 0, "%s: bit %d of byte %zu is not covered", path, bit, i);
            ck_assert(pwrite(fd, &data[i], 1, (off_t)i) == 1);
        }
    hr_assert_ok(load(t, path));
    close(fd);
    free(data);
}

/* a run whose files have few tensors */
START_TEST(every_flipped_bit_of_a_file_is_seen)
{
    static const small_pair few[] = { { "epochs", "2" },
                                      { "method", "simsiam" },
                                      { "arch", "vit_micro_patch4_32" },
                                      { "vit_depth", "1" },
                                      { "image_size", "32" },
                                      { "z_dim", "8" },
                                      { "hidden_dim", "8" },
                                      { "predictor_dim", "4" },
                                      { "head_layers", "1" },
                                      { "prototypes", "4,2" },
                                      { NULL, NULL } };
    static const small_pair *const over[] = { few, NULL };
    small_trainer t;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    hirl_trainer_destroy(t.trainer);
    t.trainer = NULL;
    hr_assert_ok(hirl_options_set(t.options, "out", folder));
    hr_assert_ok(make(&t, "0"));
    hr_assert_ok(hirl_train_run(NULL, t.trainer));
    flip_bytes(&t, at("trees/current.hpt"), load_tree, 8, 1);
    flip_bytes(&t, at(model), load_model, 1, 8009);
    flip_bytes(&t, at(newest), load_checkpoint, 1, 16001);
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

HR_TESTS("damage", any_damage_of_the_newest_checkpoint_falls_back_to_the_one_before,
         a_damaged_last_is_replaced_by_the_checkpoint_of_its_step,
         a_whole_checkpoint_of_a_later_version_ends_the_resume,
         a_file_that_another_program_wrote_is_a_model_but_no_checkpoint,
         a_lost_model_of_a_finished_run_is_written_again,
         lost_lines_of_metrics_are_made_again_or_named, every_flipped_bit_of_a_file_is_seen)
