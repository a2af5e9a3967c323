/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Lists that abort the test where neighbours do not point to each other. */
#ifndef KERNEL_STUB_LIST_H
#define KERNEL_STUB_LIST_H

#include <stdlib.h>

#include <linux/kernel.h>

struct list_head {
	struct list_head *next, *prev;
};

static inline void
INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool
list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void
stub_list_insert(struct list_head *node, struct list_head *prev, struct list_head *next)
{
	if (prev->next != next || next->prev != prev || node == prev || node == next)
		abort();
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void
list_add(struct list_head *node, struct list_head *head)
{
	stub_list_insert(node, head, head->next);
}

static inline void
list_add_tail(struct list_head *node, struct list_head *head)
{
	stub_list_insert(node, head->prev, head);
}

static inline void
list_del_init(struct list_head *node)
{
	if (node->prev->next != node || node->next->prev != node)
		abort();
	node->prev->next = node->next;
	node->next->prev = node->prev;
	INIT_LIST_HEAD(node);
}

static inline void
list_move(struct list_head *node, struct list_head *head)
{
	list_del_init(node);
	list_add(node, head);
}

#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : container_of((head)->next, type, member))

#endif
