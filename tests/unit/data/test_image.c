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

static hirl_status decode(hr_pixels *pixels, const uint8_t *bytes, size_t count, bool exif)
{
    hr_decoding how = { .exif = exif };

    return hr_image_decode(pixels, bytes, count, &how);
}

static uint32_t crc_of(const hr_pixels *pixels)
{
    return (uint32_t)crc32(0, pixels->data, (uInt)(3 * pixels->width * pixels->height));
}

static void check_pixels(const char *name, bool exif, int width, int height, uint32_t crc)
{
    file f = read_file(name);
    hr_pixels pixels = { 0 };
    uint32_t got;

    hr_assert_ok(decode(&pixels, f.bytes, f.count, exif));
    ck_assert_int_eq(pixels.width, width);
    ck_assert_int_eq(pixels.height, height);
    got = crc_of(&pixels);
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
    for (size_t n = 0; n < f.count; n++) {
        uint8_t *part =
            malloc(n ? n : 1); /* a separate block, so that sanitizers detect reads beyond it */
        hirl_status status;

        memcpy(part, f.bytes, n);
        status = decode(&pixels, part, n, exif);
        ck_assert_msg(status == HIRL_E_FORMAT || (status >= 0 && crc_of(&pixels) == crc),
                      "%s cut to %zu of %zu bytes: status %d", name, n, f.count, (int)status);
        ck_assert_msg(status < 0 || n + 12 >= f.count, "%s cut to %zu of %zu bytes is read", name,
                      n, f.count);
        free(part);
    }
    hr_pixels_done(&pixels);
    hr_free(f.bytes);
}

/* A file that lacks only its end, 2 bytes of a JPEG or 12 of a PNG, may have all its pixels. */
START_TEST(a_truncated_file_is_refused_or_has_all_pixels)
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
        status = decode(&pixels, copy, f.count, exif);
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
        { 65535, 65535 }, { 65537, 1 }, { 1, 65537 }, { 32769, 32768 }, { 0x7fffffff, 0x7fffffff }
    };
    file f = read_file("rgb.png");
    hr_pixels pixels = { 0 };
    int64_t before = hr_alloc_total();

    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        set_png_size(f.bytes, size[i][0], size[i][1]);
        hr_assert_fails(decode(&pixels, f.bytes, f.count, false), HIRL_E_LIMIT, "limits");
    }
    ck_assert_int_eq(hr_alloc_total(), before);
    set_png_size(f.bytes, 0, 17);
    hr_assert_fails(decode(&pixels, f.bytes, f.count, false), HIRL_E_FORMAT, "0 x 17");
    set_png_size(f.bytes, 23, 18); /* one row more than the file has */
    hr_assert_fails(decode(&pixels, f.bytes, f.count, false), HIRL_E_FORMAT, "PNG");
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
    hr_assert_fails(decode(&pixels, f.bytes, f.count, false), HIRL_E_LIMIT, "limits");
    ck_assert_int_eq(hr_alloc_total(), before);
    hr_free(f.bytes);
}
END_TEST

START_TEST(other_files_are_refused_by_their_first_byte)
{
    hr_pixels pixels = { 0 };

    hr_assert_fails(decode(&pixels, (const uint8_t *)"GIF89a....", 10, false), HIRL_E_FORMAT,
                    "neither JPEG nor PNG");
    hr_assert_fails(decode(&pixels, (const uint8_t *)"", 0, false), HIRL_E_FORMAT, "empty");
    hr_assert_fails(decode(&pixels, (const uint8_t *)"", (size_t)HR_IMAGE_BYTES + 1, false),
                    HIRL_E_LIMIT, "bytes");
}
END_TEST

/* ---- faults that cost no pixel ---- */

/* a copy of a file with `n` bytes inserted at `at`; the caller frees it with hr_free */
static file insert(file f, size_t at, const void *bytes, size_t n)
{
    file longer = { hr_alloc(f.count + n), f.count + n };

    memcpy(longer.bytes, f.bytes, at);
    memcpy(longer.bytes + at, bytes, n);
    memcpy(longer.bytes + at + n, f.bytes + at, f.count - at);
    return longer;
}

