/* test_safetensors.c - files of tensors: bytes of another program, round trips, damage. */
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

static char folder[HR_TEST_PATH], path[HR_TEST_PATH];

static void begin(void)
{
    hr_test_folder(folder);
    hr_test_path(path, folder, "a.safetensors");
}

/* ---- bytes made by another program ----
 *
 * Python 3.11 without packages:
 *   w = struct.pack('<4f', 1, -2, .5, 3); i = struct.pack('<3q', 7, -1, 1 << 40); s = b'\xc8'
 *   m = {"kind": "test", "checksums": "header and tensors", "crc32.w": "%08x" % zlib.crc32(w), ...}
 *   h = {"__metadata__": m,
 *        "id": {"dtype": "I64", "shape": [3], "data_offsets": [0, 24]},
 *        "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [24, 40]},
 *        "s": {"dtype": "U8", "shape": [], "data_offsets": [40, 41]}}
 *   text = lambda: json.dumps(h, sort_keys=True, separators=(',', ':')).encode()
 *   m["crc32"] = "%08x" % zlib.crc32(text()); t = text(); t += b' ' * (-len(t) % 8)
 *   struct.pack('<Q', len(t)) + t + i + w + s
 * The earlier form has neither "checksums" nor "crc32".
 */
#define ENTRIES                                                                                    \
    "\"id\":{\"data_offsets\":[0,24],\"dtype\":\"I64\",\"shape\":[3]},\"s\":{\"data_offsets\":"    \
    "[40,41],\"dtype\":\"U8\",\"shape\":[]},\"w\":{\"data_offsets\":[24,40],\"dtype\":\"F32\","    \
    "\"shape\":[2,2]}}"
#define DATA                                                                                       \
    "\x07\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\x01\0\0"                         \
    "\0\0\x80\x3f\0\0\0\xc0\0\0\0\x3f\0\0\x40\x40\xc8"
static const char golden[] =
    "\x40\x01\0\0\0\0\0\0"
    "{\"__metadata__\":{\"checksums\":\"header and tensors\",\"crc32\":\"28f09d77\","
    "\"crc32.id\":\"04751a5a\",\"crc32.s\":\"47bda50f\",\"crc32.w\":"
    "\"52d2be27\",\"kind\":\"test\"}," ENTRIES "       " DATA;
static const char earlier[] =
    "\x08\x01\0\0\0\0\0\0"
    "{\"__metadata__\":{\"crc32.id\":\"04751a5a\",\"crc32.s\":\"47bda50f\",\"crc32.w\":"
    "\"52d2be27\",\"kind\":\"test\"}," ENTRIES "   " DATA;
enum { GOLDEN = sizeof golden - 1 };

static const float golden_w[4] = { 1, -2, 0.5f, 3 };
static const int64_t golden_id[3] = { 7, -1, 1ll << 40 };
static const uint8_t golden_s = 200;

START_TEST(a_list_is_written_in_the_format)
{
    hr_tensors list;
    size_t bytes;
    void *data;

    begin();
    hr_tensors_init(&list);
    hr_assert_ok(hr_tensors_add(&list, "w", HR_F32, 2, (int64_t[]){ 2, 2 }, golden_w));
    hr_assert_ok(hr_tensors_add(&list, "s", HR_U8, 0, NULL, &golden_s));
    hr_assert_ok(hr_tensors_add(&list, "id", HR_I64, 1, (int64_t[]){ 3 }, golden_id));
    hr_assert_ok(hr_tensors_set_text(&list, "kind", "test"));
    hr_assert_ok(hr_tensors_save(&list, path));
    hr_tensors_done(&list);
    hr_assert_ok(hr_file_read(&data, &bytes, path, 1 << 20));
    ck_assert_uint_eq(bytes, GOLDEN);
    ck_assert_mem_eq(data, golden, GOLDEN);
    hr_free(data);
    hr_test_remove(folder);
}
END_TEST

static void expect_golden(const hr_tensors *list)
{
    ck_assert_int_eq(list->count, 3);
    ck_assert_mem_eq(hr_tensors_find(list, "w")->data, golden_w, sizeof golden_w);
    ck_assert_mem_eq(hr_tensors_find(list, "id")->data, golden_id, sizeof golden_id);
    ck_assert_int_eq(hr_tensors_find(list, "s")->rank, 0);
    ck_assert_uint_eq(*(uint8_t *)hr_tensors_find(list, "s")->data, 200);
    ck_assert_int_eq(list->texts, 1);
    ck_assert_str_eq(hr_tensors_text(list, "kind"), "test");
}

