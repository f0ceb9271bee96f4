/* kmeans.c - times one Lloyd iteration of k-means (labels, sums, means), for kmeans.py.
 *
 *   kmeans rows=FILE n=100000 d=128 k=3000 [threads=2] [labels=FILE]
 *
 * rows: a file of [n,d] f32. Every iteration starts from the first k rows as centroids. For each
 * line on standard input, computes one iteration and prints one line {"seconds": x}. labels: the
 * file to which the i32 labels of the first iteration are written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "bench.h"
#include "context.h"
#include "hier/kmeans.h"
#include "hier/rows.h"

typedef struct bench {
    hirl_context *context;
    hr_call call;
    hr_queue *queue;
    hr_array rows;
    float *initial;
    int64_t n, d, k;
    hr_cluster_config config;
} bench;

static hirl_status read_rows(bench *b, const char *path)
{
    void *data;
    size_t bytes;
    hirl_status status;

    HR_TRY(hr_file_read(&data, &bytes, path, (size_t)1 << 36));
    b->initial = hr_alloc_array((size_t)(b->k * b->d), sizeof *b->initial);
    if (bytes != (size_t)(b->n * b->d) * sizeof(float) || !b->initial)
        status = hr_fail(HIRL_E_INVALID, "%s has %zu bytes, wanted %zu", path, bytes,
                         (size_t)(b->n * b->d) * sizeof(float));
    else
        status = hr_rows_copy(&b->rows, b->queue, HR_REAL, b->n, b->d, data, HR_F32);
    if (status >= 0)
        memcpy(b->initial, data, (size_t)(b->k * b->d) * sizeof *b->initial);
    hr_free(data);
    return status;
}

static hirl_status open_bench(bench *b, char **argv, int argc)
{
    b->n = atoll(argument(argv, argc, "n", "100000"));
    b->d = atoll(argument(argv, argc, "d", "128"));
    b->k = atoll(argument(argv, argc, "k", "3000"));
    HR_TRY(hr_options_read(&b->config, &hr_cluster_keys, NULL));
    b->config.kmeans_iterations = 1;
    HR_TRY(hr_context_create(&b->context, "cpu", atoi(argument(argv, argc, "threads", "0"))));
    HR_TRY(hr_context_enter(&b->call, b->context));
    HR_TRY(hr_context_take_queue(&b->queue, b->context));
    return read_rows(b, argument(argv, argc, "rows", "rows.f32"));
}

/* writes the labels of all rows, with the first k rows as centroids */
static hirl_status write_labels(bench *b, const char *path)
{
    hr_array label, distance, centroid;
    int32_t *host = hr_alloc_array((size_t)b->n, sizeof *host);

    if (!host)
        return HIRL_E_NOMEM;
    HR_TRY(hr_rows_take(&label, b->queue, HR_I32, b->n, 1));
    HR_TRY(hr_rows_take(&distance, b->queue, HR_F64, b->n, 1));
    HR_TRY(hr_rows_copy(&centroid, b->queue, HR_REAL, b->k, b->d, b->initial, HR_F32));
    b->queue->be->kmeans_assign(b->queue, &label, &distance, &b->rows, &centroid);
    b->queue->be->download(b->queue, host, HR_I32, &label);
    HR_TRY(b->queue->be->sync(b->queue));
    HR_TRY(hr_file_replace(path, host, (size_t)b->n * sizeof *host));
    hr_array_give(&label, b->queue);
    hr_array_give(&distance, b->queue);
    hr_array_give(&centroid, b->queue);
    hr_free(host);
    return HIRL_OK;
}

static hirl_status time_one(double *seconds, bench *b)
{
    hr_kmeans *kmeans;
    hirl_status status;
    bool done;
    double start;

    HR_TRY(hr_kmeans_create(&kmeans, b->queue, &b->rows, NULL, b->k, &b->config, 0, b->initial));
    start = now();
    status = hr_kmeans_step(&done, kmeans);
    *seconds = now() - start;
    hr_kmeans_destroy(kmeans);
    return status;
}

int main(int argc, char **argv)
{
    const char *labels = argument(argv, argc, "labels", "");
    bench b = { 0 };
    char line[64];
    double seconds = 0;
    hirl_status status = open_bench(&b, argv, argc);

    if (status >= 0 && *labels)
        status = write_labels(&b, labels);
    while (status >= 0 && fgets(line, sizeof line, stdin)) {
        status = time_one(&seconds, &b);
        printf("{\"seconds\": %.6f}\n", seconds);
        fflush(stdout);
    }
    if (status < 0) {
        fprintf(stderr, "kmeans: %s\n", hr_error_text());
        return 1;
    }
    hr_array_give(&b.rows, b.queue);
    hr_free(b.initial);
    hr_context_give_queue(b.queue);
    (void)hr_context_leave(&b.call, HIRL_OK);
    hr_context_drop(b.context);
    return 0;
}
