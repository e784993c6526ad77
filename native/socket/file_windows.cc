// file_windows.cc: nothing here. Handles of pipes and consoles are no descriptors, and their readiness cannot
// be waited for.
#include "socket/file.h"

namespace fdloop {

Result OpenPipe(int32_t*) { return -ENOSYS; }

Result Read(int, uint8_t*, size_t) { return -ENOSYS; }

Result Write(int, const uint8_t*, size_t) { return -ENOSYS; }

Result FileMode(int) { return -ENOSYS; }

}  // namespace fdloop