START_TEST(bytes_of_another_program_are_read)
{
    int64_t live = hr_alloc_live();
    hr_tensors list;

    begin();
    for (int i = 0; i < 2; i++) {
        hr_test_write(path, i ? earlier : golden, i ? sizeof earlier - 1 : GOLDEN);
        hr_assert_ok(hr_tensors_load(&list, path));
        ck_assert(!list.foreign);
        expect_golden(&list);
        hr_tensors_done(&list);
    }
    ck_assert_int_eq(hr_alloc_live(), live);
    hr_test_remove(folder);
}
END_TEST

/* ---- round trips ---- */

static hirl_status fill(hr_tensors *list)
{
    static const hr_dtype type[] = { HR_U8, HR_BF16, HR_I64, HR_F32, HR_F64, HR_I32 };
    static const int64_t dim[HR_TENSORS_RANK] = { 1, 3, 1, 2, 1, 1, 5, 1 };
    hirl_status status = HIRL_OK;
    char name[32];
    void *data;

    for (int rank = 0; rank <= HR_TENSORS_RANK && !status; rank++)
        for (int t = 0; t < 6 && !status; t++) {
            snprintf(name, sizeof name, "r%d \"\\ \xc3\xa4.%d", rank, t);
            status = hr_tensors_new(&data, list, name, type[t], rank, dim);
            if (!status)
                memset(data, rank * 16 + t, hr_tensors_find(list, name)->bytes);
        }
    if (!status)
        status = hr_tensors_new(&data, list, "empty", HR_F32, 2, (int64_t[]){ 4, 0 });
    if (!status)
        status = hr_tensors_set_text(list, "text \"\n", "\t\xe2\x82\xac");
    return status;
}

static void expect_equal(const hr_tensors *a, const hr_tensors *b)
{
    ck_assert_int_eq(a->count, b->count);
    ck_assert_int_eq(a->texts, b->texts);
    for (int32_t i = 0; i < a->count; i++) {
        const hr_named *x = &a->item[i], *y = NULL;

        hr_assert_ok(hr_tensors_need(&y, b, x->name, x->dtype, x->rank, x->dim));
        ck_assert_uint_eq(x->bytes, y->bytes);
        ck_assert_int_eq(memcmp(x->data, y->data, x->bytes), 0);
    }
    for (int32_t i = 0; i < a->texts; i++)
        ck_assert_str_eq(a->text[i].value, hr_tensors_text(b, a->text[i].key));
}

START_TEST(every_type_and_rank_comes_back_and_is_written_again_alike)
{
    char again[HR_TEST_PATH];
    hr_tensors list, back;
    size_t bytes[2];
    void *data[2];

    begin();
    hr_test_path(again, folder, "b.safetensors");
    hr_tensors_init(&list);
    hr_assert_ok(fill(&list));
    hr_assert_ok(hr_tensors_save(&list, path));
    hr_assert_ok(hr_tensors_load(&back, path));
    expect_equal(&list, &back);
    hr_assert_ok(hr_tensors_save(&back, again));
    hr_assert_ok(hr_file_read(&data[0], &bytes[0], path, 1 << 20));
    hr_assert_ok(hr_file_read(&data[1], &bytes[1], again, 1 << 20));
    ck_assert_uint_eq(bytes[0], bytes[1]);
    ck_assert_int_eq(memcmp(data[0], data[1], bytes[0]), 0);
    hr_free(data[0]);
    hr_free(data[1]);
    hr_tensors_done(&list);
    hr_tensors_done(&back);
    hr_test_remove(folder);
}
END_TEST

START_TEST(an_empty_list_comes_back_empty)
{
    hr_tensors list, back;

    begin();
    hr_tensors_init(&list);
    hr_assert_ok(hr_tensors_save(&list, path));
    hr_assert_ok(hr_tensors_load(&back, path));
    ck_assert_int_eq(back.count + back.texts, 0);
    hr_tensors_done(&back);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_text_that_is_not_utf8_is_not_written)
{
    hr_tensors list;
    void *data;

    begin();
    hr_tensors_init(&list);
    hr_assert_ok(hr_tensors_set_text(&list, "k", "\xff"));
    hr_assert_fails(hr_tensors_save(&list, path), HIRL_E_INVALID, "UTF-8");
    hr_assert_ok(hr_tensors_set_text(&list, "k", ""));
    hr_assert_ok(hr_tensors_new(&data, &list, "\xc0\x80", HR_U8, 0, NULL));
    hr_assert_fails(hr_tensors_save(&list, path), HIRL_E_INVALID, "UTF-8");
    ck_assert_int_eq(hr_test_entries(folder), 0);
    hr_tensors_done(&list);
    hr_test_remove(folder);
}
END_TEST

