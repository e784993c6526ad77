// afd_groups.h: the doors to AFD, each shared by a few sockets. To cancel one request costs the kernel time
// that grows with the number of others at the same door.
#ifndef FDLOOP_SELECTOR_AFD_GROUPS_H_
#define FDLOOP_SELECTOR_AFD_GROUPS_H_

#include <memory>
#include <vector>

#include "selector/afd.h"

namespace fdloop {

struct AfdGroup {
  HANDLE device;
  int users = 0;
  bool is_offered = false;  // Whether it is in AfdGroups::offered_.
};

class AfdGroups {
 public:
  AfdGroups() = default;
  AfdGroups(const AfdGroups&) = delete;
  AfdGroups& operator=(const AfdGroups&) = delete;
  ~AfdGroups() { Close(); }

  // A group with room, for one more socket. Give it back when no packet for the socket can come any more.
  Result Take(HANDLE port, AfdGroup** group) {
    while (!offered_.empty() && offered_.back()->users == kRoom) {
      offered_.back()->is_offered = false;
      offered_.pop_back();
    }
    if (offered_.empty()) {
      auto opened = std::make_unique<AfdGroup>();
      const Result result = OpenAfd(port, &opened->device);
      if (result < 0) return result;
      Offer(opened.get());
      groups_.push_back(std::move(opened));
    }
    *group = offered_.back();
    ++(*group)->users;
    return 0;
  }

  void GiveBack(AfdGroup* group) {
    --group->users;
    if (!group->is_offered) Offer(group);
  }

  // Cancels every request of every group; the packets come as ever.
  void CancelAll() {
    for (const auto& group : groups_) CancelIoEx(group->device, nullptr);
  }

  // When no request is out any more.
  void Close() {
    for (const auto& group : groups_) CloseHandle(group->device);
    groups_.clear();
    offered_.clear();
  }

 private:
  static constexpr int kRoom = 32;

  void Offer(AfdGroup* group) {
    group->is_offered = true;
    offered_.push_back(group);
  }

  std::vector<std::unique_ptr<AfdGroup>> groups_;
  std::vector<AfdGroup*> offered_;  // Those with room, and perhaps the last one without.
};

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_AFD_GROUPS_H_
