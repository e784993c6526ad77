// unique_fd.h: sole ownership of a descriptor. Nothing else belongs here: no flags, no system calls but
// close.
#ifndef FDLOOP_BASE_UNIQUE_FD_H_
#define FDLOOP_BASE_UNIQUE_FD_H_

#ifdef _WIN32
#include "base/winsock.h"
#else
#include <unistd.h>
#endif

namespace fdloop {

// On Windows every descriptor of ours is a socket.
inline void CloseDescriptor(int fd) {
#ifdef _WIN32
  closesocket(AsSocket(fd));
#else
  close(fd);
#endif
}

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool IsOpen() const { return fd_ >= 0; }

  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

  // An interrupted close is not repeated: the descriptor is gone already, and its number may be in use again.
  void Reset(int fd = -1) {
    if (fd_ >= 0) CloseDescriptor(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace fdloop

#endif  // FDLOOP_BASE_UNIQUE_FD_H_
