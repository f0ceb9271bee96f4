/* alloc.h - the library's heap: counted, replaceable by the application, able to fail in tests. */
#ifndef HR_ALLOC_H
#define HR_ALLOC_H

#include "types.h"

/* Returns a zeroed block aligned to 64 bytes, valid even for 0 bytes. NULL, with a message, when
 * out of memory. */
void *hr_alloc(size_t bytes);
/* Allocates count * size bytes; an overflow counts as out of memory. */
void *hr_alloc_array(size_t count, size_t size);
/* Moves a block (NULL: none yet) to a larger one and zeroes the new tail; it never shrinks. When
 * out of memory it returns NULL and the old block stays valid. */
void *hr_grow(void *block, size_t old_bytes, size_t new_bytes);
/* Returns `array`, of *room items of which `used` are in use, with room for one more item: a full
 * array moves to one of twice the size. NULL, with the old array still valid, when out of memory.
 */
void *hr_grow_array(void *array, int64_t *room, int64_t used, size_t size);
char *hr_strdup(const char *text);
void hr_free(void *block); /* ignores NULL */

typedef void *(*hr_alloc_fn)(size_t bytes, size_t alignment, void *user);
typedef void (*hr_free_fn)(void *block, void *user);
/* Replaces the allocator; NULL, NULL restores the C library's. Only while no block is in use. */
hirl_status hr_alloc_hook(hr_alloc_fn alloc, hr_free_fn release, void *user);

/* For tests. */
int64_t hr_alloc_total(void); /* blocks allocated since the process started */
int64_t hr_alloc_live(void);  /* blocks in use */
/* Makes the nth allocation from now fail, and with `forever` all later ones; nth 0: none fails. */
void hr_alloc_fail_at(int64_t nth, bool forever);

#endif
