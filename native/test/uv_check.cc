// uv_check.cc: nothing to run. It compiles only as long as bridge/uv.h agrees with the libuv header of the
// Node that builds it.
#include <uv.h>

#include "bridge/uv.h"

static_assert(fdloop::kUvPoll == UV_POLL, "UV_POLL has moved");
static_assert(fdloop::kUvReadable == UV_READABLE, "UV_READABLE has moved");
