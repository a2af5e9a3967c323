/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Writes the latencies as an SVG histogram: a panel for each direction, a bar for each bucket, both
 * axes logarithmic. Thread: main.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "perf_log.h"
#include "result.h"

#define SVG_WIDTH  800
#define SVG_PANEL  300 /* height of a panel */
#define SVG_MARGIN 50

/* The position and scale of a panel. */
struct svg_panel {
	FILE *file;
	const struct perf_result *result;
	const struct perf_histogram *histogram;
	int top;
	double decade_first; /* of ns, at the left */
	double decades;
	double tallest; /* logarithm of the fullest bucket */
};

static double
svg_x(const struct svg_panel *panel, double ns)
{
	double share = (log10(fmax(ns, 1)) - panel->decade_first) / panel->decades;

	return SVG_MARGIN + fmin(fmax(share, 0), 1) * (SVG_WIDTH - 2 * SVG_MARGIN);
}

static void
svg_scale(struct svg_panel *panel)
{
	double first = INFINITY, last;
	uint64_t fullest = 1;
	unsigned int i;

	for (i = 0; i < PERF_HISTOGRAM_BUCKETS; i++) {
		uint64_t count = panel->histogram->buckets[i];

		if (count == 0)
			continue;
		first = fmin(first, perf_result_ns(panel->result, perf_histogram_first(i)));
		fullest = count > fullest ? count : fullest;
	}
	last = perf_result_ns(panel->result, panel->histogram->max + 1);
	panel->decade_first = floor(log10(fmax(fmin(first, last), 1)));
	panel->decades = fmax(ceil(log10(fmax(last, 1))) - panel->decade_first, 1);
	panel->tallest = log10((double)fullest + 1);
}

static void
svg_bars(const struct svg_panel *panel)
{
	int height = SVG_PANEL - 2 * SVG_MARGIN, bottom = panel->top + SVG_PANEL - SVG_MARGIN;
	unsigned int i;

	for (i = 0; i < PERF_HISTOGRAM_BUCKETS; i++) {
		uint64_t count = panel->histogram->buckets[i];
		double left, right, tall;

		if (count == 0)
			continue;
		left = svg_x(panel, perf_result_ns(panel->result, perf_histogram_first(i)));
		right = svg_x(panel, perf_result_ns(panel->result, perf_histogram_last(i)) + 1);
		tall = log10((double)count + 1) / panel->tallest * height;
		fprintf(panel->file,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
			"fill=\"#3465a4\"><title>%" PRIu64 "</title></rect>\n",
			left, bottom - tall, fmax(right - left, 0.5), tall, count);
	}
}

/* Formats 10^decade ns with a suitable unit. */
static void
svg_label(char *label, size_t size, int decade)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	int unit = decade / 3 < 3 ? decade / 3 : 3;

	snprintf(label, size, "%.0f %s", pow(10, decade - 3 * unit), units[unit]);
}

static void
svg_axis(const struct svg_panel *panel)
{
	int bottom = panel->top + SVG_PANEL - SVG_MARGIN;
	double decade;

	fprintf(panel->file, "<path d=\"M%d %dH%d\" stroke=\"black\"/>\n", SVG_MARGIN, bottom,
		SVG_WIDTH - SVG_MARGIN);
	for (decade = 0; decade <= panel->decades; decade++) {
		double ns = pow(10, panel->decade_first + decade), x = svg_x(panel, ns);
		char label[32];

		svg_label(label, sizeof(label), (int)(panel->decade_first + decade));
		fprintf(panel->file,
			"<path d=\"M%.1f %dv5\" stroke=\"black\"/>\n"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			x, bottom, x, bottom + 20, label);
	}
}

static void
svg_percentiles(const struct svg_panel *panel)
{
	int top = panel->top + SVG_MARGIN, bottom = panel->top + SVG_PANEL - SVG_MARGIN;
	unsigned int i;

	for (i = 0; i < PERF_PERCENTILES; i++) {
		uint64_t value = perf_histogram_percentile(panel->histogram, perf_percentiles[i]);
		double x = svg_x(panel, perf_result_ns(panel->result, value));

		/* Labels that are close together are placed below one another. */
		fprintf(panel->file,
			"<path d=\"M%.1f %dV%d\" stroke=\"#cc0000\"/>\n"
			"<text x=\"%.1f\" y=\"%d\" fill=\"#cc0000\">%s</text>\n",
			x, top, bottom, x + 2, top + 12 * ((int)i + 1), perf_percentile_names[i]);
	}
}

static void
svg_panel(struct svg_panel *panel, const char *title)
{
	svg_scale(panel);
	fprintf(panel->file,
		"<text x=\"%d\" y=\"%d\" font-size=\"14\">%s: %" PRIu64
		" samples, both axes logarithmic</text>\n",
		SVG_MARGIN, panel->top + 30, title, panel->histogram->count);
	svg_bars(panel);
	svg_axis(panel);
	svg_percentiles(panel);
}

static void
svg_document(FILE *file, const struct perf_result *result)
{
	struct svg_panel panel = { .file = file, .result = result };
	unsigned int i, nb = 0;

	for (i = 0; i < PERF_FLOWS; i++)
		nb += result->flows[i].latency != NULL;
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"font-family=\"sans-serif\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		SVG_WIDTH, (int)nb * SVG_PANEL);
	for (i = 0; i < PERF_FLOWS; i++) {
		if (result->flows[i].latency == NULL)
			continue;
		panel.histogram = result->flows[i].latency;
		svg_panel(&panel, result->options->direction == PERF_DIRECTION_ECHO
					  ? "there and back"
					  : perf_flow_name(result->options, i));
		panel.top += SVG_PANEL;
	}
	fputs("</svg>\n", file);
}

int
perf_svg_write(const struct perf_result *result, const char *path)
{
	FILE *file = fopen(path, "w");
	int err = errno;

	if (file != NULL) {
		svg_document(file, result);
		err = ferror(file) ? EIO : 0;
		if (fclose(file) != 0)
			err = errno;
	}
	if (err != 0)
		PERF_LOG("cannot write %s: %s", path, strerror(err));
	return -err;
}
