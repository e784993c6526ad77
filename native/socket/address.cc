// address.cc: sockaddr bytes from and to numbers and strings. The bytes come from JavaScript and need not be
// aligned, so structures are copied in and out, never pointed at.
#include "socket/address.h"

#include <string.h>

#include "socket/system_headers.h"

namespace fdloop {

namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);
constexpr size_t kPathRoom = sizeof(sockaddr_un) - kPathOffset;

template <typename Structure>
Result Store(Structure* structure, size_t length, uint8_t* address, size_t capacity) {
  if (capacity < length) return -EINVAL;
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)
  reinterpret_cast<sockaddr*>(structure)->sa_len = static_cast<uint8_t>(length);
#endif
  memcpy(address, structure, length);
  return static_cast<Result>(length);
}

void DecodeInet4(const uint8_t* address, Address* result) {
  sockaddr_in inet;
  memcpy(&inet, address, sizeof inet);
  inet_ntop(AF_INET, &inet.sin_addr, result->host, sizeof result->host);
  result->port = ntohs(inet.sin_port);
}

void DecodeInet6(const uint8_t* address, Address* result) {
  sockaddr_in6 inet;
  memcpy(&inet, address, sizeof inet);
  inet_ntop(AF_INET6, &inet.sin6_addr, result->host, sizeof result->host);
  result->port = ntohs(inet.sin6_port);
  result->flow_info = ntohl(inet.sin6_flowinfo);
  result->scope_id = inet.sin6_scope_id;
}

// An abstract name is all of the bytes, NULs included. A file system path ends at its first NUL, but the
// system does not promise one: a path that fills sun_path has none.
void DecodeUnix(const uint8_t* address, size_t length, Address* result) {
  if (length <= kPathOffset) return;
  const uint8_t* path = address + kPathOffset;
  size_t path_length = length - kPathOffset;
#ifdef __linux__
  const bool is_abstract = path[0] == 0;
#else
  const bool is_abstract = false;
#endif
  if (!is_abstract) {
    const void* end = memchr(path, 0, path_length);
    if (end != nullptr) path_length = static_cast<size_t>(static_cast<const uint8_t*>(end) - path);
  }
  result->path = path;
  result->path_length = path_length;
}

#ifdef _WIN32
// An interface has two names there. The C library knows one, and the other is what people and Node call it.
unsigned IndexOfAlias(const char* name) {
  wchar_t alias[IF_MAX_STRING_SIZE + 1];
  NET_LUID luid;
  NET_IFINDEX index;
  const bool is_known =
      MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name, -1, alias, IF_MAX_STRING_SIZE + 1) > 0 &&
      ConvertInterfaceAliasToLuid(alias, &luid) == NO_ERROR &&
      ConvertInterfaceLuidToIndex(&luid, &index) == NO_ERROR;
  return is_known ? index : 0;
}
#endif

}  // namespace

const size_t kAddressStorageSize = sizeof(sockaddr_storage);

Result EncodeInetAddress(int family, const char* host, int port, uint32_t flow_info, uint32_t scope_id,
                         uint8_t* address, size_t capacity) {
  // htons would take the low 16 bits of anything.
  if (port < 0 || port > 65535) return -EINVAL;
  if (family == AF_INET) {
    sockaddr_in inet = {};
    inet.sin_family = AF_INET;
    inet.sin_port = htons(static_cast<uint16_t>(port));
    if (inet_pton(AF_INET, host, &inet.sin_addr) != 1) return -EINVAL;
    return Store(&inet, sizeof inet, address, capacity);
  }
  if (family == AF_INET6) {
    sockaddr_in6 inet = {};
    inet.sin6_family = AF_INET6;
    inet.sin6_port = htons(static_cast<uint16_t>(port));
    inet.sin6_flowinfo = htonl(flow_info);
    inet.sin6_scope_id = scope_id;
    if (inet_pton(AF_INET6, host, &inet.sin6_addr) != 1) return -EINVAL;
    return Store(&inet, sizeof inet, address, capacity);
  }
  return -EAFNOSUPPORT;
}

Result EncodeUnixAddress(const uint8_t* path, size_t path_length, uint8_t* address, size_t capacity) {
  sockaddr_un unix_address = {};
  unix_address.sun_family = AF_UNIX;
  // A file system path is stored with its NUL. An abstract name is not: each byte counts there, and one more
  // would make it another name. Nothing at all asks the system to choose a name, or means no address.
  const bool needs_terminator = path_length > 0 && path[0] != 0;
  const size_t needed = path_length + (needs_terminator ? 1 : 0);
  if (needed > kPathRoom) return -ENAMETOOLONG;
  if (path_length > 0) memcpy(unix_address.sun_path, path, path_length);
  return Store(&unix_address, kPathOffset + needed, address, capacity);
}

Result InterfaceIndex(const char* name) {
  unsigned index = if_nametoindex(name);
#ifdef _WIN32
  if (index == 0) index = IndexOfAlias(name);
#endif
  // The C library says ENXIO on some systems and leaves the kernel's ENODEV on others.
  return index == 0 ? -ENODEV : static_cast<Result>(index);
}

Result InterfaceName(uint32_t index, char (&name)[kInterfaceNameSize]) {
  static_assert(kInterfaceNameSize >= IF_NAMESIZE, "the longest name fits");
  return if_indextoname(index, name) == nullptr ? -ENXIO : static_cast<Result>(strlen(name));
}

Address DecodeAddress(const uint8_t* address, size_t length) {
  Address result;
  sockaddr header;
  constexpr size_t kHeaderSize = offsetof(sockaddr, sa_data);
  if (length < kHeaderSize) return result;
  memcpy(&header, address, kHeaderSize);
  result.family = header.sa_family;
  if (header.sa_family == AF_INET && length >= sizeof(sockaddr_in)) DecodeInet4(address, &result);
  if (header.sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) DecodeInet6(address, &result);
  if (header.sa_family == AF_UNIX) DecodeUnix(address, length, &result);
  result.link = DecodeLinkAddress(header.sa_family, address, length);
  return result;
}

}  // namespace fdloop
