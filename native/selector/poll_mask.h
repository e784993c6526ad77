// poll_mask.h: masks from and to the bits of poll(), which epoll shares. The rule of CPython's selectors: any
// bit other than output counts as readable, any bit other than input as writable. Priority, which CPython's
// never ask for, is a bit of its own and says nothing about either.
#ifndef FDLOOP_SELECTOR_POLL_MASK_H_
#define FDLOOP_SELECTOR_POLL_MASK_H_

#include "selector/selector.h"

namespace fdloop {

template <typename Bits>
Bits MaskToBits(int mask, Bits in, Bits out, Bits priority) {
  return static_cast<Bits>(((mask & kRead) != 0 ? in : 0) | ((mask & kWrite) != 0 ? out : 0) |
                           ((mask & kPriority) != 0 ? priority : 0));
}

template <typename Bits>
int BitsToMask(Bits bits, Bits in, Bits out, Bits priority) {
  return ((bits & ~(out | priority)) != 0 ? kRead : 0) | ((bits & ~(in | priority)) != 0 ? kWrite : 0) |
         ((bits & priority) != 0 ? kPriority : 0);
}

}  // namespace fdloop

#endif  // FDLOOP_SELECTOR_POLL_MASK_H_
