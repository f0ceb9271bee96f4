/* test_option.c - texts of keys: accepted values, refused values and their messages. */
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/key_text.h"
#include "base/option.h"
#include "support/close.h"
#include "support/run.h"

typedef struct config {
    int64_t count, flag, way;
    double rate;
    char text[HR_KEY_TEXT_BYTES];
    hr_key_list list;
} config;

enum { COUNT, RATE, FLAG, TEXT, WAY, LIST, HIDDEN, SEED };
static const hr_key key[] = {
    [COUNT] = { "count", HR_KEY_INT, "32", 1, 65536, NULL, true, "images", "",
                offsetof(config, count) },
    [RATE] = { "rate", HR_KEY_REAL, "0.03", 0, 100, NULL, true, "", "", offsetof(config, rate) },
    [FLAG] = { "flag", HR_KEY_FLAG, "yes", 0, 0, NULL, false, "", "", offsetof(config, flag) },
    [TEXT] = { "text", HR_KEY_TEXT, "", 0, 0, NULL, false, "", "", offsetof(config, text) },
    [WAY] = { "way", HR_KEY_CHOICE, "b", 0, 0, "auto b ccc", false, "", "", offsetof(config, way) },
    [LIST] = { "list", HR_KEY_LIST, "auto", 2, 1000, NULL, true, "", "", offsetof(config, list) },
    [HIDDEN] = { "hidden", HR_KEY_INT, "-9223372036854775808", 0, 0, NULL, false, "", "",
                 HR_NO_FIELD },
    [SEED] = { "seed", HR_KEY_INT, "0", 0, 9007199254740992.0, NULL, false, "", "", HR_NO_FIELD },
};
static const hr_keys table = { "test", key, 7 };

START_TEST(numbers_are_read_as_written)
{
    static const struct {
        const char *text;
        double want;
    } number[] = { { "2e-6", 2e-6 }, { "0.1", 0.1 },  { ".5", 0.5 },
                   { "5.", 5 },      { "+1E+1", 10 }, { "99.99", 99.99 } };
    double x;
    int64_t n;

    for (int i = 0; i < 6; i++) {
        hr_assert_ok(hr_key_parse(&x, &key[RATE], number[i].text));
        ck_assert_msg(x == number[i].want, "%s: %.17g", number[i].text, x);
    }
    hr_assert_ok(hr_key_parse(&n, &key[COUNT], "65536"));
    ck_assert_int_eq(n, 65536);
    hr_assert_ok(hr_key_parse(&n, &key[HIDDEN], "-9223372036854775808"));
    ck_assert(n == INT64_MIN);
    hr_assert_ok(hr_key_parse(&n, &key[HIDDEN], "9223372036854775807"));
    ck_assert(n == INT64_MAX);
    hr_assert_ok(hr_key_parse(&n, &key[COUNT], "auto"));
    ck_assert(n == HR_AUTO);
    hr_assert_ok(hr_key_parse(&x, &key[RATE], "auto"));
    ck_assert(isnan(x));
}
END_TEST

START_TEST(text_that_is_not_a_number_is_refused)
{
    static const char *const number[] = { "",    "1e400", "nan", "inf", "1,5", "0x10", "1e",
                                          "1e+", ".",     "1 ",  " 1",  "--1", "1.5x", "e5" };
    static const char *const whole[] = { "",     "1.0", "1e3",
                                         "0x10", "ten", "1 ",
                                         "Auto", "+",   "99999999999999999999" };

    for (int i = 0; i < 14; i++)
        hr_assert_fails(hr_key_parse(NULL, &key[RATE], number[i]), HIRL_E_INVALID, "rate");
    for (int i = 0; i < 9; i++)
        hr_assert_fails(hr_key_parse(NULL, &key[COUNT], whole[i]), HIRL_E_INVALID, "count");
    hr_assert_fails(hr_key_parse(NULL, &key[HIDDEN], "9223372036854775808"), HIRL_E_INVALID,
                    "64 bits");
    hr_assert_fails(hr_key_parse(NULL, &key[HIDDEN], "auto"), HIRL_E_INVALID, "whole number");
}
END_TEST

