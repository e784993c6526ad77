// afd_groups_test.cc: how sockets share the doors to AFD: 32 each, a free place before a new door, no door
// left open. The doors are played, so this runs on every system; iocp_test.cc has real ones.
#include <errno.h>
#include <stdint.h>

#include <map>
#include <vector>

#include "selector/afd_groups.h"
#include "test/harness.h"

using namespace fdloop;

namespace {

// What was done to the doors, which are numbered from 0.
struct Journal {
  int opened = 0;
  Result failure = 0;  // Of the next Open.
  std::vector<int> cancelled;
  std::vector<int> closed;
};

class PlayedDoors {
 public:
  using Door = int;

  explicit PlayedDoors(Journal* journal) : journal_(journal) {}

  Result Open(int* door) const {
    if (journal_->failure < 0) return journal_->failure;
    *door = journal_->opened++;
    return 0;
  }
  void CancelAt(int door) const { journal_->cancelled.push_back(door); }
  void Close(int door) const { journal_->closed.push_back(door); }

 private:
  Journal* journal_;
};

using Groups = AfdGroups<PlayedDoors>;
using Group = Groups::Group;

constexpr int kRoom = 32;

// One place after the other; fewer if there is a failure.
std::vector<Group*> TakeMany(Groups* groups, int count) {
  std::vector<Group*> taken;
  Group* group = nullptr;
  while (count-- > 0 && groups->Take(&group) == 0) taken.push_back(group);
  return taken;
}

// How many of `taken` are at each door.
std::map<int, int> UsersByDoor(const std::vector<Group*>& taken) {
  std::map<int, int> users;
  for (const Group* group : taken) ++users[group->door];
  return users;
}

}  // namespace

TEST(NoDoorIsOpenedBeforeItIsWanted) {
  Journal journal;
  { Groups groups{PlayedDoors(&journal)}; }
  CHECK_EQ(journal.opened, 0);
  CHECK_EQ(journal.closed.size(), 0);
}

TEST(TheThirtyThirdOpensASecondDoor) {
  Journal journal;
  Groups groups{PlayedDoors(&journal)};
  auto taken = TakeMany(&groups, kRoom);
  CHECK_EQ(journal.opened, 1);
  for (const Group* group : taken) CHECK(group == taken[0]);
  Group* next = nullptr;
  CHECK_EQ(groups.Take(&next), 0);
  CHECK_EQ(journal.opened, 2);
  CHECK_EQ(next->door, 1);
  CHECK_EQ(next->users, 1);
}

TEST(AFreePlaceIsTakenBeforeADoorIsOpened) {
  Journal journal;
  Groups groups{PlayedDoors(&journal)};
  auto taken = TakeMany(&groups, 3 * kRoom);
  CHECK_EQ(journal.opened, 3);
  // In the first two, which were full and had been put aside.
  for (const int index : {0, kRoom, 1}) groups.GiveBack(taken[static_cast<size_t>(index)]);
  const auto users = UsersByDoor(TakeMany(&groups, 3));
  CHECK_EQ(journal.opened, 3);
  CHECK_EQ(users.at(0), 2);
  CHECK_EQ(users.at(1), 1);
  Group* next = nullptr;
  CHECK_EQ(groups.Take(&next), 0);
  CHECK_EQ(journal.opened, 4);
}

// As one socket that is registered and unregistered all the time.
TEST(TheLastPlaceMayComeAndGo) {
  Journal journal;
  Groups groups{PlayedDoors(&journal)};
  const auto taken = TakeMany(&groups, kRoom - 1);
  for (int i = 0; i < 1000; ++i) {
    Group* last = nullptr;
    CHECK_EQ(groups.Take(&last), 0);
    CHECK_EQ(last->users, kRoom);
    groups.GiveBack(last);
  }
  CHECK_EQ(journal.opened, 1);
}

TEST(ADoorWithoutUsersStaysOpenAndIsUsedAgain) {
  Journal journal;
  Groups groups{PlayedDoors(&journal)};
  for (int round = 0; round < 3; ++round) {
    const auto taken = TakeMany(&groups, 2 * kRoom);
    CHECK_EQ(taken.size(), 2 * kRoom);
    const auto users = UsersByDoor(taken);
    CHECK_EQ(users.size(), 2);
    for (const auto& [door, count] : users) CHECK_EQ(count, kRoom);
    for (Group* group : taken) groups.GiveBack(group);
  }
  CHECK_EQ(journal.opened, 2);
  CHECK_EQ(journal.closed.size(), 0);
}

// By chance: never too many at a door, and no more doors than the largest number of sockets made necessary.
TEST(DoorsAreAsFewAsCanBe) {
  Journal journal;
  Groups groups{PlayedDoors(&journal)};
  std::vector<Group*> taken;
  size_t most = 0;
  uint32_t chance = 1;
  for (int i = 0; i < 20000; ++i) {
    chance = chance * 1664525 + 1013904223;
    const uint32_t number = chance >> 8;
    // Up to the tenth thousand mostly more, then mostly less.
    if (taken.empty() || (number % 100 < 55) == (i < 10000)) {
      Group* group = nullptr;
      CHECK_EQ(groups.Take(&group), 0);
      taken.push_back(group);
    } else {
      const size_t index = number / 100 % taken.size();
      groups.GiveBack(taken[index]);
      taken[index] = taken.back();
      taken.pop_back();
    }
    if (taken.size() > most) most = taken.size();
    if (i % 500 != 0) continue;
    for (const Group* group : taken) CHECK(group->users <= kRoom);
    for (const auto& [door, users] : UsersByDoor(taken)) CHECK(users <= kRoom);
  }
  CHECK(most > 10 * kRoom);
  CHECK_EQ(journal.opened, (most + kRoom - 1) / kRoom);
}

TEST(ADoorThatCannotBeOpenedLeavesNothing) {
  Journal journal;
  Group* group = nullptr;
  {
    Groups groups{PlayedDoors(&journal)};
    journal.failure = -EMFILE;
    CHECK_EQ(groups.Take(&group), -EMFILE);
    CHECK(group == nullptr);
    journal.failure = 0;
    auto taken = TakeMany(&groups, kRoom);
    // The places that are there are not affected.
    journal.failure = -EACCES;
    CHECK_EQ(groups.Take(&group), -EACCES);
    CHECK(group == nullptr);
    groups.GiveBack(taken[0]);
    CHECK_EQ(groups.Take(&group), 0);
    CHECK(group == taken[1]);
    CHECK_EQ(groups.Take(&group), -EACCES);
    journal.failure = 0;
    CHECK_EQ(groups.Take(&group), 0);
    CHECK_EQ(group->door, 1);
    CHECK_EQ(group->users, 1);
  }
  CHECK_EQ(journal.opened, 2);
  CHECK_EQ(journal.closed.size(), 2);
}

TEST(EveryDoorIsCancelledAndClosedOnce) {
  Journal journal;
  {
    Groups groups{PlayedDoors(&journal)};
    auto taken = TakeMany(&groups, 2 * kRoom + 1);
    for (size_t i = 0; i < kRoom; ++i) groups.GiveBack(taken[i]);
    groups.CancelAll();
    CHECK_EQ(journal.cancelled.size(), 3);
    CHECK_EQ(journal.closed.size(), 0);
    groups.Close();
    CHECK_EQ(journal.closed.size(), 3);
  }
  CHECK_EQ(journal.closed.size(), 3);
  for (const auto& doors : {journal.cancelled, journal.closed}) {
    for (int door = 0; door < 3; ++door) CHECK_EQ(doors[static_cast<size_t>(door)], door);
  }
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
