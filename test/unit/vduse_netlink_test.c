/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The netlink messages between lib/vduse and the vDPA bus. The test builds and parses messages byte
 * for byte, like a kernel. Functions that need a kernel are tested only as far as possible without
 * one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/vdpa.h>

#include <rte_common.h>
#include <rte_log.h>

#include <vduse/kernel/netlink.h>
#include <vduse/kernel/vdpa_msg.h>

#define FAMILY 0x1d

static char buf[VDUSE_VDPA_MSG_MAX] __rte_aligned(8);

/* A message from the kernel, empty so far. */
static struct nlmsghdr *
answer_begin(uint16_t type, uint8_t command)
{
	struct nlmsghdr *msg;
	struct genlmsghdr *genl;

	memset(buf, 0, sizeof(buf));
	msg = mnl_nlmsg_put_header(buf);
	msg->nlmsg_type = type;
	genl = mnl_nlmsg_put_extra_header(msg, sizeof(*genl));
	genl->cmd = command;
	return msg;
}

/* The end of a request: as the kernel writes it, with the request repeated or not. */
static struct nlmsghdr *
ack_begin(int error, uint16_t flags, size_t repeated)
{
	struct nlmsghdr *msg;
	struct nlmsgerr *end;

	memset(buf, 0, sizeof(buf));
	msg = mnl_nlmsg_put_header(buf);
	msg->nlmsg_type = NLMSG_ERROR;
	msg->nlmsg_flags = flags;
	end = mnl_nlmsg_put_extra_header(msg, sizeof(*end) + repeated);
	end->error = error;
	end->msg.nlmsg_len = NLMSG_HDRLEN + repeated;
	return msg;
}

static const char *
request_string(const struct nlmsghdr *msg, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == type) {
			assert_int_equal(mnl_attr_validate(attr, MNL_TYPE_NUL_STRING), 0);
			return mnl_attr_get_str(attr);
		}
	}
	return NULL;
}

static void
request_check(const struct nlmsghdr *msg, uint16_t type, uint8_t command, uint32_t seq)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(msg);

	assert_int_equal(msg->nlmsg_type, type);
	assert_int_equal(msg->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(msg->nlmsg_seq, seq);
	assert_int_equal(genl->cmd, command);
	assert_int_equal(genl->version, 1);
}

static void
test_family_request(void **state)
{
	struct nlmsghdr *msg = vduse_vdpa_msg_family(buf, 7);

	RTE_SET_USED(state);
	request_check(msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 7);
	assert_string_equal(request_string(msg, CTRL_ATTR_FAMILY_NAME), "vdpa");
}

static void
test_family_answer(void **state)
{
	struct nlmsghdr *msg = answer_begin(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
	uint16_t family = 0;

	RTE_SET_USED(state);
	mnl_attr_put_strz(msg, CTRL_ATTR_FAMILY_NAME, "vdpa");
	assert_int_equal(vduse_vdpa_msg_family_id(msg, &family), -ENOENT);
	mnl_attr_put_u16(msg, CTRL_ATTR_FAMILY_ID, FAMILY);
	assert_int_equal(vduse_vdpa_msg_family_id(msg, &family), 0);
	assert_int_equal(family, FAMILY);
}

static void
test_family_answer_bad(void **state)
{
	struct nlmsghdr *msg = answer_begin(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY);
	uint16_t family = 0;

	RTE_SET_USED(state);
	mnl_attr_put_u8(msg, CTRL_ATTR_FAMILY_ID, FAMILY);
	assert_int_equal(vduse_vdpa_msg_family_id(msg, &family), -ENOENT);
	msg->nlmsg_len = NLMSG_HDRLEN;
	assert_int_equal(vduse_vdpa_msg_family_id(msg, &family), -ENOENT);
	assert_int_equal(family, 0);
}

static void
test_add_request(void **state)
{
	struct nlmsghdr *msg = vduse_vdpa_msg_request(buf, 3, FAMILY, VDPA_CMD_DEV_NEW, "net0");

	RTE_SET_USED(state);
	request_check(msg, FAMILY, VDPA_CMD_DEV_NEW, 3);
	assert_string_equal(request_string(msg, VDPA_ATTR_DEV_NAME), "net0");
	assert_string_equal(request_string(msg, VDPA_ATTR_MGMTDEV_DEV_NAME), "vduse");
	assert_null(request_string(msg, VDPA_ATTR_MGMTDEV_BUS_NAME));
}

static void
test_other_requests(void **state)
{
	const uint8_t commands[] = { VDPA_CMD_DEV_DEL, VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET };
	struct nlmsghdr *msg;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(commands); i++) {
		msg = vduse_vdpa_msg_request(buf, i, FAMILY, commands[i], "a");
		request_check(msg, FAMILY, commands[i], i);
		assert_string_equal(request_string(msg, VDPA_ATTR_DEV_NAME), "a");
		assert_null(request_string(msg, VDPA_ATTR_MGMTDEV_DEV_NAME));
	}
}

