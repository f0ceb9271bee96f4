/* progress.c - the progress line on stderr, and the texts of a training report.
 *
 *     Epoch 12/200 [ 340/5004] loss 6.91 (img 5.80 spd 1.11) lr 0.0298 1 240 img/s data 3%
 *         mem 18.2G eta 7:12:05
 *     extract 12 800/50 000 3 100/s left 0:00:12
 *
 * The line is redrawn in place on a terminal, and absent elsewhere. A phase is shown after 2 s.
 */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

static const double shown_after = 2, redrawn_every = 0.1; /* seconds */

double cli_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *cli_losses(char *buffer, size_t bytes, const hirl_step_report *report)
{
    if (report->top1 >= 0) /* a labelled run */
        snprintf(buffer, bytes, "loss %.2f top1 %.1f%% lr %.3g", report->loss, 100 * report->top1,
                 report->rate);
    else if (report->loss_spd > 0)
        snprintf(buffer, bytes, "loss %.2f (img %.2f spd %.2f) lr %.3g", report->loss,
                 report->loss_image, report->loss_spd, report->rate);
    else
        snprintf(buffer, bytes, "loss %.2f lr %.3g", report->loss, report->rate);
    return buffer;
}

void cli_progress_open(cli_progress *progress, bool wanted)
{
    const char *term = getenv("TERM");

    *progress = (cli_progress){ .redraw = wanted && isatty(STDERR_FILENO) &&
                                          (!term || strcmp(term, "dumb")) };
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

static int columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col - 1;
    return 99;
}

static void draw(cli_progress *progress, const char *line)
{
    progress->drawn = cli_seconds();
    progress->shown = true;
    fprintf(stderr, "\r\033[K%.*s", columns(), line);
    fflush(stderr);
}

void cli_progress_phase(cli_progress *progress, const char *phase, int64_t done, int64_t total)
{
    double now = cli_seconds(), rate;
    char line[256], a[32], b[32], c[32], left[32];

    if (!progress->redraw || !strcmp(phase, "train")) /* cli_progress_step() draws the steps */
        return;
    if (strcmp(progress->phase, phase) || done < progress->first) {
        snprintf(progress->phase, sizeof progress->phase, "%s", phase);
        progress->first = done;
        progress->started = now;
    }
    if (now - progress->started < shown_after || now - progress->drawn < redrawn_every)
        return;
    rate = (double)(done - progress->first) / (now - progress->started);
    snprintf(line, sizeof line, "%s %s/%s %s/s left %s", phase,
             cli_grouped(a, sizeof a, (double)done), cli_grouped(b, sizeof b, (double)total),
             cli_grouped(c, sizeof c, rate),
             rate > 0 ? cli_clock(left, sizeof left, (double)(total - done) / rate) : "?");
    draw(progress, line);
}

const char *cli_speed(char *buffer, size_t bytes, const hirl_step_report *report)
{
    return report->images_per_s > 0 ? cli_grouped(buffer, bytes, report->images_per_s) : "-";
}

const char *cli_left(char *buffer, size_t bytes, const hirl_step_report *report)
{
    return report->images_per_s > 0 ? cli_clock(buffer, bytes, report->seconds_left) : "-";
}

void cli_progress_step(cli_progress *progress, const hirl_step_report *report)
{
    int64_t length = report->epochs > 0 ? report->steps / report->epochs : report->steps;
    char line[256], losses[96], rate[32], left[32];
    int width = snprintf(NULL, 0, "%lld", (long long)length);

    if (!progress->redraw || cli_seconds() - progress->drawn < redrawn_every)
        return;
    snprintf(line, sizeof line,
             "Epoch %lld/%lld [%*lld/%lld] %s %s img/s data %.0f%% mem %.1fG eta %s",
             (long long)report->epoch + 1, (long long)report->epochs, width,
             (long long)(report->step - report->epoch * length), (long long)length,
             cli_losses(losses, sizeof losses, report), cli_speed(rate, sizeof rate, report),
             100 * report->data_wait, report->memory_gb, cli_left(left, sizeof left, report));
    draw(progress, line);
    progress->phase[0] = 0; /* a later phase starts its timing anew */
}