/* Decodes two files, and checks that they have the same pixels. */
static void expect_same(file a, file b)
{
    hr_pixels x = { 0 }, y = { 0 };

    hr_assert_ok(decode(&x, a.bytes, a.count, false));
    hr_assert_ok(decode(&y, b.bytes, b.count, false));
    ck_assert_uint_eq(crc_of(&x), crc_of(&y));
    hr_pixels_done(&x);
    hr_pixels_done(&y);
}

static void insert_and_compare(const char *name, bool at_end, size_t at, const void *bytes,
                               size_t n)
{
    file f = read_file(name), odd = insert(f, at_end ? f.count - at : at, bytes, n);

    expect_same(f, odd);
    hr_free(odd.bytes);
    hr_free(f.bytes);
}

START_TEST(warnings_of_libjpeg_that_cost_no_pixel_are_ignored)
{
    static const uint8_t zeros[40];
    static const uint8_t adobe[] = { 0xff, 0xee, 0,   14, 'A', 'd', 'o', 'b',
                                     'e',  0,    100, 0,  0,   0,   0,   1 };
    static const uint8_t comment[] = { 0xff, 0xff, 0xff, 0xfe, 0, 4, 'h', 'i' };
    file f = read_file("444.jpg"), old = read_file("444.jpg");

    insert_and_compare("444.jpg", true, 2, zeros, sizeof zeros); /* before the end marker */
    insert_and_compare("444.jpg", true, 0, zeros, sizeof zeros); /* behind it */
    insert_and_compare("444.jpg", false, 2, comment, sizeof comment);
    insert_and_compare("444.jpg", false, 20, adobe, sizeof adobe);
    insert_and_compare("progressive.jpg", true, 2, zeros, 8);
    ck_assert_int_eq(memcmp(old.bytes + 6, "JFIF", 4), 0);
    old.bytes[11] = 7; /* the major version */
    expect_same(f, old);
    hr_free(old.bytes);
    hr_free(f.bytes);
}
END_TEST

START_TEST(an_image_without_its_end_is_read_if_no_pixel_is_missing)
{
    file jpeg = read_file("444.jpg"), png = read_file("rgb.png");
    file scans = read_file("progressive.jpg");
    hr_pixels pixels = { 0 };

    expect_same(jpeg, (file){ jpeg.bytes, jpeg.count - 2 });
    expect_same(png, (file){ png.bytes, png.count - 12 });
    expect_same(png, (file){ png.bytes, png.count - 1 });
    hr_assert_fails(decode(&pixels, jpeg.bytes, jpeg.count - 8, false), HIRL_E_FORMAT, "JPEG");
    hr_assert_fails(decode(&pixels, scans.bytes, scans.count - 2, false), HIRL_E_FORMAT,
                    "ends too early"); /* a further scan may be missing */
    hr_pixels_done(&pixels);
    hr_free(scans.bytes);
    hr_free(png.bytes);
    hr_free(jpeg.bytes);
}
END_TEST

/* ---- orientation ---- */

/* an Exif block with orientation 6 as a number of 2 or 4 bytes */
static size_t exif_block(uint8_t *to, bool big, bool wide)
{
    static const uint8_t little_end[] = { 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3,
                                          0,   1,   0,  0, 0, 6, 0, 0, 0, 0, 0,    0, 0 };
    static const uint8_t big_end[] = { 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0,
                                       3,   0,   0, 0,  1, 0, 6, 0, 0, 0, 0, 0,    0 };

    memcpy(to, big ? big_end : little_end, sizeof big_end);
    if (wide) {
        to[big ? 13 : 12] = 4;
        memset(to + 18, 0, 4);
        to[big ? 21 : 18] = 6;
    }
    return sizeof big_end;
}

static void expect_turned(file f)
{
    hr_pixels stored = { 0 }, turned = { 0 };

    hr_assert_ok(decode(&stored, f.bytes, f.count, false));
    hr_assert_ok(decode(&turned, f.bytes, f.count, true));
    ck_assert_int_ne(stored.width, stored.height);
    ck_assert_int_eq(stored.width, turned.height);
    hr_pixels_done(&stored);
    hr_pixels_done(&turned);
}

