# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
"""
Line charts for test/perf/all.
Input: series of points, with the least and the greatest of each. Output: SVG files, by gnuplot.
"""

import subprocess

HEAD = """set terminal svg size 640,400 font "sans-serif,12" background rgb "white"
set output {path!r}
set title {title!r} noenhanced
set xlabel {x!r} noenhanced
set ylabel {y!r} noenhanced
set grid
set key left top noenhanced
set yrange [0:*]
"""


def block(number, points):
    """The data of one series: x, median, least, greatest."""
    lines = [" ".join(f"{value:.6g}" for value in point) for point in points]
    return "\n".join([f"$data{number} << end", *lines, "end", ""])


def lines(path, title, axes, series, log_x=True):
    """
    Writes one chart. axes: the words at x and y. series: a list of names with their points, each (x,
    median, least, greatest).
    """
    text = HEAD.format(path=path, title=title, x=axes[0], y=axes[1])
    ticks = sorted({point[0] for _, points in series for point in points})
    if log_x:
        text += "set logscale x 2\n"
    text += "set xtics (" + ", ".join(f"{tick:g}" for tick in ticks) + ")\n"
    text += "".join(block(i, points) for i, (_, points) in enumerate(series))
    plots = []
    for i, (name, _) in enumerate(series):
        plots.append(f"$data{i} using 1:2 with linespoints lw 2 lc {i + 1} title {name!r}")
        plots.append(f"$data{i} using 1:2:3:4 with yerrorbars lc {i + 1} notitle")
    text += "plot " + ", ".join(plots) + "\n"
    subprocess.run(["gnuplot"], input=text, text=True, check=True, timeout=60)
