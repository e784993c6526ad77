// accounts.h: users and groups by name, as the system's databases have them. They may lie on another machine:
// a question blocks the thread that asks it.
#ifndef FDLOOP_PROCESS_ACCOUNTS_H_
#define FDLOOP_PROCESS_ACCOUNTS_H_

#include <stdint.h>

#include "base/result.h"

namespace fdloop {

// 0 and the number; -ENOENT if there is nobody of that name, any other -errno if a database did not answer.
// -ENOSYS where there are no such numbers.
Result FindUser(const char* name, uint32_t* id);
Result FindGroup(const char* name, uint32_t* id);

}  // namespace fdloop

#endif  // FDLOOP_PROCESS_ACCOUNTS_H_
