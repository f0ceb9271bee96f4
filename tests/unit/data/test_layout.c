/* test_layout.c - which folders are splits, which are classes, and which are no data. */
#include "data_files.h"

#include <sys/stat.h>

#include "data/identity.h"
#include "data/role.h"

static char log_text[2048];

static void keep_log(int32_t level, const char *text, void *user)
{
    size_t used = strlen(log_text);

    (void)user;
    if (level <= HIRL_LOG_WARNING)
        snprintf(log_text + used, sizeof log_text - used, "%s\n", text);
}

/* Makes files from "train/a/1 train/b/2": each is an image. */
static void put_all(const char *files)
{
    char list[2048], *rest = list, *file;

    snprintf(list, sizeof list, "%s", files);
    while ((file = strsep(&rest, " ")))
        put_image(file, "420.jpg");
}

static hirl_status open_logged(const char *name, const char *split)
{
    hr_call call;

    log_text[0] = 0;
    hr_context_set_log(context, HIRL_LOG_DEBUG, keep_log, (hr_user){ NULL, NULL });
    hr_assert_ok(hr_context_enter(&call, context));
    return hr_context_leave(&call, open_split(name, split));
}

static void expect_log(const char *part)
{
    ck_assert_msg(*part ? strstr(log_text, part) != NULL : !*log_text, "'%s' in '%s'", part,
                  log_text);
}

START_TEST(names_of_folders_state_roles)
{
    static const struct {
        const char *name;
        hr_role role;
        const char *rest;
    } want[] = {
        { "train", HR_ROLE_TRAIN, "" },
        { "TRAIN", HR_ROLE_TRAIN, "" },
        { "Training", HR_ROLE_TRAIN, "" },
        { "train2017", HR_ROLE_TRAIN, "" },
        { "train_images", HR_ROLE_TRAIN, "" },
        { "TrainingSet", HR_ROLE_TRAIN, "" },
        { "trainset", HR_ROLE_TRAIN, "" },
        { "trainA", HR_ROLE_TRAIN, "" },
        { "trainval", HR_ROLE_TRAIN, "" },
        { "train_val", HR_ROLE_TRAIN, "" },
        { "valid", HR_ROLE_VAL, "" },
        { "Val", HR_ROLE_VAL, "" },
        { "dev", HR_ROLE_VAL, "" },
        { "val2017", HR_ROLE_VAL, "" },
        { "test-a", HR_ROLE_TEST, "" },
        { "Testing", HR_ROLE_TEST, "" },
        { "t10k", HR_ROLE_TEST, "" },
        { "evaluation", HR_ROLE_TEST, "" },
        { "unlabeled2017", HR_ROLE_UNLABELLED, "" },
        { "seg_train", HR_ROLE_TRAIN, "seg " },
        { "train_station", HR_ROLE_TRAIN, "station " },
        { "trains", HR_ROLE_NONE, "trains " },
        { "contest", HR_ROLE_NONE, "contest " },
        { "train_test_split", HR_ROLE_NONE, "" },
        { "cat", HR_ROLE_NONE, "cat " },
        { "", HR_ROLE_NONE, "" },
    };

    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char rest[HR_REST_BYTES];

        ck_assert_msg(hr_role_of_name(rest, want[i].name, strlen(want[i].name)) == want[i].role,
                      "%s", want[i].name);
        ck_assert_str_eq(rest, want[i].rest);
    }
}
END_TEST

typedef struct layout_case {
    const char *files, *split, *chosen; /* chosen: the value of split that the data set shows */
    int64_t count, classes;
    const char *log; /* part of the warnings; "": none */
} layout_case;

static void check_layouts(const layout_case *c, size_t cases)
{
    for (size_t i = 0; i < cases; i++) {
        begin();
        put_all(c[i].files);
        hr_assert_ok(open_logged("", c[i].split));
        ck_assert_msg(!strcmp(set->split, c[i].chosen) && set->count == c[i].count,
                      "case %d: split '%s', %lld images", (int)i, set->split,
                      (long long)set->count);
        ck_assert_int_eq(set->levels ? set->classes[0] : 0, c[i].classes);
        expect_log(c[i].log);
        end();
    }
}

