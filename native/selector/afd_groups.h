// afd_groups.h: the doors to AFD, each shared by a few sockets. To cancel one request costs the kernel time
// that grows with the number of others at the same door.
#ifndef FDLOOP_SELECTOR_AFD_GROUPS_H_
#define FDLOOP_SELECTOR_AFD_GROUPS_H_

#include <memory>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fdloop {

// Knows nothing of the system. Doors, of which afd.h has the real ones, has
//     Door                  what a door is
//     Result Open(Door*)
//     void CancelAt(Door)   every request there; the packets come as ever
//     void Close(Door)      when no request is out there any more
template <typename Doors>
class AfdGroups {
 public:
  struct Group {
    typename Doors::Door door;
    int users = 0;
    bool is_offered = false;  // Whether it is in `offered_`.
  };

  explicit AfdGroups(Doors doors) : doors_(std::move(doors)) {}
  AfdGroups(const AfdGroups&) = delete;
  AfdGroups& operator=(const AfdGroups&) = delete;
  ~AfdGroups() { Close(); }

  // A group with room, for one more socket. Give it back when no packet for the socket can come any more.
  Result Take(Group** group) {
    while (!offered_.empty() && offered_.back()->users == kRoom) {
      offered_.back()->is_offered = false;
      offered_.pop_back();
    }
    if (offered_.empty()) {
      auto opened = std::make_unique<Group>();
      const Result result = doors_.Open(&opened->door);
      if (result < 0) return result;
      Offer(opened.get());
      groups_.push_back(std::move(opened));
    }
    *group = offered_.back();
    ++(*group)->users;
    return 0;
  }

  // A group without users stays open: it will be wanted again.
  void GiveBack(Group* group) {
    --group->users;
    if (!group->is_offered) Offer(group);
  }

  void CancelAll() {
    for (const auto& group : groups_) doors_.CancelAt(group->door);
  }

  // When no request is out any more. The groups that were taken are gone then.
  void Close() {
    for (const auto& group : groups_) doors_.Close(group->door);
    groups_.clear();
    offered_.clear();
  }

 private:
  static constexpr int kRoom = 32;

  void Offer(Group* group) {
    group->is_offered = true;
    offered_.push_back(group);
  }

  Doors doors_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<Group*> offered_;  // Those with room, and perhaps the last one without.
};

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_AFD_GROUPS_H_
