// owned_fds.h: what an environment has to close when it ends without having done so, as a worker that is
// terminated does: sockets and pipes. Node does the same for what a worker opened with fs.open.
//
// A number alone would not do: code that closes a descriptor by other means leaves it here, and the number
// may belong to somebody else by then, in another thread even. So the file is remembered by its inode, and
// one that has another is left alone.
#ifndef FDLOOP_BRIDGE_OWNED_FDS_H_
#define FDLOOP_BRIDGE_OWNED_FDS_H_

#include <stdint.h>

#include <vector>

#include "base/result.h"
#include "socket/socket.h"

namespace fdloop {

class OwnedFds {
 public:
  OwnedFds() = default;
  OwnedFds(const OwnedFds&) = delete;
  OwnedFds& operator=(const OwnedFds&) = delete;

  ~OwnedFds() {
    for (size_t fd = 0; fd < identities_.size(); ++fd) {
      uint64_t identity = 0;
      if (identities_[fd] == 0 || DescriptorIdentity(static_cast<int>(fd), &identity) < 0) continue;
      if (identity == identities_[fd]) Close(static_cast<int>(fd));
    }
  }

  // -EBADF if nothing is open there.
  Result Add(int fd) {
    uint64_t identity = 0;
    const Result result = DescriptorIdentity(fd, &identity);
    if (result < 0) return result;
    const auto index = static_cast<size_t>(fd);
    if (index >= identities_.size()) identities_.resize(index + 1);
    identities_[index] = identity;
    return 0;
  }

  // Whether it was there.
  bool Remove(int fd) {
    const auto index = static_cast<size_t>(fd);
    if (fd < 0 || index >= identities_.size() || identities_[index] == 0) return false;
    identities_[index] = 0;
    return true;
  }

 private:
  std::vector<uint64_t> identities_;  // By descriptor; 0 for those that are not owned.
};

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_OWNED_FDS_H_
