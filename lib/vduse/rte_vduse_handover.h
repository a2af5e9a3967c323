/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_HANDOVER_H
#define RTE_VDUSE_HANDOVER_H

/**
 * @file
 * Moves a device that a driver uses to another process: leaves it to one that starts later, or hands
 * it over to one that runs, for example a newer build of the same program. The driver notices a pause
 * and nothing else.
 *
 * rte_vduse_dev_leave() is the simple way: the pause is as long as the other process takes to start.
 *
 * To hand a device over takes both processes, and the pause is short.
 *
 * The two processes have a pair of sockets, of AF_UNIX and SOCK_SEQPACKET. The one that serves the
 * device calls rte_vduse_dev_hand_over(). The other one calls rte_vduse_handover_open(), creates the
 * device with the result in its conf, lets threads poll the virtqueues, and calls
 * rte_vduse_dev_start(). Until start has prepared everything (memory is mapped by then) the first
 * process serves on. It then finishes what is in flight and lets go; the pause is the time from there
 * to the end of rte_vduse_dev_start().
 *
 * The two may be different builds and offer different features, in both directions. The driver keeps
 * those that it negotiated. While it is connected it is offered none that the first process did not
 * offer; the next client of a vhost-user socket is offered all. If the driver has a feature that the
 * second process does not offer, that logs the feature, creating or starting the device returns -EEXIST,
 * and the first process serves on.
 *
 * If one of them fails or dies before that, the first process serves on. If the second one dies after
 * it, the device is as one whose process was killed. No request is lost or done twice in either case.
 */

#include <rte_vduse_state.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A device that is being handed over, in the process that gets it; opaque. */
struct rte_vduse_handover;

/**
 * Stops serving a device and leaves it to the next process, in place of rte_vduse_dev_stop(): the
 * driver keeps the device and waits. Requests in flight are finished without an error, and positions
 * are recorded. After it returns, no callback runs and every virtqueue is idle; the device type is
 * not told of a reset. rte_vduse_dev_destroy() then leaves a VDUSE device in the kernel, the file
 * of a socket, and the state file, and closes the connection of a client, which has to connect
 * again. When it has returned, another process may create the device and takes it over, as from
 * a process that was killed. The kernel gives up a device whose messages nobody answers for 30 s.
 *
 * Also for the device of rte_vduse_blk_dev() or rte_vduse_net_dev(). Blocks until requests in
 * flight are finished; see rte_vduse_blk_drain(). After rte_vduse_dev_stop() it does nothing.
 *
 * Any thread except the control thread. Not thread-safe: see rte_vduse_dev_start().
 *
 * @param dev
 *   The device.
 */
void
rte_vduse_dev_leave(struct rte_vduse_dev *dev);

/**
 * Tells whether rte_vduse_dev_leave() was called: then vq_stop of a device type must keep what the
 * next process needs to continue. Any thread, in vq_stop or after rte_vduse_dev_leave().
 *
 * @param dev
 *   The device.
 * @return
 *   Whether it is left to the next process.
 */
bool
rte_vduse_dev_leaving(const struct rte_vduse_dev *dev);

/**
 * Hands a device over. Blocks until the other process serves it, or has failed, or the time is over.
 * If it succeeds, the device does nothing any more and has to be destroyed; that leaves the driver and
 * the state file alone. If it fails, the device goes on as before. Threads may poll all the time.
 *
 * If it fails after the device gave up what only one process may have, such as the lock of an image,
 * and a third process has taken that meanwhile, the virtqueues stop with an error: nothing is read or
 * written any more, and requests wait. They start when the driver resets the device, or its client
 * reconnects, if that is free again by then.
 *
 * Any thread except the control thread. Not thread-safe: see rte_vduse_dev_start().
 *
 * @param dev
 *   The device, started.
 * @param socket
 *   One end of the pair; the caller closes it.
 * @param ms
 *   Most time that each step may take, 1 to 600,000 milliseconds: until the other process is ready,
 *   until nothing is in flight, and until nothing of the driver's messages is half received.
 * @return
 *   0, or with one log line
 *   - -EINVAL: ms is out of range
 *   - -ENOTSUP: the transport or the device cannot be handed over
 *   - -EBUSY: the front end is migrating its guest: try again later
 *   - -ETIMEDOUT: one of the steps took longer than ms
 *   - -ECONNRESET: the other process gave up
 *   - -ENOMEM, -EMFILE: no memory or file descriptor left
 */
int
rte_vduse_dev_hand_over(struct rte_vduse_dev *dev, int socket, unsigned int ms);

/**
 * Begins to receive a device. Blocks until the other process has begun to hand it over.
 *
 * Any thread except the control thread.
 *
 * @param socket
 *   The other end of the pair. It belongs to the handover then, also if this fails.
 * @param ms
 *   Most time that each step may take, 1 to 600,000 milliseconds; also those of
 *   rte_vduse_dev_start().
 * @param[out] from
 *   For struct rte_vduse_dev_conf; set on success only.
 * @return
 *   0, or with one log line
 *   - -EINVAL: ms is out of range
 *   - -ETIMEDOUT: the other process did not begin
 *   - -ECONNRESET: it cannot hand the device over, see its log
 *   - -EPROTO: it is of another version of this library
 *   - -ENOMEM: no memory left
 */
int
rte_vduse_handover_open(int socket, unsigned int ms, struct rte_vduse_handover **from);

/**
 * Tells what the driver of the device has, as rte_vduse_dev_left() does of one that was left.
 *
 * Any thread.
 *
 * @param from
 *   The handover.
 * @param[out] left
 *   The device.
 */
void
rte_vduse_handover_left(const struct rte_vduse_handover *from, struct rte_vduse_left *left);

/**
 * Ends a handover, after the device was started, or to give up. The other process serves on if
 * rte_vduse_dev_start() has not succeeded.
 *
 * Any thread except the control thread.
 *
 * @param from
 *   The handover; NULL is allowed and does nothing. No device that is not started may have it.
 */
void
rte_vduse_handover_close(struct rte_vduse_handover *from);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_HANDOVER_H */
