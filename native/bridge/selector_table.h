// selector_table.h: the live selectors of one environment by number. A number that JavaScript passes is
// looked up, and costs a tenth of what it takes to be sure of an object.
#ifndef FDLOOP_BRIDGE_SELECTOR_TABLE_H_
#define FDLOOP_BRIDGE_SELECTOR_TABLE_H_

#include <stdint.h>

#include <unordered_map>

#include "selector/selector.h"

namespace fdloop {

class SelectorTable {
 public:
  // Numbers are never used again: one that outlived its selector names nothing.
  int32_t Add(Selector* selector) {
    selectors_.emplace(++last_, selector);
    return last_;
  }

  void Remove(int32_t number) { selectors_.erase(number); }

  Selector* Find(int32_t number) const {
    const auto found = selectors_.find(number);
    return found == selectors_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<int32_t, Selector*> selectors_;
  int32_t last_ = 0;
};

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_SELECTOR_TABLE_H_
