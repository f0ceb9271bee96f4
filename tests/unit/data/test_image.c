/* test_image.c - JPEG and PNG against Pillow's pixels (tests/golden/images), and damaged files. */
#include "data/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "data/exif.h"
#include "support/close.h"
#include "support/run.h"

typedef struct file {
    uint8_t *bytes;
    size_t count;
} file;

static file read_file(const char *name)
{
    char path[1024];
    file f;

    snprintf(path, sizeof path, "%s/images/%s", getenv("HIRL_TEST_DATA"), name);
    hr_assert_ok(hr_file_read((void **)&f.bytes, &f.count, path, 1 << 20));
    return f;
}

/* Calls check for each line of images.txt: file, exif or not, width, height, CRC-32. */
typedef void line_check(const char *name, bool exif, int width, int height, uint32_t crc);

static int for_each_line(line_check *check)
{
    file list = read_file("images.txt");
    char *rest = (char *)list.bytes, *line;
    int lines = 0;

    while ((line = strsep(&rest, "\n")) && *line) {
        char name[64];
        bool exif = strstr(line, " exif ") != NULL;
        int width, height;
        uint32_t crc;

        ck_assert_int_eq(sscanf(line, exif ? "%63s exif %d %d %x" : "%63s %d %d %x", name, &width,
                                &height, &crc),
                         4);
        check(name, exif, width, height, crc);
        lines++;
    }
    hr_free(list.bytes);
    return lines;
}

static void check_pixels(const char *name, bool exif, int width, int height, uint32_t crc)
{
    file f = read_file(name);
    hr_pixels pixels = { 0 };
    uint32_t got;

    hr_assert_ok(hr_image_decode(&pixels, f.bytes, f.count, exif));
    ck_assert_int_eq(pixels.width, width);
    ck_assert_int_eq(pixels.height, height);
    got = (uint32_t)crc32(0, pixels.data, (uInt)(3 * width * height));
    ck_assert_msg(got == crc, "%s: pixels have the CRC %08x, Pillow's %08x", name, got, crc);
    hr_pixels_done(&pixels);
    hr_free(f.bytes);
}

START_TEST(pixels_are_those_of_pillow)
{
    ck_assert_int_eq(for_each_line(check_pixels), 44);
    ck_assert_int_eq(hr_alloc_live(), 0);
}
END_TEST

static void check_size(const char *name, bool exif, int width, int height, uint32_t crc)
{
    file f = read_file(name);
    int64_t w = 0, h = 0;

    (void)crc;
    hr_assert_ok(hr_image_measure(&w, &h, f.bytes, f.count));
    if (!exif) {
        ck_assert_int_eq(w, width);
        ck_assert_int_eq(h, height);
    }
    hr_free(f.bytes);
}

START_TEST(the_header_gives_the_size)
{
    for_each_line(check_size);
}
END_TEST

/* ---- damage ---- */

static void cut_everywhere(const char *name, bool exif, int width, int height, uint32_t crc)
{
    file f = read_file(name);
    hr_pixels pixels = { 0 };

    (void)width;
    (void)height;
    (void)crc;
    for (size_t n = 0; n < f.count; n++) {
        uint8_t *part =
            malloc(n ? n : 1); /* a separate block, so that sanitizers detect reads beyond it */
        hirl_status status;

        memcpy(part, f.bytes, n);
        status = hr_image_decode(&pixels, part, n, exif);
        ck_assert_msg(status == HIRL_E_FORMAT, "%s cut to %zu of %zu bytes: status %d", name, n,
                      f.count, (int)status);
        free(part);
    }
    hr_pixels_done(&pixels);
    hr_free(f.bytes);
}

START_TEST(a_truncated_file_is_refused)
{
    for_each_line(cut_everywhere);
    ck_assert_int_eq(hr_alloc_live(), 0);
}
END_TEST

static void flip_bytes(const char *name, bool exif, int width, int height, uint32_t crc)
{
    file f = read_file(name);
    hr_pixels pixels = { 0 };
    hr_rng rng;

    (void)width;
    (void)height;
    hr_rng_init(&rng, 5, HR_RNG_TEST, 0, 0, crc);
    for (int trial = 0; trial < 150; trial++) {
        uint8_t *copy = malloc(f.count);
        hirl_status status;

        memcpy(copy, f.bytes, f.count);
        for (uint32_t flips = 1 + hr_rng_below(&rng, 4); flips; flips--) {
            uint32_t at = hr_rng_below(&rng, (uint32_t)f.count);

            copy[at] = (uint8_t)hr_rng_u32(&rng);
        }
        status = hr_image_decode(&pixels, copy, f.count, exif);
        ck_assert(status == HIRL_OK || status == HIRL_E_FORMAT || status == HIRL_E_LIMIT);
        free(copy);
    }
    hr_pixels_done(&pixels);
    hr_free(f.bytes);
}

START_TEST(damaged_bytes_give_a_status)
{
    for_each_line(flip_bytes);
    ck_assert_int_eq(hr_alloc_live(), 0);
}
END_TEST

