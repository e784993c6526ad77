# zig-musl.cmake: cross-compiles for Linux with musl, with Zig's clang, which has musl and a C++ library to link statically.
# `npm run prebuilds` uses it, and says which Zig (FDLOOP_ZIG) and which processor (FDLOOP_ZIG_PROCESSOR).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR $ENV{FDLOOP_ZIG_PROCESSOR})
set(CMAKE_C_COMPILER $ENV{FDLOOP_ZIG} cc -target $ENV{FDLOOP_ZIG_PROCESSOR}-linux-musl)
set(CMAKE_CXX_COMPILER $ENV{FDLOOP_ZIG} c++ -target $ENV{FDLOOP_ZIG_PROCESSOR}-linux-musl)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# CMake's programs to try things are such as this Zig cannot link. Threads are in musl itself.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_HAVE_LIBC_PTHREAD TRUE CACHE INTERNAL "")