static void
test_longest_name(void **state)
{
	char name[RTE_VDUSE_NAME_MAX];
	struct nlmsghdr *msg;

	RTE_SET_USED(state);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	msg = vduse_vdpa_msg_request(buf, 0, FAMILY, VDPA_CMD_DEV_NEW, name);
	assert_string_equal(request_string(msg, VDPA_ATTR_DEV_NAME), name);
}

static void
test_info(void **state)
{
	struct nlmsghdr *msg = answer_begin(FAMILY, VDPA_CMD_DEV_NEW);
	struct vduse_vdpa_info info = { .features = 5 };

	RTE_SET_USED(state);
	mnl_attr_put_strz(msg, VDPA_ATTR_DEV_NAME, "net0");
	mnl_attr_put_u32(msg, VDPA_ATTR_DEV_ID, 1);
	mnl_attr_put_u32(msg, VDPA_ATTR_DEV_VENDOR_ID, 9);
	mnl_attr_put_u32(msg, VDPA_ATTR_DEV_MAX_VQS, 2);
	mnl_attr_put_u16(msg, VDPA_ATTR_DEV_MAX_VQ_SIZE, 256);
	mnl_attr_put_u32(msg, 1000, 1);
	assert_int_equal(vduse_vdpa_msg_info(msg, &info), 0);
	assert_int_equal(info.device_id, 1);
	assert_int_equal(info.max_vqs, 2);
	assert_int_equal(info.max_vq_size, 256);
	assert_int_equal(info.features, 5);
}

/* A 64-bit attribute follows a pad attribute, whose type is 0, where alignment wants it. */
static void
test_info_features(void **state)
{
	struct nlmsghdr *msg = answer_begin(FAMILY, VDPA_CMD_DEV_CONFIG_GET);
	struct vduse_vdpa_info info = { .max_vqs = 2 };

	RTE_SET_USED(state);
	mnl_attr_put(msg, VDPA_ATTR_PAD, 0, NULL);
	mnl_attr_put_u64(msg, VDPA_ATTR_DEV_FEATURES, UINT64_C(0x300000020));
	mnl_attr_put_u64(msg, VDPA_ATTR_DEV_SUPPORTED_FEATURES, 1);
	assert_int_equal(vduse_vdpa_msg_info(msg, &info), 0);
	assert_true(info.features == UINT64_C(0x300000020));
	assert_int_equal(info.max_vqs, 2);
}

static void
test_info_bad(void **state)
{
	struct vduse_vdpa_info info = { 0 };
	struct nlmsghdr *msg;

	RTE_SET_USED(state);
	msg = answer_begin(FAMILY, VDPA_CMD_DEV_NEW);
	mnl_attr_put_u16(msg, VDPA_ATTR_DEV_MAX_VQS, 2);
	assert_int_equal(vduse_vdpa_msg_info(msg, &info), -EBADMSG);
	msg = answer_begin(FAMILY, VDPA_CMD_DEV_NEW);
	mnl_attr_put_u32(msg, VDPA_ATTR_DEV_FEATURES, 2);
	assert_int_equal(vduse_vdpa_msg_info(msg, &info), -EBADMSG);
	msg->nlmsg_len = NLMSG_HDRLEN + 1;
	assert_int_equal(vduse_vdpa_msg_info(msg, &info), -EBADMSG);
	assert_int_equal(info.max_vqs, 0);
}

static void
test_ack(void **state)
{
	struct vduse_vdpa_ack ack = { .error = 1 };

	RTE_SET_USED(state);
	assert_int_equal(vduse_vdpa_msg_ack(ack_begin(0, NLM_F_CAPPED, 0), &ack), 0);
	assert_int_equal(ack.error, 0);
	assert_string_equal(ack.text, "");
	assert_int_equal(vduse_vdpa_msg_ack(ack_begin(-EEXIST, NLM_F_CAPPED, 0), &ack), 0);
	assert_int_equal(ack.error, -EEXIST);
	/* No errno is positive: a caller would take it for success. */
	assert_int_equal(vduse_vdpa_msg_ack(ack_begin(17, NLM_F_CAPPED, 0), &ack), 0);
	assert_int_equal(ack.error, -EBADMSG);
}

