/* words.c - comparisons of the words of a command line. */
#include "words.h"

#include <string.h>

bool cli_is_word_of(const char *words, const char *word)
{
    size_t length = strlen(word);

    if (strchr(word, ' '))
        return false;
    for (const char *at = words; length && (at = strstr(at, word)); at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

bool cli_ends_with(const char *word, const char *end)
{
    size_t a = strlen(word), b = strlen(end);

    return a >= b && !strcmp(word + a - b, end);
}

bool cli_is_flag(const char *text)
{
    return cli_is_word_of("0 1 true false yes no", text);
}

bool cli_is_true(const char *text)
{
    return cli_is_word_of("1 true yes", text);
}

/* Levenshtein distance, or 32 when a word is longer than 31 bytes */
static int distance(const char *a, const char *b)
{
    size_t rows = strlen(a), cols = strlen(b);
    int cost[32];

    if (rows > 31 || cols > 31)
        return 32;
    for (size_t j = 0; j <= cols; j++)
        cost[j] = (int)j;
    for (size_t i = 1; i <= rows; i++) {
        int corner = cost[0];

        cost[0] = (int)i;
        for (size_t j = 1; j <= cols; j++) {
            int swap = corner + (a[i - 1] != b[j - 1]);
            int move = (cost[j] < cost[j - 1] ? cost[j] : cost[j - 1]) + 1;

            corner = cost[j];
            cost[j] = swap < move ? swap : move;
        }
    }
    return cost[cols];
}

const char *cli_nearest(const char *word, const char *const *name, int count)
{
    const char *best = NULL;
    int least = (int)strlen(word) / 2 + 1;

    for (int i = 0; i < count; i++) {
        int d = distance(word, name[i]);

        if (d < least) {
            least = d;
            best = name[i];
        }
    }
    return best;
}
