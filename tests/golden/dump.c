/* dump.c - reads the dumps of golden numbers (README.md) and compares arrays with them. */
#include "golden/dump.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

enum { LINE = 1024, DOT_VIEW = 200, FIELDS = 15 };

static bool read_tensor(dump_tensor *t, const char *line)
{
    long long position, count;
    double *v = t->first;
    int found = sscanf(line, "%47s %47s %lld %lld %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf",
                       t->name, t->kind, &position, &count, &t->norm, &t->dot[0], &t->dot[1], v,
                       v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7);

    t->position = position;
    t->count = count;
    return found == FIELDS;
}

static bool read_step(dump *d, const char *line)
{
    dump_step s = { 0 };
    int at;

    if (sscanf(line, "step %d %lf %lf %lf %lf %lf %lf %lf %lf", &at, &s.image_loss, &s.path_loss,
               &s.loss, &s.rate, &s.decay, &s.momentum, &s.temperature, &s.norm) < 5)
        return false;
    ck_assert_int_eq(at, d->steps);
    ck_assert_int_lt(at, DUMP_STEPS);
    d->step[d->steps++] = s;
    return true;
}

static void read_line(dump *d, const char *line, int64_t *room)
{
    dump_tensor t = { 0 };

    if (read_step(d, line))
        return;
    if (!read_tensor(&t, line)) {
        ck_assert_int_lt(d->keys, DUMP_KEYS);
        if (sscanf(line, "%47s %63[^\n]", d->key[d->keys], d->value[d->keys]) == 2)
            d->keys++;
        return;
    }
    if (d->tensors == *room) {
        *room = 2 * *room + 256;
        d->tensor = realloc(d->tensor, (size_t)*room * sizeof *d->tensor);
        ck_assert_ptr_nonnull(d->tensor);
    }
    d->tensor[d->tensors++] = t;
}

void dump_read(dump *d, const char *file)
{
    const char *folder = getenv("HIRL_TEST_DATA");
    char path[LINE], line[LINE];
    int64_t room = 0;
    FILE *in;

    memset(d, 0, sizeof *d);
    ck_assert_msg(*file == '/' || folder != NULL, "HIRL_TEST_DATA is not set");
    snprintf(path, sizeof path, "%s/%s", *file == '/' ? "" : folder, file);
    in = fopen(path, "r");
    ck_assert_msg(in != NULL, "cannot read %s", path);
    while (fgets(line, sizeof line, in))
        read_line(d, line, &room);
    fclose(in);
    ck_assert_int_gt(d->steps, 0);
    ck_assert_int_gt(d->tensors, 0);
}

void dump_done(dump *d)
{
    free(d->tensor);
    d->tensor = NULL;
}

const char *dump_text(const dump *d, const char *key)
{
    for (int i = 0; i < d->keys; i++)
        if (!strcmp(d->key[i], key))
            return d->value[i];
    return "";
}

double dump_number(const dump *d, const char *key)
{
    char *end;
    double number = strtod(dump_text(d, key), &end);

    ck_assert_msg(end != dump_text(d, key), "the dump has no number %s", key);
    return number;
}

int64_t dump_whole(const dump *d, const char *key)
{
    return llround(dump_number(d, key));
}

int64_t dump_list(int64_t *list, int64_t most, const dump *d, const char *key)
{
    const char *at = dump_text(d, key);
    char *end;
    int64_t n = 0;

    for (long long value; value = strtoll(at, &end, 10), end != at; at = end) {
        ck_assert_int_lt(n, most);
        list[n++] = value;
    }
    return n;
}

const dump_tensor *dump_find(const dump *d, const char *name, const char *kind)
{
    for (int64_t i = 0; i < d->tensors; i++)
        if (!strcmp(d->tensor[i].name, name) && !strcmp(d->tensor[i].kind, kind))
            return &d->tensor[i];
    return NULL;
}

int64_t dump_count(const dump *d, const char *kind)
{
    int64_t n = 0;

    for (int64_t i = 0; i < d->tensors; i++)
        n += !strcmp(d->tensor[i].kind, kind);
    return n;
}

double dump_longest(const dump *d, const char *kind)
{
    double most = 0;

    for (int64_t i = 0; i < d->tensors; i++)
        if (!strcmp(d->tensor[i].kind, kind))
            most = fmax(most, d->tensor[i].norm);
    return most;
}

void dump_scale(dump_tensor *t, double factor)
{
    t->norm *= factor;
    for (int i = 0; i < 2; i++)
        t->dot[i] *= factor;
    for (int i = 0; i < DUMP_FIRST; i++)
        t->first[i] *= factor;
}

static double dot(const double *x, int64_t count, uint64_t seed, int64_t position, int which)
{
    double sum = 0;
    hr_rng rng;

    hr_rng_init(&rng, seed, HR_RNG_TEST, (uint32_t)(DOT_VIEW + which), 0, (uint32_t)position);
    for (int64_t i = 0; i < count; i++)
        sum += x[i] * hr_rng_normal(&rng);
    return sum;
}

/* The largest of three estimates of |a - b|: difference of norms, first values, root mean square of
 * both dot products. The first two are lower bounds. */
static double distance(const dump_tensor *b, const double *x, uint64_t seed)
{
    double norm = 0, first = 0, dots = 0;

    for (int64_t i = 0; i < b->count; i++)
        norm += x[i] * x[i];
    for (int64_t i = 0; i < DUMP_FIRST && i < b->count; i++)
        first += (x[i] - b->first[i]) * (x[i] - b->first[i]);
    for (int i = 0; i < 2; i++) {
        double off = dot(x, b->count, seed, b->position, i) - b->dot[i];

        dots += off * off / 2;
    }
    if (!(isfinite(norm) && isfinite(dots)))
        return INFINITY;
    return fmax(fabs(sqrt(norm) - b->norm), fmax(sqrt(first), sqrt(dots)));
}

void dump_check(const dump *d, const char *name, const char *kind, const double *x, int64_t count,
                dump_limit limit)
{
    const dump_tensor *b = dump_find(d, name, kind);
    double off, allowed;

    ck_assert_msg(b != NULL, "the dump has no %s of %s", kind, name);
    ck_assert_msg(b->count == count, "%s of %s has %lld elements, not %lld", kind, name,
                  (long long)count, (long long)b->count);
    off = distance(b, x, (uint64_t)dump_number(d, "seed"));
    allowed = limit.relative * b->norm + limit.floor * dump_longest(d, kind);
    ck_assert_msg(off <= allowed, "%s of %s is off by %g, allowed %g; norm %g", kind, name, off,
                  allowed, b->norm);
}

void *dump_room(int64_t n, size_t size)
{
    void *block = calloc((size_t)n + 1, size);

    ck_assert_ptr_nonnull(block);
    return block;
}
