// selector_wrap.cc: selectors as JavaScript objects. Numbers in, a number out; what the numbers mean is said
// in selector.h and decided in TypeScript.
#include "bridge/selector_wrap.h"

#include <string>

#include "bridge/arguments.h"
#include "bridge/environment.h"
#include "bridge/wrap.h"
#include "selector/registry.h"

namespace fdloop {

const napi_type_tag kSelectorTag = {0x6d1c1b6fd3a84c58, 0x9f2e07f8a4b1d0c3};

namespace {

// A selector and its number.
struct Holder {
  Holder(std::shared_ptr<Selector> held, std::shared_ptr<SelectorTable> in_table)
      : selector(std::move(held)), table(std::move(in_table)), number(table->Add(selector.get())) {}
  ~Holder() { table->Remove(number); }

  const std::shared_ptr<Selector> selector;
  const std::shared_ptr<SelectorTable> table;
  const int32_t number;
};

// A selector that nobody closed goes with its object. A watch on it may keep it for longer.
void DeleteHolder(napi_env, void* holder, void*) { delete static_cast<Holder*>(holder); }

// What a method's `this` holds; throws if it is no selector.
const Holder* HolderOf(const Arguments<0>& args) {
  const auto* holder = Unwrap<Holder>(args.env(), args.self(), kSelectorTag);
  if (holder == nullptr) ThrowTypeError(args.env(), "this", "Selector");
  return holder;
}

Selector* Self(const Arguments<0>& args) {
  const Holder* holder = HolderOf(args);
  return holder == nullptr ? nullptr : holder->selector.get();
}

napi_value Construct(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  auto* environment = static_cast<Environment*>(args.data());
  if (environment->new_selector == nullptr) {
    napi_throw_type_error(env, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
    return nullptr;
  }
  auto holder = std::make_unique<Holder>(std::move(environment->new_selector), environment->selectors);
  environment->new_selector.reset();
  if (!Wrap(env, args.self(), holder.get(), kSelectorTag, DeleteHolder)) return nullptr;
  holder.release();
  return args.self();
}

napi_value GetName(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  const Selector* self = Self(args);
  if (self == nullptr) return nullptr;
  return Napi::String::New(env, self->Name());
}

napi_value GetFd(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  const Selector* self = Self(args);
  return self == nullptr ? nullptr : FromInt(env, self->Fd());
}

napi_value GetNumber(napi_env env, napi_callback_info info) {
  const Holder* holder = HolderOf(Arguments<0>(env, info));
  return holder == nullptr ? nullptr : FromInt(env, holder->number);
}

napi_value Close(napi_env env, napi_callback_info info) {
  Arguments<0> args(env, info);
  Selector* self = Self(args);
  if (self != nullptr) self->Close();
  return nullptr;
}

napi_value Create(napi_env env, napi_callback_info info) {
  Arguments<1> args(env, info);
  std::string name;
  if (!args.String(0, "name", &name)) return nullptr;
  // Else what comes after a NUL would be ignored.
  if (name.find('\0') != std::string::npos) return FromInt(env, -ENOSYS);
  std::unique_ptr<Selector> selector;
  const Result result = CreateSelector(name.c_str(), &selector);
  if (result < 0) return FromInt(env, result);
  auto* environment = static_cast<Environment*>(args.data());
  // The constructor takes it from here; there is no other way to hand it a native object.
  environment->new_selector = std::move(selector);
  const Napi::Object object = environment->selector_class.New({});
  environment->new_selector.reset();
  return object;
}

Napi::Array Names(Napi::Env env) {
  Napi::Array names = Napi::Array::New(env, kSelectorLeafCount);
  for (size_t i = 0; i < kSelectorLeafCount; ++i)
    names.Set(static_cast<uint32_t>(i), kSelectorLeaves[i].name);
  names.Freeze();
  return names;
}

}  // namespace

std::shared_ptr<Selector> SelectorOf(napi_env env, napi_value value) {
  const auto* holder = Unwrap<Holder>(env, value, kSelectorTag);
  return holder == nullptr ? nullptr : holder->selector;
}

void DefineSelectors(Napi::Env env, Napi::Object exports, Environment* environment) {
  environment->selector_class = Napi::Persistent(DefineClass(
      env, "NativeSelector", Construct, environment,
      {Getter("name", GetName), Getter("fd", GetFd), Getter("number", GetNumber), Method("close", Close)}));
  exports.Set("selectorNames", Names(env));
  Define(exports, {Function("createSelector", Create, environment)});
}

}  // namespace fdloop
