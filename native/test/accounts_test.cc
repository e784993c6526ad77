// accounts_test.cc: users and groups by name: those of the system, and answers that it gives too seldom, from
// a function of our own in the place of the C library's.
#include "process/accounts.h"

#include <grp.h>
#include <string.h>

#include "test/harness.h"

using namespace fdloop;

namespace {

// What the next questions about groups are answered with.
struct Script {
  size_t needed = 0;  // Bytes.
  int interruptions = 0;
  int error = 0;
  bool has_entry = false;
  int calls = 0;
};

Script script;

}  // namespace

extern "C" int getgrnam_r(const char*, struct group* entry, char*, size_t size, struct group** found) {
  ++script.calls;
  *found = nullptr;
  if (script.interruptions > 0) {
    --script.interruptions;
    return EINTR;
  }
  if (size < script.needed) return ERANGE;
  if (script.has_entry) {
    memset(entry, 0, sizeof *entry);
    entry->gr_gid = 4242;
    *found = entry;
  }
  return script.error;
}

TEST(FindsAUserOfTheSystem) {
  uint32_t id = 1;
  CHECK_EQ(FindUser("root", &id), 0);
  CHECK_EQ(id, 0);
}

TEST(TellsThatThereIsNobodyOfTheName) {
  uint32_t id = 1;
  CHECK_EQ(FindUser("nobody of this name", &id), -ENOENT);
  CHECK_EQ(FindUser("", &id), -ENOENT);
  CHECK_EQ(id, 1);
}

TEST(BringsAsMuchMemoryAsAnEntryNeeds) {
  script = {};
  script.needed = 3 << 20;
  script.has_entry = true;
  uint32_t id = 0;
  CHECK_EQ(FindGroup("large", &id), 0);
  CHECK_EQ(id, 4242);
  CHECK_EQ(script.calls > 1, true);
}

TEST(GivesUpOnAnEntryWithoutEnd) {
  script = {};
  script.needed = SIZE_MAX;
  uint32_t id = 0;
  CHECK_EQ(FindGroup("endless", &id), -ERANGE);
}

TEST(AsksAgainWhenASignalInterrupts) {
  script = {};
  script.interruptions = 2;
  script.has_entry = true;
  uint32_t id = 0;
  CHECK_EQ(FindGroup("interrupted", &id), 0);
  CHECK_EQ(script.calls, 3);
}

TEST(KnowsEveryWayOfSayingThatThereIsNone) {
  for (const int error : {0, ENOENT, ESRCH, EBADF, EPERM}) {
    script = {};
    script.error = error;
    uint32_t id = 0;
    CHECK_EQ(FindGroup("none", &id), -ENOENT);
  }
}

TEST(TellsWhatADatabaseFailedAt) {
  script = {};
  script.error = EIO;
  uint32_t id = 0;
  CHECK_EQ(FindGroup("unreadable", &id), -EIO);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
