/* loader.c - threads that decode and augment images ahead of the trainer.
 *
 * The loader owns a ring of HR_RING batches. The trainer holds one of them while the threads fill
 * the others image by image (fill.c). The thread that finishes the last image of a batch replaces
 * the unreadable ones. With 0 threads the caller fills a single batch itself. Unreadable images are
 * marked in the data set when their batch is handed over, hence in batch order, not when a thread
 * meets them.
 */
#include "data/loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/thread.h"
#include "data/fill.h"

enum { MAX_THREADS = 256, POLL_MS = 50 };

/* ---- the ring; the functions of this part are called with the lock held ---- */

static bool more_to_begin(const hr_loader *loader)
{
    return loader->config.shuffled || loader->step < loader->steps;
}

static void begin_batch(hr_loader *loader, hr_slot *s)
{
    const hr_loader_config *config = &loader->config;
    int64_t first = loader->step * loader->whole + (int64_t)config->rank * config->batch;
    int64_t left = loader->count > first ? loader->count - first : 0;
    hr_batch *batch = &s->batch;

    batch->epoch = loader->epoch;
    batch->step = loader->step;
    batch->n = (int32_t)(left < config->batch ? left : config->batch);
    hr_fill_order(loader, batch->image, batch->epoch, first, batch->n);
    s->next = s->done = 0;
    s->bads = 0;
    s->failure.status = HIRL_OK;
    /* in order, the last batch may have no image for this rank */
    s->state = batch->n ? HR_SLOT_FILLING : HR_SLOT_READY;
    loader->step++;
    if (config->shuffled && loader->step == loader->steps) {
        loader->step = 0;
        loader->epoch++;
    }
    pthread_cond_broadcast(batch->n ? &loader->work : &loader->ready);
}

/* The next image to read: one of the oldest unfinished batch, or else of a new batch. NULL: none.
 */
static hr_slot *take_row(hr_loader *loader, int32_t *row)
{
    hr_slot *oldest = NULL, *empty = NULL;

    for (int i = 0; i < loader->rings; i++) {
        hr_slot *s = &loader->ring[i];

        if (s->state == HR_SLOT_EMPTY)
            empty = s;
        if (s->state != HR_SLOT_FILLING || s->next == s->batch.n)
            continue;
        if (!oldest || s->batch.epoch < oldest->batch.epoch ||
            (s->batch.epoch == oldest->batch.epoch && s->batch.step < oldest->batch.step))
            oldest = s;
    }
    if (!oldest && empty && more_to_begin(loader)) {
        begin_batch(loader, empty);
        oldest = empty->batch.n ? empty : NULL;
    }
    if (oldest)
        *row = oldest->next++;
    return oldest;
}

/* Fills one row and, if it was the last, finishes its batch. Releases the lock meanwhile. */
static void work_at(hr_loader_worker *w, hr_slot *s, int32_t row)
{
    hr_loader *loader = w->loader;

    loader->busy++;
    pthread_mutex_unlock(&loader->lock);
    hr_fill_row(w, s, row);
    pthread_mutex_lock(&loader->lock);
    if (++s->done == s->batch.n) {
        pthread_mutex_unlock(&loader->lock);
        hr_fill_finish(w, s);
        pthread_mutex_lock(&loader->lock);
        s->state = HR_SLOT_READY;
    }
    loader->busy--;
    if (s->state == HR_SLOT_READY || !loader->busy)
        pthread_cond_broadcast(&loader->ready);
}

