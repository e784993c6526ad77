// table_selector.h: what is common to the facilities that have no table of their own and are given everything
// with each wait (poll, Windows' select): a dense array of entries, and an index into it by descriptor.
//
// The array is written by the owner only, under a mutex that the owner itself needs not take to read. Another
// thread takes it to copy the array; a change while that thread waits is told to observers.
#ifndef FDLOOP_SELECTOR_TABLE_SELECTOR_H_
#define FDLOOP_SELECTOR_TABLE_SELECTOR_H_

#include <mutex>
#include <unordered_map>
#include <vector>

#include "selector/selector.h"
#include "selector/watchable.h"

namespace fdloop {

// An entry has the descriptor as its `fd`.
template <typename Entry>
class TableSelector : public Selector {
 public:
  int Fd() const override { return -1; }

  Result Add(int fd, int mask) override {
    if (IsClosed() || fd < 0) return -EBADF;
    if (index_by_fd_.find(fd) != index_by_fd_.end()) return -EEXIST;
    const Result watchable = CheckWatchable(fd);
    if (watchable < 0) return watchable;
    index_by_fd_.emplace(fd, entries_.size());
    {
      std::lock_guard<std::mutex> lock(mutex_);
      entries_.push_back(MakeEntry(fd, mask));
    }
    TellInterestsChanged();
    return 0;
  }

  Result Modify(int fd, int mask) override {
    if (IsClosed() || fd < 0) return -EBADF;
    const auto found = index_by_fd_.find(fd);
    if (found == index_by_fd_.end()) return -ENOENT;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      entries_[found->second] = MakeEntry(fd, mask);
    }
    TellInterestsChanged();
    return 0;
  }

  Result Remove(int fd) override {
    if (IsClosed() || fd < 0) return -EBADF;
    const auto found = index_by_fd_.find(fd);
    if (found == index_by_fd_.end()) return -ENOENT;
    const size_t index = found->second;
    index_by_fd_.erase(found);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (index + 1 < entries_.size()) {
        entries_[index] = entries_.back();
        index_by_fd_[entries_[index].fd] = index;
      }
      entries_.pop_back();
    }
    TellInterestsChanged();
    return 0;
  }

 protected:
  virtual Entry MakeEntry(int fd, int mask) const = 0;

  void CloseFacility() override {
    entries_.clear();
    index_by_fd_.clear();
  }

  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::unordered_map<int, size_t> index_by_fd_;
};

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_TABLE_SELECTOR_H_
