/* ring.c - a key queue as a ring: the rows of a step replace the oldest ones (MoCo v2, SwAV).
 *
 *   ring[(step per_step + first + r) mod rows] = x_r                    when the step commits
 *
 * per_step: rows of all micro-batches of a step; first: rows of the micro-batches before this one.
 * hr_ring_put copies the rows; only commit writes the ring, so a failed step does not change it.
 */
#include "ssl/ring.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"

hirl_status hr_ring_init(hr_array *ring, hr_queue *q, int64_t rows, int64_t d,
                         const hr_method *method)
{
    *ring = hr_array_2(NULL, HR_REAL, rows, d);
    return rows ? hr_array_take(ring, q, method->name) : HIRL_OK;
}

static void unit_row(real *row, int64_t d, hr_rng *rng)
{
    double square = 0;

    for (int64_t c = 0; c < d; c++) {
        double x = hr_rng_normal(rng);

        row[c] = (real)x;
        square += x * x;
    }
    for (int64_t c = 0; c < d; c++)
        row[c] = (real)(row[c] / sqrt(square));
}

hirl_status hr_ring_fill_unit(hr_array *ring, hr_queue *q, uint64_t seed)
{
    int64_t rows = ring->dim[0], d = ring->dim[1];
    real *host = hr_alloc_array((size_t)(rows * d), sizeof *host);

    if (!host)
        return HIRL_E_NOMEM;
    for (int64_t r = 0; r < rows; r++) {
        hr_rng rng;

        hr_rng_init(&rng, seed, HR_RNG_QUEUE, 0, 0, (uint32_t)r);
        unit_row(host + r * d, d, &rng);
    }
    q->be->upload(q, ring, host, HR_REAL);
    hr_free(host);
    return HIRL_OK;
}

typedef struct put_job {
    const hr_array *ring;
    hr_array x; /* a copy */
    int64_t per_step, first;
} put_job;

static void put(hr_queue *q, void *arg)
{
    put_job *job = arg;

    q->be->ring_write(q, job->ring, &job->x, job->per_step, job->first);
}

void hr_ring_put(const hr_array *ring, hr_tape *t, const hr_array *x, const hr_now *now)
{
    put_job *job = hr_tape_keep(t, sizeof *job);
    int64_t rows = x->dim[0];

    if (!job)
        return;
    *job = (put_job){ ring, hr_tape_keep_copy(t, x), now->micros * rows, now->micro * rows };
    if (hr_tape_status(t) >= 0)
        hr_tape_at_commit(t, put, job);
}
