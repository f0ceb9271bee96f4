/* arena.h - memory of one step: take in order, give back all at once.
 *
 * An arena only counts addresses: it never touches its memory, which may lie on a device. The
 * same requests after a reset give the same addresses, which is what makes 'no allocation after
 * the first step' testable and a step capturable.
 */
#ifndef HR_ARENA_H
#define HR_ARENA_H

#include "types.h"

/* takes blocks from `take` and returns them with `give` in done; owner is handed to both */
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

/* 64-byte aligned, not cleared; NULL with a message when out of memory */
void *hr_arena_take(hr_arena *arena, size_t bytes);
hr_arena_mark hr_arena_now(const hr_arena *arena);
void hr_arena_back(hr_arena *arena, hr_arena_mark mark); /* everything since mark is free again */
void hr_arena_reset(hr_arena *arena);

#endif
