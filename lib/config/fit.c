/* fit.c - values that shrink with a small data set or a short run.
 *
 * A step needs a whole batch, and the keys of MoCo v2's queue should be of other images: at most
 * half of them. A batch that is too large becomes the largest power of two with three batches in an
 * epoch. Learning rates shrink with it, by the linear rule (Goyal et al. 2017).
 */
#include "config/fit.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { LEAST = 2, EPOCH_STEPS = 3 };

int64_t hr_fit_queue(int64_t n)
{
    return n / 2 < LEAST ? LEAST : n / 2;
}

int64_t hr_fit_batch(const hr_method *method, int64_t n)
{
    return method->queue == HR_QUEUE_NEGATIVES && hr_fit_queue(n) < n ? hr_fit_queue(n) : n;
}

static bool is_free(const hirl_options *options, const char *key)
{
    const hr_option *option = hr_options_find(options, key);

    return !option || option->origin < HR_FROM_FILE;
}

static void append(hr_run_config *config, const char *key, double value, double before)
{
    size_t used = strlen(config->fitted), room = sizeof config->fitted - used;

    if (before > 0)
        snprintf(config->fitted + used, room, "%s%s=%g instead of %g", used ? ", " : "", key, value,
                 before);
    else
        snprintf(config->fitted + used, room, "%s%s=%g", used ? ", " : "", key, value);
}

static void fit_rates(hr_run_config *config, const hirl_options *options, double share)
{
    hr_train_config *c = &config->train;
    double before = c->lr;

    if (!is_free(options, "lr") || !is_free(options, "base_lr"))
        return;
    c->lr *= share;
    if (is_free(options, "min_lr"))
        c->min_lr *= share;
    if (is_free(options, "warmup_lr"))
        c->warmup_lr *= share;
    if (before > 0)
        append(config, "lr", c->lr, before);
}

static void fit_batch(hr_run_config *config, const hirl_options *options, const hr_method *method,
                      int64_t n)
{
    hr_train_config *c = &config->train;
    int64_t before = c->batch_size, batch = LEAST;

    if (before <= hr_fit_batch(method, n) || !is_free(options, "batch_size"))
        return;
    while (2 * batch * EPOCH_STEPS <= n)
        batch *= 2;
    c->batch_size = batch;
    append(config, "batch_size", (double)batch, (double)before);
    fit_rates(config, options, (double)batch / (double)before);
}

static void fit_queue(hr_run_config *config, const hirl_options *options, const hr_method *method,
                      int64_t n)
{
    hr_train_config *c = &config->train;
    int64_t before = c->queue, most = hr_fit_queue(n);

    if (before == HR_AUTO || !method->queue || !is_free(options, "queue"))
        return;
    if (before <= n && before % c->batch_size == 0)
        return;
    if (before < most)
        most = before;
    c->queue = most / c->batch_size * c->batch_size;
    append(config, "queue", (double)c->queue, (double)before);
}

/* In a run that the caller shortened, a tenth of the epochs warms up. */
static void fit_warmup(hr_run_config *config, const hirl_options *options)
{
    hr_train_config *c = &config->train;
    int64_t before = c->warmup_epochs;

    if (before < c->epochs || !is_free(options, "warmup_epochs"))
        return;
    c->warmup_epochs = c->epochs / 10;
    append(config, "warmup_epochs", (double)c->warmup_epochs, (double)before);
}

void hr_fit(hr_run_config *config, const hirl_options *options, const hr_method *method, int64_t n)
{
    if (!config->train.fit)
        return;
    fit_warmup(config, options);
    fit_batch(config, options, method, n);
    fit_queue(config, options, method, n);
}

typedef struct refusal {
    char values[128], most[128];
    int count;
} refusal;

static void refuse(refusal *r, const char *key, int64_t value, int64_t most, const char *end)
{
    const char *comma = r->count++ ? ", " : "";
    size_t a = strlen(r->values), b = strlen(r->most);

    snprintf(r->values + a, sizeof r->values - a, "%s%s=%lld%s", comma, key, (long long)value, end);
    snprintf(r->most + b, sizeof r->most - b, "%s%s=%lld", comma, key, (long long)most);
}

hirl_status hr_fit_check(const hr_run_config *config, const hr_method *method, int64_t n)
{
    const hr_train_config *c = &config->train;
    const hr_key_list *list = &config->cluster.prototypes;
    bool clusters = c->hirl && list->count && c->cluster_warmup_epoch < c->epochs;
    int64_t most = hr_fit_batch(method, n), batch = c->batch_size <= most ? c->batch_size : most;
    refusal r = { .count = 0 };

    if (c->batch_size > most)
        refuse(&r, "batch_size", c->batch_size, most, "");
    if (method->queue == HR_QUEUE_NEGATIVES && c->queue > n)
        refuse(&r, "queue", c->queue, n / batch * batch, "");
    if (clusters && list->item[0] > n)
        refuse(&r, "prototypes", list->item[0], n, list->count > 1 ? ",.." : "");
    if (r.count < 2)
        return HIRL_OK;
    return hr_fail(HIRL_E_INVALID, "%s: too many, the data set has %lld images; give at most %s%s",
                   r.values, (long long)n, r.most, clusters ? ", or prototypes=auto" : "");
}