START_TEST(a_number_outside_its_range_is_reported_with_the_range)
{
    hr_assert_fails(hr_key_parse(NULL, &key[COUNT], "0"), HIRL_E_INVALID, "1 to 65536");
    hr_assert_fails(hr_key_parse(NULL, &key[COUNT], "65537"), HIRL_E_INVALID, "65537");
    hr_assert_fails(hr_key_parse(NULL, &key[RATE], "-1e-9"), HIRL_E_INVALID, "0 to 100");
    hr_assert_ok(hr_key_parse(NULL, &key[SEED], "9007199254740992"));
    hr_assert_fails(hr_key_parse(NULL, &key[SEED], "9007199254740993"), HIRL_E_INVALID,
                    "9007199254740993 is outside");
    hr_assert_fails(hr_key_parse(NULL, &key[LIST], "800,1,2"), HIRL_E_INVALID, "2 to 1000");
}
END_TEST

START_TEST(flags_choices_texts_and_lists_are_read)
{
    static const char *const flag[] = { "0", "1", "false", "true", "no", "yes" };
    char text[HR_KEY_TEXT_BYTES], longer[HR_KEY_TEXT_BYTES + 1], word[8];
    hr_key_list list;
    int64_t n;

    for (int i = 0; i < 6; i++) {
        hr_assert_ok(hr_key_parse(&n, &key[FLAG], flag[i]));
        ck_assert_int_eq(n, i % 2);
    }
    hr_assert_fails(hr_key_parse(&n, &key[FLAG], "2"), HIRL_E_INVALID, "flag");
    hr_assert_ok(hr_key_parse(&n, &key[WAY], "ccc"));
    ck_assert_int_eq(n, 2);
    hr_assert_ok(hr_key_parse(&n, &key[WAY], "C-c_C"));
    ck_assert_int_eq(n, 2);
    hr_assert_fails(hr_key_parse(&n, &key[WAY], "cc"), HIRL_E_INVALID, "auto b ccc");
    hr_assert_fails(hr_key_parse(&n, &key[WAY], ""), HIRL_E_INVALID, "one of");
    ck_assert_str_eq(hr_choice_name(&key[WAY], 1, word, sizeof word), "b");
    ck_assert_str_eq(hr_choice_name(&key[WAY], 3, word, sizeof word), "");
    hr_assert_ok(hr_key_parse(text, &key[TEXT], "a b"));
    ck_assert_str_eq(text, "a b");
    memset(longer, 'x', sizeof longer);
    longer[HR_KEY_TEXT_BYTES] = '\0';
    hr_assert_fails(hr_key_parse(text, &key[TEXT], longer), HIRL_E_INVALID, "1024 bytes");
    hr_assert_ok(hr_key_parse(text, &key[TEXT], longer + 1));
    hr_assert_fails(hr_key_parse(text, &key[TEXT], "a\nb"), HIRL_E_INVALID, "control");
    hr_assert_ok(hr_key_parse(&list, &key[LIST], "800, 200 ,50"));
    ck_assert_int_eq(list.count, 3);
    ck_assert(list.item[0] == 800 && list.item[1] == 200 && list.item[2] == 50);
    hr_assert_ok(hr_key_parse(&list, &key[LIST], "auto"));
    ck_assert_int_eq(list.count, 0);
    hr_assert_fails(hr_key_parse(&list, &key[LIST], "2,3,4,5,6,7,8,9,10"), HIRL_E_INVALID,
                    "more than 8");
    hr_assert_fails(hr_key_parse(&list, &key[LIST], "2,"), HIRL_E_INVALID, "list");
    hr_assert_fails(hr_key_parse(&list, &key[LIST], "2 3"), HIRL_E_INVALID, "list");
    hr_assert_fails(hr_key_parse(&list, &key[LIST], ""), HIRL_E_INVALID, "list");
}
END_TEST

START_TEST(a_config_is_filled_from_values_and_defaults)
{
    int64_t live = hr_alloc_live();
    hirl_options options = { 0 };
    config c;

    hr_assert_ok(hr_options_read(&c, &table, NULL));
    ck_assert(c.count == 32 && c.flag == 1 && c.way == 1 && c.rate == 0.03);
    ck_assert(!c.text[0] && !c.list.count);
    hr_assert_ok(hr_options_put(&options, &key[COUNT], "7", HR_FROM_CALLER));
    hr_assert_ok(hr_options_put(&options, &key[TEXT], "photos", HR_FROM_FILE));
    hr_assert_ok(hr_options_read(&c, &table, &options));
    ck_assert(c.count == 7 && c.rate == 0.03);
    ck_assert_str_eq(c.text, "photos");
    hr_options_done(&options);
    ck_assert_int_eq(hr_alloc_live(), live);
}
END_TEST

