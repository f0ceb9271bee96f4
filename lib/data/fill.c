/* fill.c - fills a batch: the order of an epoch, one image, and the replacement of unreadable ones.
 *
 * Batch s of epoch e, of B images, holds places s B to (s + 1) B - 1 of the epoch's order, which is
 * a permutation keyed by (seed, epoch). With HR_BAD_ROW_REPLACE the j-th unreadable row takes the
 * j-th readable image found from place (s + 1) B on, wrapping around up to place s B. The batch is
 * therefore a function of (seed, e, s) and of the set of readable images. It depends neither on the
 * thread that reads an image nor on the images already marked unreadable. With several ranks B
 * counts the images of all of them: a rank that has to replace images first counts the unreadable
 * ones of the ranks before it.
 */
#include "data/fill.h"

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

enum { CANDIDATES = 64 };

/* ---- the order of an epoch ---- */

void hr_fill_order(hr_loader *loader, int64_t *image, int64_t epoch, int64_t first, int64_t n)
{
    int64_t count = loader->count;

    if (!loader->config.shuffled) {
        for (int64_t i = 0; i < n; i++)
            image[i] = (first + i) % count;
        return;
    }
    pthread_mutex_lock(&loader->order_lock);
    if (loader->order_epoch != epoch) {
        hr_rng rng;

        hr_rng_init(&rng, loader->config.seed, HR_RNG_ORDER, 0, (uint32_t)epoch, 0);
        hr_rng_permutation(&rng, loader->order, count);
        loader->order_epoch = epoch;
    }
    for (int64_t i = 0; i < n; i++)
        image[i] = loader->order[(first + i) % count];
    pthread_mutex_unlock(&loader->order_lock);
}

/* ---- one image ---- */

static hirl_status augment(hr_loader_worker *w, float *to, const hr_augment_record *record)
{
    int64_t n = (int64_t)record->size * record->size * 3;
    real *out = w->scratch ? w->scratch : (real *)(void *)to;
    hr_array y = hr_array_4(out, HR_REAL, 1, record->size, record->size, 3);
    hr_array x = { w->pixels.data, HR_U8, 3, { w->pixels.height, w->pixels.width, 3, 1 } };

    w->queue->be->augment(w->queue, &y, &x, record);
    HR_TRY(w->queue->be->sync(w->queue));
    for (int64_t i = 0; i < n && w->scratch; i++)
        to[i] = (float)w->scratch[i];
    return HIRL_OK;
}

static hirl_status draw_views(hr_loader_worker *w, const hr_batch *batch, int32_t row)
{
    const hr_loader_config *config = &w->loader->config;

    for (int32_t v = 0; v < config->views; v++) {
        const hr_view *view = &config->view[v];
        size_t n = (size_t)view->size * (size_t)view->size * 3;
        hr_augment_record record;

        hr_augment_draw(&record, view, w->pixels.width, w->pixels.height, config->seed,
                        batch->epoch, batch->image[row], v);
        HR_TRY(augment(w, batch->view[v] + (size_t)row * n, &record));
    }
    return HIRL_OK;
}

static void clear_views(hr_loader *loader, const hr_batch *batch, int32_t row)
{
    for (int32_t v = 0; v < loader->config.views; v++) {
        int32_t size = loader->config.view[v].size;
        size_t n = (size_t)size * (size_t)size * 3;

        memset(batch->view[v] + (size_t)row * n, 0, n * sizeof(float));
    }
}

/* Keeps the error of an unreadable image. The lock is held. */
static void note_bad(hr_slot *s, int64_t image, const hr_error *error)
{
    if (s->bads == s->bad_room) {
        int64_t room = s->bad_room ? 2 * s->bad_room : 16;
        hr_bad_image *grown =
            hr_grow(s->bad, (size_t)s->bad_room * sizeof *s->bad, (size_t)room * sizeof *s->bad);

        if (!grown) {
            hr_error_keep(&s->failure, HIRL_E_NOMEM);
            return;
        }
        s->bad = grown;
        s->bad_room = room;
    }
    s->bad[s->bads++] = (hr_bad_image){ image, *error };
}

/* Decodes an image into the worker's pixels. HIRL_DONE: the image is unreadable, and its error is
 * kept unless the data set had it marked already. */
static hirl_status read_image(hr_loader_worker *w, hr_slot *s, int64_t image)
{
    hr_loader *loader = w->loader;
    hirl_dataset *dataset = loader->dataset;
    hr_error error;
    hirl_status status;

    if (loader->config.on_bad != HR_BAD_ROW_FAIL && hr_dataset_marked(dataset, image))
        return HIRL_DONE;
    status = hr_dataset_read(&w->pixels, dataset, image);
    if (status >= 0)
        return HIRL_OK;
    if (!hr_is_bad_image(status))
        return status;
    hr_error_keep(&error, status);
    pthread_mutex_lock(&loader->lock);
    note_bad(s, image, &error);
    pthread_mutex_unlock(&loader->lock);
    return HIRL_DONE;
}

