#include "results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

/* As results.mjs has it: with a "+" when files were changed, "unknown" without git. */
static void find_commit(char commit[64])
{
	char line[64] = "";
	FILE *git = popen("git -c safe.directory='*' rev-parse HEAD 2>/dev/null && "
			  "git -c safe.directory='*' status --porcelain --untracked-files=no "
			  "2>/dev/null | head -c 1",
			  "r");

	snprintf(commit, 64, "unknown");
	if (!git)
		return;
	if (fgets(line, sizeof(line), git) && strlen(line) == 41) {
		line[40] = '\0';
		snprintf(commit, 64, "%s%s", line, fgetc(git) == EOF ? "" : "+");
	}
	pclose(git);
}

void result_record(const struct result *result)
{
	const char *path = getenv("CALLTAB_RESULTS");
	char commit[64], at[CLOCK_TEXT_SIZE], line[512];

	find_commit(commit);
	clock_format(at, clock_wall_ms(&clock_system), true);
	int length = snprintf(line, sizeof(line),
			      "{\"test\":\"%s\",\"n\":%" PRIu64 ",\"seed\":%" PRIu64
			      ",\"figure\":%.15g,\"unit\":\"%s\",\"target\":%.15g,\"pass\":%s,"
			      "\"commit\":\"%s\",\"at\":\"%s\"}\n",
			      result->test, result->n, result->seed, result->figure, result->unit,
			      result->target, result->pass ? "true" : "false", commit, at);
	if (length <= 0 || (size_t)length >= sizeof(line))
		return;
	if (!path || !*path) {
		mkdir("var", 0777);
		path = "var/test-results.jsonl";
	}
	FILE *file = fopen(path, "a");
	if (!file)
		return;
	fputs(line, file);
	fclose(file);
}