START_TEST(a_field_is_printed_as_it_is_read)
{
    static const struct {
        int key;
        const char *text;
    } shown[] = { { COUNT, "7" },
                  { COUNT, "auto" },
                  { RATE, "0.1" },
                  { RATE, "auto" },
                  { FLAG, "0" },
                  { TEXT, "a b" },
                  { TEXT, "" },
                  { WAY, "auto" },
                  { WAY, "ccc" },
                  { LIST, "auto" },
                  { LIST, "9" },
                  { LIST, "800,200,50" },
                  { HIDDEN, "-9223372036854775808" } };
    _Alignas(8) char field[HR_KEY_TEXT_BYTES];
    char text[HR_KEY_TEXT_BYTES];

    for (int i = 0; i < 13; i++) {
        hr_assert_ok(hr_key_parse(field, &key[shown[i].key], shown[i].text));
        hr_key_print(text, &key[shown[i].key], field);
        ck_assert_str_eq(text, shown[i].text);
    }
}
END_TEST

START_TEST(texts_are_compared_by_what_they_stand_for)
{
    static const struct {
        int key;
        const char *a, *b;
        bool same;
    } pair[] = { { RATE, "0.0", "0", true },
                 { RATE, "-0", "0", true },
                 { RATE, "50%", ".5", true },
                 { RATE, "2e-6", "0.000002", true },
                 { RATE, "0.1", "0.10000001", false },
                 { RATE, "auto", "0", false },
                 { COUNT, "+7", "7", true },
                 { COUNT, "7", "8", false },
                 { HIDDEN, "9007199254740993", "9007199254740992", false }, /* 2^53 + 1 */
                 { FLAG, "yes", "1", true },
                 { FLAG, "yes", "0", false },
                 { WAY, "C-cc", "ccc", true },
                 { LIST, "800, 200", "800,200", true },
                 { LIST, "800,200", "800,200,50", false },
                 { TEXT, "0.4,0.4, .2 ,1e-1", "0.40,0.4,0.2,0.1", true },
                 { TEXT, "0.0", "0", true },
                 { TEXT, "0.4,0.4", "0.4,0.4,0.4", false },
                 { TEXT, "0.4,0.4", "0.4,0.5", false },
                 { TEXT, "0.4,0.5; 1,1", "0.40,.5;1.0,1", true },
                 { TEXT, "0.4,0.5", "0.4;0.5", false },
                 { TEXT, "0.4,", "0.4", false },
                 { TEXT, "", "0", false },
                 { TEXT, "bn 1.0", "bn 1", false },
                 { TEXT, "photos", "Photos", false } };

    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        const hr_key *of = &key[pair[i].key];

        ck_assert_msg(hr_key_same(of, pair[i].a, pair[i].b) == pair[i].same &&
                          hr_key_same(of, pair[i].b, pair[i].a) == pair[i].same,
                      "%s: '%s' and '%s'", of->name, pair[i].a, pair[i].b);
    }
}
END_TEST

static const char *value(const hirl_options *options, const char *name)
{
    const hr_option *found = hr_options_find(options, name);

    return found ? found->value : "not there";
}

START_TEST(the_stronger_origin_wins_and_an_equal_one_replaces)
{
    hirl_options options = { 0 }, copy = { 0 };

    hr_assert_ok(hr_options_put(&options, &key[COUNT], "2", HR_FROM_FILE));
    hr_assert_ok(hr_options_put(&options, &key[COUNT], "1", HR_FROM_PRESET));
    ck_assert_str_eq(value(&options, "count"), "2");
    hr_assert_ok(hr_options_put(&options, &key[COUNT], "3", HR_FROM_CALLER));
    hr_assert_ok(hr_options_put(&options, &key[COUNT], "4", HR_FROM_CALLER));
    ck_assert_str_eq(value(&options, "count"), "4");
    hr_assert_fails(hr_options_put(&options, &key[COUNT], "x", HR_FROM_CALLER), HIRL_E_INVALID,
                    "count");
    ck_assert_str_eq(value(&options, "count"), "4");
    hr_assert_ok(hr_options_put(&options, &key[RATE], "1", HR_FROM_PRESET));
    hr_assert_ok(hr_options_put(&options, &key[FLAG], "1", HR_FROM_FILE));
    hr_assert_ok(hr_options_copy(&copy, &options));
    hr_options_drop(&options, HR_FROM_PRESET);
    ck_assert_ptr_null(hr_options_find(&options, "rate"));
    ck_assert_str_eq(value(&options, "flag"), "1");
    ck_assert_str_eq(value(&copy, "rate"), "1");
    ck_assert_int_eq(hr_options_find(&copy, "count")->origin, HR_FROM_CALLER);
    hr_options_done(&options);
    hr_options_done(&copy);
}
END_TEST

