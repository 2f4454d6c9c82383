# Cross compilation to aarch64 with Debian's multiarch packages; programs run under qemu-user.
# VICINAL_QEMU_CPU picks the emulated CPU: cortex-a72 (NEON), a64fx (SVE), max (SVE2), ...
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)

set(VICINAL_QEMU_CPU "max" CACHE STRING "The CPU that qemu-aarch64 emulates for tests")
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-cpu;${VICINAL_QEMU_CPU}")