static void *thread_main(void *arg)
{
    hr_loader_worker *w = arg;
    hr_loader *loader = w->loader;
    hr_halt halt = { .stop = &loader->dropped };

    (void)hr_halt_obey(&halt);
    pthread_mutex_lock(&loader->lock);
    while (!loader->quit) {
        int32_t row = 0;
        hr_slot *s = loader->running ? take_row(loader, &row) : NULL;

        if (s)
            work_at(w, s, row);
        else
            pthread_cond_wait(&loader->work, &loader->lock);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* ---- creation and destruction ---- */

static int64_t whole_batch(const hr_loader_config *config)
{
    return (int64_t)config->batch * (config->ranks ? config->ranks : 1);
}

static hirl_status check(const hirl_dataset *dataset, const hr_loader_config *config)
{
    int64_t whole = whole_batch(config);

    if (config->batch < 1 || config->views < 1 || config->views > HR_VIEWS || config->threads < 0 ||
        config->threads > MAX_THREADS)
        return hr_fail(HIRL_E_INVALID,
                       "loader: a batch of %d images, %d views and %d threads; expected at least "
                       "1 image, 1 to %d views and 0 to %d threads",
                       (int)config->batch, (int)config->views, (int)config->threads, HR_VIEWS,
                       MAX_THREADS);
    if (!config->shuffled && config->on_bad != HR_BAD_ROW_BLANK)
        return hr_fail(HIRL_E_INVALID,
                       "loader: unreadable images can be replaced or refused only in a shuffled "
                       "loader; in order their rows must stay blank");
    if (config->rank < 0 || config->ranks < 0 ||
        config->rank >= (config->ranks ? config->ranks : 1))
        return hr_fail(HIRL_E_INVALID, "loader: rank %d of %d", (int)config->rank,
                       (int)config->ranks);
    if (config->shuffled && whole > dataset->count)
        return hr_fail(HIRL_E_INVALID, "a batch of %lld images, but the data set has only %lld",
                       (long long)whole, (long long)dataset->count);
    return HIRL_OK;
}

static hirl_status make_batch(hr_batch *batch, const hr_loader_config *config)
{
    size_t rows = (size_t)config->batch;

    batch->views = config->views;
    batch->image = hr_alloc_array(rows, sizeof *batch->image);
    batch->readable = hr_alloc(rows);
    if (config->labelled)
        batch->label = hr_alloc_array(rows, sizeof *batch->label);
    if (!batch->image || !batch->readable || (config->labelled && !batch->label))
        return HIRL_E_NOMEM;
    for (int32_t v = 0; v < config->views; v++) {
        size_t size = (size_t)config->view[v].size;

        batch->view[v] = hr_alloc_array(rows, size * size * 3 * sizeof(float));
        if (!batch->view[v])
            return HIRL_E_NOMEM;
    }
    return HIRL_OK;
}

static hirl_status make_worker(hr_loader_worker *w, hr_loader *loader)
{
    w->loader = loader;
    HR_TRY(hr_context_take_cpu_queue(&w->queue, loader->dataset->context));
    if (sizeof(real) == sizeof(float))
        return HIRL_OK;
    w->scratch = hr_alloc_array(loader->largest_view, sizeof(real));
    return w->scratch ? HIRL_OK : HIRL_E_NOMEM;
}

static hirl_status start_threads(hr_loader *loader)
{
    while (loader->started < loader->config.threads) {
        hr_loader_worker *w = &loader->worker[loader->started];

        if (!hr_thread_start(&w->thread, thread_main, w))
            return hr_fail(HIRL_E_NOMEM,
                           "the system started only %d of %d loader threads; try a smaller "
                           "loader_threads",
                           loader->started, (int)loader->config.threads);
        loader->started++;
    }
    return HIRL_OK;
}

static void init_locks(hr_loader *loader)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&loader->ready, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&loader->work, NULL);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_mutex_init(&loader->order_lock, NULL);
}

static hirl_status fill_loader(hr_loader *loader)
{
    const hr_loader_config *config = &loader->config;

    for (int32_t v = 0; v < config->views; v++) {
        size_t size = (size_t)config->view[v].size;

        if (size * size * 3 > loader->largest_view)
            loader->largest_view = size * size * 3;
    }
    for (int i = 0; i < loader->rings; i++)
        HR_TRY(make_batch(&loader->ring[i].batch, config));
    if (config->shuffled) {
        loader->order = hr_alloc_array((size_t)loader->count, sizeof(int64_t));
        if (!loader->order)
            return HIRL_E_NOMEM;
    }
    loader->worker = hr_alloc_array((size_t)loader->workers, sizeof(hr_loader_worker));
    if (!loader->worker)
        return HIRL_E_NOMEM;
    for (int i = 0; i < loader->workers; i++)
        HR_TRY(make_worker(&loader->worker[i], loader));
    return start_threads(loader);
}

