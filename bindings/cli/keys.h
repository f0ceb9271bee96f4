/* keys.h - the keys that a verb accepts, its own and the library's, and their values. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include <jansson.h>

#include "cli.h"

/* Describes the library key number `index`; false after the last one. */
bool cli_library_key(hirl_option_info *info, int32_t index);
bool cli_find_library_key(hirl_option_info *info, const char *key);
/* Whether the verb accepts a library key that it does not redefine. */
bool cli_accepts(const cli_verb *verb, const hirl_option_info *info);

/* Sets a key of the verb or of the library from its text. */
int cli_set_key(cli_session *session, const char *key, const char *text);
bool cli_key_is_flag(const cli_session *session, const char *key);

/* Values of the verb's own keys: the given value, or else the default. */
const char *cli_own(const cli_session *session, const char *key);
int64_t cli_own_int(const cli_session *session, const char *key);
bool cli_own_flag(const cli_session *session, const char *key);
/* For a key of both the verb and the library, such as `out`: takes the value of a config file,
 * unless the key was typed. */
int cli_own_from_file(cli_session *session, const char *key);

bool cli_library_flag(const cli_session *session, const char *key);
int64_t cli_library_int(const cli_session *session, const char *key);
bool cli_is_typed(const cli_session *session,
                  const char *key); /* a library key on the command line */
/* Every setting in force, by name. */
json_t *cli_settings(const cli_session *session);

/* Refuses keys of the list, the verb's or the library's, if they were typed. `with` names the
 * setting that leaves them without effect. */
int cli_refuse_keys(cli_session *session, const char *keys, const char *with);
/* As cli_refuse_keys, for all library keys of an object except those in `but`. */
int cli_refuse_object(cli_session *session, const char *object, const char *but, const char *with);

#endif
