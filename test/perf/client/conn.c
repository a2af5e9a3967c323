/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The common part of both transports, and the choice of the transport for a path. */
#include <err.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conn.h"

static void
memory_map(struct client_memory *memory, size_t size, int flags)
{
	memory->size = (size + 0x1fffff) & ~(size_t)0x1fffff;
	memory->fd = memfd_create("client", MFD_CLOEXEC);
	if (memory->fd < 0 || ftruncate(memory->fd, (off_t)memory->size) < 0)
		err(EXIT_FAILURE, "memory");
	memory->va =
		mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, memory->fd, 0);
	if (memory->va == MAP_FAILED)
		err(EXIT_FAILURE, "memory");
}

void
client_memory_create(struct client_memory *memory, size_t size)
{
	memory_map(memory, size, MAP_POPULATE);
}

void
client_memory_reserve(struct client_memory *memory, size_t size)
{
	memory_map(memory, size, 0);
}

void
client_connect(struct client_conn *conn, const char *path, uint64_t wanted)
{
	struct stat about;

	if (stat(path, &about) < 0)
		err(EXIT_FAILURE, "%s", path);
	conn->transport = S_ISCHR(about.st_mode) ? &client_vhost_vdpa : &client_vhost_user;
	conn->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (conn->kick < 0)
		err(EXIT_FAILURE, "eventfd");
	conn->transport->connect(conn, path, wanted);
}

void
client_disconnect(struct client_conn *conn)
{
	conn->transport->stop(conn);
	close(conn->fd);
	close(conn->kick);
}
