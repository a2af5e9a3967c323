/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Parsing of the argument of --device: the results, and the errors. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <blk_devargs.h>

static struct blk_devargs args;

static void
defaults(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(blk_devargs_parse("disk0,backend=ram", &args), 0);
	assert_string_equal(args.name, "disk0");
	assert_string_equal(args.conf.path, "/dev/vduse/disk0");
	assert_string_equal(args.conf.backend, "ram");
	assert_string_equal(args.conf.backend_args, "");
	assert_string_equal(args.conf.serial, "disk0");
	assert_int_equal(args.conf.queues, 1);
	assert_int_equal(args.conf.queue_size, 256);
	assert_int_equal(args.conf.block_size, 0);
	assert_int_equal(args.dev.attach, RTE_VDUSE_ATTACH_NONE);
	assert_false(args.conf.read_only);
	assert_false(args.conf.umem);
	assert_false(args.conf.packed);
	assert_true(args.conf.inflight);
	assert_false(args.conf.client);
	assert_false(args.conf.any_memory);
	assert_false(args.conf.iommu);
	assert_int_equal(args.conf.memory_limit, 0);
	assert_int_equal(args.conf.iops, 0);
	assert_int_equal(args.conf.bps, 0);
}

static void
all_keys(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(blk_devargs_parse("a.b_c-1,transport=kernel,attach=vhost,backend=file,"
					   "path=/srv/x.img,queues=8,direct=1,queue-size=1024,"
					   "block-size=4096,serial=ABC,ro=1,umem=1,"
					   "packed=1,in-order=1,log=0,memory-limit=8G,"
					   "iops=1500,bps=20M",
					   &args),
			 0);
	assert_int_equal(args.conf.memory_limit, UINT64_C(8) << 30);
	assert_int_equal(args.conf.iops, 1500);
	assert_int_equal(args.conf.bps, 20 << 20);
	assert_string_equal(args.conf.path, "/dev/vduse/a.b_c-1");
	assert_string_equal(args.conf.backend_args, "path=/srv/x.img,direct=1,");
	assert_string_equal(args.conf.serial, "ABC");
	assert_int_equal(args.conf.queues, 8);
	assert_int_equal(args.conf.queue_size, 1024);
	assert_int_equal(args.conf.block_size, 4096);
	assert_int_equal(args.dev.attach, RTE_VDUSE_ATTACH_VHOST);
	assert_true(args.conf.read_only);
	assert_true(args.conf.umem);
	assert_true(args.conf.packed);
	assert_true(args.conf.in_order);
	assert_false(args.conf.inflight);
	assert_int_equal(blk_devargs_parse(
				 "d,backend=null,attach=virtio,serial=12345678901234567890", &args),
			 0);
	assert_int_equal(args.dev.attach, RTE_VDUSE_ATTACH_VIRTIO);
	assert_int_equal(args.conf.on_error, RTE_VDUSE_BLK_ON_ERROR_REPORT);
	assert_int_equal(blk_devargs_parse("d,backend=null,on-error=wait", &args), 0);
	assert_int_equal(args.conf.on_error, RTE_VDUSE_BLK_ON_ERROR_WAIT);
	assert_int_equal(blk_devargs_parse("d,backend=null,on-error=stop", &args), 0);
	assert_int_equal(args.conf.on_error, RTE_VDUSE_BLK_ON_ERROR_STOP);
}

/* A value may hold anything; a comma is doubled. */
static void
any_value(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(blk_devargs_parse("d,backend=file,path=/srv/a=b,, c[1.img,,,ro=1,"
					   "serial=QU,,FB=,transport=vhost-user,"
					   "socket=/run/a=b,,c[1 .sock",
					   &args),
			 0);
	assert_string_equal(args.conf.backend_args, "path=/srv/a=b,, c[1.img,,,");
	assert_string_equal(args.conf.serial, "QU,FB=");
	assert_string_equal(args.conf.path, "/run/a=b,c[1 .sock");
	assert_true(args.conf.read_only);
}

static void
vhost_user(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(blk_devargs_parse("d,transport=vhost-user,socket=/run/d.sock,client=1,"
					   "backend=null",
					   &args),
			 0);
	assert_string_equal(args.conf.path, "/run/d.sock");
	assert_string_equal(args.conf.serial, "d");
	assert_true(args.conf.client);
	assert_true(args.conf.packed);
	assert_true(args.conf.inflight);
	assert_int_equal(blk_devargs_parse("d,packed=0,transport=vhost-user,socket=/run/d.sock,"
					   "backend=null",
					   &args),
			 0);
	assert_false(args.conf.packed);
	/* A name may be longer than a serial number. */
	assert_int_equal(blk_devargs_parse("name-of-22-characters.,transport=vhost-user,"
					   "socket=/run/d.sock,backend=null",
					   &args),
			 0);
	assert_string_equal(args.conf.serial, "name-of-22-character");
}

