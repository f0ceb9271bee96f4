/* dump.h - reads the dumps of golden numbers (README.md) and holds arrays against them.
 *
 * A tensor's line has its norm, its dot products with two arrays r of normal draws, and its first
 * values. From these |a - b| is estimated: <a - b, r> has the standard deviation |a - b|.
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
    double decay, momentum, temperature; /* scheduled ones, in dumps of selfsup.py */
    double norm;                         /* of all gradients */
} dump_step;

typedef struct dump {
    char key[DUMP_KEYS][DUMP_NAME], value[DUMP_KEYS][DUMP_VALUE];
    int keys, steps;
    dump_step step[DUMP_STEPS];
    dump_tensor *tensor;
    int64_t tensors;
} dump;

/* what a comparison allows: |a - b| <= relative |b| + floor max over the kind's tensors of |b| */
typedef struct dump_limit {
    double relative, floor;
} dump_limit;

/* a file of the folder HIRL_TEST_DATA, or of any folder with its path; fails the test when it cannot be read */
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
/* fails the test when x, elements in file order, is not the tensor */
void dump_check(const dump *d, const char *name, const char *kind, const double *x, int64_t count,
                dump_limit limit);

/* room for n elements, zeroed; the caller frees it */
void *dump_room(int64_t n, size_t size);

#endif
