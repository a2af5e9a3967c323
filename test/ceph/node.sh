# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# A Ceph cluster of one node on this machine: a monitor and an OSD, no manager, nothing installed.
# Source it; ceph_root is where config/fetch-ceph put the programs, node an empty folder.
#
#   start_node        returns when the cluster does I/O; $node/ceph.conf is what clients need
#   stop_node         ends the processes; the folder stays
ceph_pids=()

# In a shell of its own, which it becomes.
# shellcheck disable=SC2154
ceph_exec()
{
	local program=$1 lib
	shift
	lib=$(echo "$ceph_root"/usr/lib/*-linux-gnu)
	export PATH=$ceph_root/usr/bin:$PATH
	LD_LIBRARY_PATH="$lib:$lib/ceph:$(echo "$ceph_root"/lib/*-linux-gnu)"
	export LD_LIBRARY_PATH
	export PYTHONPATH=$ceph_root/usr/lib/python3/dist-packages
	exec "$program" --conf "$node/ceph.conf" "$@"
}

# ceph_run PROGRAM ARGS...
ceph_run()
{
	(ceph_exec "$@")
}

# ceph_start PROGRAM ARGS...: in the background, to be ended by its pid.
ceph_start()
{
	ceph_exec "$@" &
	ceph_pids+=($!)
}

# Ports that are unused, as far as can be determined.
node_port()
{
	local port=$((20000 + RANDOM % 20000))
	while ss -Hltn "sport = :$port" | grep -q .; do
		port=$((port + 1))
	done
	echo "$port"
}

write_conf()
{
	local lib
	lib=$(echo "$ceph_root"/usr/lib/*-linux-gnu)
	cat >"$node/ceph.conf" <<-END
		[global]
		fsid = $fsid
		mon_host = [v2:127.0.0.1:$1]
		public_network = 127.0.0.0/8
		auth_cluster_required = none
		auth_service_required = none
		auth_client_required = none
		osd_pool_default_size = 1
		osd_pool_default_min_size = 1
		osd_pool_default_pg_autoscale_mode = off
		osd_crush_chooseleaf_type = 0
		mon_allow_pool_size_one = true
		mon_data = $node/mon
		osd_data = $node/osd
		bluestore_block_size = 4294967296
		osd_class_dir = $lib/rados-classes
		erasure_code_dir = $lib/ceph/erasure-code
		plugin_dir = $lib/ceph
		run_dir = $node
		admin_socket = $node/\$name.asok
		log_file = $node/\$name.log
		pid_file =
	END
}

start_mon()
{
	ceph_run monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$1]" "$node/monmap"
	ceph_run ceph-authtool --create-keyring "$node/keyring" --gen-key -n mon. --cap mon 'allow *'
	mkdir "$node/mon"
	ceph_run ceph-mon --mkfs -i a --monmap "$node/monmap" --keyring "$node/keyring"
	ceph_start ceph-mon -f -i a
	wait_for 30 ceph_run ceph --connect-timeout 2 mon stat
}

start_osd()
{
	local uuid
	uuid=$(cat /proc/sys/kernel/random/uuid)
	mkdir "$node/osd"
	[ "$(ceph_run ceph osd new "$uuid")" = 0 ] || return 1
	ceph_run ceph-osd --mkfs -i 0 --osd-uuid "$uuid"
	ceph_start ceph-osd -f -i 0
	wait_for 60 eval 'ceph_run ceph osd stat | grep -q "1 up.* 1 in"'
}

start_node()
{
	local port fsid
	port=$(node_port)
	fsid=$(cat /proc/sys/kernel/random/uuid)
	write_conf "$port"
	start_mon "$port" >>"$node/start.log" 2>&1 && start_osd >>"$node/start.log" 2>&1
}

stop_node()
{
	local pid
	for pid in "${ceph_pids[@]}"; do
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	ceph_pids=()
}
