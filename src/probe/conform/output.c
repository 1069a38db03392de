/* SPDX-License-Identifier: BSD-3-Clause */
/* Results as text, as TAP, as JSON. */
#include "probe/conform/output.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const words[OUTCOMES] = { "not run", "pass", "FAIL", "advice", "skip", "CRASH",
	"HANG", "untestable" };

static bool fails(const struct options *o, enum outcome outcome)
{
	return outcome == FAIL || outcome == CRASH || outcome == HANG || outcome == NOT_RUN ||
		(outcome == ADVICE && o->strict);
}

void output_list(const struct selected *sel)
{
	const struct chapter *last = NULL;

	for (unsigned i = 0; i < sel->count; i++) {
		const struct entry *e = &sel->list[i];

		if (e->chapter != last)
			printf("%s%s\n", last ? "\n" : "", e->chapter->title);
		last = e->chapter;
		printf("  %-24s %s%s\n", e->scenario->id, e->scenario->title,
			e->scenario->recommended ? " (recommended)" : "");
		if (e->scenario->untestable)
			printf("  %-24s not testable from outside: %s\n", "",
				e->scenario->untestable);
		else
			printf("  %-24s [%s]\n", "", e->scenario->clause);
	}
}

void output_begin(const struct options *o, const struct selected *sel)
{
	if (o->tap)
		printf("TAP version 13\n1..%u\n", sel->count);
}

static void print_why(const struct entry *e, const char *indent)
{
	const struct result *r = e->result;
	unsigned first = r->lines > TRACE_LINES ? r->lines - TRACE_LINES : 0;

	printf("%swants: %s\n", indent, e->scenario->clause);
	if (first)
		printf("%s  ... %u lines before\n", indent, first);
	for (unsigned i = first; i < r->lines; i++)
		printf("%s  %s\n", indent, r->trace[i % TRACE_LINES]);
	if (*r->text)
		printf("%scame:  %s\n", indent, r->text);
}

static void tap_result(const struct options *o, const struct entry *e)
{
	static unsigned number;
	const struct result *r = e->result;
	bool bad = r->outcome == ADVICE || fails(o, r->outcome);

	printf("%sok %u - %s %s", bad ? "not " : "", ++number, e->scenario->id,
		e->scenario->title);
	if (r->outcome == SKIPPED)
		printf(" # SKIP %s", r->text);
	else if (r->outcome == UNTESTABLE)
		printf(" # SKIP not testable from outside: %s", e->scenario->untestable);
	else if (bad && !fails(o, r->outcome))
		printf(" # TO" "DO recommended");
	printf("\n");
	if (bad)
		print_why(e, "# ");
}

void output_result(const struct options *o, const struct entry *e)
{
	const struct result *r = e->result;

	if (o->tap) {
		tap_result(o, e);
	} else if (!o->json) {
		printf("%-10s %-24s %s", words[r->outcome], e->scenario->id, e->scenario->title);
		if (r->outcome == SKIPPED)
			printf(": %s", r->text);
		if (r->outcome == UNTESTABLE)
			printf(": not testable from outside: %s", e->scenario->untestable);
		printf("\n");
		if (fails(o, r->outcome) || r->outcome == ADVICE ||
			(o->verbose && r->outcome != UNTESTABLE))
			print_why(e, "           ");
	}
	fflush(stdout);
}

static void count_chapter(const struct selected *sel, const struct chapter *ch, unsigned *n)
{
	memset(n, 0, OUTCOMES * sizeof(*n));
	for (unsigned i = 0; i < sel->count; i++)
		if (!ch || sel->list[i].chapter == ch)
			n[sel->list[i].result->outcome]++;
}

static void print_counts(const char *name, const unsigned *n)
{
	printf("%-44s %4u passed %3u failed %3u advice %3u skipped", name, n[PASS],
		n[FAIL] + n[CRASH] + n[HANG] + n[NOT_RUN], n[ADVICE], n[SKIPPED]);
	if (n[CRASH])
		printf(", %u of them crashes", n[CRASH]);
	if (n[HANG])
		printf(", %u of them hangs", n[HANG]);
	printf("\n");
}

static void print_summary(const struct selected *sel)
{
	unsigned n[OUTCOMES];

	printf("\n");
	for (const struct chapter *ch = chapters; ch->name; ch++) {
		count_chapter(sel, ch, n);
		if (n[PASS] + n[FAIL] + n[ADVICE] + n[SKIPPED] + n[CRASH] + n[HANG] + n[NOT_RUN])
			print_counts(ch->title, n);
	}
	count_chapter(sel, NULL, n);
	print_counts("all", n);
}

static json_t *result_json(const struct entry *e)
{
	const struct result *r = e->result;
	json_t *lines = json_array();
	unsigned first = r->lines > TRACE_LINES ? r->lines - TRACE_LINES : 0;

	for (unsigned i = first; i < r->lines; i++)
		json_array_append_new(lines, json_string(r->trace[i % TRACE_LINES]));
	return json_pack("{s:s s:s s:s s:s s:s s:b s:f s:s s:o}", "id", e->scenario->id, "section",
		e->chapter->title, "title", e->scenario->title, "clause",
		e->scenario->clause ? e->scenario->clause : "", "outcome", words[r->outcome],
		"recommended", e->scenario->recommended, "seconds", (double)r->took_ns / 1e9,
		"text", e->scenario->untestable ? e->scenario->untestable : r->text, "trace", lines);
}

static void print_json(const struct selected *sel)
{
	json_t *list = json_array(), *top;
	unsigned n[OUTCOMES];

	for (unsigned i = 0; i < sel->count; i++)
		json_array_append_new(list, result_json(&sel->list[i]));
	count_chapter(sel, NULL, n);
	top = json_pack("{s:i s:i s:i s:i s:i s:i s:o}", "passed", (int)n[PASS], "failed",
		(int)(n[FAIL] + n[NOT_RUN]), "crashed", (int)n[CRASH], "hung", (int)n[HANG],
		"advice", (int)n[ADVICE], "skipped", (int)n[SKIPPED], "scenarios", list);
	json_dumpf(top, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(top);
}

int output_end(const struct options *o, const struct selected *sel)
{
	bool bad = false;

	for (unsigned i = 0; i < sel->count; i++)
		bad = bad || fails(o, sel->list[i].result->outcome);
	if (o->json)
		print_json(sel);
	else if (!o->tap)
		print_summary(sel);
	return bad;
}
