// address_test.cc: the address codec.
#include "socket/address.h"

#include <errno.h>
#include <string.h>

#include <string>

#include "socket/system_headers.h"
#include "test/harness.h"

using namespace fdloop;

namespace {

// Odd on purpose: nothing may rely on alignment.
struct Storage {
  uint8_t shift = 0;
  uint8_t bytes[sizeof(sockaddr_storage)];
};

Result EncodeUnix(const std::string& path, Storage* storage) {
  return EncodeUnixAddress(reinterpret_cast<const uint8_t*>(path.data()), path.size(), storage->bytes,
                           sizeof storage->bytes);
}

std::string Path(const Address& address) {
  return std::string(reinterpret_cast<const char*>(address.path), address.path_length);
}

}  // namespace

TEST(Inet4RoundTrip) {
  Storage storage;
  const Result length =
      EncodeInetAddress(AF_INET, "192.0.2.7", 65535, 1, 2, storage.bytes, sizeof storage.bytes);
  CHECK_EQ(length, sizeof(sockaddr_in));
  const Address address = DecodeAddress(storage.bytes, static_cast<size_t>(length));
  CHECK_EQ(address.family, AF_INET);
  CHECK_EQ(strcmp(address.host, "192.0.2.7"), 0);
  CHECK_EQ(address.port, 65535);
  CHECK_EQ(address.flow_info, 0);
  CHECK_EQ(address.scope_id, 0);
  CHECK_EQ(address.path_length, 0);
}

TEST(Inet6RoundTrip) {
  Storage storage;
  const Result length =
      EncodeInetAddress(AF_INET6, "FE80:0::1", 80, 0x12345, 4294967295U, storage.bytes, sizeof storage.bytes);
  CHECK_EQ(length, sizeof(sockaddr_in6));
  const Address address = DecodeAddress(storage.bytes, static_cast<size_t>(length));
  CHECK_EQ(address.family, AF_INET6);
  CHECK_EQ(strcmp(address.host, "fe80::1"), 0);
  CHECK_EQ(address.port, 80);
  CHECK_EQ(address.flow_info, 0x12345);
  CHECK_EQ(address.scope_id, 4294967295U);
}

TEST(OnlyLiteralsAreTaken) {
  Storage storage;
  for (const char* host :
       {"", "localhost", "127.1", "1.2.3.4.5", "256.0.0.1", "::1", " 1.2.3.4", "01.2.3.4"}) {
    CHECK_EQ(EncodeInetAddress(AF_INET, host, 1, 0, 0, storage.bytes, sizeof storage.bytes), -EINVAL);
  }
  for (const char* host : {"", "1.2.3.4", "::1%lo", "[::1]", "1::2::3", ":::"}) {
    CHECK_EQ(EncodeInetAddress(AF_INET6, host, 1, 0, 0, storage.bytes, sizeof storage.bytes), -EINVAL);
  }
}

TEST(BadPortsFamiliesAndRoomAreRefused) {
  Storage storage;
  CHECK_EQ(EncodeInetAddress(AF_INET, "1.2.3.4", -1, 0, 0, storage.bytes, sizeof storage.bytes), -EINVAL);
  CHECK_EQ(EncodeInetAddress(AF_INET, "1.2.3.4", 65536, 0, 0, storage.bytes, sizeof storage.bytes), -EINVAL);
  CHECK_EQ(EncodeInetAddress(AF_UNIX, "1.2.3.4", 1, 0, 0, storage.bytes, sizeof storage.bytes),
           -EAFNOSUPPORT);
  CHECK_EQ(EncodeInetAddress(AF_INET, "1.2.3.4", 1, 0, 0, storage.bytes, 15), -EINVAL);
  CHECK_EQ(EncodeInetAddress(AF_INET6, "::1", 1, 0, 0, storage.bytes, 27), -EINVAL);
  CHECK_EQ(EncodeInetAddress(AF_INET, "1.2.3.4", 1, 0, 0, nullptr, 0), -EINVAL);
}

TEST(UnixPathRoundTrip) {
  Storage storage;
  const std::string path = "/tmp/a b\xff";
  const Result length = EncodeUnix(path, &storage);
  CHECK_EQ(length, offsetof(sockaddr_un, sun_path) + path.size() + 1);
  const Address address = DecodeAddress(storage.bytes, static_cast<size_t>(length));
  CHECK_EQ(address.family, AF_UNIX);
  CHECK(Path(address) == path);
  CHECK_EQ(strcmp(address.host, ""), 0);
}

TEST(LongestUnixPaths) {
  Storage storage;
  const size_t room = sizeof(sockaddr_un) - offsetof(sockaddr_un, sun_path);
  CHECK_EQ(EncodeUnix(std::string(room, 'a'), &storage), -ENAMETOOLONG);
  CHECK_EQ(EncodeUnix(std::string(room - 1, 'a'), &storage), sizeof(sockaddr_un));
  // A path without its NUL, as the system may write it.
  memset(storage.bytes + offsetof(sockaddr_un, sun_path), 'b', room);
  CHECK(Path(DecodeAddress(storage.bytes, sizeof(sockaddr_un))) == std::string(room, 'b'));
}

