/* arena.c - memory of one step: taken piece by piece, released all at once. */
#include "base/arena.h"

#include "base/alloc.h"

enum { ALIGN = 64, SMALLEST_BLOCK = 256 << 10, LARGEST_BLOCK = 16 << 20 };

static void *host_take(void *owner, size_t bytes)
{
    (void)owner;
    return hr_alloc(bytes);
}

static void host_give(void *owner, void *block)
{
    (void)owner;
    hr_free(block);
}

void hr_arena_init(hr_arena *arena, hr_arena_take_fn take, hr_arena_give_fn give, void *owner)
{
    *arena = (hr_arena){ .take = take, .give = give, .owner = owner };
}

void hr_arena_init_host(hr_arena *arena)
{
    hr_arena_init(arena, host_take, host_give, NULL);
}

void hr_arena_done(hr_arena *arena)
{
    hr_arena_block *block = arena->first;

    while (block) {
        hr_arena_block *next = block->next;

        arena->give(arena->owner, block->data);
        hr_free(block);
        block = next;
    }
    arena->first = arena->now = NULL;
    arena->used = 0;
}

/* Size of a new block: as much as all present blocks together, within bounds. So a short call takes
 * little memory and a long step needs few blocks. */
static size_t block_bytes(const hr_arena *arena)
{
    size_t all = 0;

    for (const hr_arena_block *block = arena->first; block; block = block->next)
        all += block->bytes;
    if (all < SMALLEST_BLOCK)
        return SMALLEST_BLOCK;
    return all < LARGEST_BLOCK ? all : LARGEST_BLOCK;
}

static hr_arena_block *add_block(hr_arena *arena, size_t bytes)
{
    size_t usual = block_bytes(arena);
    hr_arena_block *block = hr_alloc(sizeof *block);

    if (!block)
        return NULL;
    block->bytes = bytes > usual ? bytes : usual;
    block->data = arena->take(arena->owner, block->bytes);
    if (!block->data) {
        hr_free(block);
        return NULL;
    }
    if (arena->now) {
        block->next = arena->now->next;
        arena->now->next = block;
    } else {
        block->next = arena->first;
        arena->first = block;
    }
    return block;
}

void *hr_arena_take(hr_arena *arena, size_t bytes)
{
    hr_arena_block *block = arena->now ? arena->now : arena->first;
    void *taken;

    bytes = bytes ? (bytes + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    /* blocks before the current one are not searched: hr_arena_back relies on the order */
    while (block && block->bytes - block->used < bytes)
        block = block->next;
    if (!block)
        block = add_block(arena, bytes);
    if (!block)
        return NULL;
    arena->now = block;
    taken = block->data + block->used;
    block->used += bytes;
    arena->used += bytes;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    return taken;
}

hr_arena_mark hr_arena_now(const hr_arena *arena)
{
    return (hr_arena_mark){ arena->now, arena->now ? arena->now->used : 0, arena->used };
}

void hr_arena_back(hr_arena *arena, hr_arena_mark mark)
{
    hr_arena_block *block = mark.block ? mark.block->next : arena->first;

    for (; block; block = block->next)
        block->used = 0;
    if (mark.block)
        mark.block->used = mark.used;
    arena->now = mark.block;
    arena->used = mark.total;
}

void hr_arena_reset(hr_arena *arena)
{
    hr_arena_back(arena, (hr_arena_mark){ NULL, 0, 0 });
}
