/* preset.h - the preset of a run that names none. */
#ifndef CLI_PRESET_H
#define CLI_PRESET_H

#include "cli.h"

#define CLI_PRESET "hirl-mocov2-small" /* used when neither preset= nor method= is given */

int cli_default_preset(cli_session *session);

#endif