/* ---- damage ---- */

#define T(shape, offsets) "{\"dtype\":\"F32\",\"shape\":[" shape "],\"data_offsets\":[" offsets "]}"

typedef struct bad {
    const char *header;
    int data; /* bytes of data after the header */
    hirl_status status;
    const char *word;
} bad;

static const bad bad_header[] = {
    /* the text */
    { "", 4, HIRL_E_FORMAT, "header of 0" },
    { " {}", 0, HIRL_E_FORMAT, "begin" },
    { "[]", 0, HIRL_E_FORMAT, "begin" },
    { "{}\n", 0, HIRL_E_FORMAT, "end" },
    { "{}{}", 0, HIRL_E_FORMAT, "end of file" },
    { "{\"a\":" T("1", "0,4") "]}", 4, HIRL_E_FORMAT, "header" },
    { "{\"a\":" T("1", "0,4") ",}", 4, HIRL_E_FORMAT, "header" },
    { "{\"a\" " T("1", "0,4") "}", 4, HIRL_E_FORMAT, "header" },
    { "{\"a:" T("1", "0,4") "}", 4, HIRL_E_FORMAT, "header" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[[[1]]],\"data_offsets\":[0,4]}}", 4, HIRL_E_FORMAT,
      "deeper" },
    { "{\"a\":" T("1", "0,4") ",\"a\":" T("1", "4,8") "}", 8, HIRL_E_FORMAT, "duplicate" },
    { "{\"a\":" T("1", "0,4") ",\"\\u0061\":" T("1", "4,8") "}", 8, HIRL_E_FORMAT, "duplicate" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
      HIRL_E_FORMAT, "duplicate" },
    { "{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", 0, HIRL_E_FORMAT, "duplicate" },
    { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, HIRL_E_FORMAT, "duplicate" },
    { "{\"\xc0\xaf\":" T("1", "0,4") "}", 4, HIRL_E_FORMAT, "decode" },         /* overlong */
    { "{\"\xed\xa0\x80\":" T("1", "0,4") "}", 4, HIRL_E_FORMAT, "decode" },     /* a surrogate */
    { "{\"\xf4\x90\x80\x80\":" T("1", "0,4") "}", 4, HIRL_E_FORMAT, "decode" }, /* above U+10FFFF */
    { "{\"a\\u0000b\":" T("1", "0,4") "}", 4, HIRL_E_FORMAT, "header" },
    { "{\"a\tb\":" T("1", "0,4") "}", 4, HIRL_E_FORMAT, "header" },
    /* numbers */
    { "{\"a\":" T("-1", "0,4") "}", 4, HIRL_E_FORMAT, "not allowed" },
    { "{\"a\":" T("1.0", "0,4") "}", 4, HIRL_E_FORMAT, "not allowed" },
    { "{\"a\":" T("1e0", "0,4") "}", 4, HIRL_E_FORMAT, "not allowed" },
    { "{\"a\":" T("+1", "0,4") "}", 4, HIRL_E_FORMAT, "not allowed" },
    { "{\"a\":" T("01", "0,4") "}", 4, HIRL_E_FORMAT, "header" },
    { "{\"a\":" T("true", "0,4") "}", 4, HIRL_E_FORMAT, "not allowed" },
    { "{\"a\":" T("\"1\"", "0,4") "}", 4, HIRL_E_FORMAT, "whole number" },
    { "{\"a\":" T("9223372036854775808", "0,4") "}", 4, HIRL_E_FORMAT, "too big" },
    { "{\"a\":" T("18446744073709551617", "0,4") "}", 4, HIRL_E_FORMAT, "too big" },
    /* entries */
    { "{\"a\":[]}", 4, HIRL_E_FORMAT, "keys" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, HIRL_E_FORMAT, "keys" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, HIRL_E_FORMAT,
      "keys" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"offsets\":[0,4]}}", 4, HIRL_E_FORMAT, "keys" },
    { "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, HIRL_E_UNSUPPORTED,
      "F31" },
    { "{\"a\":{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, HIRL_E_FORMAT, "dtype" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, HIRL_E_FORMAT, "list" },
    { "{\"a\":" T("1,1,1,1,1,1,1,1,1", "0,4") "}", 4, HIRL_E_FORMAT, "too long" },
    { "{\"a\":" T("1", "0,4,8") "}", 4, HIRL_E_FORMAT, "too long" },
    { "{\"a\":" T("1", "0") "}", 4, HIRL_E_FORMAT, "begin and end" },
    { "{\"a\":" T("1", "4,0") "}", 4, HIRL_E_FORMAT, "begin and end" },
    { "{\"a\":" T("2", "0,4") "}", 4, HIRL_E_FORMAT, "takes 8 bytes" },
    { "{\"a\":" T("4294967296,4294967296", "0,0") "}", 0, HIRL_E_LIMIT, "63 bits" },
    { "{\"a\":" T("9223372036854775807,0", "0,0") "}", 0, HIRL_E_LIMIT, "63 bits" },
    { "{\"a\":" T("2305843009213693951", "0,9223372036854775804") "}", 4, HIRL_E_FORMAT,
      "describes" },
    { "{\"\":" T("1", "0,4") "}", 4, HIRL_E_FORMAT, "name" },
    /* offsets */
    { "{\"a\":" T("1", "0,4") "}", 5, HIRL_E_FORMAT, "5 bytes of data" },
    { "{\"a\":" T("1", "0,4") "}", 3, HIRL_E_FORMAT, "3 bytes of data" },
    { "{\"a\":" T("1", "4,8") "}", 8, HIRL_E_FORMAT, "gap" },
    { "{\"a\":" T("1", "0,4") ",\"b\":" T("1", "8,12") "}", 12, HIRL_E_FORMAT, "gap" },
    { "{\"a\":" T("2", "0,8") ",\"b\":" T("1", "4,8") "}", 8, HIRL_E_FORMAT, "overlap" },
    { "{\"a\":" T("1", "0,4") ",\"b\":" T("1", "0,4") "}", 4, HIRL_E_FORMAT, "overlap" },
    { "{\"a\":" T("2", "0,8") ",\"b\":" T("0", "4,4") "}", 8, HIRL_E_FORMAT, "overlap" },
    { "{\"a\":" T("0", "4,4") "}", 4, HIRL_E_FORMAT, "gap" },
    { "{}", 1, HIRL_E_FORMAT, "1 bytes of data" },
    /* metadata */
    { "{\"__metadata__\":[]}", 0, HIRL_E_FORMAT, "metadata" },
    { "{\"__metadata__\":{\"k\":1}}", 0, HIRL_E_FORMAT, "not a text" },
    { "{\"__metadata__\":{\"k\":{}}}", 0, HIRL_E_FORMAT, "not a text" },
    { "{\"__metadata__\":{\"crc32.a\":\"00000000\"},\"a\":{\"data_offsets\":[0,4],"
      "\"dtype\":\"F32\",\"shape\":[1]}}",
      4, HIRL_E_FORMAT, "checksum" },
    { "{\"__metadata__\":{\"crc32.a\":1},\"a\":" T("1", "0,4") "}", 4, HIRL_E_FORMAT,
      "not a text" },
};
enum { BAD = sizeof bad_header / sizeof *bad_header };

static void write_file(const char *header, size_t length, int data)
{
    uint64_t n = length;
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    fwrite(&n, 8, 1, file);
    fwrite(header, 1, length, file);
    for (int i = 0; i < data; i++)
        fputc(0, file);
    fclose(file);
}

START_TEST(a_damaged_header_is_refused_with_its_fault)
{
    int64_t live = hr_alloc_live();
    hr_tensors list;

    begin();
    for (int i = 0; i < BAD; i++) {
        hirl_status status;

        write_file(bad_header[i].header, strlen(bad_header[i].header), bad_header[i].data);
        status = hr_tensors_load(&list, path);
        ck_assert_msg(status == bad_header[i].status &&
                          strstr(hr_error_text(), bad_header[i].word) &&
                          strstr(hr_error_text(), "a.safetensors"),
                      "%d %s: status %d '%s', not %d '%s'", i, bad_header[i].header, (int)status,
                      hr_error_text(), (int)bad_header[i].status, bad_header[i].word);
        ck_assert_int_eq(list.count, 0);
        ck_assert_int_eq(hr_alloc_live(), live);
    }
    hr_test_remove(folder);
}
END_TEST

/* Each case is a valid counterpart of a refused one above. */
START_TEST(what_the_rules_allow_is_read)
{
    static const struct {
        const char *header;
        int data, count;
    } good[] = {
        { "{}", 0, 0 },
        { "{}        ", 0, 0 },
        { "{ \"a\" :\n\t" T(" 1", "0 ,4") "}", 4, 1 },
        { "{\"b\":" T("1", "4,8") ",\"a\":" T("1", "0,4") "}", 8, 2 },
        { "{\"a\":" T("0", "0,0") ",\"b\":" T("0,7", "0,0") ",\"c\":" T("1", "0,4") "}", 4, 3 },
        { "{\"a\":" T("1", "0,4") ",\"z\":" T("0", "4,4") "}", 4, 2 },
        { "{\"a\":" T("1,1,1,1,1,1,1,1", "0,4") "}", 4, 1 },
        { "{\"a\\\"}{[-1.e5\":" T("", "0,4") "}", 4, 1 },
        { "{\"__metadata__\":{\"crc32.a\":\"2144df1c\"},\"a\":" T("1", "0,4") "}", 4, 1 },
        { "{\"__metadata__\":{\"crc32.gone\":\"2144df1c\"}}", 0, 0 },
    };
    hr_tensors list;

    begin();
    for (int i = 0; i < 10; i++) {
        write_file(good[i].header, strlen(good[i].header), good[i].data);
        hr_assert_ok(hr_tensors_load(&list, path));
        ck_assert_int_eq(list.count, good[i].count);
        hr_tensors_done(&list);
    }
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_wrong_header_length_is_refused)
{
    static const struct {
        unsigned char bytes[12];
        size_t count;
        const char *word;
    } file[] = {
        { { 0 }, 0, "too short" },
        { { 2, 0, 0, 0, 0, 0, 0, 0, '{' }, 9, "too short" },
        { { 3, 0, 0, 0, 0, 0, 0, 0, '{', '}' }, 10, "header of 3" },
        { { 1, 0, 0, 0, 0, 0, 0, 0, '{', '}' }, 10, "header of 1" },
        { { 2, 0, 0, 0, 0, 0, 0, 0x80, '{', '}' }, 10, "header of 9223372036854775810" },
        { { 255, 255, 255, 255, 255, 255, 255, 255, '{', '}' }, 10, "18446744073709551615" },
    };
    hr_tensors list;

    begin();
    for (int i = 0; i < 6; i++) {
        hr_test_write(path, file[i].bytes, file[i].count);
        hr_assert_fails(hr_tensors_load(&list, path), HIRL_E_FORMAT, file[i].word);
    }
    hr_test_remove(folder);
}
END_TEST

/* Loads a header with one list of `count` values; `text` has room for it. */
static void refuse_many(char *text, const char *value, int count)
{
    size_t at = (size_t)sprintf(text, "{\"a\":[");
    hr_tensors list;

    for (int i = 0; i < count; i++)
        at += (size_t)sprintf(text + at, "%s", value);
    at += (size_t)sprintf(text + at, "0]}");
    write_file(text, at, 0);
    hr_assert_fails(hr_tensors_load(&list, path), HIRL_E_LIMIT, "more values");
}

START_TEST(limits_of_header_count_and_name_hold)
{
    enum { BIG = (16 << 20) + 8 };
    char *text = malloc(BIG), name[HR_TENSORS_NAME + 1];
    size_t at = 0;
    clock_t start;
    hr_tensors list;

    begin();
    memset(text, ' ', BIG);
    memcpy(text, "{}", 2);
    write_file(text, BIG, 0);
    hr_assert_fails(hr_tensors_load(&list, path), HIRL_E_LIMIT, "header");
    for (int i = 0; i <= 65536; i++)
        at += (size_t)sprintf(text + at, "%s\"%x\":" T("0", "0,0"), i ? "," : "{", (unsigned)i);
    text[at++] = '}';
    write_file(text, at, 0);
    hr_assert_fails(hr_tensors_load(&list, path), HIRL_E_LIMIT, "65537 tensors");
    /* as many texts: the time must not grow with the square of their number */
    at = (size_t)sprintf(text, "{\"__metadata__\":{\"k\":\"\"");
    for (int i = 0; i < 100000; i++)
        at += (size_t)sprintf(text + at, ",\"%x\":\"\"", (unsigned)i);
    at += (size_t)sprintf(text + at, "}}");
    write_file(text, at, 0);
    start = clock();
    hr_assert_ok(hr_tensors_load(&list, path));
    ck_assert_int_lt((clock() - start) / CLOCKS_PER_SEC, 5);
    ck_assert_int_eq(list.texts, 100001);
    hr_tensors_done(&list);
    refuse_many(text, "[],", 300000); /* small text, much memory */
    refuse_many(text, "0,", 1100000);
    memset(name, 'n', HR_TENSORS_NAME);
    name[HR_TENSORS_NAME] = '\0';
    at = (size_t)sprintf(text, "{\"%s\":" T("1", "0,4") "}", name);
    write_file(text, at, 4);
    hr_assert_fails(hr_tensors_load(&list, path), HIRL_E_FORMAT, "name");
    free(text);
    hr_test_remove(folder);
}
END_TEST

START_TEST(any_cut_and_any_flipped_bit_is_seen)
{
    char damaged[GOLDEN];
    hr_tensors list;

    begin();
    for (int n = 0; n < GOLDEN; n++) {
        hr_test_write(path, golden, (size_t)n);
        ck_assert_int_eq(hr_tensors_load(&list, path), HIRL_E_FORMAT);
    }
    for (int i = 0; i < 8 * GOLDEN; i++) {
        memcpy(damaged, golden, GOLDEN);
        damaged[i / 8] ^= (char)(1 << i % 8);
        hr_test_write(path, damaged, GOLDEN);
        ck_assert_msg(hr_tensors_load(&list, path) != HIRL_OK, "bit %d of byte %d is not covered",
                      i % 8, i / 8);
        ck_assert_int_eq(list.count, 0);
    }
    hr_test_remove(folder);
}
END_TEST

/* A flipped letter of a name, or of a text, is still a header that can be read. */
START_TEST(a_damaged_header_is_distinguished_from_a_damaged_tensor)
{
    static const struct {
        const char *at, *word;
        char letter;
    } damage[] = {
        { "kind", "header is damaged", 'j' },      { "test", "header is damaged", 'u' },
        { "\"w\":{", "header is damaged", '#' },   { "crc32.id", "header is damaged", 'b' },
        { "28f0", "header is damaged", '3' },      { "crc32\":", "checksum is missing", 'b' },
        { "checksums", "header is damaged", 'b' }, { "I64", "header is damaged", 'J' },
    };
    char damaged[GOLDEN];
    hr_tensors list;

    begin();
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        char *at;

        memcpy(damaged, golden, GOLDEN);
        at = memmem(damaged, GOLDEN, damage[i].at, strlen(damage[i].at));
        ck_assert_ptr_nonnull(at);
        at[*at == '"'] = damage[i].letter;
        hr_test_write(path, damaged, GOLDEN);
        hr_assert_fails(hr_tensors_load(&list, path), HIRL_E_FORMAT, damage[i].word);
    }
    for (int i = GOLDEN - 41; i < GOLDEN; i++) {
        memcpy(damaged, golden, GOLDEN);
        damaged[i] ^= 1;
        hr_test_write(path, damaged, GOLDEN);
        hr_assert_fails(hr_tensors_load(&list, path), HIRL_E_FORMAT, "is damaged: its checksum");
    }
    hr_test_remove(folder);
}
END_TEST

