// chunks.h: an array of Uint8Arrays as the chunks of a message.
#ifndef FDLOOP_BRIDGE_CHUNKS_H_
#define FDLOOP_BRIDGE_CHUNKS_H_

#include "bridge/arguments.h"
#include "socket/socket.h"

namespace fdloop {

// Reads the first `count` elements, at most kMaxChunks, into `chunks`, and puts into `used` how many these
// are. False with an exception pending if it is no array, or a looked-at element no Uint8Array.
//
// All elements are fetched before any is looked into: an element may be a getter, which runs JavaScript and
// could detach or move what an earlier one points to. Other views must be read after this, for the same
// reason.
inline bool ReadChunks(napi_env env, napi_value array, size_t count, Chunk (&chunks)[kMaxChunks],
                       size_t* used) {
  bool is_array = false;
  napi_is_array(env, array, &is_array);
  if (!is_array) return ThrowTypeError(env, "chunks", "Array");
  *used = count < kMaxChunks ? count : kMaxChunks;
  napi_value elements[kMaxChunks];
  for (size_t i = 0; i < *used; ++i) {
    if (napi_get_element(env, array, static_cast<uint32_t>(i), &elements[i]) != napi_ok) return false;
  }
  for (size_t i = 0; i < *used; ++i) {
    Bytes bytes;
    if (!ReadBytes(env, elements[i], &bytes)) return ThrowTypeError(env, "chunks", "Uint8Array[]");
    chunks[i] = {bytes.data, bytes.length};
  }
  return true;
}

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_CHUNKS_H_