/* The same device in the words of today and in those of before. */
static void
old_words(void **state)
{
	static const char *const sockets[] = {
		"d,backend=ram,iface=/run/d.sock,inflight=0,ro=1",
		"d,backend=ram,transport=vhost-user,socket=/run/d.sock,log=0,read-only=1",
		"d,log=0,socket=/run/d.sock,ro=1,transport=vhost-user,backend=ram",
	};
	static const char *const kernels[] = {
		"d,backend=ram",
		"d,backend=ram,transport=kernel",
		"d,backend=ram,iface=/dev/vduse/d,inflight=1,read-only=0",
		"d,backend=ram,log=1,ro=0",
	};
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(sockets); i++) {
		assert_int_equal(blk_devargs_parse(sockets[i], &args), 0);
		assert_string_equal(args.conf.path, "/run/d.sock");
		assert_true(args.vhost_user && args.conf.packed && args.conf.read_only);
		assert_false(args.conf.inflight);
		assert_string_equal(args.conf.backend_args, "");
	}
	for (i = 0; i < RTE_DIM(kernels); i++) {
		assert_int_equal(blk_devargs_parse(kernels[i], &args), 0);
		assert_string_equal(args.conf.path, "/dev/vduse/d");
		assert_false(args.vhost_user || args.conf.packed || args.conf.read_only);
		assert_true(args.conf.inflight);
	}
	/* The disk's name need not be the one that the kernel has for it. */
	assert_int_equal(blk_devargs_parse("d,backend=ram,iface=/dev/vduse/other", &args), 0);
	assert_string_equal(args.conf.name, "d");
	assert_string_equal(args.conf.path, "/dev/vduse/other");
	/* path= stays the backend's. */
	assert_int_equal(
		blk_devargs_parse("d,backend=file,path=/srv/d.img,iface=/run/d.sock", &args), 0);
	assert_string_equal(args.conf.path, "/run/d.sock");
	assert_string_equal(args.conf.backend_args, "path=/srv/d.img,");
	assert_int_equal(blk_devargs_parse("d,backend=ram,iface=/run/d,socket-mode=660,"
					   "socket-group=kvm,any-memory=1",
					   &args),
			 0);
	assert_int_equal(args.conf.socket_mode, 0660);
	assert_string_equal(args.conf.socket_group, "kvm");
	assert_true(args.conf.any_memory && !args.conf.iommu);
	assert_int_equal(blk_devargs_parse("d,backend=ram,iface=/run/d,iommu=1", &args), 0);
	assert_true(args.conf.iommu && !args.conf.any_memory);
}

/* Parses what is wrong, and gives the line that is written to the standard error. */
static void
refused_with(const char *text, const char *line)
{
	char said[512] = "";
	FILE *to = tmpfile();
	int err = dup(STDERR_FILENO), ret;
	size_t len;

	assert_non_null(to);
	fflush(stderr);
	assert_true(err >= 0 && dup2(fileno(to), STDERR_FILENO) >= 0);
	ret = blk_devargs_parse(text, &args);
	fflush(stderr);
	assert_true(dup2(err, STDERR_FILENO) >= 0);
	close(err);
	rewind(to);
	len = fread(said, 1, sizeof(said) - 1, to);
	fclose(to);
	if (ret != -EINVAL || len == 0 || strchr(said, '\n') != said + len - 1 ||
	    strncmp(said, "dpdk-vduse-blk: d: ", 19) != 0 || strstr(said, line) == NULL)
		fail_msg("\"%s\": %d, \"%s\", not \"%s\"", text, ret, said, line);
}

static void
both_words(void **state)
{
	RTE_SET_USED(state);
	refused_with("d,backend=ram,on-error=retry", "on-error=retry: use report, wait");
	refused_with("d,backend=ram,inflight=1,log=1", "log=1: given more than once");
	refused_with("d,backend=ram,log=0,inflight=0", "inflight=0: given more than once");
	refused_with("d,backend=ram,ro=1,read-only=1", "read-only=1: given more than once");
	refused_with("d,backend=ram,iface=/run/d,socket=/run/d", "socket=/run/d: given more than");
	refused_with("d,backend=ram,socket=/run/d,iface=/run/d", "iface=/run/d: given more than");
	refused_with("d,backend=ram,iface=/run/d,transport=vhost-user",
		     "transport=vhost-user: given more than once");
	refused_with("d,backend=ram,transport=kernel,iface=/dev/vduse/d",
		     "transport=kernel: given more than once");
	refused_with("d,backend=ram,queues=1,queues=1", "queues=1: given more than once");
	refused_with("d,backend=ram,backend=ram", "backend=ram: given more than once");
}

