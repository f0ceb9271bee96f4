/* text.c - writes text to streams safely, and formats numbers. */
#include "text.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void cli_put_text(FILE *stream, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        fputc(*c < ' ' || *c == 127 ? ' ' : *c, stream);
}

void cli_put_line(FILE *stream, const char *text)
{
    cli_put_text(stream, text);
    fputc('\n', stream);
}

void cli_put_field(FILE *stream, const char *text)
{
    bool quoted = strpbrk(text, "\",\r\n") != NULL;

    if (quoted)
        fputc('"', stream);
    for (const char *c = text; *c; c++) {
        if (*c == '"')
            fputc('"', stream);
        fputc(*c, stream);
    }
    if (quoted)
        fputc('"', stream);
}

void cli_put_word(FILE *stream, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=:,./@%";

    if (*text && !text[strspn(text, plain)]) {
        fputs(text, stream);
        return;
    }
    fputc('\'', stream);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stream);
        else
            fputc(*text, stream);
    fputc('\'', stream);
}

const char *cli_grouped(char *buffer, size_t bytes, double number)
{
    char digits[32];
    int length, out = 0;

    if (!isfinite(number) || fabs(number) > 1e15)
        number = 0;
    length = snprintf(digits, sizeof digits, "%.0f", number);
    for (int i = 0; i < length && (size_t)out + 2 < bytes; i++) {
        if (i && (length - i) % 3 == 0 && digits[i - 1] != '-')
            buffer[out++] = ' ';
        buffer[out++] = digits[i];
    }
    buffer[out] = 0;
    return buffer;
}

const char *cli_clock(char *buffer, size_t bytes, double seconds)
{
    long whole = isfinite(seconds) && seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;

    snprintf(buffer, bytes, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    return buffer;
}