#ifdef __linux__
TEST(AbstractAndUnnamed) {
  Storage storage;
  const size_t room = sizeof(sockaddr_un) - offsetof(sockaddr_un, sun_path);
  const std::string name("\0a\0b", 4);
  Result length = EncodeUnix(name, &storage);
  CHECK_EQ(length, offsetof(sockaddr_un, sun_path) + 4);
  CHECK(Path(DecodeAddress(storage.bytes, static_cast<size_t>(length))) == name);
  CHECK_EQ(EncodeUnix(std::string(room, '\0'), &storage), sizeof(sockaddr_un));
  CHECK_EQ(EncodeUnix(std::string(room + 1, '\0'), &storage), -ENAMETOOLONG);
  length = EncodeUnix("", &storage);
  CHECK_EQ(length, offsetof(sockaddr_un, sun_path));
  const Address unnamed = DecodeAddress(storage.bytes, static_cast<size_t>(length));
  CHECK_EQ(unnamed.family, AF_UNIX);
  CHECK_EQ(unnamed.path_length, 0);
}
#endif

TEST(ShortBytesDecodeAsEmpty) {
  Storage storage;
  CHECK_EQ(DecodeAddress(nullptr, 0).family, 0);
  CHECK_EQ(DecodeAddress(storage.bytes, 1).family, 0);
  const Result length = EncodeInetAddress(AF_INET6, "::1", 80, 0, 0, storage.bytes, sizeof storage.bytes);
  for (size_t i = 2; i < static_cast<size_t>(length); ++i) {
    const Address address = DecodeAddress(storage.bytes, i);
    CHECK_EQ(address.family, AF_INET6);
    CHECK_EQ(address.port, 0);
    CHECK_EQ(strcmp(address.host, ""), 0);
  }
}

TEST(UnknownFamilyKeepsItsNumber) {
  Storage storage;
  sockaddr header = {};
  header.sa_family = 200;
  memcpy(storage.bytes, &header, sizeof header);
  const Address address = DecodeAddress(storage.bytes, sizeof header);
  CHECK_EQ(address.family, 200);
  CHECK_EQ(address.path_length, 0);
}

#ifdef __linux__
TEST(FamiliesOfNumbersComeBack) {
  const int families[] = {AF_NETLINK, AF_PACKET, AF_VSOCK, AF_CAN};
  const size_t counts[] = {2, 4, 2, 7};
  const uint8_t hardware[] = {1, 2, 3, 4, 5, 6};
  for (size_t i = 0; i < 4; ++i) {
    Storage storage;
    LinkAddress link;
    const uint32_t numbers[] = {5, 6, 7, 8, 0, 9, 10};
    memcpy(link.numbers, numbers, sizeof numbers);
    if (families[i] == AF_PACKET) link.bytes = hardware, link.byte_count = sizeof hardware;
    const Result length = EncodeLinkAddress(families[i], link, storage.bytes, sizeof storage.bytes);
    CHECK(length > 0);
    const Address address = DecodeAddress(storage.bytes, static_cast<size_t>(length));
    CHECK_EQ(address.family, families[i]);
    CHECK_EQ(address.link.number_count, counts[i]);
    CHECK_EQ(address.link.numbers[0], 5);
    CHECK_EQ(address.link.byte_count, families[i] == AF_PACKET ? 6 : 0);
    CHECK_EQ(EncodeLinkAddress(families[i], link, storage.bytes, 4), -EINVAL);
    CHECK_EQ(DecodeAddress(storage.bytes, 3).link.number_count, 0);
  }
}

TEST(InterfacesHaveNamesAndNumbers) {
  char name[kInterfaceNameSize];
  const Result index = InterfaceIndex("lo");
  CHECK(index > 0);
  CHECK_EQ(InterfaceName(static_cast<uint32_t>(index), name), 2);
  CHECK_EQ(strcmp(name, "lo"), 0);
  CHECK_EQ(InterfaceIndex("no-such-interface"), -ENODEV);
  CHECK_EQ(InterfaceName(999999, name), -ENXIO);
}
#endif

#ifdef _WIN32
TEST(AnInterfaceIsFoundByEitherOfItsNames) {
  char name[kInterfaceNameSize];
  NET_IFINDEX index = 1;
  while (index < 1000 && InterfaceName(index, name) < 0) ++index;
  CHECK_EQ(InterfaceIndex(name), static_cast<Result>(index));
  NET_LUID luid;
  wchar_t alias[IF_MAX_STRING_SIZE + 1];
  CHECK_EQ(ConvertInterfaceIndexToLuid(index, &luid), static_cast<DWORD>(NO_ERROR));
  CHECK_EQ(ConvertInterfaceLuidToAlias(&luid, alias, IF_MAX_STRING_SIZE + 1), static_cast<DWORD>(NO_ERROR));
  CHECK(WideCharToMultiByte(CP_UTF8, 0, alias, -1, name, sizeof name, nullptr, nullptr) > 0);
  CHECK_EQ(InterfaceIndex(name), static_cast<Result>(index));
  CHECK_EQ(InterfaceIndex("no-such-interface"), -ENODEV);
}
#endif

TEST(FamiliesWithoutNumbersAreRefused) {
  Storage storage;
  CHECK_EQ(EncodeLinkAddress(AF_INET, LinkAddress(), storage.bytes, sizeof storage.bytes), -EAFNOSUPPORT);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
