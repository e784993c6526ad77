// address.h: sockaddr bytes from and to numbers and strings. Only literals: no name is ever resolved here,
// and an IPv6 zone travels as a number beside the host.
#ifndef FDLOOP_SOCKET_ADDRESS_H_
#define FDLOOP_SOCKET_ADDRESS_H_

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "socket/link_address.h"

namespace fdloop {

// Room for every family's sockaddr.
extern const size_t kAddressStorageSize;

// Room for the longest numeric host with its NUL.
constexpr size_t kHostSize = 48;

struct Address {
  int family = 0;  // 0 for an empty address.
  char host[kHostSize] = "";
  int port = 0;
  uint32_t flow_info = 0;
  uint32_t scope_id = 0;
  const uint8_t* path = nullptr;  // Points into the decoded bytes.
  size_t path_length = 0;
  LinkAddress link;  // Of a family of link_address.h.
};

// Writes a sockaddr_in or sockaddr_in6. The answer is its length; -EAFNOSUPPORT for another family, -EINVAL
// if the host is no literal of the family, the port no port, or `capacity` too small.
Result EncodeInetAddress(int family, const char* host, int port, uint32_t flow_info, uint32_t scope_id,
                         uint8_t* address, size_t capacity);

// Writes a sockaddr_un: a file system path, an abstract name (leading NUL) or nothing (unnamed). The answer
// is its length, -ENAMETOOLONG if the path does not fit, -EINVAL if `capacity` is too small.
Result EncodeUnixAddress(const uint8_t* path, size_t path_length, uint8_t* address, size_t capacity);

// Takes apart what a system call wrote. Bytes that are too few for their family leave the fields empty.
Address DecodeAddress(const uint8_t* address, size_t length);

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_ADDRESS_H_
