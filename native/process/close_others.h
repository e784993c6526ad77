// close_others.h: between fork and exec. Nothing here may allocate memory or take a lock.
#ifndef FDLOOP_PROCESS_CLOSE_OTHERS_H_
#define FDLOOP_PROCESS_CLOSE_OTHERS_H_

#include <stddef.h>

namespace fdloop {

// Closes every descriptor above 2 that is not one of `kept`, which is in rising order.
void CloseOthers(const int* kept, size_t count);

}  // namespace fdloop

#endif  // FDLOOP_PROCESS_CLOSE_OTHERS_H_
