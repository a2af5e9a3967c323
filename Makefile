# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
#
# A thin front: Debian and root are all it needs.

BUILD := build
SDK := $(CURDIR)/$(BUILD)/driver-sdk
EXAMPLES := $(CURDIR)/$(BUILD)/dpdk-examples vhost vhost_blk
export DPDK_VDUSE_BUILD := $(CURDIR)/$(BUILD)

help:
	@echo "make build          install what is missing, configure, compile"
	@echo "make run            serve a net device to a Linux kernel, and show it"
	@echo "make check          every test; the last line counts them"
	@echo "make check-long     what make check has no time for, counted the same way: hours"
	@echo "make check-debug    the kernel module on kernels that look for mistakes: an hour"
	@echo "make lint           formatting, layers, exported symbols, scripts, spelling: seconds"
	@echo "make coverage       which lines of lib and drivers the tests run: half an hour"
	@echo "make unit           unit tests only: seconds"
	@echo "make fuzz           fuzzers: a minute; SECONDS=3600 TARGET=fuzz_blk for longer"
	@echo "make host           packets over vhost-user sockets, on this machine"
	@echo "make vm TEST=NAME   one script of test/vm, such as net_01_ping"
	@echo "make shell          a shell in the test VM"
	@echo "make install        meson install"
	@echo "make clean          remove what was compiled, keep what was fetched"

packages:
	@config/install-packages

$(BUILD)/build.ninja:
	@config/install-packages
	@config/driver-sdk $(SDK)
	-@config/dpdk-examples $(EXAMPLES)
	meson setup $(BUILD)

build: packages $(BUILD)/build.ninja
	@config/driver-sdk $(SDK)
	-@config/dpdk-examples $(EXAMPLES)
	ninja -C $(BUILD)

run: build
	@code=0; test/perf/demo || code=$$?; \
	if [ -e /dev/vduse/control ]; then test/vm/demo.sh; \
	else test/vm/run --live --timeout 120 test/vm/demo.sh; fi && exit $$code

check: build
	@test/check

check-long: build
	@test/check long

check-debug: build
	@config/install-packages debug
	@test/vm/kernel-debug $(KERNELS)

lint:
	@config/install-packages check
	@devtools/check-format && devtools/check-layers && devtools/check-symbols && \
		devtools/check-scripts && devtools/check-spelling

coverage: build
	@config/install-packages coverage
	@test/coverage $(SUITES)

unit: build
	meson test -C $(BUILD) --no-rebuild --print-errorlogs --suite unit

fuzz: build
	@test/fuzz/run --seconds $(or $(SECONDS),20) $(TARGET)

host: build
	meson test -C $(BUILD) --no-rebuild --print-errorlogs --suite host

vm: build
	@test/vm/run --live $(ARGS) test/vm/$(or $(TEST),harness_01).sh

shell: build
	@test/vm/run --interactive

install: build
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build-asan build-tsan build-clang build-cov build-fuzz
	[ ! -e $(BUILD)/build.ninja ] || ninja -C $(BUILD) clean

.PHONY: help packages build run check lint check-long check-debug coverage unit fuzz host vm \
	shell install clean