/* Other programs keep the metadata, but neither the order of keys nor that of tensors. */
START_TEST(a_file_that_another_program_wrote_again_is_foreign)
{
    static const char metadata[] =
        "{\"__metadata__\":{\"crc32.s\":\"47bda50f\",\"kind\":\"test\",\"crc32\":\"28f09d77\","
        "\"crc32.id\":\"04751a5a\",\"checksums\":\"header and tensors\","
        "\"crc32.w\":\"52d2be27\"},";
    static const char *const entries[] = {
        "\"id\":{\"dtype\":\"I64\",\"shape\":[3],\"data_offsets\":[0,24]},"
        "\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[24,40]},"
        "\"s\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[40,41]}}",
        "\"id\": {\"data_offsets\": [0, 24], \"dtype\": \"I64\", \"shape\": [3]}, "
        "\"s\": {\"data_offsets\": [40, 41], \"dtype\": \"U8\", \"shape\": []}, "
        "\"w\": {\"data_offsets\": [24, 40], \"dtype\": \"F32\", \"shape\": [2, 2]}}",
    };
    char text[GOLDEN + 200];
    hr_tensors list;

    begin();
    for (int i = 0; i < 4; i++) {
        uint64_t n = (uint64_t)sprintf(text + 8, "%s%s", metadata, entries[i / 2]);

        memcpy(text, &n, 8);
        memcpy(text + 8 + n, golden + GOLDEN - 41, 41);
        text[8 + n + 41 - 1] ^= (char)(i % 2); /* the program changed s and kept its checksum */
        hr_test_write(path, text, 8 + n + 41);
        hr_assert_ok(hr_tensors_load(&list, path));
        ck_assert(list.foreign);
        ck_assert_int_eq(list.stale, i % 2);
        if (i % 2 == 0)
            expect_golden(&list);
        hr_tensors_done(&list);
    }
    hr_test_remove(folder);
}
END_TEST