/* big-endian, with a correct checksum of the header chunk */
static void set_png_size(uint8_t *png, uint32_t width, uint32_t height)
{
    uint32_t crc;

    for (int i = 0; i < 4; i++) {
        png[16 + i] = (uint8_t)(width >> 8 * (3 - i));
        png[20 + i] = (uint8_t)(height >> 8 * (3 - i));
    }
    crc = (uint32_t)crc32(0, png + 12, 17);
    for (int i = 0; i < 4; i++)
        png[29 + i] = (uint8_t)(crc >> 8 * (3 - i));
}

START_TEST(a_png_that_claims_too_much_is_refused_before_memory_is_taken)
{
    static const uint32_t size[][2] = {
        { 65535, 65535 }, { 32769, 1 }, { 1, 32769 }, { 8193, 8192 }, { 0x7fffffff, 0x7fffffff }
    };
    file f = read_file("rgb.png");
    hr_pixels pixels = { 0 };
    int64_t before = hr_alloc_total();

    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        set_png_size(f.bytes, size[i][0], size[i][1]);
        hr_assert_fails(hr_image_decode(&pixels, f.bytes, f.count, false), HIRL_E_LIMIT, "limits");
    }
    ck_assert_int_eq(hr_alloc_total(), before);
    set_png_size(f.bytes, 0, 17);
    hr_assert_fails(hr_image_decode(&pixels, f.bytes, f.count, false), HIRL_E_FORMAT, "0 x 17");
    set_png_size(f.bytes, 23, 18); /* one row more than the file has */
    hr_assert_fails(hr_image_decode(&pixels, f.bytes, f.count, false), HIRL_E_FORMAT, "PNG");
    hr_pixels_done(&pixels);
    hr_free(f.bytes);
}
END_TEST

/* the frame header of a baseline file: ff c0, length, precision, height, width */
static uint8_t *find_frame(file f)
{
    for (size_t i = 2; i + 9 < f.count; i++)
        if (f.bytes[i] == 0xff && f.bytes[i + 1] == 0xc0)
            return f.bytes + i;
    ck_abort_msg("no frame header");
    return NULL;
}

START_TEST(a_jpeg_that_claims_too_much_is_refused_before_memory_is_taken)
{
    file f = read_file("444.jpg");
    uint8_t *frame = find_frame(f);
    hr_pixels pixels = { 0 };
    int64_t before = hr_alloc_total();

    memset(frame + 5, 0xff, 4);
    frame[5] = frame[7] = 0xf0;
    hr_assert_fails(hr_image_decode(&pixels, f.bytes, f.count, false), HIRL_E_LIMIT, "limits");
    ck_assert_int_eq(hr_alloc_total(), before);
    hr_free(f.bytes);
}
END_TEST

START_TEST(other_files_are_refused_by_their_first_byte)
{
    hr_pixels pixels = { 0 };

    hr_assert_fails(hr_image_decode(&pixels, (const uint8_t *)"GIF89a....", 10, false),
                    HIRL_E_FORMAT, "neither JPEG nor PNG");
    hr_assert_fails(hr_image_decode(&pixels, (const uint8_t *)"", 0, false), HIRL_E_FORMAT,
                    "empty");
    hr_assert_fails(
        hr_image_decode(&pixels, (const uint8_t *)"", (size_t)HR_IMAGE_BYTES + 1, false),
        HIRL_E_LIMIT, "bytes");
}
END_TEST

START_TEST(damaged_orientation_tags_are_ignored)
{
    file f = read_file("turned6.jpg");

    ck_assert_int_eq(hr_exif_orientation(f.bytes, f.count), 6);
    for (size_t n = 0; n < 60; n++) {
        uint8_t *part = malloc(n ? n : 1);

        memcpy(part, f.bytes, n);
        ck_assert(hr_exif_orientation(part, n) == 1 || n >= 38);
        free(part);
    }
    f.bytes[2 + 4 + 6 + 8 + 2 + 8] = 9; /* the value */
    ck_assert_int_eq(hr_exif_orientation(f.bytes, f.count), 1);
    hr_free(f.bytes);
}
END_TEST

START_TEST(out_of_memory_while_decoding_is_reported)
{
    static const char *const name[] = { "rgb_interlaced.png", "palette_trns.png", "cmyk.jpg",
                                        "420.jpg" };

    for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
        file f = read_file(name[k]);
        hirl_status status = HIRL_E_NOMEM;
        int64_t live = hr_alloc_live();
        int nth;

        for (nth = 1; status == HIRL_E_NOMEM && nth < 100; nth++) {
            hr_pixels pixels = { 0 };

            hr_alloc_fail_at(nth, false);
            status = hr_image_decode(&pixels, f.bytes, f.count, false);
            hr_pixels_done(&pixels);
            ck_assert_int_eq(hr_alloc_live(), live);
        }
        hr_alloc_fail_at(0, false);
        ck_assert_msg(status == HIRL_OK, "%s: status %d at the allocation %d", name[k], (int)status,
                      nth);
        hr_free(f.bytes);
    }
}
END_TEST

HR_TESTS("image", pixels_are_those_of_pillow, the_header_gives_the_size,
         a_truncated_file_is_refused, damaged_bytes_give_a_status,
         a_png_that_claims_too_much_is_refused_before_memory_is_taken,
         a_jpeg_that_claims_too_much_is_refused_before_memory_is_taken,
         other_files_are_refused_by_their_first_byte, damaged_orientation_tags_are_ignored,
         out_of_memory_while_decoding_is_reported)
