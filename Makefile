# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A thin front. make deps needs Debian, root and the network; make build needs none of them.

BUILD := build
SDK := $(CURDIR)/$(BUILD)/driver-sdk
EXAMPLES := $(CURDIR)/$(BUILD)/dpdk-examples vhost vhost_blk
export DPDK_VDUSE_BUILD := $(CURDIR)/$(BUILD)

help:
	@echo "make deps           install and fetch what is missing: Debian, as root"
	@echo "make build          configure and compile with what is there; MESON_ARGS=-Dtests=false"
	@echo "make install        meson install of what make build compiled"
	@echo "make clean          remove what was compiled, keep what was fetched"
	@echo "The others install what they need first, and build:"
	@echo "make run            serve a net device to a Linux kernel, and show it"
	@echo "make check          every test; the last line counts them"
	@echo "make check-long     what make check has no time for, counted the same way: hours"
	@echo "make check-debug    the kernel module on kernels that look for mistakes: an hour"
	@echo "make lint           formatting, kernel style, layers, symbols, scripts, spelling: seconds"
	@echo "make coverage       which lines of lib and drivers the tests run: half an hour"
	@echo "make performance    measure doc/performance.md anew, beside peers: half an hour"
	@echo "make unit           unit tests only: seconds"
	@echo "make fuzz           fuzzers: 20 s each; SECONDS=3600 TARGET=fuzz_blk for longer"
	@echo "make host           packets over vhost-user sockets, on this machine"
	@echo "make vm TEST=NAME   one script of test/vm, such as net_01_ping"
	@echo "make shell          a shell in the test VM"

# The build comes after what it needs, whatever -j says; ninja has threads of its own.
.NOTPARALLEL:

deps:
	@config/install-packages
	@config/driver-sdk $(SDK)
	-@config/dpdk-examples $(EXAMPLES)

# A folder that is configured looks again for what has been installed or fetched since.
CHANGED = find /var/lib/dpkg/status $(SDK)/version $(BUILD)/dpdk-examples/version \
	-newer $(BUILD)/build.ninja 2>/dev/null

configure:
	@if [ ! -e $(BUILD)/build.ninja ]; then meson setup $(BUILD) -Dwerror=true $(MESON_ARGS); \
	elif [ -n "$$($(CHANGED))" ]; then meson setup --reconfigure $(BUILD); \
	fi || { echo "make deps installs what is missing" >&2; exit 1; }

build: configure
	ninja -C $(BUILD)

run: deps build
	@code=0; test/perf/demo || code=$$?; \
	if [ -e /dev/vduse/control ]; then test/vm/demo.sh; \
	else test/vm/run --live --timeout 120 test/vm/demo.sh; fi && exit $$code

check: deps build
	@test/check

check-long: deps build
	@test/check long

check-debug: deps build
	@config/install-packages debug
	@test/vm/kernel-debug $(KERNELS)

lint:
	@config/install-packages check
	-@config/fetch-checkpatch $(or $(DPDK_VDUSE_CACHE),build/cache)/checkpatch
	@devtools/check-format && devtools/check-kernel && devtools/check-layers && \
		devtools/check-symbols && devtools/check-scripts && devtools/check-spelling

coverage: deps build
	@config/install-packages coverage
	@test/coverage $(SUITES)

# The huge pages go back when it ends.
performance: deps build
	@config/install-packages perf
	@pages=/proc/sys/vm/nr_hugepages; before=$$(cat $$pages); echo 1100 >$$pages; \
	code=0; test/perf/all $(ARGS) || code=$$?; echo "$$before" >$$pages; exit $$code

unit: deps build
	meson test -C $(BUILD) --no-rebuild --print-errorlogs --suite unit

fuzz: deps build
	@test/fuzz/run --seconds $(or $(SECONDS),20) $(TARGET)

host: deps build
	meson test -C $(BUILD) --no-rebuild --print-errorlogs --suite host

vm: deps build
	@test/vm/run --live $(ARGS) test/vm/$(or $(TEST),harness_01).sh

shell: deps build
	@test/vm/run --interactive

install: build
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build-asan build-tsan build-clang build-cov build-fuzz build-plain
	[ ! -e $(BUILD)/build.ninja ] || ninja -C $(BUILD) clean

.PHONY: help deps configure build run check lint check-long check-debug coverage performance unit \
	fuzz host vm shell install clean
