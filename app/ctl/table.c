/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Prints tables and JSON.
 * Input: texts and numbers of the server, which may hold anything. Output: lines that only have
 * characters that a terminal shows. Thread: main.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ctl.h"

/* Characters without a width are refused, too: marks that change the direction are among them. */
static char *
text_copy(const char *text, int *width)
{
	size_t left = strlen(text), len;
	char *copy = ctl_memory(malloc(left + 1)), *to = copy;
	mbstate_t state = { 0 };
	wchar_t wide;

	for (*width = 0; left > 0; text += len, left -= len) {
		len = mbrtowc(&wide, text, left, &state);
		if (len == (size_t)-1 || len == (size_t)-2) {
			memset(&state, 0, sizeof(state));
			len = 1;
			wide = L'\0';
		}
		if (wcwidth(wide) > 0) {
			to = mempcpy(to, text, len);
			*width += wcwidth(wide);
		} else {
			*to++ = '?';
			*width += 1;
		}
	}
	*to = '\0';
	return copy;
}

char *
text_clean(const char *text)
{
	int width;

	return text_copy(text, &width);
}

/* jansson writes control characters as \uXXXX, except for DEL, which it leaves as it is. */
void
text_json(const json_t *value, FILE *out)
{
	char *text =
		ctl_memory(json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY));
	const char *c;

	for (c = text; *c != '\0'; c++)
		if (*c == '\x7f')
			fputs("\\u007f", out);
		else
			putc(*c, out);
	putc('\n', out);
	free(text);
}

void
table_cell(struct table *table, const char *format, ...)
{
	struct table_cell *cell;
	va_list args;
	char *text;
	int ret;

	table->cells = ctl_memory(reallocarray(table->cells, table->nb_cells + 1, sizeof(*cell)));
	cell = &table->cells[table->nb_cells++];
	va_start(args, format);
	ret = vasprintf(&text, format, args);
	va_end(args);
	text = ctl_memory(ret >= 0 ? text : NULL);
	cell->text = text_copy(text, &cell->width);
	free(text);
}

void
table_init(struct table *table, const char *align, const char *const *heads)
{
	size_t column;

	assert(strlen(align) <= TABLE_COLUMNS_MAX);
	*table = (struct table){ .align = align, .columns = strlen(align) };
	for (column = 0; heads != NULL && column < table->columns; column++)
		table_cell(table, "%s", heads[column]);
}

void
table_json(struct table *table, const json_t *value)
{
	if (json_is_string(value))
		table_cell(table, "%s", json_string_value(value));
	else if (json_is_integer(value))
		table_cell(table, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		table_cell(table, "%s", json_is_true(value) ? "yes" : "no");
	else
		table_cell(table, "-");
}

void
table_bytes(struct table *table, json_int_t bytes)
{
	static const char units[] = "BKMGTPE";
	double value = (double)bytes;
	unsigned int unit = 0;

	while (value >= 1024 && units[unit + 1] != '\0') {
		value /= 1024;
		unit++;
	}
	if (unit == 0)
		table_cell(table, "%" JSON_INTEGER_FORMAT, bytes);
	else
		table_cell(table, "%.*f%c", value == (double)(json_int_t)value ? 0 : 1, value,
			   units[unit]);
}

static int
table_width(const struct table *table, size_t column, size_t end)
{
	int width = 0;
	size_t i;

	for (i = column; i < end; i += table->columns)
		if (table->cells[i].width > width)
			width = table->cells[i].width;
	return width;
}

void
table_print(const struct table *table, size_t max_rows, FILE *out)
{
	size_t rows = table->nb_cells / table->columns;
	size_t shown = rows < max_rows ? rows : max_rows;
	size_t row, column;
	int widths[TABLE_COLUMNS_MAX];

	for (column = 0; column < table->columns; column++)
		widths[column] = table_width(table, column, shown * table->columns);
	for (row = 0; row < shown; row++)
		for (column = 0; column < table->columns; column++) {
			const struct table_cell *cell =
				&table->cells[row * table->columns + column];
			bool last = column + 1 == table->columns, right;
			int pad = widths[column] - cell->width;

			right = table->align[column] == 'r';
			fprintf(out, "%*s%s%*s%s", right ? pad : 0, "", cell->text,
				right || last ? 0 : pad, "", last ? "\n" : "  ");
		}
	if (shown < rows)
		fprintf(out, "and %zu more\n", rows - shown);
}

void
table_free(struct table *table)
{
	size_t i;

	for (i = 0; i < table->nb_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
}
