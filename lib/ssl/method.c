/* method.c - functions that methods share. */
#include "ssl/method.h"

#include <math.h>

void hr_method_entropy(const hr_now *now, hr_tape *t, const hr_tensor *p)
{
    int64_t n = p->x.dim[0], k = hr_cols(&p->x);
    hr_array each = hr_tape_array_1(t, HR_REAL, n), mean = hr_tape_array_1(t, HR_REAL, k);
    hr_array usage = hr_tape_array_1(t, HR_REAL, 1), row = hr_array_2(mean.data, HR_REAL, 1, k);

    if (!now->entropy || hr_tape_status(t) < 0)
        return;
    t->q->be->entropy(t->q, &each, &p->x);
    t->q->be->sum_rows(t->q, &mean, &p->x, 1.0 / (double)n, 0);
    t->q->be->entropy(t->q, &usage, &row);
    now->entropy->rows = hr_mean(t, hr_wrap(t, &each, NULL));
    now->entropy->usage = hr_wrap(t, &usage, NULL);
}

double hr_method_log_sum(double k, const hr_method_config *config)
{
    double std = 1 / (sqrt((double)config->d) * config->temperature), most = sqrt(2 * log(k));

    return std < most ? log(k) + std * std / 2 : std * most;
}
