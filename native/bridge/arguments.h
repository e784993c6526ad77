// arguments.h: reads the arguments of a call from JavaScript. A wrong type throws a TypeError with the code
// ERR_INVALID_ARG_TYPE and the reader answers false; the caller then returns at once. Nothing here knows what
// the arguments are for. It is the hot path of recv and send, hence one Node-API call or two for a value.
#ifndef FDLOOP_BRIDGE_ARGUMENTS_H_
#define FDLOOP_BRIDGE_ARGUMENTS_H_

#include <node_api.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmath>
#include <string>

#include "base/result.h"

namespace fdloop {

// The elements of a typed array as they are now. They stay valid until JavaScript runs again.
template <typename Element>
struct View {
  Element* data = nullptr;
  size_t length = 0;

  // Whether `count` elements from `offset` on lie inside. Detached arrays have the length 0.
  bool Contains(int64_t offset, int64_t count) const {
    const auto size = static_cast<int64_t>(length);
    return offset >= 0 && count >= 0 && offset <= size && count <= size - offset;
  }
};

using Bytes = View<uint8_t>;
using Int32s = View<int32_t>;

inline bool ThrowTypeError(napi_env env, const char* name, const char* expected) {
  char message[128];
  snprintf(message, sizeof message, "The \"%s\" argument must be of type %s", name, expected);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return false;
}

inline napi_value FromInt(napi_env env, int number) {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}

// A Uint8Array of its own memory.
inline napi_value FromBytes(napi_env env, const uint8_t* bytes, size_t length) {
  void* data = nullptr;
  napi_value buffer, array = nullptr;
  if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok) return nullptr;
  if (length > 0) memcpy(data, bytes, length);
  napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array);
  return array;
}

template <typename Element>
bool ReadView(napi_env env, napi_value value, napi_typedarray_type wanted, View<Element>* view) {
  napi_typedarray_type type;
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  if (type != wanted) return false;
  view->data = static_cast<Element*>(data);
  view->length = data == nullptr ? 0 : length;
  return true;
}

inline bool ReadBytes(napi_env env, napi_value value, Bytes* bytes) {
  return ReadView(env, value, napi_uint8_array, bytes);
}

// The arguments of one call, at most kCount of them; missing ones are undefined and fail their reader.
template <size_t kCount>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = kCount;
    napi_get_cb_info(env, info, &count, values_, &self_, &data_);
  }

  napi_env env() const { return env_; }
  napi_value self() const { return self_; }
  void* data() const { return data_; }
  napi_value operator[](size_t index) const { return values_[index]; }

  // Fractions and numbers beyond 32 bits are refused, not wrapped: a wrapped descriptor would be another one.
  bool Int32(size_t index, const char* name, int32_t* number) const {
    double value;
    if (napi_get_value_double(env_, values_[index], &value) != napi_ok || !(value >= INT32_MIN) ||
        !(value <= INT32_MAX)) {
      return ThrowTypeError(env_, name, "int32");
    }
    *number = static_cast<int32_t>(value);
    return *number == value || ThrowTypeError(env_, name, "int32");
  }

  bool Uint32(size_t index, const char* name, uint32_t* number) const {
    double value;
    if (napi_get_value_double(env_, values_[index], &value) != napi_ok || !(value >= 0) ||
        !(value <= UINT32_MAX)) {
      return ThrowTypeError(env_, name, "uint32");
    }
    *number = static_cast<uint32_t>(value);
    return *number == value || ThrowTypeError(env_, name, "uint32");
  }

  // For durations and sizes: what is beyond int64 is taken as the nearest limit, NaN as 0.
  bool Int64(size_t index, const char* name, int64_t* number) const {
    constexpr double kLimit = 9223372036854775808.0;
    double value;
    if (napi_get_value_double(env_, values_[index], &value) != napi_ok) {
      return ThrowTypeError(env_, name, "number");
    }
    if (value >= kLimit) {
      *number = INT64_MAX;
    } else if (value < -kLimit) {
      *number = INT64_MIN;
    } else {
      *number = std::isnan(value) ? 0 : static_cast<int64_t>(std::ceil(value));
    }
    return true;
  }

  bool Bool(size_t index, const char* name, bool* flag) const {
    return napi_get_value_bool(env_, values_[index], flag) == napi_ok ||
           ThrowTypeError(env_, name, "boolean");
  }

  bool String(size_t index, const char* name, std::string* text) const {
    size_t length = 0;
    if (napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &length) != napi_ok) {
      return ThrowTypeError(env_, name, "string");
    }
    text->resize(length);
    napi_get_value_string_utf8(env_, values_[index], &(*text)[0], length + 1, &length);
    return true;
  }

  bool Function(size_t index, const char* name) const {
    napi_valuetype type = napi_undefined;
    napi_typeof(env_, values_[index], &type);
    return type == napi_function || ThrowTypeError(env_, name, "function");
  }

  // Uint8Array and its subclasses, so Buffer.
  bool Bytes(size_t index, const char* name, fdloop::Bytes* bytes) const {
    return ReadBytes(env_, values_[index], bytes) || ThrowTypeError(env_, name, "Uint8Array");
  }

  // An ArrayBuffer.
  bool Memory(size_t index, const char* name, fdloop::Bytes* memory) const {
    void* data = nullptr;
    if (napi_get_arraybuffer_info(env_, values_[index], &data, &memory->length) != napi_ok) {
      return ThrowTypeError(env_, name, "ArrayBuffer");
    }
    memory->data = static_cast<uint8_t*>(data);
    return true;
  }

  bool Int32s(size_t index, const char* name, fdloop::Int32s* view) const {
    return ReadView(env_, values_[index], napi_int32_array, view) || ThrowTypeError(env_, name, "Int32Array");
  }

 private:
  napi_env env_;
  napi_value values_[kCount == 0 ? 1 : kCount] = {};
  napi_value self_ = nullptr;
  void* data_ = nullptr;
};

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_ARGUMENTS_H_
