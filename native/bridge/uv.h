// uv.h: the few libuv functions that the addon calls, declared without libuv's header. Handles are opaque
// here: their size is asked for at run time, so one binary fits every libuv. Keep the set minimal: each
// further name is one more that another host than Node may lack. test/uv_check.cc compares this with the real
// header.
#ifndef FDLOOP_BRIDGE_UV_H_
#define FDLOOP_BRIDGE_UV_H_

#include <stddef.h>
#include <stdint.h>

// The names of types are libuv's own; where its header came first, they are there already.
#ifndef UV_H
typedef int uv_handle_type;
typedef struct uv_handle_s uv_handle_t;
typedef struct uv_poll_s uv_poll_t;
#endif

extern "C" {

struct uv_loop_s;

typedef void (*uv_close_cb)(uv_handle_t* handle);
typedef void (*uv_poll_cb)(uv_poll_t* handle, int status, int events);

size_t uv_handle_size(uv_handle_type type);
void* uv_handle_get_data(const uv_handle_t* handle);
void uv_handle_set_data(uv_handle_t* handle, void* data);
#ifdef _WIN32
int uv_poll_init_socket(struct uv_loop_s* loop, uv_poll_t* handle, uintptr_t socket);
#else
int uv_poll_init(struct uv_loop_s* loop, uv_poll_t* handle, int fd);
#endif
int uv_poll_start(uv_poll_t* handle, int events, uv_poll_cb callback);
int uv_poll_stop(uv_poll_t* handle);
void uv_ref(uv_handle_t* handle);
void uv_unref(uv_handle_t* handle);
void uv_close(uv_handle_t* handle, uv_close_cb callback);

}  // extern "C"

namespace fdloop {

// libuv's UV_POLL and UV_READABLE. The numbers are part of its ABI.
constexpr int kUvPoll = 8;
constexpr int kUvReadable = 1;

// libuv's `fd` is on Windows a number of the C library, and ours a socket's.
inline int InitPoll(struct uv_loop_s* loop, uv_poll_t* handle, int fd) {
#ifdef _WIN32
  return uv_poll_init_socket(loop, handle, static_cast<uintptr_t>(fd));
#else
  return uv_poll_init(loop, handle, fd);
#endif
}

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_UV_H_
