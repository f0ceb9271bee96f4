/* registry.h - every key of every object, each name once. */
#ifndef HR_REGISTRY_H
#define HR_REGISTRY_H

#include "base/option.h"
#include "types.h"

/* key tables of context.c and model.c */
extern const hr_keys hr_context_keys, hr_network_keys;

typedef struct hr_registry_entry {
    const hr_key *key;
    const char *object; /* object of the first table with this name */
    char range[256];    /* as text: "1 to 65536", or the words of a choice */
} hr_registry_entry;

/* all tables, in the order of help texts */
const hr_keys *const *hr_registry_tables(int32_t *count);

int32_t hr_registry_count(void);
const hr_registry_entry *hr_registry_at(int32_t index);

/* INVALID: unknown, with the most similar key */
hirl_status hr_registry_find(const hr_key **key, const char *name);

#endif
