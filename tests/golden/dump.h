/* dump.h - reads the dumps of golden numbers (README.md) and compares arrays with them.
 *
 * A tensor's line has its norm, its dot products with two arrays r of normal draws, and its first
 * values. They give an estimate of |a - b|: <a - b, r> has standard deviation |a - b|.
 */
#ifndef HR_TEST_DUMP_H
#define HR_TEST_DUMP_H

#include <stddef.h>
#include <stdint.h>

enum { DUMP_NAME = 48, DUMP_VALUE = 64, DUMP_KEYS = 64, DUMP_STEPS = 8, DUMP_FIRST = 8 };

typedef struct dump_tensor {
    char name[DUMP_NAME], kind[DUMP_NAME];
    int64_t position, count;
    double norm, dot[2], first[DUMP_FIRST];
} dump_tensor;

typedef struct dump_step {
    double image_loss, path_loss, loss, rate;
    double decay, momentum, temperature; /* scheduled values, in dumps of selfsup.py only */
    double norm;                         /* norm of all gradients together */
} dump_step;

typedef struct dump {
    char key[DUMP_KEYS][DUMP_NAME], value[DUMP_KEYS][DUMP_VALUE];
    int keys, steps;
    dump_step step[DUMP_STEPS];
    dump_tensor *tensor;
    int64_t tensors;
} dump;

/* A comparison passes if |a - b| <= relative |b| + floor max_t |b_t|, t over the tensors of the
 * same kind. */
typedef struct dump_limit {
    double relative, floor;
} dump_limit;

/* `file` is absolute or relative to the folder HIRL_TEST_DATA. Fails the test if it cannot be
 * read. */
void dump_read(dump *d, const char *file);
void dump_done(dump *d);
const char *dump_text(const dump *d, const char *key);
double dump_number(const dump *d, const char *key);
int64_t dump_whole(const dump *d, const char *key);
int64_t dump_list(int64_t *list, int64_t most, const dump *d, const char *key);

const dump_tensor *dump_find(const dump *d, const char *name, const char *kind);
int64_t dump_count(const dump *d, const char *kind);
double dump_longest(const dump *d, const char *kind); /* largest norm */
void dump_scale(dump_tensor *t, double factor);
/* Fails the test if x, `count` elements in file order, differs from the dumped tensor by more than
 * `limit`. */
void dump_check(const dump *d, const char *name, const char *kind, const double *x, int64_t count,
                dump_limit limit);

/* Allocates n zeroed elements; the caller frees them. */
void *dump_room(int64_t n, size_t size);

#endif