START_TEST(a_value_is_replaced_in_a_list_that_is_just_full)
{
    hirl_options options = { 0 };
    hr_key many[17];
    char name[17][16];

    for (int i = 0; i < 17; i++) {
        snprintf(name[i], sizeof name[i], "k%d", i);
        many[i] = key[TEXT];
        many[i].name = name[i];
        hr_assert_ok(hr_options_put(&options, &many[i], "a", HR_FROM_CALLER));
        hr_assert_ok(hr_options_put(&options, &many[0], name[i], HR_FROM_CALLER));
        ck_assert_str_eq(value(&options, "k0"), name[i]);
    }
    ck_assert_int_eq(options.count, 17);
    hr_options_done(&options);
}
END_TEST

START_TEST(the_locale_changes_nothing)
{
    static const char *const name[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8" };
    const char *set = NULL;
    char text[32];
    double x;

    for (int i = 0; i < 3 && !set; i++)
        set = setlocale(LC_ALL, name[i]);
    hr_assert_ok(hr_key_parse(&x, &key[RATE], "0.25"));
    ck_assert_double_eq(x, 0.25);
    hr_real_text(text, sizeof text, 0.25);
    ck_assert_str_eq(text, "0.25");
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(a_number_is_written_as_short_as_it_reads_back)
{
    static const struct {
        double x;
        const char *want;
    } shown[] = { { 0.03, "0.03" },
                  { 1e-4, "0.0001" },
                  { 65536, "65536" },
                  { 2e-6, "2e-06" },
                  { 1.0 / 3, "0.3333333333333333" },
                  { -100, "-100" },
                  { 0, "0" } };
    char text[32];

    for (int i = 0; i < 7; i++) {
        hr_real_text(text, sizeof text, shown[i].x);
        ck_assert_str_eq(text, shown[i].want);
    }
}
END_TEST

START_TEST(distance_counts_edits)
{
    int distance = 4;

    ck_assert_int_eq(hr_edit_distance("kitten", "sitting"), 3);
    ck_assert_int_eq(hr_edit_distance("batch_size", "batch-Size"), 0);
    ck_assert_int_eq(hr_edit_distance("abc", "acb"), 1);
    ck_assert_int_eq(hr_edit_distance("", "abc"), 3);
    ck_assert_int_eq(hr_edit_distance("abc", ""), 3);
    ck_assert_int_eq(hr_edit_distance("lr", "base_lr"), 5);
    ck_assert(hr_nearer(&distance, "kitten", "sitting") && distance == 3);
    ck_assert(!hr_nearer(&distance, "abc", "") && distance == 3); /* equally close is not closer */
}
END_TEST

static hirl_status use_options(void)
{
    hirl_options options = { 0 }, copy = { 0 };
    hirl_status status = HIRL_OK;
    config c;

    for (int i = 0; i < 6 && !status; i++)
        status = hr_options_put(&options, &key[i], key[i].standard, HR_FROM_PRESET);
    if (!status)
        status = hr_options_put(&options, &key[0], "5", HR_FROM_CALLER);
    if (!status)
        status = hr_options_copy(&copy, &options);
    if (!status)
        status = hr_options_read(&c, &table, &copy);
    hr_options_done(&copy);
    hr_options_done(&options);
    return status;
}

START_TEST(any_failing_allocation_is_reported_and_leaks_nothing)
{
    int64_t live = hr_alloc_live();
    hirl_status status = HIRL_E_NOMEM;
    int nth = 0;

    while (status) {
        hr_alloc_fail_at(++nth, false);
        status = use_options();
        hr_alloc_fail_at(0, false);
        ck_assert(status == HIRL_OK || status == HIRL_E_NOMEM);
        ck_assert_int_eq(hr_alloc_live(), live);
    }
    ck_assert_int_gt(nth, 10);
}
END_TEST

HR_TESTS("option", numbers_are_read_as_written, text_that_is_not_a_number_is_refused,
         a_number_outside_its_range_is_reported_with_the_range,
         flags_choices_texts_and_lists_are_read, a_config_is_filled_from_values_and_defaults,
         a_field_is_printed_as_it_is_read, texts_are_compared_by_what_they_stand_for,
         the_stronger_origin_wins_and_an_equal_one_replaces,
         a_value_is_replaced_in_a_list_that_is_just_full, the_locale_changes_nothing,
         a_number_is_written_as_short_as_it_reads_back, distance_counts_edits,
         any_failing_allocation_is_reported_and_leaks_nothing)
