# Cross toolchain: Debian's g++-aarch64-linux-gnu builds, qemu-user runs the tests. Packages:
# g++-aarch64-linux-gnu, qemu-user, googletest (sources), libfmt-dev, tao-pegtl-dev (headers).
#
# The libraries of the build machine are of the wrong architecture, so the two that the tests need
# are taken as source instead: the folder beside this file answers find_package for them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# The emulated CPU has ARMv8.0 and nothing more, so that a stray newer instruction fails.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu cortex-a53 -L /usr/aarch64-linux-gnu)

set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)
set(fmt_DIR ${CMAKE_CURRENT_LIST_DIR}/aarch64-linux-gnu)
set(GTest_DIR ${CMAKE_CURRENT_LIST_DIR}/aarch64-linux-gnu)
