/* loader.c - threads that decode and augment ahead of the trainer.
 *
 * Batch s of epoch e holds places s B to (s + 1) B - 1 of the epoch's order, a permutation keyed by
 * (seed, epoch). An image that cannot be read is replaced: the j-th such place, counted from the
 * front, takes the j-th readable image found from place (s + 1) B on, going round to place s B. So
 * the batch is a function of (seed, e, s) and of which images can be read, whoever reads them and
 * whether that is known already. Images found unreadable are marked in the data set when their batch
 * is handed over, in order, not when a thread meets them.
 *
 * A ring of RING batches goes round: one is the trainer's, the others are filled by the threads, image
 * by image; who finishes the last image of a batch replaces the unreadable ones. With 0 threads the
 * caller fills one batch.
 */
#include "data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"

enum { RING = 3, MAX_THREADS = 256, STACK_BYTES = 1 << 20, POLL_MS = 50, CANDIDATES = 64 };

typedef struct bad_image {
    int64_t image;
    hr_error error;
} bad_image;

typedef enum { EMPTY, FILLING, READY, TAKEN } state;

typedef struct slot {
    hr_batch batch;
    state state;
    int32_t next, done; /* images handed to threads; finished */
    hr_error failure;   /* of the batch; status >= 0: none */
    bad_image *bad;
    int64_t bads, bad_room;
} slot;

typedef struct worker {
    hr_loader *loader;
    pthread_t thread;
    hr_queue *queue;
    hr_pixels pixels;
    real *scratch; /* one view, where real is not float */
} worker;

struct hr_loader {
    hirl_dataset *dataset;
    hr_loader_config config;
    int64_t steps, count;
    size_t largest_view;
    worker *worker; /* [threads], or one for the caller */
    int workers, started;
    pid_t process; /* a forked child has none of the threads */

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t work, ready;
    slot ring[RING];
    int rings, taken;              /* slots in use; the one the caller has, or -1 */
    int64_t epoch, step;           /* of the next batch to begin */
    int64_t want_epoch, want_step; /* of the next batch to hand over */
    int busy;                      /* threads at an image */
    bool running, quit;

    pthread_mutex_t order_lock; /* the two below */
    int64_t order_epoch;
    int64_t *order; /* [count] of order_epoch */
};

/* ---- order ---- */

/* places first.. of the epoch's order, going round */
static void read_order(hr_loader *loader, int64_t *image, int64_t epoch, int64_t first, int64_t n)
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

static bool is_bad_image(hirl_status status)
{
    return status == HIRL_E_FORMAT || status == HIRL_E_IO || status == HIRL_E_LIMIT ||
           status == HIRL_E_UNSUPPORTED || status == HIRL_E_CALLBACK;
}

static hirl_status augment(worker *w, float *to, const hr_augment_record *record)
{
    int64_t n = (int64_t)record->size * record->size * 3;
    real *out = w->scratch ? w->scratch : (real *)(void *)to;
    hr_array y = { out, HR_REAL, 3, { record->size, record->size, 3, 1 } };
    hr_array x = { w->pixels.data, HR_U8, 3, { w->pixels.height, w->pixels.width, 3, 1 } };

    w->queue->be->augment(w->queue, &y, &x, record);
    HR_TRY(w->queue->be->sync(w->queue));
    for (int64_t i = 0; i < n && w->scratch; i++)
        to[i] = (float)w->scratch[i];
    return HIRL_OK;
}

static hirl_status draw_views(worker *w, const hr_batch *batch, int32_t row)
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

/* keeps what went wrong with an image; under the lock */
static void note_bad(slot *s, int64_t image, const hr_error *error)
{
    if (s->bads == s->bad_room) {
        int64_t room = s->bad_room ? 2 * s->bad_room : 16;
        bad_image *grown =
            hr_grow(s->bad, (size_t)s->bad_room * sizeof *s->bad, (size_t)room * sizeof *s->bad);

        if (!grown) {
            hr_error_keep(&s->failure, HIRL_E_NOMEM);
            return;
        }
        s->bad = grown;
        s->bad_room = room;
    }
    s->bad[s->bads++] = (bad_image){ image, *error };
}