/* Decodes and augments the image of a row. HIRL_DONE as above. */
static hirl_status read_row(hr_loader_worker *w, hr_slot *s, int32_t row)
{
    hirl_status status = read_image(w, s, s->batch.image[row]);

    return status == HIRL_OK ? draw_views(w, &s->batch, row) : status;
}

static bool failed(hr_loader *loader, const hr_slot *s)
{
    bool yes;

    pthread_mutex_lock(&loader->lock);
    yes = s->failure.status < 0;
    pthread_mutex_unlock(&loader->lock);
    return yes;
}

static void fail_batch(hr_loader *loader, hr_slot *s, hirl_status status)
{
    pthread_mutex_lock(&loader->lock);
    if (s->failure.status >= 0)
        hr_error_keep(&s->failure, status);
    pthread_mutex_unlock(&loader->lock);
}

void hr_fill_row(hr_loader_worker *w, hr_slot *s, int32_t row)
{
    hirl_status status;

    if (failed(w->loader, s)) /* the rest of the batch is not needed */
        return;
    status = read_row(w, s, row);
    s->batch.readable[row] = status == HIRL_OK;
    if (status == HIRL_DONE)
        clear_views(w->loader, &s->batch, row);
    else if (status < 0)
        fail_batch(w->loader, s, status);
}

/* ---- unreadable images of a batch ---- */

/* Places of the epoch's order from `first` on: CANDIDATES of them, or `left` if that is fewer. */
static void next_places(int64_t image[CANDIDATES], hr_loader *loader, int64_t epoch, int64_t first,
                        int64_t left)
{
    hr_fill_order(loader, image, epoch, first, left < CANDIDATES ? left : CANDIDATES);
}

/* Counts the unreadable images of the ranks before this one: theirs are replaced first. */
static hirl_status count_before(int64_t *bad, hr_loader_worker *w, hr_slot *s)
{
    hr_loader *loader = w->loader;
    int64_t image[CANDIDATES], first = s->batch.step * loader->whole;
    int64_t n = (int64_t)loader->config.rank * loader->config.batch;

    *bad = 0;
    for (int64_t at = 0; at < n; at++) {
        hirl_status status;

        if (at % CANDIDATES == 0)
            next_places(image, loader, s->batch.epoch, first + at, n - at);
        status = read_image(w, s, image[at % CANDIDATES]);
        if (status < 0)
            return status;
        *bad += status == HIRL_DONE;
    }
    return HIRL_OK;
}

/* Gives each unreadable row the next readable image of the epoch's order. */
static hirl_status replace_rows(hr_loader_worker *w, hr_slot *s)
{
    hr_loader *loader = w->loader;
    hr_batch *batch = &s->batch;
    int64_t candidate[CANDIDATES], at = 0, left = loader->count - loader->whole;
    int64_t taken; /* candidates that the ranks before this one still take */

    HR_TRY(count_before(&taken, w, s));

    for (int32_t row = 0; row < batch->n; row++)
        while (!batch->readable[row]) {
            hirl_status status;

            if (at == left)
                return hr_fail(HIRL_E_FORMAT,
                               "a batch of %d images holds unreadable images, and the %lld "
                               "images outside it have too few readable ones to replace them",
                               (int)loader->whole, (long long)left);
            if (at % CANDIDATES == 0)
                next_places(candidate, loader, batch->epoch, (batch->step + 1) * loader->whole + at,
                            left - at);
            batch->image[row] = candidate[at++ % CANDIDATES];
            status = taken ? read_image(w, s, batch->image[row]) : read_row(w, s, row);
            if (status < 0)
                return status;
            if (taken)
                taken -= status == HIRL_OK;
            else
                batch->readable[row] = status == HIRL_OK;
        }
    return HIRL_OK;
}

/* Fails with the error of the unreadable image of lowest position, whichever was met first. */
static hirl_status refuse_batch(const hr_loader *loader, const hr_slot *s)
{
    const hr_bad_image *first = &s->bad[0];

    for (int64_t i = 1; i < s->bads; i++)
        if (s->bad[i].image < first->image)
            first = &s->bad[i];
    hr_error_raise(&first->error);
    return hr_fail_in(first->error.status, hr_dataset_name(loader->dataset, first->image));
}

void hr_fill_finish(hr_loader_worker *w, hr_slot *s)
{
    hr_loader *loader = w->loader;
    bool complete = !memchr(s->batch.readable, 0, (size_t)s->batch.n);
    hirl_status status;

    if (s->failure.status < 0 || loader->config.on_bad == HR_BAD_ROW_BLANK || complete)
        return;
    status =
        loader->config.on_bad == HR_BAD_ROW_FAIL ? refuse_batch(loader, s) : replace_rows(w, s);
    if (status < 0)
        fail_batch(loader, s, status);
}
