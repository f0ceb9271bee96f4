/* text.h - writes text to streams safely, and formats numbers. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

void cli_put_text(FILE *stream, const char *text);  /* control characters become spaces */
void cli_put_line(FILE *stream, const char *text);  /* as cli_put_text, followed by a line break */
void cli_put_field(FILE *stream, const char *text); /* a CSV field, quoted where necessary */
void cli_put_word(FILE *stream, const char *text);  /* a shell word, quoted where necessary */

/* "1 240" and "7:12:05"; both fill the buffer and return it */
const char *cli_grouped(char *buffer, size_t bytes, double number);
const char *cli_clock(char *buffer, size_t bytes, double seconds);

#endif
