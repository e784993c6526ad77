// selector.cc: what all selectors share, which is only the list of observers.
#include "selector/selector.h"

#include <algorithm>

namespace fdloop {

Selector::~Selector() = default;

// An observer may remove itself while it is told, hence the loop over what is left.
void Selector::Close() {
  while (!observers_.empty()) {
    SelectorObserver* observer = observers_.back();
    observers_.pop_back();
    observer->SelectorClosing();
  }
  is_closed_ = true;
  CloseFacility();
}

void Selector::AddObserver(SelectorObserver* observer) { observers_.push_back(observer); }

void Selector::RemoveObserver(SelectorObserver* observer) {
  observers_.erase(std::remove(observers_.begin(), observers_.end(), observer), observers_.end());
}

void Selector::TellInterestsChanged() {
  for (SelectorObserver* observer : observers_) observer->InterestsChanged();
}

}  // namespace fdloop
