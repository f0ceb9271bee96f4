/* loss.c - InfoNCE and cross-entropy, with their gradients.
 *
 *   InfoNCE        loss = mean_n [ lse_n - pos_n / T ]
 *                  lse_n = log( exp(pos_n / T) + sum_k exp(neg_nk / T) ), k with owner_k != id_n
 *                  dpos_n  = g / (N T) (exp(pos_n / T - lse_n) - 1)
 *                  dneg_nk = g / (N T) exp(neg_nk / T - lse_n), or 0 if owner_k = id_n
 *   cross-entropy  loss = mean_n [ lse_n - z_n,label ]        lse_n = log sum_c exp z_nc
 *                  dz_nc = beta dz_nc + g / N (exp(z_nc - lse_n) - [c = label_n])
 *
 * pos, id, lse [N]; neg [N,K]; owner [K]; z [N,C]; label [N]. The gradients reuse lse.
 */
#include <math.h>

#include "cpu/cpu.h"

typedef struct loss_job {
    const real *pos, *neg, *g;
    const int64_t *id, *owner;
    const int32_t *label;
    int64_t rows, cols;
    double temperature, beta;
    real *lse, *dpos, *dneg;
    const real *lse_in;
    double *row; /* [N]: loss of each row */
} loss_job;

static void mean_of_rows(hr_queue *q, const hr_array *loss, const loss_job *job)
{
    real *to = hr_cpu_out(q, loss, false);
    double sum = 0;

    if (!hr_cpu_ok(q))
        return;
    for (int64_t n = 0; n < job->rows; n++)
        sum += job->row[n];
    to[0] = (real)(sum / (double)job->rows);
}

/* ---- InfoNCE ---- */

static void nce_row(void *arg, int64_t n, int worker)
{
    const loss_job *job = arg;
    const real *neg = job->neg + n * job->cols;
    double scale = 1 / job->temperature, pos = (double)job->pos[n] * scale, top = pos, sum;

    (void)worker;
    for (int64_t k = 0; k < job->cols; k++) {
        double z = (double)neg[k] * scale;

        if (job->owner[k] != job->id[n] && z > top)
            top = z;
    }
    sum = exp(pos - top);
    for (int64_t k = 0; k < job->cols; k++)
        if (job->owner[k] != job->id[n])
            sum += exp((double)neg[k] * scale - top);
    job->lse[n] = (real)(top + log(sum));
    job->row[n] = top + log(sum) - pos;
}

void hr_cpu_info_nce(hr_queue *q, const hr_array *loss, const hr_array *lse, const hr_array *pos,
                     const hr_array *neg, const hr_array *id, const hr_array *owner,
                     double temperature)
{
    loss_job job = { .pos = hr_cpu_in(q, pos),
                     .neg = hr_cpu_in(q, neg),
                     .id = id->data,
                     .owner = owner->data,
                     .rows = hr_rows_of(neg),
                     .cols = hr_cols(neg),
                     .temperature = temperature,
                     .lse = hr_cpu_out(q, lse, false) };

    job.row = hr_cpu_work(q, (size_t)job.rows * sizeof *job.row);
    hr_cpu_run(q, job.rows, nce_row, &job);
    mean_of_rows(q, loss, &job);
    hr_cpu_end(q);
}

static void nce_grad_row(void *arg, int64_t n, int worker)
{
    const loss_job *job = arg;
    const real *neg = job->neg + n * job->cols;
    real *dneg = job->dneg + n * job->cols;
    double scale = 1 / job->temperature, lse = (double)job->lse_in[n];
    double g = (double)job->g[0] * scale / (double)job->rows;

    (void)worker;
    for (int64_t k = 0; k < job->cols; k++) {
        bool counts = job->owner[k] != job->id[n];

        dneg[k] = counts ? (real)(g * exp((double)neg[k] * scale - lse)) : 0;
    }
    job->dpos[n] = (real)(g * (exp((double)job->pos[n] * scale - lse) - 1));
}

