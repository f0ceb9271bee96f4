/* pool.c - the threads of a context: a parallel for over a fixed grid.
 *
 * The caller works too. At the end it waits only for workers that have joined the job, so that a
 * worker that a busy machine has not yet woken costs nothing.
 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/halt.h"
#include "base/thread.h"

enum { MAX_THREADS = 256, SPIN = 2000, OPEN = 1 << 30 };

typedef struct worker {
    hr_pool *pool;
    int index;
} worker;

struct hr_pool {
    int threads, started;
    pthread_t thread[MAX_THREADS];
    worker worker[MAX_THREADS];
    pthread_mutex_t busy; /* held by the caller that uses the workers */
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    _Atomic uint64_t generation;
    _Atomic int64_t next;
    _Atomic int inside; /* workers in the job, + OPEN while others may still join it */
    int64_t count;
    hr_pool_task *task;
    void *arg;
    const hr_halt *halt; /* obeyed by the caller of the job */
    atomic_bool dropped; /* a task of the job was not run */
    bool quit;
};

static _Thread_local bool in_task;

/* Runs tasks of the current job until none is left, or the caller is to stop. */
static void drain(hr_pool *pool, int index)
{
    const hr_halt *before = hr_halt_obey(pool->halt);

    in_task = true;
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);

        if (i >= pool->count)
            break;
        if (hr_halted(pool->halt)) {
            atomic_store(&pool->dropped, true);
            break;
        }
        pool->task(pool->arg, i, index);
    }
    in_task = false;
    (void)hr_halt_obey(before);
}

static bool wait_for_work(hr_pool *pool, uint64_t *seen)
{
    bool quit;

    for (int i = 0; i < SPIN; i++) {
        if (atomic_load_explicit(&pool->generation, memory_order_acquire) != *seen)
            break;
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->generation) == *seen && !pool->quit)
        pthread_cond_wait(&pool->wake, &pool->lock);
    *seen = atomic_load(&pool->generation);
    quit = pool->quit;
    pthread_mutex_unlock(&pool->lock);
    return !quit;
}

/* Enters the current job; false when it is over. */
static bool join(hr_pool *pool)
{
    int now = atomic_load(&pool->inside);

    while (now & OPEN)
        if (atomic_compare_exchange_weak(&pool->inside, &now, now + 1))
            return true;
    return false;
}

static void leave(hr_pool *pool)
{
    if (atomic_fetch_sub(&pool->inside, 1) != 1)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_signal(&pool->idle);
    pthread_mutex_unlock(&pool->lock);
}

static void *thread_main(void *arg)
{
    worker *self = arg;
    hr_pool *pool = self->pool;
    uint64_t seen = 0;

    while (wait_for_work(pool, &seen)) {
        if (!join(pool))
            continue;
        drain(pool, self->index);
        leave(pool);
    }
    return NULL;
}

static hirl_status start(hr_pool *pool)
{
    while (pool->started < pool->threads - 1) {
        worker *w = &pool->worker[pool->started];

        *w = (worker){ pool, pool->started + 1 };
        if (!hr_thread_start(&pool->thread[pool->started], thread_main, w))
            return hr_fail(HIRL_E_NOMEM,
                           "the system started only %d of %d threads; try a smaller value of "
                           "threads",
                           pool->started + 1, pool->threads);
        pool->started++;
    }
    return HIRL_OK;
}

hirl_status hr_pool_create(hr_pool **out, int threads)
{
    hr_pool *pool;
    hirl_status status;

    if (threads < 1 || threads > MAX_THREADS)
        return hr_fail(HIRL_E_INVALID, "threads: %d is outside the range 1 to %d", threads,
                       MAX_THREADS);
    pool = hr_alloc(sizeof *pool);
    if (!pool)
        return HIRL_E_NOMEM;
    pool->threads = threads;
    pthread_mutex_init(&pool->busy, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->idle, NULL);
    status = start(pool);
    if (status < 0) {
        hr_pool_destroy(pool);
        return status;
    }
    *out = pool;
    return HIRL_OK;
}

void hr_pool_destroy(hr_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->quit = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->busy);
    hr_free(pool);
}

int hr_pool_threads(const hr_pool *pool)
{
    return pool->threads;
}

int hr_pool_half(const hr_pool *pool)
{
    return pool->threads > 1 ? pool->threads / 2 : 1;
}

static void share(hr_pool *pool, int64_t count, hr_pool_task *task, void *arg)
{
    pool->count = count;
    pool->task = task;
    pool->arg = arg;
    pool->halt = hr_halt_obeyed();
    atomic_store(&pool->dropped, false);
    atomic_store(&pool->next, 0);
    atomic_store(&pool->inside, OPEN);
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);

    drain(pool, 0);
    atomic_fetch_and(&pool->inside, ~OPEN);
    for (int i = 0; i < SPIN && atomic_load(&pool->inside); i++) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    if (!atomic_load(&pool->inside))
        return;
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->inside))
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

bool hr_pool_run(hr_pool *pool, int64_t count, hr_pool_task *task, void *arg)
{
    if (count > 1 && pool->started && !in_task && !pthread_mutex_trylock(&pool->busy)) {
        bool dropped;

        share(pool, count, task, arg);
        dropped = atomic_load(&pool->dropped);
        pthread_mutex_unlock(&pool->busy);
        return !dropped;
    }
    for (int64_t i = 0; i < count; i++) {
        if (hr_halted(hr_halt_obeyed()))
            return false;
        task(arg, i, 0);
    }
    return true;
}

static int cgroup_limit(void)
{
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    long quota = 0, period = 0;
    int n = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%ld %ld", &quota, &period) == 2 && quota > 0 && period > 0)
        n = (int)((quota + period - 1) / period);
    fclose(file);
    return n;
}

int hr_cores(void)
{
    cpu_set_t set;
    int n = 1, limit = cgroup_limit();

    CPU_ZERO(&set);
    if (!sched_getaffinity(0, sizeof set, &set))
        n = CPU_COUNT(&set);
    if (limit && limit < n)
        n = limit;
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n;
}