/* What the line says of values that are wrong, and of what does not go together. */
static void
advice(void **state)
{
	RTE_SET_USED(state);
	refused_with("d,queues=1", "backend=: use null, ram, file");
	refused_with("d,backend=ram,iface=d", "iface=d: use /dev/vduse/NAME, where");
	refused_with("d,backend=ram,queue-size=2",
		     "queue-size=2: use a power of two from 4 to 32768");
	refused_with("d,backend=ram,block-size=1000",
		     "block-size=1000: use a power of two from 512");
	refused_with("d,backend=ram,transport=rdma", "transport=rdma: use kernel or vhost-user");
	refused_with("d,backend=ram,transport=vhost-user", "socket=: use it with transport=");
	refused_with("d,backend=ram,socket=/run/d",
		     "transport=kernel: use vhost-user with socket=");
	refused_with("d,backend=ram,transport=kernel,socket=/run/d", "use vhost-user with socket=");
	refused_with("d,backend=ram,client=1", "client=1: /dev/vduse/d is no socket");
	refused_with("d,backend=ram,iface=/run/d,attach=vhost", "attach=vhost: /run/d is a socket");
	refused_with("d,backend=ram,iface=/run/d,umem=1", "umem=1: /run/d is a socket");
	refused_with("d,backend=ram,inflight=2", "inflight=2: use 0 or 1");
	refused_with("d,backend=ram,read-only=yes", "read-only=yes: use 0 or 1");
	refused_with("d,backend=ram,size", "size=: use key=value");
}

static void
refused(void **state)
{
	static const char *const texts[] = {
		"",
		",",
		"backend=ram",
		"disk0",
		"disk0,",
		"a/b,backend=ram",
		"..,backend=ram",
		"control,backend=ram",
		"disk0=1,backend=ram",
		"d,backend=",
		"d,backend=ram,queues=0",
		"d,backend=ram,queues=1025",
		"d,backend=ram,queues=-1",
		"d,backend=ram,queues=x",
		"d,backend=ram,queues=",
		"d,backend=ram,queues",
		"d,backend=ram,queue-size=3",
		"d,backend=ram,queue-size=2",
		"d,backend=ram,queue-size=65536",
		"d,backend=ram,block-size=256",
		"d,backend=ram,block-size=8192",
		"d,backend=ram,block-size=1000",
		"d,backend=ram,ro=2",
		"d,backend=ram,ro=yes",
		"d,backend=ram,umem=x",
		"d,backend=ram,attach=banana",
		"d,backend=ram,transport=rdma",
		"d,backend=ram,serial=",
		"d,backend=ram,serial=123456789012345678901",
		"d,backend=ram,transport=vhost-user",
		"d,backend=ram,socket=/run/d.sock",
		"d,backend=ram,transport=vhost-user,socket=d",
		"d,backend=ram,client=1",
		"d,backend=ram,any-memory=1",
		"d,backend=ram,iommu=1",
		"d,backend=ram,memory-limit=0",
		"d,backend=ram,memory-limit=8Q",
		"d,backend=ram,iops=-1",
		"d,backend=ram,iops=1K",
		"d,backend=ram,iops=1000000001",
		"d,backend=ram,iops=",
		"d,backend=ram,bps=x",
		"d,backend=ram,bps=-5",
		"d,backend=ram,iops=1,iops=1",
		"d,backend=ram,memory-limit=9999999T",
		"d,backend=ram,transport=vhost-user,socket=/run/d.sock,attach=virtio",
		"d,backend=ram,transport=vhost-user,socket=/dev/vduse/x",
		"d,backend=ram,log=2",
		"d,backend=ram,packed=x",
		"d,backend=ram,socket-mode=0660",
		"d,backend=ram,socket-group=kvm",
		"d,backend=ram,transport=vhost-user,socket=/run/d.sock,socket-mode=0",
		"d,backend=ram,transport=vhost-user,socket=/run/d.sock,socket-mode=8",
		"d,backend=ram,transport=vhost-user,socket=/run/d.sock,socket-mode=1777",
		"d,backend=ram,transport=vhost-user,socket=/run/d.sock,socket-group=",
		"d,backend=ram,transport=vhost-user,socket=/run/d.sock,client=1,socket-mode=660",
	};
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(texts); i++)
		if (blk_devargs_parse(texts[i], &args) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
}

/* Longer than there is room for. */
static void
too_long(void **state)
{
	static char text[3 * PATH_MAX];

	RTE_SET_USED(state);
	strcpy(text, "d,backend=file,path=");
	memset(text + strlen(text), 'x', sizeof(text) - strlen(text) - 1);
	assert_int_equal(blk_devargs_parse(text, &args), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),  cmocka_unit_test(all_keys),
		cmocka_unit_test(any_value), cmocka_unit_test(vhost_user),
		cmocka_unit_test(old_words), cmocka_unit_test(both_words),
		cmocka_unit_test(advice),    cmocka_unit_test(refused),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
