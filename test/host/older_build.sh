#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# Builds an older dpdk-vduse-blk and prints its path. The sources are those of a commit, so that what
# the two processes say to each other is what was said then. No feature of disks is newer than
# --take-over: older_build.patch takes one away, write zeroes, because a test sees whether blocks were
# zeroed, and because that feature comes with fields of the configuration space.
#
#     older_build.sh BUILD_FOLDER
#
# The result stays in BUILD_FOLDER/older until the commit or the patch is another one. Exit code 77: the
# commit or a tool is not here.
set -eu
# The first one whose process offers a driver what it was offered before.
commit=b17ba2bb70ae
here=$(cd "$(dirname "$0")" && pwd)
older=$1/older
patch=$here/older_build.patch
stamp="$commit $(cksum <"$patch")"
program=$older/build/app/blk/dpdk-vduse-blk

missing()
{
	echo "*** $*: nothing was tested" >&2
	exit 77
}

if [ "$(cat "$older/stamp" 2>/dev/null)" = "$stamp" ]; then
	echo "$program"
	exit 0
fi
for tool in git meson ninja patch; do
	command -v "$tool" >/dev/null || missing "$tool is missing"
done
git -C "$here" rev-parse -q --verify "$commit^{tree}" >/dev/null 2>&1 ||
	missing "commit $commit is not in this repository (git fetch --unshallow)"
rm -rf "$older"
mkdir -p "$older/source"
{
	git -C "$here/../.." archive "$commit" | tar -x -C "$older/source"
	patch -d "$older/source" -p1 <"$patch"
	meson setup "$older/build" "$older/source" -Dnet_vduse=disabled -Drbd=disabled \
		-Dexamples=false -Dtests=false
	ninja -C "$older/build" app/blk/dpdk-vduse-blk
} >"$1/older.log" 2>&1 || {
	tail -n 20 "$1/older.log" >&2
	exit 1
}
echo "$stamp" >"$older/stamp"
echo "$program"
