// link_address.h: sockaddr bytes of the families whose addresses are numbers: netlink, packet, vsock and CAN.
// The contract between a platform's leaf and the codec of address.h, which calls it for what it does not know
// itself.
//
// The numbers of each family, in the order of the array, in host byte order:
//
//   AF_NETLINK   port id, multicast groups
//   AF_PACKET    interface index, protocol, packet type, hardware type; `bytes` is the hardware address
//   AF_VSOCK     context id, port
//   AF_CAN       interface index, rx id, tx id, low and high half of the name, PGN, address. The two ids
//   (ISO-TP)
//                lie where the name (J1939) does: which of them means something is the protocol's affair
#ifndef FDLOOP_SOCKET_LINK_ADDRESS_H_
#define FDLOOP_SOCKET_LINK_ADDRESS_H_

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

namespace fdloop {

constexpr size_t kMaxLinkNumbers = 7;

struct LinkAddress {
  uint32_t numbers[kMaxLinkNumbers] = {};
  size_t number_count = 0;
  const uint8_t* bytes = nullptr;
  size_t byte_count = 0;
};

// Writes the sockaddr of a family. Numbers that are missing count as 0; of CAN's, the ids are written if the
// name is zero. The answer is its length; -EAFNOSUPPORT for a family that has no such form here, -EINVAL if
// `capacity` is too small, or the bytes too many for the family.
Result EncodeLinkAddress(int family, const LinkAddress& link, uint8_t* address, size_t capacity);

// Takes apart what a system call wrote; `bytes` points into it. No numbers for a family that has no such form
// here, or when there are too few bytes.
LinkAddress DecodeLinkAddress(int family, const uint8_t* address, size_t length);

// The number of a network interface. -ENODEV if no interface has the name.
Result InterfaceIndex(const char* name);

// Room for the longest name of an interface with its NUL, as everywhere.
constexpr size_t kInterfaceNameSize = 256;

// Writes the name of a network interface with its NUL. The answer is its length, -ENXIO if no interface has
// the number.
Result InterfaceName(uint32_t index, char (&name)[kInterfaceNameSize]);

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_LINK_ADDRESS_H_
