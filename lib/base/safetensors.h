/* safetensors.h - writes a list of named arrays to a file, and reads one. */
#ifndef HR_SAFETENSORS_H
#define HR_SAFETENSORS_H

#include "base/tensors.h"
#include "types.h"

/* Writes the file atomically (file.h), with a CRC-32 of the header and of each tensor. Lists of
 * equal content give equal bytes, whatever the order of their items. */
hirl_status hr_tensors_save(const hr_tensors *list, const char *path);
/* Reads a file. The whole header is checked before any tensor is allocated; checksums are verified
 * where present. In a foreign file, which another program wrote, they need not fit: list->foreign
 * and list->stale report it. `list` need not be initialised, and after a failure it owns
 * nothing. */
hirl_status hr_tensors_load(hr_tensors *list, const char *path);

/* The same bytes, to and from functions. */
typedef struct hr_sink {
    hirl_status (*write)(void *state, const void *data, size_t bytes);
    void *state;
} hr_sink;
typedef struct hr_supply {
    hirl_status (*read)(void *state, void *data, size_t bytes, uint64_t at);
    void *state;
    uint64_t bytes; /* in all */
} hr_supply;
hirl_status hr_tensors_write(const hr_tensors *list, const hr_sink *sink);
/* name: of the source, in messages */
hirl_status hr_tensors_read(hr_tensors *list, const hr_supply *supply, const char *name);

#endif