hirl_status hr_loader_create(hr_loader **out, hirl_dataset *dataset, const hr_loader_config *config)
{
    hr_loader *loader;
    hirl_status status;

    HR_TRY(check(dataset, config));
    loader = hr_alloc(sizeof *loader);
    if (!loader)
        return HIRL_E_NOMEM;
    loader->process = getpid();
    loader->dataset = dataset;
    hr_dataset_hold(dataset);
    loader->config = *config;
    loader->count = dataset->count;
    loader->whole = whole_batch(config);
    loader->steps = config->shuffled ? loader->count / loader->whole
                                     : (loader->count + loader->whole - 1) / loader->whole;
    loader->workers = config->threads ? config->threads : 1;
    loader->rings = config->threads ? HR_RING : 1;
    loader->taken = -1;
    loader->order_epoch = -1;
    init_locks(loader);
    status = fill_loader(loader);
    if (status < 0) {
        hr_loader_destroy(loader);
        return status;
    }
    *out = loader;
    return HIRL_OK;
}

static void stop_threads(hr_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->quit = true;
    atomic_store(&loader->dropped.requested, 1);
    pthread_cond_broadcast(&loader->work);
    pthread_mutex_unlock(&loader->lock);
    for (int i = 0; i < loader->started; i++)
        pthread_join(loader->worker[i].thread, NULL);
    pthread_cond_destroy(&loader->ready);
    pthread_cond_destroy(&loader->work);
    pthread_mutex_destroy(&loader->lock);
    pthread_mutex_destroy(&loader->order_lock);
}

static void free_slot(hr_slot *s)
{
    for (int32_t v = 0; v < s->batch.views; v++)
        hr_free(s->batch.view[v]);
    hr_free(s->batch.image);
    hr_free(s->batch.readable);
    hr_free(s->batch.label);
    hr_free(s->bad);
}

void hr_loader_destroy(hr_loader *loader)
{
    if (!loader)
        return;
    /* a forked child has no loader threads, and its copies of their locks may stay locked */
    if (getpid() == loader->process)
        stop_threads(loader);
    for (int i = 0; i < loader->workers && loader->worker; i++) {
        hr_context_give_queue(loader->worker[i].queue);
        hr_pixels_done(&loader->worker[i].pixels);
        hr_free(loader->worker[i].scratch);
    }
    for (int i = 0; i < loader->rings; i++)
        free_slot(&loader->ring[i]);
    hr_free(loader->worker);
    hr_free(loader->order);
    hr_dataset_drop(loader->dataset);
    hr_free(loader);
}

/* ---- handing batches to the caller ---- */

int64_t hr_loader_steps(const hr_loader *loader)
{
    return loader->steps;
}

/* Drops the prepared batches and makes (epoch, step) the next one. The lock is held, as in restart.
 */
static void halt(hr_loader *loader, int64_t epoch, int64_t step)
{
    loader->running = false;
    atomic_store(&loader->dropped.requested, 1);
    while (loader->busy)
        pthread_cond_wait(&loader->ready, &loader->lock);
    atomic_store(&loader->dropped.requested, 0);
    for (int i = 0; i < loader->rings; i++)
        loader->ring[i].state = HR_SLOT_EMPTY;
    loader->taken = -1;
    loader->epoch = loader->want_epoch = epoch;
    loader->step = loader->want_step = step;
}

static void restart(hr_loader *loader, int64_t epoch, int64_t step)
{
    halt(loader, epoch, step);
    loader->running = true;
    pthread_cond_broadcast(&loader->work);
}

hirl_status hr_loader_seek(hr_loader *loader, int64_t epoch, int64_t step)
{
    if (epoch < 0 || step < 0 || step > loader->steps)
        return hr_fail(HIRL_E_INVALID, "loader: step %lld of epoch %lld; an epoch has %lld",
                       (long long)step, (long long)epoch, (long long)loader->steps);
    if (loader->config.shuffled && step == loader->steps) {
        epoch++;
        step = 0;
    }
    pthread_mutex_lock(&loader->lock);
    restart(loader, epoch, step);
    pthread_mutex_unlock(&loader->lock);
    return HIRL_OK;
}

static hr_slot *wanted(hr_loader *loader)
{
    for (int i = 0; i < loader->rings; i++) {
        hr_slot *s = &loader->ring[i];

        if (s->state == HR_SLOT_READY && s->batch.epoch == loader->want_epoch &&
            s->batch.step == loader->want_step)
            return s;
    }
    return NULL;
}

