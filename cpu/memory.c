/* memory.c - memory of the CPU backend: take, give, upload, download, copy, fill, scalars.
 *
 * Float types are converted into each other; other types are only copied.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/half.h"
#include "cpu/cpu.h"
#include "cpu/part.h"

void *hr_cpu_take(hr_queue *q, size_t bytes)
{
    (void)q;
    return hr_alloc(bytes);
}

void hr_cpu_give(hr_queue *q, void *block)
{
    (void)q;
    hr_free(block);
}

/* ---- conversion ---- */

typedef struct convert_job {
    void *to;
    const void *from;
    hr_dtype to_type, from_type;
    int64_t n;
} convert_job;

static bool is_float(hr_dtype type)
{
    return type == HR_F32 || type == HR_F64 || type == HR_BF16;
}

enum { BLOCK = 256 }; /* numbers converted at a time, via f64 */

static void widen(double *to, const void *x, hr_dtype type, int64_t at, int64_t n)
{
    if (type == HR_F32)
        for (int64_t i = 0; i < n; i++)
            to[i] = (double)((const float *)x)[at + i];
    else if (type == HR_F64)
        for (int64_t i = 0; i < n; i++)
            to[i] = ((const double *)x)[at + i];
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = (double)hr_bf16_widen(((const uint16_t *)x)[at + i]);
}

static void narrow(void *x, hr_dtype type, int64_t at, const double *from, int64_t n)
{
    if (type == HR_F32)
        for (int64_t i = 0; i < n; i++)
            ((float *)x)[at + i] = (float)from[i];
    else if (type == HR_F64)
        for (int64_t i = 0; i < n; i++)
            ((double *)x)[at + i] = from[i];
    else
        for (int64_t i = 0; i < n; i++)
            ((uint16_t *)x)[at + i] = hr_bf16_narrow((float)from[i]);
}

static void convert_part(void *arg, int64_t i, int worker)
{
    const convert_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);
    size_t size = hr_dtype_size(job->to_type);

    (void)worker;
    if (job->to_type == job->from_type) {
        memmove((char *)job->to + (size_t)r.from * size,
                (const char *)job->from + (size_t)r.from * size, (size_t)(r.to - r.from) * size);
        return;
    }
    for (int64_t k = r.from; k < r.to; k += BLOCK) {
        int64_t n = r.to - k < BLOCK ? r.to - k : BLOCK;
        double wide[BLOCK];

        widen(wide, job->from, job->from_type, k, n);
        narrow(job->to, job->to_type, k, wide, n);
    }
}

static void convert(hr_queue *q, convert_job job)
{
    if (job.to_type != job.from_type && !(is_float(job.to_type) && is_float(job.from_type)))
        hr_cpu_fail(q, HIRL_E_INTERNAL, "cpu: type %d does not convert to type %d",
                    (int)job.from_type, (int)job.to_type);
    if (job.to != job.from)
        hr_cpu_run(q, hr_parts(job.n, HR_PART), convert_part, &job);
}

void hr_cpu_upload(hr_queue *q, const hr_array *y, const void *src, hr_dtype from)
{
    convert(q, (convert_job){ y->data, src, y->dtype, from, hr_count(y) });
}

void hr_cpu_download(hr_queue *q, void *dst, hr_dtype to, const hr_array *x)
{
    convert(q, (convert_job){ dst, x->data, to, x->dtype, hr_count(x) });
}

void hr_cpu_copy(hr_queue *q, const hr_array *y, const hr_array *x)
{
    convert(q, (convert_job){ y->data, x->data, y->dtype, x->dtype, hr_count(x) });
}

/* ---- fill ---- */

typedef struct fill_job {
    char *data;
    size_t size;
    char value[8]; /* one element */
    int64_t n;
} fill_job;

/* writes the first element, then doubles the written part by copying it */
static void fill_part(void *arg, int64_t i, int worker)
{
    const fill_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);
    size_t bytes = (size_t)(r.to - r.from) * job->size;
    char *to = job->data + (size_t)r.from * job->size;

    (void)worker;
    memcpy(to, job->value, job->size);
    for (size_t done = job->size; done < bytes;) {
        size_t now = bytes - done < done ? bytes - done : done;

        memcpy(to + done, to, now);
        done += now;
    }
}

void hr_cpu_fill(hr_queue *q, const hr_array *y, double value)
{
    fill_job job = { y->data, hr_dtype_size(y->dtype), { 0 }, hr_count(y) };

    if (is_float(y->dtype)) {
        narrow(job.value, y->dtype, 0, &value, 1);
    } else {
        int64_t integer = (int64_t)value;
        int32_t narrow = (int32_t)integer;
        uint8_t byte = (uint8_t)integer;
        const void *from = y->dtype == HR_I64   ? (const void *)&integer
                           : y->dtype == HR_I32 ? (const void *)&narrow
                                                : (const void *)&byte;

        memcpy(job.value, from, job.size);
    }
    hr_cpu_run(q, hr_parts(job.n, HR_PART), fill_part, &job);
}

void hr_cpu_scalars(hr_queue *q, const hr_scalars *s)
{
    hr_cpu_state(q)->scalars = s;
}