START_TEST(pairs_of_names_are_splits)
{
    static const layout_case cases[] = {
        { "train/a/1.jpg train/b/2.jpg valid/a/3.jpg", "auto", "train", 2, 2, "" },
        { "train/a/1.jpg train/b/2.jpg valid/a/3.jpg", "val", "valid", 1, 2, "" },
        { "train/a/1.jpg train/b/2.jpg dev/a/3.jpg", "validation", "dev", 1, 2, "" },
        { "Training/a/1.jpg Training/b/2.jpg Testing/a/3.jpg", "auto", "Training", 2, 2, "" },
        { "Training/a/1.jpg Training/b/2.jpg Testing/a/3.jpg", "queries", "Testing", 1, 2, "" },
        { "Training/a/1.jpg Training/b/2.jpg Testing/a/3.jpg", "TESTING", "Testing", 1, 2, "" },
        { "train2017/1.jpg val2017/2.jpg", "auto", "train2017", 1, 0, "" },
        { "images/train/1.jpg images/val/2.jpg", "auto", "train", 1, 0, "" },
        { "trainA/1.jpg trainB/2.jpg test-a/3.jpg", "auto", "trainA+trainB", 2, 0, "" },
        { "seg_train/seg_train/a/1.jpg seg_train/seg_train/b/2.jpg seg_test/seg_test/a/3.jpg",
          "auto", "seg_train", 2, 2, "" },
        { "train/train/a/1.jpg train/train/b/2.jpg test/3.jpg", "auto", "train", 2, 2, "" },
        { "train/images/1.jpg valid/images/2.jpg test/images/3.jpg", "auto", "train", 1, 0, "" },
        { "train/1.jpg test/2.jpg", "all", "all", 2, 0, "" },
        { "val/a/1.jpg val/b/1.jpg", "auto", "val", 2, 2, "the only split of the data is val" },
    };

    check_layouts(cases, sizeof cases / sizeof *cases);
}
END_TEST

START_TEST(two_readings_are_reported)
{
    static const layout_case cases[] = {
        { "train/1.jpg bus/2.jpg", "auto", "", 2, 2, "train (1 image) is taken as a class" },
        { "train/1.jpg bus/2.jpg", "train", "train", 1, 0, "" },
        { "train/a/1.jpg train/b/2.jpg more/3.jpg", "auto", "train", 2, 2,
          "so more (1 image) is left out" },
        { "train/a/1.jpg train/b/2.jpg more/3.jpg", "all", "", 3, 2, "taken as a class" },
        { "train/a/1.jpg train/b/2.jpg bus/c/3.jpg bus/d/4.jpg", "auto", "", 4, 2, "as a class" },
        { "train/a/1.jpg train/b/2.jpg held/a/3.jpg held/b/4.jpg", "auto", "train", 2, 2,
          "held (2 images) is left out" },
        { "cat/1.jpg dog/2.jpg test/3.jpg", "auto", "", 3, 3, "so its images are used" },
        { "a/train/1.jpg a/test/2.jpg b/train/1.jpg b/test/2.jpg", "auto", "", 4, 2,
          "named like test or validation splits (a/test)" },
        { "a/train/1.jpg a/test/2.jpg b/1.jpg", "train", "train", 1, 0, "" },
        { "train_station/1.jpg test_tube/2.jpg", "auto", "", 2, 2, "" },
    };

    check_layouts(cases, sizeof cases / sizeof *cases);
}
END_TEST

START_TEST(folders_without_images_do_not_count)
{
    begin();
    put_all("train/a/1.jpg train/b/2.jpg __MACOSX/train/3.jpg .cache/4.jpg @eaDir/1.jpg/5.jpg");
    put_text("notes/x.txt", "x");
    put_text("annotations/x.json", "{}");
    hr_assert_ok(hr_make_folder(at("test")));
    hr_assert_ok(open_logged("", "auto"));
    ck_assert_str_eq(set->splits, "train");
    ck_assert_int_eq(set->count, 2);
    ck_assert_int_eq(set->classes[0], 2);
    expect_log("");
    end();
}
END_TEST

START_TEST(the_folder_of_a_run_is_no_data)
{
    begin();
    put_all("cat/1.jpg dog/2.jpg dog/run/checkpoints/3.jpg other/4.jpg old/5.jpg");
    put_text("dog/run/config.yaml", "hirl: \"0.1.0\"\n");
    put_text("old/checkpoints/last.safetensors", "x");
    put_text("other/config.yaml", "epochs: 3\n"); /* that of another program */
    put_text("other/checkpoints/model.bin", "x");
    hr_assert_ok(open_logged("", "auto"));
    ck_assert_int_eq(set->count, 3);
    ck_assert_int_eq(set->classes[0], 3);
    expect_log("old holds a run");
    put_text("config.yaml", "hirl: \"0.1.0\"\n"); /* the data may lie in the folder of a run */
    hr_assert_ok(hr_make_folder(at("checkpoints")));
    hr_assert_ok(open_set(""));
    ck_assert_int_eq(set->count, 3);
    end();
}
END_TEST

