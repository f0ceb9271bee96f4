/* allocator.c - the library allocates through functions of the application, within a budget.
 *
 * The application counts the bytes in use and refuses blocks beyond its budget. The library then
 * returns HIRL_E_NOMEM, and keeps everything that it had made.
 *
 *     cc allocator.c -o allocator $(pkg-config --cflags --libs hirl) -lpthread
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <hirl/hirl.h>

enum { ROWS = 2000, D = 16 };

/* Both functions run on any thread, so a lock guards the count. */
typedef struct budget {
    pthread_mutex_t lock;
    size_t used, most, limit;
} budget;

/* Before each block lies its head: where malloc's block begins, and its size. */
typedef struct head {
    void *begin;
    size_t bytes;
} head;

static int reserve(budget *b, size_t bytes)
{
    int fits;

    pthread_mutex_lock(&b->lock);
    fits = bytes <= b->limit - b->used;
    b->used += fits ? bytes : 0;
    b->most = b->used > b->most ? b->used : b->most;
    pthread_mutex_unlock(&b->lock);
    return fits;
}

static void give_back(budget *b, size_t bytes)
{
    pthread_mutex_lock(&b->lock);
    b->used -= bytes;
    pthread_mutex_unlock(&b->lock);
}

static void *allocate(size_t bytes, size_t alignment, void *user)
{
    char *begin, *block;

    if (bytes > SIZE_MAX / 2 || !reserve(user, bytes))
        return NULL;
    begin = malloc(bytes + alignment + sizeof(head));
    if (!begin) {
        give_back(user, bytes);
        return NULL;
    }
    block = begin + sizeof(head) + alignment;
    block -= (uintptr_t)block % alignment;
    ((head *)(void *)block)[-1].begin = begin;
    ((head *)(void *)block)[-1].bytes = bytes;
    return block;
}

static void release(void *block, void *user)
{
    head h = ((head *)block)[-1];

    give_back(user, h.bytes);
    free(h.begin);
}

static hirl_status cluster(hirl_context *context, const hirl_options *options)
{
    static float row[ROWS * D];
    hirl_tree *tree = NULL;
    hirl_status status;

    for (int i = 0; i < ROWS * D; i++)
        row[i] = (float)(i * 7919 % 1009) / 1009 + (float)(i / D % 10 == i % D);
    status = hirl_cluster(&tree, context, row, ROWS, D, NULL, NULL, options);
    if (status >= 0)
        printf("%d leaves\n", (int)hirl_tree_count(tree, 1));
    hirl_tree_destroy(tree);
    return status;
}

int main(void)
{
    static budget b = { PTHREAD_MUTEX_INITIALIZER, 0, 0, 512 << 20 };
    hirl_options *options = NULL;
    hirl_context *context = NULL;
    hirl_status status = hirl_set_allocator(allocate, release, &b), refused = HIRL_OK;

    if (status >= 0)
        status = hirl_options_create(&options);
    if (status >= 0)
        status = hirl_context_create(&context, options);
    if (status >= 0)
        status = cluster(context, options);
    if (status >= 0) {
        b.limit = b.used + 4096; /* no call runs, so no lock is needed */
        refused = cluster(context, options);
        printf("with 4096 bytes more: %s\n", hirl_status_name(refused));
        b.limit = 512 << 20;
        status = cluster(context, options);
    }
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hirl_status_name(status), hirl_error_message());
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    printf("at most %lu bytes, in the end %lu\n", (unsigned long)b.most, (unsigned long)b.used);
    return status < 0 || refused != HIRL_E_NOMEM || b.used;
}
