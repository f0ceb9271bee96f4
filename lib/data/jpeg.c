/* jpeg.c - decodes JPEG to u8 RGB with libjpeg.
 *
 * The accurate DCT and fancy upsampling give the same pixels as Pillow. CMYK and YCCK hold Adobe's
 * inverted inks and are converted to RGB as by Pillow: with the inks c and k (not inverted),
 *   k' = 255 - k,  r = k' - round(c k' / 255).
 *
 * libjpeg warns of many faults and then continues. Warnings that cost no pixel are ignored: bytes
 * between segments, an unknown JFIF version, an unknown Adobe transform, unusual scan parameters,
 * and a missing end marker when the last row is complete. All others count as failures.
 *
 * libjpeg reports failures by a call that must not return. It jumps to `guarded`, which has no
 * local variables that the jump could damage.
 */
#include "data/jpeg.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/halt.h"

/* A hostile progressive file can have thousands of scans, each of which takes as long as one
 * image. */
enum { SCANS = 500 };

typedef struct job {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    const uint8_t *bytes;
    size_t count;
    hr_pixels *pixels; /* NULL: only the header is read */
    uint8_t *inks;     /* one row of CMYK, or NULL */
    bool opened;
    bool ended; /* the file ends without its end marker */
    hirl_status status;
    char text[JMSG_LENGTH_MAX];
} job;

bool hr_is_jpeg(const uint8_t *bytes, size_t count)
{
    return count > 2 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

/* ---- functions that libjpeg calls ---- */

static job *job_of(j_common_ptr jpeg)
{
    return jpeg->client_data;
}

static void leave(j_common_ptr jpeg)
{
    job *j = job_of(jpeg);

    jpeg->err->format_message(jpeg, j->text);
    j->status = jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? HIRL_E_NOMEM : HIRL_E_FORMAT;
    longjmp(j->jump, 1);
}

static void warn(j_common_ptr jpeg, int level)
{
    if (level >= 0) /* a trace message */
        return;
    switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_NOT_SEQUENTIAL:
        return;
    case JWRN_JPEG_EOF: /* a loss if bits are missing: JWRN_HIT_MARKER follows then */
        job_of(jpeg)->ended = true;
        return;
    default:
        leave(jpeg);
    }
}

static void print_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void limit_scans(j_common_ptr jpeg)
{
    if (((j_decompress_ptr)jpeg)->input_scan_number > SCANS) {
        job *j = job_of(jpeg);

        snprintf(j->text, sizeof j->text, "more than %d scans", SCANS);
        j->status = HIRL_E_FORMAT;
        longjmp(j->jump, 1);
    }
}

/* ---- decoding ---- */

/* Combines an ink and the light that black lets through, both inverted: 255 is no ink. */
static uint8_t shade(uint8_t ink, unsigned light)
{
    unsigned product = (255u - ink) * light + 128;

    return (uint8_t)(light - ((product >> 8) + product) / 256);
}

static void read_header(job *j)
{
    j->jpeg.err = jpeg_std_error(&j->errors);
    j->jpeg.client_data = j;
    j->errors.error_exit = leave;
    j->errors.emit_message = warn;
    j->errors.output_message = print_nothing;
    jpeg_create_decompress(&j->jpeg);
    j->opened = true;
    j->progress.progress_monitor = limit_scans;
    j->jpeg.progress = &j->progress;
    jpeg_mem_src(&j->jpeg, j->bytes, (unsigned long)j->count);
    jpeg_read_header(&j->jpeg, TRUE);
}

static void read_rows(job *j)
{
    size_t width = (size_t)j->pixels->width;

    while (j->jpeg.output_scanline < j->jpeg.output_height) {
        uint8_t *row = j->pixels->data + j->jpeg.output_scanline * width * 3;
        JSAMPROW to = j->inks ? j->inks : row;

        j->status = hr_halt_check();
        if (j->status < 0)
            longjmp(j->jump, 1);
        jpeg_read_scanlines(&j->jpeg, &to, 1);
        for (size_t x = 0; x < width && j->inks; x++)
            for (int c = 0; c < 3; c++)
                row[3 * x + c] = shade(j->inks[4 * x + c], j->inks[4 * x + 3]);
    }
}

/* Without the end marker, scans may be missing that would have refined the image. */
static void check_end(job *j)
{
    if (j->ended && jpeg_has_multiple_scans(&j->jpeg)) {
        snprintf(j->text, sizeof j->text, "the file ends too early");
        j->status = HIRL_E_FORMAT;
    }
}

/* Makes all calls that may jump back here. */
static void guarded(job *j)
{
    if (setjmp(j->jump))
        return;
    read_header(j);
    if (!j->pixels)
        return;
    j->status = hr_pixels_size(j->pixels, j->jpeg.image_width, j->jpeg.image_height);
    if (j->status < 0)
        return;
    j->jpeg.out_color_space = JCS_RGB;
    if (j->jpeg.jpeg_color_space == JCS_CMYK || j->jpeg.jpeg_color_space == JCS_YCCK) {
        j->jpeg.out_color_space = JCS_CMYK;
        j->inks = hr_alloc(4 * (size_t)j->pixels->width);
        j->status = j->inks ? HIRL_OK : HIRL_E_NOMEM;
        if (!j->inks)
            return;
    }
    j->jpeg.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&j->jpeg);
    read_rows(j);
    check_end(j);
}

static hirl_status run_job(job *j)
{
    guarded(j);
    if (j->opened)
        jpeg_destroy_decompress(&j->jpeg);
    hr_free(j->inks);
    return *j->text ? hr_fail(j->status, "JPEG: %s", j->text) : j->status;
}

hirl_status hr_jpeg_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count)
{
    job j = { .bytes = bytes, .count = count, .pixels = pixels };

    return run_job(&j);
}

hirl_status hr_jpeg_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count)
{
    job j = { .bytes = bytes, .count = count };

    HR_TRY(run_job(&j));
    *width = j.jpeg.image_width;
    *height = j.jpeg.image_height;
    return HIRL_OK;
}
