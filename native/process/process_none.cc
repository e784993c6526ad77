// process_none.cc: Windows, where asyncio's selector loop has no child processes either, and accounts no
// numbers.
#include "process/accounts.h"
#include "process/child.h"
#include "process/spawn.h"

namespace fdloop {

struct Child::Watch {};

Result Spawn(const SpawnRequest&, SpawnStep* failed) {
  *failed = SpawnStep::kStart;
  return -ENOSYS;
}

Result FindUser(const char*, uint32_t*) { return -ENOSYS; }
Result FindGroup(const char*, uint32_t*) { return -ENOSYS; }

void ReapAbandoned() {}

Child::Child(int pid) : pid_(pid) {}
Child::~Child() = default;
Result Child::WatchByThread(int) { return -ENOSYS; }
void Child::Unwatch() {}
Result Child::HasEnded() const { return -ENOSYS; }
Result Child::Reap(int32_t*) { return -ENOSYS; }
Result Child::Signal(int) { return -ENOSYS; }

}  // namespace fdloop
