/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Tracepoints: messages, DMA, kicks and calls. See events/vduse in tracefs.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vduse

#if !defined(VDUSE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VDUSE_TRACE_H

#include <linux/tracepoint.h>

#include "vduse.h"

TRACE_EVENT(vduse_msg_begin,
	    TP_PROTO(struct vduse_dev *dev, const struct vduse_dev_request *req),
	    TP_ARGS(dev, req),
	    TP_STRUCT__entry(__string(name, dev_name(&dev->dev))
			     __field(u32, type)
			     __field(u32, id)),
	    TP_fast_assign(__assign_str(name);
			   __entry->type = req->type;
			   __entry->id = req->request_id;),
	    TP_printk("%s: type %u id %u", __get_str(name), __entry->type, __entry->id));

TRACE_EVENT(vduse_msg_end,
	    TP_PROTO(struct vduse_dev *dev, const struct vduse_dev_request *req, int ret),
	    TP_ARGS(dev, req, ret),
	    TP_STRUCT__entry(__string(name, dev_name(&dev->dev))
			     __field(u32, type)
			     __field(u32, id)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(name);
			   __entry->type = req->type;
			   __entry->id = req->request_id;
			   __entry->ret = ret;),
	    TP_printk("%s: type %u id %u: %d", __get_str(name), __entry->type, __entry->id,
		      __entry->ret));

DECLARE_EVENT_CLASS(vduse_dma,
		    TP_PROTO(const struct vduse_bounce *bounce, u64 iova, size_t size, int dir),
		    TP_ARGS(bounce, iova, size, dir),
		    TP_STRUCT__entry(__field(const void *, bounce)
				     __field(u64, iova)
				     __field(size_t, size)
				     __field(int, dir)),
		    TP_fast_assign(__entry->bounce = bounce;
				   __entry->iova = iova;
				   __entry->size = size;
				   __entry->dir = dir;),
		    TP_printk("%p: iova 0x%llx size %zu dir %d", __entry->bounce, __entry->iova,
			      __entry->size, __entry->dir));

DEFINE_EVENT(vduse_dma, vduse_map,
	     TP_PROTO(const struct vduse_bounce *bounce, u64 iova, size_t size, int dir),
	     TP_ARGS(bounce, iova, size, dir));

DEFINE_EVENT(vduse_dma, vduse_unmap,
	     TP_PROTO(const struct vduse_bounce *bounce, u64 iova, size_t size, int dir),
	     TP_ARGS(bounce, iova, size, dir));

DECLARE_EVENT_CLASS(vduse_notify,
		    TP_PROTO(const struct vduse_vq *vq),
		    TP_ARGS(vq),
		    TP_STRUCT__entry(__string(name, dev_name(&vq->dev->dev))
				     __field(u16, index)),
		    TP_fast_assign(__assign_str(name);
				   __entry->index = vq->index;),
		    TP_printk("%s: vq %u", __get_str(name), __entry->index));

DEFINE_EVENT(vduse_notify, vduse_kick, TP_PROTO(const struct vduse_vq *vq), TP_ARGS(vq));
DEFINE_EVENT(vduse_notify, vduse_call, TP_PROTO(const struct vduse_vq *vq), TP_ARGS(vq));

#endif /* VDUSE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
