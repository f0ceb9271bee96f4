/* alloc.h - the only door to the heap: counted, replaceable by the host, able to fail on request. */
#ifndef HR_ALLOC_H
#define HR_ALLOC_H

#include "types.h"

/* 64-byte aligned and zeroed; NULL with a message when there is none. bytes 0 gives a valid block. */
void *hr_alloc(size_t bytes);
/* count * size with overflow checked */
void *hr_alloc_array(size_t count, size_t size);
/* grows (never shrinks) a block of hr_alloc; the new tail is zeroed; NULL leaves the old one alone */
void *hr_grow(void *block, size_t old_bytes, size_t new_bytes);
char *hr_strdup(const char *text);
void hr_free(void *block); /* NULL is fine */

typedef void *(*hr_alloc_fn)(size_t bytes, size_t alignment, void *user);
typedef void (*hr_free_fn)(void *block, void *user);
/* NULL, NULL: back to the C library. Only while nothing is allocated. */
hirl_status hr_alloc_hook(hr_alloc_fn alloc, hr_free_fn release, void *user);

/* for tests: how many blocks were ever taken and are still out; let the n-th from now fail */
int64_t hr_alloc_total(void);
int64_t hr_alloc_live(void);
void hr_alloc_fail_at(int64_t nth, bool forever); /* nth 0: never */

#endif