/* an unreadable image fails the batch */
static bool is_strict(const hr_loader *loader)
{
    return loader->config.shuffled && !loader->config.replace_bad;
}

/* decodes and augments the image of a row; HIRL_DONE: it cannot be read, and is noted when new */
static hirl_status fill_row(worker *w, slot *s, int32_t row)
{
    hr_loader *loader = w->loader;
    hirl_dataset *dataset = loader->dataset;
    int64_t image = s->batch.image[row];
    hr_error error;
    hirl_status status;

    if (!is_strict(loader) && hr_dataset_marked(dataset, image))
        return HIRL_DONE;
    status = hr_dataset_read(&w->pixels, dataset, image);
    if (status >= 0)
        return draw_views(w, &s->batch, row);
    if (!is_bad_image(status))
        return status;
    hr_error_keep(&error, status);
    pthread_mutex_lock(&loader->lock);
    note_bad(s, image, &error);
    pthread_mutex_unlock(&loader->lock);
    return HIRL_DONE;
}

static void fail_batch(hr_loader *loader, slot *s, hirl_status status)
{
    pthread_mutex_lock(&loader->lock);
    if (s->failure.status >= 0)
        hr_error_keep(&s->failure, status);
    pthread_mutex_unlock(&loader->lock);
}

static void load_row(worker *w, slot *s, int32_t row)
{
    hirl_status status = fill_row(w, s, row);

    s->batch.readable[row] = status == HIRL_OK;
    if (status == HIRL_DONE)
        clear_views(w->loader, &s->batch, row);
    else if (status < 0)
        fail_batch(w->loader, s, status);
}

/* ---- replacing ---- */

/* gives unreadable rows the next readable images of the order; see the head of this file */
static hirl_status replace_rows(worker *w, slot *s)
{
    hr_loader *loader = w->loader;
    hr_batch *batch = &s->batch;
    int64_t candidate[CANDIDATES], at = 0, left = loader->count - batch->n;

    for (int32_t row = 0; row < batch->n; row++)
        while (!batch->readable[row]) {
            hirl_status status;

            if (at == left)
                return hr_fail(HIRL_E_FORMAT,
                               "batch of %d images: %lld other images are too few to replace "
                               "those that cannot be read",
                               (int)batch->n, (long long)left);
            if (at % CANDIDATES == 0)
                read_order(loader, candidate, batch->epoch,
                           (batch->step + 1) * loader->config.batch + at,
                           left - at < CANDIDATES ? left - at : CANDIDATES);
            batch->image[row] = candidate[at++ % CANDIDATES];
            status = fill_row(w, s, row);
            if (status < 0)
                return status;
            batch->readable[row] = status == HIRL_OK;
        }
    return HIRL_OK;
}

/* the image of lowest number speaks for all that cannot be read */
static hirl_status refuse_batch(const hr_loader *loader, const slot *s)
{
    const bad_image *first = &s->bad[0];

    for (int64_t i = 1; i < s->bads; i++)
        if (s->bad[i].image < first->image)
            first = &s->bad[i];
    hr_error_raise(&first->error);
    return hr_fail_in(first->error.status, hr_dataset_name(loader->dataset, first->image));
}

/* the last image is done: what is to become of unreadable ones */
static void finish_batch(worker *w, slot *s)
{
    hr_loader *loader = w->loader;
    bool complete = !memchr(s->batch.readable, 0, (size_t)s->batch.n);
    hirl_status status;

    if (s->failure.status < 0 || !loader->config.shuffled || complete)
        return;
    status = is_strict(loader) ? refuse_batch(loader, s) : replace_rows(w, s);
    if (status < 0)
        fail_batch(loader, s, status);
}

/* ---- the ring; under the lock ---- */

static bool more_to_begin(const hr_loader *loader)
{
    return loader->config.shuffled || loader->step < loader->steps;
}

static void begin_batch(hr_loader *loader, slot *s)
{
    int64_t first = loader->step * loader->config.batch, left = loader->count - first;
    hr_batch *batch = &s->batch;

    batch->epoch = loader->epoch;
    batch->step = loader->step;
    batch->n = (int32_t)(left < loader->config.batch ? left : loader->config.batch);
    read_order(loader, batch->image, batch->epoch, first, batch->n);
    s->next = s->done = 0;
    s->bads = 0;
    s->failure.status = HIRL_OK;
    s->state = FILLING;
    loader->step++;
    if (loader->config.shuffled && loader->step == loader->steps) {
        loader->step = 0;
        loader->epoch++;
    }
    pthread_cond_broadcast(&loader->work);
}

