// spawn.h: a new process. What the child does between fork and exec is here as well; watching it is child.h's
// business, and what is to be done is decided above.
#ifndef FDLOOP_PROCESS_SPAWN_H_
#define FDLOOP_PROCESS_SPAWN_H_

#include <stdint.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace fdloop {

// What the child failed at.
enum class SpawnStep : int32_t {
  kStart = 0,  // There is no child.
  kDescriptors,
  kDirectory,
  kSession,
  kProcessGroup,
  kGroups,
  kGroup,
  kUser,
  kExecute,
};

// Instead of a descriptor: the one that this process has, and one that /dev/null is opened for.
constexpr int kInherited = -1;
constexpr int kNullDevice = -2;

// The child does this from top to bottom.
struct SpawnRequest {
  // Besides the standard streams: these keep their numbers in the child, in rising order.
  std::vector<int> kept_fds;
  // Become 0, 1 and 2.
  int streams[3] = {kInherited, kInherited, kInherited};
  bool has_directory = false;
  std::string directory;
  int umask = -1;                // -1 for the one that this process has.
  bool restores_signals = true;  // Those that runtimes ignore are treated in the usual way again.
  bool starts_session = false;
  int process_group = -1;  // -1 for none, 0 for one of its own.
  bool sets_groups = false;
  std::vector<uint32_t> groups;
  int64_t group = -1;  // -1 for the one that this process has.
  int64_t user = -1;   // -1 for the one that this process has.
  bool closes_others = true;
  // Tried one after the other.
  std::vector<std::string> executables;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
};

// Answers when the child is the new program, or has failed and is gone: its process id, or -errno with the
// step that failed. No descriptor is left over. -ENOSYS where there are no such processes.
Result Spawn(const SpawnRequest& request, SpawnStep* failed);

}  // namespace fdloop

#endif  // FDLOOP_PROCESS_SPAWN_H_
