// resolve_test.cc: lookups on threads of their own. Only numeric hosts and this machine are asked for: what a
// name server says is no business of these tests.
#include "socket/resolve.h"

#include <string.h>

#include "base/library_pin.h"
#include "socket/socket.h"
#include "socket/system_headers.h"
#include "test/harness.h"
#include "test/sockets.h"

using namespace fdloop;

namespace {

AddressQuestion Ask(const char* host, const char* service, int flags = AI_NUMERICHOST | AI_NUMERICSERV) {
  AddressQuestion question;
  if (host != nullptr) question.host = {true, host};
  if (service != nullptr) question.service = {true, service};
  question.type = SOCK_STREAM;
  question.flags = flags;
  return question;
}

// Asks, waits for the byte and takes the answer.
bool AnswerTo(AddressQuestion question, Answer* answer) {
  SocketPair pair;
  Lookup lookup;
  if (lookup.Start(std::move(question), pair.b) != 0 || !WaitReadable(pair.a)) return false;
  return lookup.TakeAnswer(answer);
}

sockaddr_in Inet4(const ResolvedAddress& address) {
  sockaddr_in inet = {};
  memcpy(&inet, address.address.data(), address.address.size());
  return inet;
}

}  // namespace

TEST(FindsANumericHost) {
  Answer answer;
  CHECK(AnswerTo(Ask("192.0.2.7", "8080"), &answer));
  CHECK_EQ(answer.error, 0);
  CHECK_EQ(answer.addresses.size(), 1);
  CHECK_EQ(answer.addresses[0].family, AF_INET);
  CHECK_EQ(answer.addresses[0].type, SOCK_STREAM);
  // Windows leaves it open.
  const int protocol = answer.addresses[0].protocol;
  CHECK(protocol == IPPROTO_TCP || protocol == 0);
  CHECK_EQ(answer.addresses[0].address.size(), sizeof(sockaddr_in));
  CHECK_EQ(Inet4(answer.addresses[0]).sin_addr.s_addr, htonl(0xC0000207));
  CHECK_EQ(ntohs(Inet4(answer.addresses[0]).sin_port), 8080);
}

TEST(AnAbsentHostIsThisMachine) {
  Answer answer;
  AddressQuestion question = Ask(nullptr, "80", AI_NUMERICSERV | AI_PASSIVE);
  question.family = AF_INET;
  CHECK(AnswerTo(question, &answer));
  CHECK_EQ(answer.addresses.size(), 1);
  CHECK_EQ(Inet4(answer.addresses[0]).sin_addr.s_addr, INADDR_ANY);
}

TEST(AnEmptyHostIsNotAnAbsentOne) {
  Answer answer;
  CHECK(AnswerTo(Ask("", "80"), &answer));
  CHECK_EQ(answer.error, EAI_NONAME);
}

TEST(GivesTheCanonicalName) {
  Answer answer;
  CHECK(AnswerTo(Ask("127.0.0.1", nullptr, AI_NUMERICHOST | AI_CANONNAME), &answer));
  CHECK_EQ(answer.addresses.size(), 1);
  CHECK_EQ(answer.addresses[0].canonical_name.compare("127.0.0.1"), 0);
}

TEST(SaysWhatIsWrong) {
  Answer answer;
  CHECK(AnswerTo(Ask("no-number", "80"), &answer));
  CHECK_EQ(answer.error, EAI_NONAME);
  CHECK_EQ(answer.addresses.size(), 0);
  CHECK(strlen(ResolverErrorMessage(answer.error)) > 0);
}

TEST(FindsNumericNames) {
  SocketPair pair;
  Lookup lookup;
  sockaddr_in inet = {};
  inet.sin_family = AF_INET;
  inet.sin_port = htons(80);
  inet.sin_addr.s_addr = htonl(0xC0000207);
  NameQuestion question;
  question.address.assign(reinterpret_cast<const char*>(&inet), sizeof inet);
  question.flags = NI_NUMERICHOST | NI_NUMERICSERV;
  CHECK_EQ(lookup.Start(question, pair.b), 0);
  CHECK(WaitReadable(pair.a));
  Answer answer;
  CHECK(lookup.TakeAnswer(&answer));
  CHECK_EQ(answer.error, 0);
  CHECK_EQ(answer.host.compare("192.0.2.7"), 0);
  CHECK_EQ(answer.service.compare("80"), 0);
}

TEST(RefusesAnAddressThatIsTooLong) {
  SocketPair pair;
  Lookup lookup;
  NameQuestion question;
  question.address.assign(1000, 'x');
  CHECK_EQ(lookup.Start(question, pair.b), 0);
  CHECK(WaitReadable(pair.a));
  Answer answer;
  CHECK(lookup.TakeAnswer(&answer));
  CHECK_EQ(answer.error, EAI_FAMILY);
}

TEST(AnAnswerIsGivenAwayOnce) {
  SocketPair pair;
  Lookup lookup;
  Answer answer;
  CHECK(!lookup.TakeAnswer(&answer));
  CHECK_EQ(lookup.Start(Ask("127.0.0.1", "80"), pair.b), 0);
  CHECK(WaitReadable(pair.a));
  CHECK(lookup.TakeAnswer(&answer));
  CHECK(!lookup.TakeAnswer(&answer));
}

TEST(ReportsADescriptorThatIsNotOpen) {
  Lookup lookup;
  CHECK_EQ(lookup.Start(Ask("127.0.0.1", "80"), -1), -EBADF);
  Answer answer;
  CHECK(!lookup.TakeAnswer(&answer));
}

// The number is free as soon as the lookup was abandoned, whatever its thread still does.
TEST(AnAbandonedLookupLetsGoOfItsDescriptor) {
  for (int i = 0; i < 200; ++i) {
    SocketPair pair;
    Lookup lookup;
    const int next = DuplicateSocket(pair.b);
    CloseDescriptor(next);
    CHECK_EQ(lookup.Start(Ask("127.0.0.1", "80"), pair.b), 0);
    lookup.Abandon();
    lookup.Abandon();
    CHECK(!IsOpenSocket(next));
    Answer answer;
    CHECK(!lookup.TakeAnswer(&answer));
  }
}

TEST(AFullPipeIsNoObstacle) {
  SocketPair pair;
  const std::vector<uint8_t> filling(1 << 16);
  while (Send(pair.b, filling.data(), filling.size(), 0) > 0) {
  }
  Lookup lookup;
  CHECK_EQ(lookup.Start(Ask("127.0.0.1", "80"), pair.b), 0);
  Answer answer;
  for (const int64_t start = NowNs(); !lookup.TakeAnswer(&answer);) {
    CHECK(NowNs() - start < 10LL * 1000 * 1000 * 1000);
  }
  CHECK_EQ(answer.error, 0);
}

TEST(AReaderThatIsGoneKillsNobody) {
  SocketPair pair;
  pair.CloseA();
  Lookup lookup;
  CHECK_EQ(lookup.Start(Ask("127.0.0.1", "80"), pair.b), 0);
  Answer answer;
  for (const int64_t start = NowNs(); !lookup.TakeAnswer(&answer);) {
    CHECK(NowNs() - start < 10LL * 1000 * 1000 * 1000);
  }
  CHECK_EQ(answer.error, 0);
}

// A program of its own needs no pin, and the system may have no name for it; but asking does no harm.
TEST(PinningMayBeRepeated) { CHECK_EQ(PinLibrary(), PinLibrary()); }

int main(int argc, char** argv) { return RunTests(argc, argv); }
