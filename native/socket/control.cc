// control.cc: the layout of control data, which the macros of the system know.
#include <limits.h>
#include <string.h>

#include "socket/message.h"
#include "socket/system_headers.h"

namespace fdloop {

namespace {

// The macros of the system count from an aligned msghdr; these three numbers are all that they know.
const size_t kHeaderSize = CMSG_LEN(0);
size_t Aligned(size_t byte_count) { return CMSG_SPACE(byte_count) - CMSG_SPACE(0); }

// So many bytes, and the room around them, stay far from where a socklen_t or a Result ends.
constexpr size_t kMaxControlBytes = INT_MAX / 2;

}  // namespace

Result ControlLength(size_t byte_count) {
  return byte_count > kMaxControlBytes ? -EINVAL : static_cast<Result>(CMSG_LEN(byte_count));
}

Result ControlSpace(size_t byte_count) {
  return byte_count > kMaxControlBytes ? -EINVAL : static_cast<Result>(CMSG_SPACE(byte_count));
}

Result NextControl(const uint8_t* control, size_t length, size_t offset, ControlEntry* entry) {
  cmsghdr header;
  if (length > kMaxControlBytes || offset > length || length - offset < kHeaderSize) return 0;
  memcpy(&header, control + offset, sizeof header);
  if (header.cmsg_len < kHeaderSize) return 0;
  const size_t there = length - offset - kHeaderSize;
  const size_t wanted = static_cast<size_t>(header.cmsg_len) - kHeaderSize;
  entry->level = header.cmsg_level;
  entry->type = header.cmsg_type;
  entry->offset = offset + kHeaderSize;
  entry->length = wanted < there ? wanted : there;
  // A gap is counted even where the data ends without it.
  const size_t next = entry->offset + Aligned(entry->length);
  return static_cast<Result>(next < length ? next : length);
}

Result AppendControl(uint8_t* control, size_t length, size_t offset, int level, int type,
                     const uint8_t* bytes, size_t byte_count) {
  if (byte_count > kMaxControlBytes || length > kMaxControlBytes || offset > length) return -EINVAL;
  const size_t space = CMSG_SPACE(byte_count);
  if (length - offset < space) return -EINVAL;
  cmsghdr header = {};
  header.cmsg_len = static_cast<decltype(header.cmsg_len)>(CMSG_LEN(byte_count));
  header.cmsg_level = level;
  header.cmsg_type = type;
  memset(control + offset, 0, space);
  memcpy(control + offset, &header, sizeof header);
  if (byte_count > 0) memcpy(control + offset + kHeaderSize, bytes, byte_count);
  return static_cast<Result>(offset + space);
}

}  // namespace fdloop
