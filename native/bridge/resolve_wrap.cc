// resolve_wrap.cc: lookups as JavaScript objects, and the wake ends through which other threads reach a loop.
#include <string>

#include "base/library_pin.h"
#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "socket/resolve.h"
#include "socket/wake_end.h"

namespace fdloop {

const napi_type_tag kLookupTag = {0x93c7a51be24d4f06, 0x8e6f1d30b79a2c54};

namespace {

// A lookup that nobody waits for any more goes with its object; its thread goes on by itself.
void DeleteLookup(napi_env, void* lookup, void*) { delete static_cast<Lookup*>(lookup); }

template <typename Question>
napi_value Start(napi_env env, Question question, int wake_fd) {
  if (!PinLibrary()) return FromInt(env, -ENOTSUP);
  auto lookup = std::make_unique<Lookup>();
  const Result result = lookup->Start(std::move(question), wake_fd);
  if (result < 0) return FromInt(env, result);
  Napi::Object object = Napi::Object::New(env);
  if (!Wrap(env, object, lookup.get(), kLookupTag, DeleteLookup)) return nullptr;
  lookup.release();
  return object;
}

// A string, or null for none.
template <size_t kCount>
bool Text(const Arguments<kCount>& args, size_t index, const char* name, OptionalText* text) {
  napi_valuetype type = napi_undefined;
  napi_typeof(args.env(), args[index], &type);
  text->is_present = type != napi_null;
  return !text->is_present || args.String(index, name, &text->text);
}

napi_value StartAddressLookup(napi_env env, napi_callback_info info) {
  Arguments<7> args(env, info);
  AddressQuestion question;
  int32_t wake_fd;
  if (!Text(args, 0, "host", &question.host) || !Text(args, 1, "service", &question.service) ||
      !args.Int32(2, "family", &question.family) || !args.Int32(3, "type", &question.type) ||
      !args.Int32(4, "protocol", &question.protocol) || !args.Int32(5, "flags", &question.flags) ||
      !args.Int32(6, "wakeFd", &wake_fd)) {
    return nullptr;
  }
  return Start(env, std::move(question), wake_fd);
}

napi_value StartNameLookup(napi_env env, napi_callback_info info) {
  Arguments<4> args(env, info);
  NameQuestion question;
  Bytes address;
  int64_t length;
  int32_t wake_fd;
  if (!args.Bytes(0, "address", &address) || !args.Int64(1, "addressLength", &length) ||
      !args.Int32(2, "flags", &question.flags) || !args.Int32(3, "wakeFd", &wake_fd)) {
    return nullptr;
  }
  if (!address.Contains(0, length)) return FromInt(env, -EINVAL);
  if (length > 0)
    question.address.assign(reinterpret_cast<const char*>(address.data), static_cast<size_t>(length));
  return Start(env, std::move(question), wake_fd);
}

template <size_t kCount>
Lookup* LookupOf(const Arguments<kCount>& args) {
  auto* lookup = Unwrap<Lookup>(args.env(), args[0], kLookupTag);
  if (lookup == nullptr) ThrowTypeError(args.env(), "lookup", "NativeLookup");
  return lookup;
}

Napi::Object FromAddress(Napi::Env env, const ResolvedAddress& address) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("family", address.family);
  object.Set("type", address.type);
  object.Set("protocol", address.protocol);
  object.Set("canonicalName", address.canonical_name);
  object.Set("address", FromBytes(env, reinterpret_cast<const uint8_t*>(address.address.data()),
                                  address.address.size()));
  return object;
}

napi_value LookupAnswer(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Lookup* lookup = LookupOf(args);
  if (lookup == nullptr) return nullptr;
  Answer answer;
  if (!lookup->TakeAnswer(&answer)) return FromInt(env, -EAGAIN);
  Napi::Array addresses = Napi::Array::New(env, answer.addresses.size());
  for (size_t i = 0; i < answer.addresses.size(); ++i) {
    addresses.Set(static_cast<uint32_t>(i), FromAddress(env, answer.addresses[i]));
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("error", answer.error);
  object.Set("systemError", answer.system_error);
  object.Set("addresses", addresses);
  object.Set("host", answer.host);
  object.Set("service", answer.service);
  return object;
}

napi_value AbandonLookup(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  Lookup* lookup = LookupOf(args);
  if (lookup != nullptr) lookup->Abandon();
  return nullptr;
}

napi_value ErrorMessage(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  int32_t error;
  if (!args.Int32(0, "error", &error)) return nullptr;
  return Napi::String::New(env, ResolverErrorMessage(error));
}

// wake, openWakeEnd and closeWakeEnd: a descriptor and the two words that guard it.
template <Result (*kCall)(const Arguments<2>& args, int fd, int32_t* state)>
napi_value WakeEndCall(napi_env env, napi_callback_info info) {
  Arguments<2> args(env, info);
  int32_t fd;
  Int32s state;
  if (!args.Int32(0, "fd", &fd) || !args.Int32s(1, "state", &state)) return nullptr;
  if (state.length < kWakeStateLength) return FromInt(env, -EINVAL);
  return FromInt(env, kCall(args, fd, state.data));
}

OwnedWakeEnds* EndsOf(const Arguments<2>& args) {
  return &Napi::Env(args.env()).GetInstanceData<Environment>()->owned_wake_ends;
}

Result WakeOnce(const Arguments<2>&, int fd, int32_t* state) { return Wake(fd, state); }

Result OpenEnd(const Arguments<2>& args, int fd, int32_t*) {
  return EndsOf(args)->Open(args.env(), fd, args[1]);
}

Result CloseEnd(const Arguments<2>& args, int fd, int32_t* state) {
  EndsOf(args)->Forget(fd);
  return CloseWakeEnd(fd, state);
}

}  // namespace

void DefineResolver(Napi::Env, Napi::Object exports) {
  Define(exports, {
                      Function("startAddressLookup", StartAddressLookup),
                      Function("startNameLookup", StartNameLookup),
                      Function("lookupAnswer", LookupAnswer),
                      Function("abandonLookup", AbandonLookup),
                      Function("resolverErrorMessage", ErrorMessage),
                      Function("wake", WakeEndCall<WakeOnce>),
                      Function("openWakeEnd", WakeEndCall<OpenEnd>),
                      Function("closeWakeEnd", WakeEndCall<CloseEnd>),
                  });
}

}  // namespace fdloop
