// link_address_linux.cc: the addresses of netlink, packet, vsock and CAN sockets. The kernel's own headers,
// because the C library knows only some of them.
#include <arpa/inet.h>
#include <linux/can.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>

#include "socket/link_address.h"

namespace fdloop {

namespace {

constexpr size_t kHardwareOffset = offsetof(sockaddr_ll, sll_addr);
// What every CAN socket writes; the ids behind it are of some protocols only.
constexpr size_t kCanPlainSize = offsetof(sockaddr_can, can_addr);

// InfiniBand's hardware addresses are longer than the eight bytes of the structure: the kernel writes and
// reads them beyond its end.
constexpr size_t kMaxHardwareBytes = 32;

template <typename Structure>
Result Store(const Structure& structure, uint8_t* address, size_t capacity) {
  if (capacity < sizeof structure) return -EINVAL;
  memcpy(address, &structure, sizeof structure);
  return static_cast<Result>(sizeof structure);
}

Result EncodePacket(const LinkAddress& link, uint8_t* address, size_t capacity) {
  sockaddr_ll packet = {};
  if (link.byte_count > kMaxHardwareBytes) return -EINVAL;
  packet.sll_family = AF_PACKET;
  packet.sll_ifindex = static_cast<int>(link.numbers[0]);
  packet.sll_protocol = htons(static_cast<uint16_t>(link.numbers[1]));
  packet.sll_pkttype = static_cast<uint8_t>(link.numbers[2]);
  packet.sll_hatype = static_cast<uint16_t>(link.numbers[3]);
  packet.sll_halen = static_cast<uint8_t>(link.byte_count);
  const size_t with_bytes = kHardwareOffset + link.byte_count;
  const size_t length = with_bytes > sizeof packet ? with_bytes : sizeof packet;
  if (capacity < length) return -EINVAL;
  memcpy(address, &packet, sizeof packet);
  if (link.byte_count > 0) memcpy(address + kHardwareOffset, link.bytes, link.byte_count);
  return static_cast<Result>(length);
}

Result EncodeCan(const LinkAddress& link, uint8_t* address, size_t capacity) {
  sockaddr_can can = {};
  can.can_family = AF_CAN;
  can.can_ifindex = static_cast<int>(link.numbers[0]);
  const uint64_t name = link.numbers[3] | static_cast<uint64_t>(link.numbers[4]) << 32;
  if (name == 0) {
    can.can_addr.tp.rx_id = link.numbers[1];
    can.can_addr.tp.tx_id = link.numbers[2];
  } else {
    can.can_addr.j1939.name = name;
  }
  can.can_addr.j1939.pgn = link.numbers[5];
  can.can_addr.j1939.addr = static_cast<uint8_t>(link.numbers[6]);
  return Store(can, address, capacity);
}

LinkAddress DecodePacket(const uint8_t* address, size_t length) {
  sockaddr_ll packet;
  // The kernel leaves out the end of a hardware address that is shorter than the structure's room.
  if (length < kHardwareOffset) return LinkAddress();
  memcpy(&packet, address, kHardwareOffset);
  LinkAddress link;
  link.numbers[0] = static_cast<uint32_t>(packet.sll_ifindex);
  link.numbers[1] = ntohs(packet.sll_protocol);
  link.numbers[2] = packet.sll_pkttype;
  link.numbers[3] = packet.sll_hatype;
  link.number_count = 4;
  const size_t there = length - kHardwareOffset;
  link.bytes = address + kHardwareOffset;
  link.byte_count = packet.sll_halen < there ? packet.sll_halen : there;
  return link;
}

LinkAddress DecodeCan(const uint8_t* address, size_t length) {
  if (length < kCanPlainSize) return LinkAddress();
  sockaddr_can can = {};
  memcpy(&can, address, length < sizeof can ? length : sizeof can);
  LinkAddress link;
  link.numbers[0] = static_cast<uint32_t>(can.can_ifindex);
  link.numbers[1] = can.can_addr.tp.rx_id;
  link.numbers[2] = can.can_addr.tp.tx_id;
  link.numbers[3] = static_cast<uint32_t>(can.can_addr.j1939.name);
  link.numbers[4] = static_cast<uint32_t>(can.can_addr.j1939.name >> 32);
  link.numbers[5] = can.can_addr.j1939.pgn;
  link.numbers[6] = can.can_addr.j1939.addr;
  link.number_count = 7;
  return link;
}

}  // namespace

Result EncodeLinkAddress(int family, const LinkAddress& link, uint8_t* address, size_t capacity) {
  if (family == AF_PACKET) return EncodePacket(link, address, capacity);
  if (family == AF_CAN) return EncodeCan(link, address, capacity);
  if (family == AF_NETLINK) {
    sockaddr_nl netlink = {};
    netlink.nl_family = AF_NETLINK;
    netlink.nl_pid = link.numbers[0];
    netlink.nl_groups = link.numbers[1];
    return Store(netlink, address, capacity);
  }
  if (family == AF_VSOCK) {
    sockaddr_vm vsock = {};
    vsock.svm_family = AF_VSOCK;
    vsock.svm_cid = link.numbers[0];
    vsock.svm_port = link.numbers[1];
    return Store(vsock, address, capacity);
  }
  return -EAFNOSUPPORT;
}

LinkAddress DecodeLinkAddress(int family, const uint8_t* address, size_t length) {
  LinkAddress link;
  if (family == AF_PACKET) return DecodePacket(address, length);
  if (family == AF_CAN) return DecodeCan(address, length);
  if (family == AF_NETLINK && length >= sizeof(sockaddr_nl)) {
    sockaddr_nl netlink;
    memcpy(&netlink, address, sizeof netlink);
    link.numbers[0] = netlink.nl_pid;
    link.numbers[1] = netlink.nl_groups;
    link.number_count = 2;
  }
  if (family == AF_VSOCK && length >= sizeof(sockaddr_vm)) {
    sockaddr_vm vsock;
    memcpy(&vsock, address, sizeof vsock);
    link.numbers[0] = vsock.svm_cid;
    link.numbers[1] = vsock.svm_port;
    link.number_count = 2;
  }
  return link;
}

}  // namespace fdloop
