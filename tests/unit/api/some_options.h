/* some_options.h - the options object that the tests of options share: created and destroyed in
 * each test, with a check of one key. */
#ifndef SOME_OPTIONS_H
#define SOME_OPTIONS_H

#include <string.h>

#include <hirl/options.h>

#include "support/close.h"

static hirl_options *options;

static inline void begin(void)
{
    hr_assert_ok(hirl_options_create(&options));
}

static inline void end(void)
{
    hirl_options_destroy(options);
    options = NULL;
}

static inline void expect(const char *key, const char *value, int32_t origin)
{
    const char *found = hirl_options_get(options, key);

    ck_assert_msg(found && !strcmp(found, value), "%s=%s, expected %s", key,
                  found ? found : "(unknown)", value);
    ck_assert_int_eq(hirl_options_origin(options, key), origin);
}

#endif
