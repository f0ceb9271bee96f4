/* norm.cu - sums f64 [G,2,C] of x and x^2 for each group and channel.
 *
 * A block sums 32 channels of one group in f64: each of its 8 lanes sums every 8th row, then the
 * lanes are added in order. The CPU kernel is in cpu/norm.c.
 */
#include "cuda.h"
#include "device.h"
#include "number.cuh"

enum { CHANNELS = 32, LANES = 8, THREADS = CHANNELS * LANES };

template <typename T>
HR_KERNEL norm_stats(double *sums, const T *x, int64_t rows, int64_t channels, int64_t parts)
{
    HR_SHARED double part[2][LANES][CHANNELS];
    int64_t group = HR_BLOCK / parts, c = HR_BLOCK % parts * CHANNELS + HR_THREAD % CHANNELS;
    int lane = HR_THREAD / CHANNELS, column = HR_THREAD % CHANNELS;
    double sum = 0, square = 0;

    for (int64_t r = lane; r < rows && c < channels; r += LANES) {
        double v = hr_widen(x[(group * rows + r) * channels + c]);

        sum += v;
        square += v * v;
    }
    part[0][lane][column] = sum;
    part[1][lane][column] = square;
    HR_BARRIER();
    if (lane < 2 && c < channels) {
        double total = 0;

        for (int l = 0; l < LANES; l++)
            total += part[lane][l][column];
        sums[(group * 2 + lane) * channels + c] = total;
    }
}

void hr_cuda_norm_stats(hr_queue *q, const hr_array *sums, const hr_array *x)
{
    int64_t groups = sums->dim[0], channels = hr_cols(x), rows = hr_rows_of(x) / groups;
    int64_t parts = (channels + CHANNELS - 1) / CHANNELS;

    if (x->dtype == HR_BF16)
        HR_LAUNCH(q, norm_stats, groups * parts, THREADS, (double *)sums->data,
                  (const hr_bf16 *)x->data, rows, channels, parts);
    else
        HR_LAUNCH(q, norm_stats, groups * parts, THREADS, (double *)sums->data,
                  (const float *)x->data, rows, channels, parts);
}
