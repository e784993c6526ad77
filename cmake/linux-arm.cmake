# linux-arm.cmake: cross-compiles for Linux on 32-bit ARM (ARMv7 with a floating-point unit, as Node's own builds are) with
# Debian's g++-arm-linux-gnueabihf. `npm run prebuilds` uses it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
# As node-gyp has it: offsets in files have 64 bits.
set(CMAKE_CXX_FLAGS_INIT "-D_FILE_OFFSET_BITS=64 -D_LARGEFILE_SOURCE")

# Libraries and headers are the other system's, programs (node, for its answers) are this one's.
set(CMAKE_FIND_ROOT_PATH /usr/arm-linux-gnueabihf)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
