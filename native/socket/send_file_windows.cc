// send_file_windows.cc: nothing here. TransmitFile takes a handle of the system, and what JavaScript has of a
// file is a number of the C library that is inside the host program, which no other module can read.
#include "socket/send_file.h"

namespace fdloop {

Result SendFile(int, int, int64_t, int64_t) { return -ENOSYS; }

Result Seek(int, int64_t) { return -ENOSYS; }

}  // namespace fdloop