/* ---- out of memory ---- */

static hirl_status save_and_load(void)
{
    hr_tensors list, back;
    hirl_status status;

    hr_tensors_init(&list);
    hr_tensors_init(&back);
    status = fill(&list);
    if (!status)
        status = hr_tensors_save(&list, path);
    if (!status)
        status = hr_tensors_load(&back, path);
    if (!status)
        expect_equal(&list, &back);
    hr_tensors_done(&list);
    hr_tensors_done(&back);
    return status;
}

START_TEST(any_failing_allocation_is_reported_and_leaks_nothing)
{
    int64_t live = hr_alloc_live();
    hirl_status status = HIRL_E_NOMEM;
    int nth = 0;

    begin();
    while (status) {
        hr_alloc_fail_at(++nth, false);
        status = save_and_load();
        hr_alloc_fail_at(0, false);
        ck_assert(status == HIRL_OK || status == HIRL_E_NOMEM);
        ck_assert_int_eq(hr_alloc_live(), live);
        ck_assert_int_le(hr_test_entries(folder), 1);
    }
    ck_assert_int_gt(nth, 100);
    hr_test_remove(folder);
}
END_TEST

static int until_failure;

static void *frail_malloc(size_t bytes)
{
    return until_failure && !--until_failure ? NULL : malloc(bytes);
}

