/* words.h - comparisons of the words of a command line. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>

bool cli_is_word_of(const char *words, const char *word); /* words: separated by single spaces */
bool cli_ends_with(const char *word, const char *end);
bool cli_is_flag(const char *text); /* a value that a flag may have */
bool cli_is_true(const char *text); /* a value that sets a flag */
const char *cli_nearest(const char *word, const char *const *name, int count); /* NULL: none near */

#endif
