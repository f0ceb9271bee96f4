/* arena.h - memory of one step: taken piece by piece, released all at once.
 *
 * An arena computes addresses only. It never reads or writes its memory, which may lie on a device.
 * After a reset the same requests yield the same addresses, so that steps after the first allocate
 * nothing.
 */
#ifndef HR_ARENA_H
#define HR_ARENA_H

#include "types.h"

/* Where an arena gets its blocks, and how hr_arena_done returns them. */
typedef void *(*hr_arena_take_fn)(void *owner, size_t bytes);
typedef void (*hr_arena_give_fn)(void *owner, void *block);

typedef struct hr_arena_block {
    struct hr_arena_block *next;
    char *data;
    size_t bytes, used;
} hr_arena_block;

struct hr_arena {
    hr_arena_take_fn take;
    hr_arena_give_fn give;
    void *owner;
    hr_arena_block *first, *now;
    size_t peak, used;
};

typedef struct hr_arena_mark {
    hr_arena_block *block;
    size_t used, total;
} hr_arena_mark;

void hr_arena_init(hr_arena *arena, hr_arena_take_fn take, hr_arena_give_fn give, void *owner);
void hr_arena_init_host(hr_arena *arena); /* blocks from hr_alloc */
void hr_arena_done(hr_arena *arena);

/* Returns memory aligned to 64 bytes and not zeroed. NULL, with a message, when out of memory. */
void *hr_arena_take(hr_arena *arena, size_t bytes);
hr_arena_mark hr_arena_now(const hr_arena *arena);
void hr_arena_back(hr_arena *arena, hr_arena_mark mark); /* releases what was taken after `mark` */
void hr_arena_reset(hr_arena *arena);                    /* releases everything */

#endif