/* jansson allocates by itself; while parsing it reports a failed allocation as a syntax error. */
START_TEST(any_failing_allocation_of_the_json_library_damages_nothing)
{
    int64_t live = hr_alloc_live();
    hirl_status status = HIRL_E_NOMEM;
    hr_tensors list, back;

    begin();
    hr_tensors_init(&list);
    hr_assert_ok(fill(&list));
    json_set_alloc_funcs(frail_malloc, free);
    for (int nth = 1; status; nth++) {
        until_failure = nth;
        status = hr_tensors_save(&list, path);
        until_failure = 0;
        ck_assert_msg(status == HIRL_OK || status == HIRL_E_NOMEM, "%d: status %d: %s", nth,
                      (int)status, hr_error_text());
        ck_assert_int_eq(hr_test_entries(folder), status == HIRL_OK);
    }
    status = HIRL_E_NOMEM;
    for (int nth = 1; status; nth++) {
        until_failure = nth;
        status = hr_tensors_load(&back, path);
        until_failure = 0;
        ck_assert(status == HIRL_OK || status == HIRL_E_NOMEM || status == HIRL_E_FORMAT);
    }
    json_set_alloc_funcs(malloc, free);
    expect_equal(&list, &back);
    hr_tensors_done(&list);
    hr_tensors_done(&back);
    ck_assert_int_eq(hr_alloc_live(), live);
    hr_test_remove(folder);
}
END_TEST

HR_TESTS("safetensors", a_list_is_written_in_the_format, bytes_of_another_program_are_read,
         every_type_and_rank_comes_back_and_is_written_again_alike, an_empty_list_comes_back_empty,
         a_text_that_is_not_utf8_is_not_written, a_damaged_header_is_refused_with_its_fault,
         what_the_rules_allow_is_read, a_wrong_header_length_is_refused,
         limits_of_header_count_and_name_hold, any_cut_and_any_flipped_bit_is_seen,
         a_damaged_header_is_distinguished_from_a_damaged_tensor,
         a_file_that_another_program_wrote_again_is_foreign,
         any_failing_allocation_is_reported_and_leaks_nothing,
         any_failing_allocation_of_the_json_library_damages_nothing)