/* the next image to read: of the oldest batch that has one left, else of a new batch */
static slot *take_row(hr_loader *loader, int32_t *row)
{
    slot *oldest = NULL, *empty = NULL;

    for (int i = 0; i < loader->rings; i++) {
        slot *s = &loader->ring[i];

        if (s->state == EMPTY)
            empty = s;
        if (s->state != FILLING || s->next == s->batch.n)
            continue;
        if (!oldest || s->batch.epoch < oldest->batch.epoch ||
            (s->batch.epoch == oldest->batch.epoch && s->batch.step < oldest->batch.step))
            oldest = s;
    }
    if (!oldest && empty && more_to_begin(loader)) {
        begin_batch(loader, empty);
        oldest = empty;
    }
    if (oldest)
        *row = oldest->next++;
    return oldest;
}

static void work_at(worker *w, slot *s, int32_t row)
{
    hr_loader *loader = w->loader;

    loader->busy++;
    pthread_mutex_unlock(&loader->lock);
    load_row(w, s, row);
    pthread_mutex_lock(&loader->lock);
    if (++s->done == s->batch.n) {
        pthread_mutex_unlock(&loader->lock);
        finish_batch(w, s);
        pthread_mutex_lock(&loader->lock);
        s->state = READY;
    }
    loader->busy--;
    if (s->state == READY || !loader->busy)
        pthread_cond_broadcast(&loader->ready);
}