/* Fills the wanted batch on the calling thread. The lock is held, but released at times. */
static hirl_status fill_here(hr_loader *loader)
{
    hirl_status status = HIRL_OK;

    while (status >= 0 && !wanted(loader)) {
        int32_t row = 0;
        hr_slot *s;

        status = hr_halt_check();
        if (status < 0)
            break;
        s = take_row(loader, &row);
        if (s)
            work_at(loader->worker, s, row);
    }
    return status;
}

/* Waits until the threads have filled the wanted batch. The lock is held, but released at times. */
static hirl_status wait_for_threads(hr_loader *loader)
{
    hirl_status status = HIRL_OK;

    while (status >= 0 && !wanted(loader)) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += POLL_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&loader->ready, &loader->lock, &until);
        pthread_mutex_unlock(&loader->lock);
        status = hr_halt_check();
        pthread_mutex_lock(&loader->lock);
    }
    return status;
}

static int by_image(const void *a, const void *b)
{
    int64_t x = ((const hr_bad_image *)a)->image, y = ((const hr_bad_image *)b)->image;

    return (x > y) - (x < y);
}

/* Marks the unreadable images of this batch in the data set, in order of their position. */
static hirl_status commit_bad(hr_loader *loader, hr_slot *s)
{
    hirl_dataset *dataset = loader->dataset;
    const hr_bad_image *last = NULL;

    if (s->bads)
        qsort(s->bad, (size_t)s->bads, sizeof *s->bad, by_image);
    for (int64_t i = 0; i < s->bads; i++)
        if (hr_dataset_mark(dataset, s->bad[i].image)) {
            last = &s->bad[i];
            hr_log(dataset->context, HIRL_LOG_WARNING, "unreadable image %s: %s",
                   hr_dataset_name(dataset, last->image), last->error.text);
        }
    return hr_dataset_check_bad(dataset, loader->config.max_bad, last ? last->image : -1,
                                last ? last->error.text : "");
}

/* Gives the wanted batch to the caller. The lock is held. */
static hr_slot *hand_over(hr_loader *loader)
{
    hr_slot *s = wanted(loader);

    s->state = HR_SLOT_TAKEN;
    loader->taken = (int)(s - loader->ring);
    loader->want_step++;
    if (loader->config.shuffled && loader->want_step == loader->steps) {
        loader->want_step = 0;
        loader->want_epoch++;
    }
    return s;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static hirl_status take_batch(hr_slot **taken, hr_loader *loader)
{
    hirl_status status;

    if (!loader->running)
        restart(loader, loader->want_epoch, loader->want_step);
    if (loader->taken >= 0) {
        loader->ring[loader->taken].state = HR_SLOT_EMPTY;
        loader->taken = -1;
        pthread_cond_broadcast(&loader->work);
    }
    if (!loader->config.shuffled && loader->want_step == loader->steps)
        return HIRL_DONE;
    status = loader->config.threads ? wait_for_threads(loader) : fill_here(loader);
    if (status >= 0)
        *taken = hand_over(loader);
    return status;
}

/* An unreadable image has been replaced by now, so the labels are those of the images shown. */
static void look_up_labels(hr_batch *batch, const hr_loader *loader)
{
    for (int32_t i = 0; i < batch->n && batch->label; i++)
        batch->label[i] =
            hr_dataset_label(loader->dataset, batch->image[i], loader->config.label_level);
}

hirl_status hr_loader_next(const hr_batch **batch, hr_loader *loader)
{
    double start = seconds();
    hr_slot *s = NULL;
    hirl_status status;

    pthread_mutex_lock(&loader->lock);
    status = take_batch(&s, loader);
    pthread_mutex_unlock(&loader->lock);
    if (!s)
        return status;
    s->batch.waited = seconds() - start;
    status = commit_bad(loader, s);
    if (status < 0) {
        pthread_mutex_lock(&loader->lock);
        halt(loader, s->batch.epoch, s->batch.step);
        pthread_mutex_unlock(&loader->lock);
        return status;
    }
    if (s->failure.status < 0) {
        hr_error failure = s->failure;

        pthread_mutex_lock(&loader->lock);
        halt(loader, s->batch.epoch, s->batch.step); /* only the next call retries this batch */
        pthread_mutex_unlock(&loader->lock);
        return hr_error_raise(&failure);
    }
    look_up_labels(&s->batch, loader);
    *batch = &s->batch;
    return HIRL_OK;
}
