#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# An older build of dpdk-vduse-blk and this one replace each other under load: blk_11_upgrade.sh with a
# disk of this kernel, and blk_13_upgrade_vdpa.sh. With each ring 10 upgrades, and 9 downgrades
# between them. The driver began with the older one, so it goes on without what
# only this one has. test/host/older_build.sh BUILD_FOLDER makes the older one, on the host. Exit 77: it is
# not there.
here=$(dirname "$0")
newer=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk
older=$DPDK_VDUSE_BUILD/older/build/app/blk/dpdk-vduse-blk
export work=${work:-/run/test} BLK
if [ ! -x "$older" ]; then
	echo "skip: *** no $older: test/host/older_build.sh $DPDK_VDUSE_BUILD makes it"
	exit 77
fi
mkdir -p "$work"
BLK=$work/in_turn
echo 0 >"$work/turn"
# Each phase of the two scripts starts an even number of processes, the older one first.
cat >"$BLK" <<END
#!/bin/sh
read -r turn <"$work/turn"
echo \$((1 - turn)) >"$work/turn"
[ "\$turn" = 0 ] && exec "$older" "\$@"
exec "$newer" "\$@"
END
chmod +x "$BLK"
handovers=19
UPGRADES=$((2 * handovers)) "$here/blk_11_upgrade.sh" || exit
HANDOVERS=$handovers "$here/blk_13_upgrade_vdpa.sh" || exit
[ "$(cat "$work/turn")" = 0 ] || { echo "FAIL: an odd number of processes"; exit 1; }
echo "ok: $(basename "$0")"