static void
test_ack_text(void **state)
{
	struct vduse_vdpa_ack ack;
	struct nlmsghdr *msg;

	RTE_SET_USED(state);
	msg = ack_begin(-ENODEV, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0);
	mnl_attr_put_u32(msg, NLMSGERR_ATTR_OFFS, 4);
	mnl_attr_put_strz(msg, NLMSGERR_ATTR_MSG, "device not found");
	assert_int_equal(vduse_vdpa_msg_ack(msg, &ack), 0);
	assert_int_equal(ack.error, -ENODEV);
	assert_string_equal(ack.text, "device not found");

	msg = ack_begin(-EINVAL, NLM_F_ACK_TLVS, 24);
	mnl_attr_put_strz(msg, NLMSGERR_ATTR_MSG, "after the request");
	assert_int_equal(vduse_vdpa_msg_ack(msg, &ack), 0);
	assert_string_equal(ack.text, "after the request");
}

static void
test_ack_text_bad(void **state)
{
	char text[2 * sizeof(((struct vduse_vdpa_ack *)0)->text)];
	struct vduse_vdpa_ack ack;
	struct nlmsghdr *msg;

	RTE_SET_USED(state);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	msg = ack_begin(-EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0);
	mnl_attr_put_strz(msg, NLMSGERR_ATTR_MSG, text);
	assert_int_equal(vduse_vdpa_msg_ack(msg, &ack), 0);
	assert_int_equal(strlen(ack.text), sizeof(ack.text) - 1);

	/* No closing NUL. */
	msg = ack_begin(-EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS, 0);
	mnl_attr_put(msg, NLMSGERR_ATTR_MSG, 4, text);
	assert_int_equal(vduse_vdpa_msg_ack(msg, &ack), 0);
	assert_string_equal(ack.text, "");

	/* A repeated request longer than the message. */
	msg = ack_begin(-EINVAL, NLM_F_ACK_TLVS, 0);
	((struct nlmsgerr *)mnl_nlmsg_get_payload(msg))->msg.nlmsg_len = 0xfffffff0;
	assert_int_equal(vduse_vdpa_msg_ack(msg, &ack), 0);
	assert_string_equal(ack.text, "");

	msg->nlmsg_len = NLMSG_HDRLEN + 8;
	assert_int_equal(vduse_vdpa_msg_ack(msg, &ack), -EBADMSG);
}

/* Runs a call whose one log line is kept in line, cut at its end. */
static int
attach_logged(const char *name, enum rte_vduse_attach attach, char *line, size_t size)
{
	FILE *stream = fmemopen(line, size, "w");
	int ret;

	assert_non_null(stream);
	rte_openlog_stream(stream);
	ret = vduse_vdpa_attach(name, attach);
	rte_openlog_stream(NULL);
	fclose(stream);
	return ret;
}

static void
test_attach_without_driver(void **state)
{
	char line[256] = "";

	RTE_SET_USED(state);
	if (access("/sys/bus/vdpa/drivers/vhost_vdpa", F_OK) == 0)
		skip();
	assert_int_equal(attach_logged("net0", RTE_VDUSE_ATTACH_VHOST, line, sizeof(line)),
			 -ENOENT);
	assert_non_null(strstr(line, "net0: "));
	assert_non_null(strstr(line, "modprobe vhost_vdpa"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
test_attach_none(void **state)
{
	char line[256] = "";

	RTE_SET_USED(state);
	assert_int_equal(attach_logged("net0", RTE_VDUSE_ATTACH_NONE, line, sizeof(line)), 0);
	assert_string_equal(line, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_family_request),
		cmocka_unit_test(test_family_answer),
		cmocka_unit_test(test_family_answer_bad),
		cmocka_unit_test(test_add_request),
		cmocka_unit_test(test_other_requests),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_info_features),
		cmocka_unit_test(test_info_bad),
		cmocka_unit_test(test_ack),
		cmocka_unit_test(test_ack_text),
		cmocka_unit_test(test_ack_text_bad),
		cmocka_unit_test(test_attach_without_driver),
		cmocka_unit_test(test_attach_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
