/* alloc.c - the library's heap: counted, replaceable by the application, able to fail in tests. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { ALIGNMENT = 64, LARGE = 16 << 20, FIRST_ROOM = 16 };

static void *libc_alloc(size_t bytes, size_t alignment, void *user)
{
    void *block = NULL;

    (void)user;
    return posix_memalign(&block, alignment, bytes) ? NULL : block;
}

static void libc_free(void *block, void *user)
{
    (void)user;
    free(block);
}

static hr_alloc_fn take = libc_alloc;
static hr_free_fn give = libc_free;
static void *owner;

static _Atomic int64_t total, live, countdown;
static _Atomic bool keep_failing;

hirl_status hr_alloc_hook(hr_alloc_fn alloc, hr_free_fn release, void *user)
{
    if (atomic_load(&live))
        return hr_fail(HIRL_E_STATE,
                       "allocator: %lld blocks of the previous one are in use; set the allocator "
                       "before the first handle is created or after the last one is freed",
                       (long long)atomic_load(&live));
    if (!alloc != !release)
        return hr_fail(HIRL_E_INVALID,
                       "allocator: only one function was given; give both or neither");
    take = alloc ? alloc : libc_alloc;
    give = release ? release : libc_free;
    owner = user;
    return HIRL_OK;
}

static bool must_fail(void)
{
    if (!atomic_load_explicit(&countdown, memory_order_relaxed))
        return false;
    if (atomic_fetch_sub(&countdown, 1) != 1)
        return false;
    if (atomic_load(&keep_failing))
        atomic_store(&countdown, 1);
    return true;
}

/* Linux grants more memory than it has and kills a process that uses it. So large requests are
 * compared with the available memory, unless the application has its own allocator. */
static bool is_too_large(size_t bytes)
{
    int64_t available;

    if (take != libc_alloc || bytes < LARGE)
        return false;
    available = hr_memory_available();
    if (bytes <= (uint64_t)available)
        return false;
    hr_fail(HIRL_E_NOMEM, "out of memory: %zu bytes were requested, %lld are available", bytes,
            (long long)available);
    return true;
}

void *hr_alloc(size_t bytes)
{
    void *block = NULL;

    if (is_too_large(bytes))
        return NULL;
    if (!must_fail())
        block = take(bytes ? bytes : 1, ALIGNMENT, owner);
    if (!block) {
        hr_fail(HIRL_E_NOMEM, "out of memory: %zu bytes were requested", bytes);
        return NULL;
    }
    memset(block, 0, bytes);
    atomic_fetch_add(&total, 1);
    atomic_fetch_add(&live, 1);
    return block;
}

void *hr_alloc_array(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        hr_fail(HIRL_E_NOMEM, "out of memory: %zu items of %zu bytes were requested", count, size);
        return NULL;
    }
    return hr_alloc(bytes);
}

void *hr_grow(void *block, size_t old_bytes, size_t new_bytes)
{
    void *grown = hr_alloc(new_bytes > old_bytes ? new_bytes : old_bytes);

    if (!grown)
        return NULL;
    if (block)
        memcpy(grown, block, old_bytes);
    hr_free(block);
    return grown;
}

void *hr_grow_array(void *array, int64_t *room, int64_t used, size_t size)
{
    int64_t more = *room ? 2 * *room : FIRST_ROOM;
    void *grown;

    if (used < *room)
        return array;
    grown = hr_grow(array, (size_t)*room * size, (size_t)more * size);
    if (grown)
        *room = more;
    return grown;
}

char *hr_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = hr_alloc(bytes);

    return copy ? memcpy(copy, text, bytes) : NULL;
}

void hr_free(void *block)
{
    if (!block)
        return;
    atomic_fetch_sub(&live, 1);
    give(block, owner);
}

int64_t hr_alloc_total(void)
{
    return atomic_load(&total);
}

int64_t hr_alloc_live(void)
{
    return atomic_load(&live);
}

void hr_alloc_fail_at(int64_t nth, bool forever)
{
    atomic_store(&keep_failing, forever);
    atomic_store(&countdown, nth);
}