START_TEST(orientation_is_found_in_every_form)
{
    for (int form = 0; form < 8; form++) { /* byte order, size of the number, fill bytes */
        uint8_t segment[64] = { 0xff, 0xff, 0xff, 0xe1, 0, 0, 'E', 'x', 'i', 'f', 0, 0 };
        size_t n = exif_block(segment + 12, form & 1, form & 2), skip = form & 4 ? 0 : 2;
        file f = read_file("444.jpg"), odd;

        segment[5] = (uint8_t)(8 + n);
        odd = insert(f, 2, segment + skip, 12 + n - skip);
        expect_turned(odd);
        hr_free(odd.bytes);
        hr_free(f.bytes);
    }
}
END_TEST

START_TEST(orientation_of_a_png_is_in_its_chunk)
{
    for (int late = 0; late < 2; late++) { /* before or behind the pixels */
        uint8_t chunk[64] = { 0, 0, 0, 0, 'e', 'X', 'I', 'f' };
        size_t n = exif_block(chunk + 8, true, false);
        file f = read_file("rgb.png"), odd;
        uint32_t crc = (uint32_t)crc32(0, chunk + 4, (uInt)(4 + n));

        chunk[3] = (uint8_t)n;
        for (int i = 0; i < 4; i++)
            chunk[8 + n + (size_t)i] = (uint8_t)(crc >> 8 * (3 - i));
        odd = insert(f, late ? f.count - 12 : 33, chunk, 12 + n);
        expect_turned(odd);
        hr_free(odd.bytes);
        hr_free(f.bytes);
    }
}
END_TEST

START_TEST(more_pixels_than_max_pixels_are_refused)
{
    static const char *const name[] = { "rgb.png", "444.jpg" };
    hr_pixels pixels = { 0 };

    for (int i = 0; i < 2; i++) {
        file f = read_file(name[i]);
        int64_t w = 0, h = 0;

        hr_assert_ok(hr_image_measure(&w, &h, f.bytes, f.count));
        hr_assert_ok(hr_image_decode(&pixels, f.bytes, f.count, &(hr_decoding){ false, w * h }));
        hr_assert_fails(
            hr_image_decode(&pixels, f.bytes, f.count, &(hr_decoding){ false, w * h - 1 }),
            HIRL_E_LIMIT, "max_pixels");
        hr_free(f.bytes);
    }
    hr_pixels_done(&pixels);
}
END_TEST

START_TEST(damaged_orientation_tags_are_ignored)
{
    file f = read_file("turned6.jpg");
    size_t size = 0;
    const uint8_t *block = hr_exif_of_jpeg(&size, f.bytes, f.count);

    ck_assert_ptr_nonnull(block);
    ck_assert_int_eq(hr_exif_orientation(block, size), 6);
    for (size_t n = 0; n < 60; n++) {
        uint8_t *part = malloc(n ? n : 1);

        memcpy(part, f.bytes, n);
        ck_assert(!hr_exif_of_jpeg(&size, part, n) || n >= 38);
        free(part);
    }
    for (size_t n = 0; n < 26; n++) {
        uint8_t *part = malloc(n ? n : 1);

        memcpy(part, block, n);
        ck_assert(hr_exif_orientation(part, n) == 1 || n >= 20);
        free(part);
    }
    f.bytes[2 + 4 + 6 + 8 + 2 + 8] = 9; /* the value */
    ck_assert_int_eq(hr_exif_orientation(block, size), 1);
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
            status = decode(&pixels, f.bytes, f.count, false);
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
         a_truncated_file_is_refused_or_has_all_pixels, damaged_bytes_give_a_status,
         a_png_that_claims_too_much_is_refused_before_memory_is_taken,
         a_jpeg_that_claims_too_much_is_refused_before_memory_is_taken,
         other_files_are_refused_by_their_first_byte,
         warnings_of_libjpeg_that_cost_no_pixel_are_ignored,
         an_image_without_its_end_is_read_if_no_pixel_is_missing,
         orientation_is_found_in_every_form, orientation_of_a_png_is_in_its_chunk,
         more_pixels_than_max_pixels_are_refused, damaged_orientation_tags_are_ignored,
         out_of_memory_while_decoding_is_reported)
