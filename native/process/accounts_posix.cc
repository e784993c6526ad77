// accounts_posix.cc: getpwnam_r and getgrnam_r.
#include "process/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <unistd.h>

#include <vector>

namespace fdloop {

namespace {

// What an entry takes: the names of all members of a group are a part of it.
constexpr size_t kUsualSize = 1024;
constexpr size_t kLargestSize = size_t{1} << 26;

// Systems do not agree on how they say that there is no such name.
bool MeansNobody(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

// `find` is one of the two; it answers with an errno, and a null entry if it found none.
template <typename Entry>
Result Find(int (*find)(const char*, Entry*, char*, size_t, Entry**), const char* name, int size_hint,
            Entry* entry, std::vector<char>* memory) {
  const long hint = sysconf(size_hint);
  for (size_t size = hint > 0 ? static_cast<size_t>(hint) : kUsualSize; size <= kLargestSize; size *= 2) {
    memory->resize(size);
    Entry* found = nullptr;
    int error;
    do {
      error = find(name, entry, memory->data(), size, &found);
    } while (error == EINTR);
    if (error == ERANGE) continue;
    if (found != nullptr) return 0;
    return MeansNobody(error) ? -ENOENT : -error;
  }
  return -ERANGE;
}

}  // namespace

Result FindUser(const char* name, uint32_t* id) {
  struct passwd entry;
  std::vector<char> memory;
  const Result result = Find(getpwnam_r, name, _SC_GETPW_R_SIZE_MAX, &entry, &memory);
  if (result == 0) *id = static_cast<uint32_t>(entry.pw_uid);
  return result;
}

Result FindGroup(const char* name, uint32_t* id) {
  struct group entry;
  std::vector<char> memory;
  const Result result = Find(getgrnam_r, name, _SC_GETGR_R_SIZE_MAX, &entry, &memory);
  if (result == 0) *id = static_cast<uint32_t>(entry.gr_gid);
  return result;
}

}  // namespace fdloop
