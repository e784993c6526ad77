// wrap.h: JavaScript objects that own a native one. Every object is tagged with its type, so that a method
// called on a foreign `this` throws instead of taking a stranger's pointer for its own.
#ifndef FDLOOP_BRIDGE_WRAP_H_
#define FDLOOP_BRIDGE_WRAP_H_

#include <napi.h>

#include <initializer_list>

#include "bridge/arguments.h"

namespace fdloop {

extern const napi_type_tag kSelectorTag;
extern const napi_type_tag kHostWatchTag;
extern const napi_type_tag kLookupTag;
extern const napi_type_tag kChildTag;

// Gives `native` to the object. False if it stays the caller's, as when the worker is being terminated: at
// any moment, hence the order. Nothing may fail any more once the finalizer is there.
template <typename Native>
bool Wrap(napi_env env, napi_value object, Native* native, const napi_type_tag& tag, napi_finalize finalize) {
  return napi_type_tag_object(env, object, &tag) == napi_ok &&
         napi_wrap(env, object, native, finalize, nullptr, nullptr) == napi_ok;
}

// The native half of an object, or nullptr if it is not one of ours.
template <typename Native>
Native* Unwrap(napi_env env, napi_value value, const napi_type_tag& tag) {
  // What is no object has no tag; asked for one, undefined and null would throw an error of their own.
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return nullptr;
  bool is_ours = false;
  if (napi_check_object_type_tag(env, value, &tag, &is_ours) != napi_ok || !is_ours) return nullptr;
  void* native = nullptr;
  if (napi_unwrap(env, value, &native) != napi_ok) return nullptr;
  return static_cast<Native*>(native);
}

// A function or a value of the exports object: enumerable, so that the exports can be listed and spread.
inline napi_property_descriptor Function(const char* name, napi_callback function, void* data = nullptr) {
  return {name, nullptr, function, nullptr, nullptr, nullptr, napi_default_jsproperty, data};
}

inline napi_property_descriptor Value(const char* name, napi_value value) {
  return {name, nullptr, nullptr, nullptr, nullptr, value, napi_enumerable, nullptr};
}

inline napi_property_descriptor Method(const char* name, napi_callback method, void* data = nullptr) {
  return {name, nullptr, method, nullptr, nullptr, nullptr, napi_default_method, data};
}

inline napi_property_descriptor Getter(const char* name, napi_callback getter) {
  return {name, nullptr, nullptr, getter, nullptr, nullptr, napi_default_jsproperty, nullptr};
}

inline void Define(Napi::Object object, std::initializer_list<napi_property_descriptor> members) {
  napi_define_properties(object.Env(), object, members.size(), members.begin());
}

// An object of a class of ours, or an empty value with an exception pending.
inline Napi::Function DefineClass(Napi::Env env, const char* name, napi_callback constructor, void* data,
                                  std::initializer_list<napi_property_descriptor> members) {
  napi_value result = nullptr;
  napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, data, members.size(), members.begin(), &result);
  return Napi::Function(env, result);
}

}  // namespace fdloop

#endif  // FDLOOP_BRIDGE_WRAP_H_