void hr_cpu_info_nce_grad(hr_queue *q, const hr_array *dpos, const hr_array *dneg,
                          const hr_array *g, const hr_array *lse, const hr_array *pos,
                          const hr_array *neg, const hr_array *id, const hr_array *owner,
                          double temperature)
{
    loss_job job = { .pos = hr_cpu_in(q, pos),
                     .neg = hr_cpu_in(q, neg),
                     .g = hr_cpu_in(q, g),
                     .id = id->data,
                     .owner = owner->data,
                     .rows = hr_rows_of(neg),
                     .cols = hr_cols(neg),
                     .temperature = temperature,
                     .lse_in = hr_cpu_in(q, lse),
                     .dpos = hr_cpu_out(q, dpos, false),
                     .dneg = hr_cpu_out(q, dneg, false) };

    hr_cpu_run(q, job.rows, nce_grad_row, &job);
    hr_cpu_end(q);
}

/* ---- cross-entropy ---- */

static void entropy_row(void *arg, int64_t n, int worker)
{
    const loss_job *job = arg;
    const real *z = job->neg + n * job->cols;
    double top = (double)z[0], sum = 0;

    (void)worker;
    for (int64_t c = 1; c < job->cols; c++)
        top = (double)z[c] > top ? (double)z[c] : top;
    for (int64_t c = 0; c < job->cols; c++)
        sum += exp((double)z[c] - top);
    job->lse[n] = (real)(top + log(sum));
    job->row[n] = top + log(sum) - (double)z[job->label[n]];
}

static bool labels_fit(hr_queue *q, const int32_t *label, int64_t rows, int64_t classes)
{
    for (int64_t n = 0; n < rows; n++)
        if (label[n] < 0 || label[n] >= classes) {
            hr_cpu_fail(q, HIRL_E_INVALID, "cross_entropy: label %d in row %lld; wanted 0 to %lld",
                        (int)label[n], (long long)n, (long long)classes - 1);
            return false;
        }
    return true;
}

void hr_cpu_cross_entropy(hr_queue *q, const hr_array *loss, const hr_array *lse, const hr_array *z,
                          const hr_array *label)
{
    loss_job job = { .neg = hr_cpu_in(q, z),
                     .label = label->data,
                     .rows = hr_rows_of(z),
                     .cols = hr_cols(z),
                     .lse = hr_cpu_out(q, lse, false) };

    job.row = hr_cpu_work(q, (size_t)job.rows * sizeof *job.row);
    if (labels_fit(q, job.label, job.rows, job.cols))
        hr_cpu_run(q, job.rows, entropy_row, &job);
    mean_of_rows(q, loss, &job);
    hr_cpu_end(q);
}

static void entropy_grad_row(void *arg, int64_t n, int worker)
{
    const loss_job *job = arg;
    const real *z = job->neg + n * job->cols;
    real *dz = job->dneg + n * job->cols;
    double lse = (double)job->lse_in[n], g = (double)job->g[0] / (double)job->rows;

    (void)worker;
    for (int64_t c = 0; c < job->cols; c++) {
        double before = job->beta == 0 ? 0 : job->beta * (double)dz[c];

        dz[c] = (real)(before + g * (exp((double)z[c] - lse) - (c == job->label[n])));
    }
}

void hr_cpu_cross_entropy_grad(hr_queue *q, const hr_array *dz, const hr_array *g,
                               const hr_array *lse, const hr_array *z, const hr_array *label,
                               double beta)
{
    loss_job job = { .neg = hr_cpu_in(q, z),
                     .g = hr_cpu_in(q, g),
                     .lse_in = hr_cpu_in(q, lse),
                     .label = label->data,
                     .rows = hr_rows_of(z),
                     .cols = hr_cols(z),
                     .beta = beta,
                     .dneg = hr_cpu_out(q, dz, beta != 0) };

    hr_cpu_run(q, job.rows, entropy_grad_row, &job);
    hr_cpu_end(q);
}
