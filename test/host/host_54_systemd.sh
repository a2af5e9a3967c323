#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# The unit under a systemd of its own, a user's instance, with all that restricts it: start, reload,
# restart and a kill while a driver verifies every byte. Exit 77: no systemd here, or it cannot run.
. "$(dirname "$0")/host.sh"
manager=/lib/systemd/systemd
units=$work/home/.config/systemd/user
unit=$DPDK_VDUSE_BUILD/config/systemd/dpdk-vduse-blk@.service
[ -x $manager ] || skip "*** SKIP: no systemd: the unit was not started by one"

mkdir -p "$units" "$work/xdg" "$work/etc"
chmod 700 "$work/xdg"
truncate -s 1M "$work/disk.img"
# A user's instance has no kernel log to protect.
sed "s#ExecStart=[^ ]*#ExecStart=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk#
	s#ExecReload=[^ ]*#ExecReload=$DPDK_VDUSE_BUILD/app/blk/dpdk-vduse-blk#
	s#/etc/dpdk-vduse#$work/etc#
	/^ExecStartPre/d; /^ProtectKernelLogs/d" "$unit" \
	>"$units/dpdk-vduse-blk@.service"
cat >"$work/etc/blk-test.conf" <<END
EAL_ARGS=-l $LCORES -m 64 --no-telemetry
DEVICES=--stop leave --device disk0,iface=$sock,backend=file,path=$work/disk.img
END

# In a mount namespace, where /run says that systemd runs.
cat >"$work/inside.sh" <<END
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/vduse
export HOME=$work/home XDG_RUNTIME_DIR=$work/xdg
$manager --user --log-target=console >$work/systemd.log 2>&1 &
manager_pid=\$!
trap 'kill \$manager_pid; wait \$manager_pid' EXIT
for _ in \$(seq 100); do
	systemctl --user show -p Version >/dev/null 2>&1 && break
	kill -0 \$manager_pid || exit 77
	sleep 0.1
done
timeout 150 "$(realpath "$(dirname "$0")")/systemd.py" "$work" dpdk-vduse-blk@test
END
code=0
unshare -m bash "$work/inside.sh" >"$work/inside.log" 2>&1 || code=$?
[ $code != 77 ] || skip "*** SKIP: systemd does not run here: $(tail -n 2 "$work/systemd.log")"
[ $code = 0 ] || fail "$(cat "$work/inside.log" "$work/systemd.log")"
tail -n 2 "$work/inside.log"
ok