START_TEST(a_split_is_the_same_set_whatever_lies_beside_it)
{
    hr_identity before, after;

    begin();
    put_all("images/train/1.jpg images/train/2.jpg");
    hr_assert_ok(open_set(""));
    hr_assert_ok(hr_dataset_identify(&before, set));
    put_all("images/new/3.jpg other/4.jpg");
    hr_assert_ok(open_split("", "train"));
    hr_assert_ok(hr_dataset_identify(&after, set));
    ck_assert_int_eq(before.crc, after.crc);
    ck_assert_int_eq(set->count, 2);
    hr_assert_ok(open_split("images/train", "train")); /* the folder of the split itself */
    hr_assert_ok(hr_dataset_identify(&after, set));
    ck_assert_int_eq(before.crc, after.crc);
    hr_assert_fails(open_split("images/train", "test"), HIRL_E_INVALID, "no splits");
    end();
}
END_TEST

START_TEST(an_empty_train_folder_is_not_replaced_by_test_images)
{
    begin();
    put_all("test/1.jpg");
    hr_assert_ok(hr_make_folder(at("train")));
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "train has no images");
    put_text("train/IMG_1.HEIC", "x");
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "only 1 .heic");
    hr_assert_ok(open_split("", "test"));
    ck_assert_int_eq(set->count, 1);
    end();
}
END_TEST

START_TEST(a_split_without_labels_is_not_for_queries)
{
    begin();
    put_all("train/a/1.jpg train/b/2.jpg val/a/3.jpg test/4.jpg");
    hr_assert_ok(open_split("", "queries"));
    ck_assert_str_eq(set->split, "val");
    end();
    begin();
    put_all("train/1.jpg val/3.jpg test/4.jpg"); /* unless no split has labels */
    hr_assert_ok(open_split("", "queries"));
    ck_assert_str_eq(set->split, "test");
    end();
}
END_TEST

START_TEST(what_is_left_out_is_counted_by_ending)
{
    begin();
    put_all("train/1.JPG train/2.Jpeg train/3.PnG test/4.jpg train/folder.jpg/5.jpg");
    put_text("train/a.HEIC", "x");
    put_text("train/b.heic", "x");
    put_text("train/c.MOV", "x");
    put_text("train/no ending", "x");
    put_text("train/d.a long one", "x");
    put_text("test/e.mp4", "x");
    ck_assert_int_eq(mkfifo(at("train/pipe.jpg"), 0600), 0);
    ck_assert_int_eq(symlink("nowhere", at("train/x.png")), 0);
    hr_assert_ok(open_set(""));
    ck_assert_int_eq(set->count, 4);
    ck_assert_str_eq(set->left_out, "2 .heic, 1 .jpg, 1 .mov, 1 .png, 2 other files");
    end();
}
END_TEST

START_TEST(only_needed_folders_must_be_readable)
{
    begin();
    if (geteuid()) { /* the superuser may read everything */
        put_all("train/1.jpg test/2.jpg lost/3.jpg");
        ck_assert_int_eq(chmod(at("lost"), 0), 0);
        hr_assert_ok(open_set(""));
        ck_assert_int_eq(set->count, 1);
        ck_assert_int_eq(chmod(at("test"), 0), 0);
        hr_assert_fails(open_split("", "test"), HIRL_E_IO, "test");
        ck_assert_int_eq(chmod(at("lost"), 0700), 0);
        ck_assert_int_eq(chmod(at("test"), 0700), 0);
    }
    end();
}
END_TEST

START_TEST(data_one_folder_below_is_named)
{
    begin();
    put_idx("MNIST/raw/train-images-idx3-ubyte", false, 3, five, 5);
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "MNIST/raw");
    hr_assert_fails(open_set("MNIST"), HIRL_E_FORMAT, "format idx");
    hr_assert_ok(open_set("MNIST/raw"));
    put_text("py/cifar-10-batches-py/batches.meta", "x");
    hr_assert_fails(open_set("py"), HIRL_E_FORMAT, "binary version");
    hr_assert_fails(open_set("py/cifar-10-batches-py"), HIRL_E_FORMAT, "pickles");
    end();
}
END_TEST

HR_TESTS("layout", names_of_folders_state_roles, pairs_of_names_are_splits,
         two_readings_are_reported, folders_without_images_do_not_count,
         the_folder_of_a_run_is_no_data, a_split_is_the_same_set_whatever_lies_beside_it,
         an_empty_train_folder_is_not_replaced_by_test_images,
         a_split_without_labels_is_not_for_queries, what_is_left_out_is_counted_by_ending,
         only_needed_folders_must_be_readable, data_one_folder_below_is_named)
