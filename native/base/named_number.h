// named_number.h: one row of a table of platform constants (errno names, socket constants).
#ifndef FDLOOP_BASE_NAMED_NUMBER_H_
#define FDLOOP_BASE_NAMED_NUMBER_H_

#include <stddef.h>

namespace fdloop {

struct NamedNumber {
  const char* name;
  double value;  // A double, because it ends as a JavaScript number and some constants exceed an int.
};

struct NamedNumberTable {
  const NamedNumber* rows;
  size_t count;
};

}  // namespace fdloop

#endif  // FDLOOP_BASE_NAMED_NUMBER_H_
