/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "latency.h"

extern char **environ;

static const struct {
	uint32_t ppm;
	const char *word, *key;
} columns[] = {
	{500000, "p50", "p50_ns"},
	{990000, "p99", "p99_ns"},
	{999000, "p99.9", "p999_ns"},
	{999900, "p99.99", "p9999_ns"},
	{1000000, "max", "max_ns"},
};

void latency_print(const struct latency *l, FILE *out)
{
	fprintf(out, "%-18s %10s", "hop (ns)", "count");
	for (size_t c = 0; c < GN_ARRAY_SIZE(columns); c++)
		fprintf(out, " %10s", columns[c].word);
	fputc('\n', out);
	for (int row = 0; row < LATENCY_ROWS; row++) {
		const struct gn_hist *h = latency_hist(l, (enum latency_row)row);
		if (row == LATENCY_PORT && h->n == 0)
			continue; /* most ports stamp nothing */
		fprintf(out, "%-18s %10llu", latency_row_name((enum latency_row)row), (unsigned long long)h->n);
		for (size_t c = 0; c < GN_ARRAY_SIZE(columns); c++)
			fprintf(out, " %10llu", (unsigned long long)gn_hist_at(h, columns[c].ppm));
		fputc('\n', out);
	}
	if (latency_lost(l))
		fprintf(out, "%llu stamps were overwritten before they were read: the figures are a sample\n",
			(unsigned long long)latency_lost(l));
}

static void print_percentiles(const struct gn_hist *h, FILE *out)
{
	fprintf(out, "\"n\":%llu", (unsigned long long)h->n);
	for (size_t c = 0; c < GN_ARRAY_SIZE(columns); c++)
		fprintf(out, ",\"%s\":%llu", columns[c].key, (unsigned long long)gn_hist_at(h, columns[c].ppm));
}

void latency_print_json(const struct latency *l, const char *more, FILE *out)
{
	fputs("{\"bench\":\"tick_to_trade\",", out);
	print_percentiles(latency_hist(l, LATENCY_TOTAL), out);
	fprintf(out, ",%s\"stamps_lost\":%llu,\"hops\":{", more, (unsigned long long)latency_lost(l));
	for (int row = 0; row < LATENCY_ROWS; row++) {
		fprintf(out, "%s\"%s\":{", row ? "," : "", latency_row_name((enum latency_row)row));
		print_percentiles(latency_hist(l, (enum latency_row)row), out);
		fputc('}', out);
	}
	fputs("}}\n", out);
}

static void hgrm_path(char *path, size_t bytes, const char *folder, enum latency_row row)
{
	char word[32];
	size_t n = 0;

	for (const char *c = latency_row_name(row); *c && n + 1 < sizeof(word); c++) {
		if ((*c >= 'a' && *c <= 'z'))
			word[n++] = *c;
		else if (n && word[n - 1] != '-')
			word[n++] = '-';
	}
	word[n] = 0;
	snprintf(path, bytes, "%s/latency-%s.hgrm", folder, word);
}

static int write_hgrm(const struct latency *l, const char *folder)
{
	char path[512];

	for (int row = 0; row < LATENCY_ROWS; row++) {
		hgrm_path(path, sizeof(path), folder, (enum latency_row)row);
		FILE *f = fopen(path, "w");
		if (!f)
			return gn_err(errno, "latency: write %s", path);
		int rc = gn_hist_write_hgrm(latency_hist(l, (enum latency_row)row), f);
		if (fclose(f) != 0 || rc < 0)
			return gn_err(EIO, "latency: write %s", path);
	}
	return 0;
}

static int write_worst(const struct latency *l, const char *folder)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/latency-worst.txt", folder);
	return latency_write_worst(l, path);
}

static int write_script(const struct latency *l, const char *folder, const char *script, const char *svg)
{
	char path[512];
	FILE *f = fopen(script, "w");

	if (!f)
		return gn_err(errno, "latency: write %s", script);
	fprintf(f, "set terminal svg size 900,520 font 'sans,12' background '#ffffff'\nset output '%s'\n", svg);
	fputs("set title 'tick to trade by hop'\nset grid\nset key outside right\nset logscale x\nset logscale y\n"
	      "set xlabel 'percentile'\nset ylabel 'nanoseconds'\n"
	      "set xtics ('0' 1, '50' 2, '90' 10, '99' 100, '99.9' 1000, '99.99' 10000, '99.999' 100000)\nplot ", f);
	for (int row = 0; row < LATENCY_ROWS; row++) {
		if (latency_hist(l, (enum latency_row)row)->n == 0)
			continue;
		hgrm_path(path, sizeof(path), folder, (enum latency_row)row);
		fprintf(f, "'%s' skip 2 using 4:($1 > 0 ? $1 : 1) with lines lw %d title '%s', ", path, row == LATENCY_TOTAL ? 4 : 2,
			latency_row_name((enum latency_row)row));
	}
	fputs("1/0 notitle\n", f);
	return fclose(f) == 0 ? 0 : gn_err(EIO, "latency: write %s", script);
}

int latency_plot(const struct latency *l, const char *folder, char *svg_path, size_t svg_path_bytes)
{
	char script[512];
	char *const argv[] = {"gnuplot", script, NULL};
	int status = 0;
	pid_t pid;

	snprintf(script, sizeof(script), "%s/latency.gnuplot", folder);
	snprintf(svg_path, svg_path_bytes, "%s/latency.svg", folder);
	int rc = write_hgrm(l, folder);
	if (rc == 0)
		rc = write_worst(l, folder);
	if (rc == 0)
		rc = write_script(l, folder, script, svg_path);
	if (rc < 0 || latency_hist(l, LATENCY_TOTAL)->n == 0)
		return rc < 0 ? rc : gn_err(ENODATA, "latency: no order was caused by market data, nothing to plot");
	rc = posix_spawnp(&pid, "gnuplot", NULL, NULL, argv, environ);
	if (rc != 0)
		return gn_err(rc, "latency: run gnuplot (Debian package gnuplot-nox)");
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return gn_err(EIO, "latency: gnuplot %s failed with status %d", script, status);
	return 0;
}
