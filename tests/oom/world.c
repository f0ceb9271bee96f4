/* world.c - the world of a scenario: a folder, options, context,
 * and small_world.h's objects on demand. */
#include "oom/world.h"

const char *hr_world_path(const world *w, const char *name)
{
    static char path[4][HR_TEST_PATH];
    static int at;

    at = (at + 1) % 4;
    return hr_test_path(path[at], w->folder, name);
}

void hr_world_write(const world *w, const char *name, const void *data, size_t bytes)
{
    hr_test_write(hr_world_path(w, name), data, bytes);
}

void hr_world_open(world *w, const scenario *s)
{
    static const char *const own[][2] = {
        { "loader_threads", "0" },
        { "knn_k", "3,5" },
        { "generated_images", "20" },
        { "generated_size", "16" },
    };

    snprintf(w->folder, sizeof w->folder, "%.400s/hirl-oom-%ld", hr_test_base(), (long)getpid());
    hr_test_remove(w->folder); /* a failed test may have left it */
    ck_assert_int_eq(mkdir(w->folder, 0777), 0);
    w->scenario = s;
    small_world_begin(&w->small);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        small_world_set(&w->small, own[i][0], own[i][1]);
    s->prepare(w);
}

void hr_world_close(world *w)
{
    small_world_close(&w->small);
    hr_test_remove(w->folder);
}

void hr_world_nothing(world *w)
{
    (void)w;
}

void hr_world_with_model(world *w)
{
    small_world_make_model(&w->small);
}
