# SPDX-License-Identifier: BSD-3-Clause
# SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
# shellcheck shell=bash
#
# What the tests of packages share: clean chroots of bookworm in build/cache/packages, or in the
# folder "packages" of DPDK_VDUSE_CACHE. "base" stays; the others are copies of it.
# Exit 77: there is no bookworm.
set -eu

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=${DPDK_VDUSE_CACHE:-$top/build/cache}/packages
export DEB_BUILD_PROFILES=pkg.dpdk-vduse.pmd

step()
{
	echo "=== $*"
}

fail()
{
	echo "FAILED: $*" >&2
	exit 1
}

# inside ROOT COMMAND...: in the folder with the sources.
inside()
{
	local root=$1
	shift
	"$top/test/chroot/enter" "$dir/$root" sh -euc 'cd /root; [ ! -d source ] || cd source; exec "$@"' \
		inside "$@"
}

install_packages()
{
	local root=$1
	shift
	inside "$root" apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# copy_sources DIR: without what is not in the repository.
copy_sources()
{
	mkdir -p "$1"
	tar -C "$top" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$1" -xf -
}

fresh_chroot()
{
	"$top/test/chroot/make" bookworm "$dir/base" base
	rm -rf --one-file-system "${dir:?}/$1"
	cp -a --reflink=auto "$dir/base" "$dir/$1"
	copy_sources "$dir/$1/root/source"
	inside "$1" apt-get -qq update
}

# driver_sdk ROOT: the headers for the driver in ROOT/root/driver-sdk, which a package build without
# network cannot fetch.
driver_sdk()
{
	local root=$1 sdk=${DPDK_DRIVER_SDK_BOOKWORM:-$top/build/driver-sdk} version
	version=$(inside "$root" config/dpdk-source --version)
	if [ "$(cat "$sdk/version" 2>/dev/null)" = "$version" ]; then
		cp -rL "$sdk" "$dir/$root/root/driver-sdk"
	else
		inside "$root" config/driver-sdk /root/driver-sdk
	fi
}

# run_tests ROOT: what debian/tests says of the installed packages.
run_tests()
{
	local root=$1 test tests
	tests=$(sed -n 's/^Tests: //p' "$top/debian/tests/control")
	for test in $tests; do
		step "debian/tests/$test"
		inside "$root" "debian/tests/$test" || fail "debian/tests/$test"
	done
}