static void *run(void *arg)
{
    worker *w = arg;
    hr_loader *loader = w->loader;

    pthread_mutex_lock(&loader->lock);
    while (!loader->quit) {
        int32_t row = 0;
        slot *s = loader->running ? take_row(loader, &row) : NULL;

        if (s)
            work_at(w, s, row);
        else
            pthread_cond_wait(&loader->work, &loader->lock);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* ---- life ---- */

static hirl_status check(const hirl_dataset *dataset, const hr_loader_config *config)
{
    if (config->batch < 1 || config->views < 1 || config->views > HR_VIEWS || config->threads < 0 ||
        config->threads > MAX_THREADS)
        return hr_fail(HIRL_E_INVALID, "loader: batch %d, %d views, %d threads", (int)config->batch,
                       (int)config->views, (int)config->threads);
    if (config->shuffled && config->batch > dataset->count)
        return hr_fail(HIRL_E_INVALID, "a batch of %d images: the data set has only %lld",
                       (int)config->batch, (long long)dataset->count);
    return HIRL_OK;
}

static hirl_status make_batch(hr_batch *batch, const hr_loader_config *config)
{
    size_t rows = (size_t)config->batch;

    batch->views = config->views;
    batch->image = hr_alloc_array(rows, sizeof *batch->image);
    batch->readable = hr_alloc(rows);
    if (!batch->image || !batch->readable)
        return HIRL_E_NOMEM;
    for (int32_t v = 0; v < config->views; v++) {
        size_t size = (size_t)config->view[v].size;

        batch->view[v] = hr_alloc_array(rows, size * size * 3 * sizeof(float));
        if (!batch->view[v])
            return HIRL_E_NOMEM;
    }
    return HIRL_OK;
}

static hirl_status make_worker(worker *w, hr_loader *loader)
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
    pthread_attr_t attributes;
    sigset_t all, before;
    int failed = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (loader->started < loader->config.threads && !failed) {
        worker *w = &loader->worker[loader->started];

        failed = pthread_create(&w->thread, &attributes, run, w);
        loader->started += !failed;
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return hr_fail(HIRL_E_NOMEM, "loader threads: the system started %d of %d", loader->started,
                       (int)loader->config.threads);
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
    loader->worker = hr_alloc_array((size_t)loader->workers, sizeof(worker));
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
    loader->steps = config->shuffled ? dataset->count / config->batch
                                     : (dataset->count + config->batch - 1) / config->batch;
    loader->workers = config->threads ? config->threads : 1;
    loader->rings = config->threads ? RING : 1;
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
    pthread_cond_broadcast(&loader->work);
    pthread_mutex_unlock(&loader->lock);
    for (int i = 0; i < loader->started; i++)
        pthread_join(loader->worker[i].thread, NULL);
    pthread_cond_destroy(&loader->ready);
    pthread_cond_destroy(&loader->work);
    pthread_mutex_destroy(&loader->lock);
    pthread_mutex_destroy(&loader->order_lock);
}

static void free_slot(slot *s)
{
    for (int32_t v = 0; v < s->batch.views; v++)
        hr_free(s->batch.view[v]);
    hr_free(s->batch.image);
    hr_free(s->batch.readable);
    hr_free(s->bad);
}

void hr_loader_destroy(hr_loader *loader)
{
    if (!loader)
        return;
    if (getpid() ==
        loader->process) /* in a child threads seem to wait at locks that nobody opens */
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

/* ---- handing over ---- */

int64_t hr_loader_steps(const hr_loader *loader)
{
    return loader->steps;
}

/* drops what was prepared; (epoch, step) is the next to hand over. Under the lock, as restart */
static void halt(hr_loader *loader, int64_t epoch, int64_t step)
{
    loader->running = false;
    while (loader->busy)
        pthread_cond_wait(&loader->ready, &loader->lock);
    for (int i = 0; i < loader->rings; i++)
        loader->ring[i].state = EMPTY;
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

static slot *wanted(hr_loader *loader)
{
    for (int i = 0; i < loader->rings; i++) {
        slot *s = &loader->ring[i];

        if (s->state == READY && s->batch.epoch == loader->want_epoch &&
            s->batch.step == loader->want_step)
            return s;
    }
    return NULL;
}

/* both under the lock, which they release for a while */
static hirl_status fill_here(hr_loader *loader)
{
    hirl_status status = HIRL_OK;

    while (status >= 0 && !wanted(loader)) {
        int32_t row = 0;
        slot *s;

        status = hr_poll(loader->dataset->context);
        if (status < 0)
            break;
        s = take_row(loader, &row);
        work_at(loader->worker, s, row);
    }
    return status;
}

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
        status = hr_poll(loader->dataset->context);
        pthread_mutex_lock(&loader->lock);
    }
    return status;
}

static int by_image(const void *a, const void *b)
{
    int64_t x = ((const bad_image *)a)->image, y = ((const bad_image *)b)->image;

    return (x > y) - (x < y);
}

/* marks what this batch found unreadable */
static hirl_status commit_bad(hr_loader *loader, slot *s)
{
    hirl_dataset *dataset = loader->dataset;
    const bad_image *last = NULL;

    if (s->bads)
        qsort(s->bad, (size_t)s->bads, sizeof *s->bad, by_image);
    for (int64_t i = 0; i < s->bads; i++)
        if (hr_dataset_mark(dataset, s->bad[i].image)) {
            last = &s->bad[i];
            hr_log(dataset->context, HIRL_LOG_WARNING, "unreadable image %s: %s",
                   hr_dataset_name(dataset, last->image), last->error.text);
        }
    if (!last)
        return HIRL_OK;
    return hr_dataset_check_bad(dataset, loader->config.max_bad, last->image, last->error.text);
}

/* the wanted batch goes to the caller; under the lock */
static slot *hand_over(hr_loader *loader)
{
    slot *s = wanted(loader);

    s->state = TAKEN;
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

static hirl_status take_batch(slot **taken, hr_loader *loader)
{
    hirl_status status;

    if (!loader->running)
        restart(loader, loader->want_epoch, loader->want_step);
    if (loader->taken >= 0) {
        loader->ring[loader->taken].state = EMPTY;
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

hirl_status hr_loader_next(const hr_batch **batch, hr_loader *loader)
{
    double start = seconds();
    slot *s = NULL;
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
        halt(loader, s->batch.epoch, s->batch.step); /* the next call tries again, not before */
        pthread_mutex_unlock(&loader->lock);
        return hr_error_raise(&failure);
    }
    *batch = &s->batch;
    return HIRL_OK;
}
