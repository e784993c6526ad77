// errno_table_test.cc: names, numbers and texts of errors.
#include "base/errno_table.h"

#include <errno.h>
#include <string.h>

#include "test/harness.h"

using namespace fdloop;

TEST(EveryRowIsAPositiveNumber) {
  const NamedNumberTable table = ErrnoTable();
  CHECK(table.count > 70);
  for (size_t i = 0; i < table.count; ++i) {
    CHECK_EQ(table.rows[i].name[0], 'E');
    CHECK(table.rows[i].value > 0);
    CHECK(ErrnoName(static_cast<int>(table.rows[i].value)) != nullptr);
  }
}

TEST(NamesAreTheUsualOnes) {
  CHECK_EQ(strcmp(ErrnoName(ECONNRESET), "ECONNRESET"), 0);
  CHECK_EQ(strcmp(ErrnoName(EAGAIN), "EAGAIN"), 0);
  CHECK(ErrnoName(0) == nullptr);
  CHECK(ErrnoName(-1) == nullptr);
  CHECK(ErrnoName(99999) == nullptr);
}

TEST(TextsAreTheSystems) {
  char text[128];
  ErrnoMessage(ENOENT, text, sizeof text);
  CHECK_EQ(strcmp(text, strerror(ENOENT)), 0);
  ErrnoMessage(99999, text, sizeof text);
  CHECK(strlen(text) > 0);
  ErrnoMessage(-5, text, sizeof text);
  CHECK(strlen(text) > 0);
}

TEST(ErrorsOfSocketsHaveATextEach) {
  char reset[128], refused[128];
  ErrnoMessage(ECONNRESET, reset, sizeof reset);
  ErrnoMessage(ECONNREFUSED, refused, sizeof refused);
  CHECK(strlen(reset) > 0);
  CHECK(strcmp(reset, refused) != 0);
}

TEST(TextsAreCutToTheRoom) {
  char text[6];
  ErrnoMessage(ECONNRESET, text, sizeof text);
  CHECK(strlen(text) < sizeof text);
}

int main(int argc, char** argv) { return RunTests(argc, argv); }
