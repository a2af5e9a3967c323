#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Our own driver at a vhost-user socket: every request, both ring formats, in whichever order
# and in order, on a file whose requests finish in any order.
. "$(dirname "$0")/disk.sh"

serve_image in-order=1,backend=fault,under=file,delay=200
check_served
stop_blk
ok
