// resolve_windows.cc: GetAddrInfoW and GetNameInfoW. The forms of these calls without the W speak the code
// page of the user; these speak UTF-16, so every name that UTF-8 can say can be asked for.
#include <string.h>

#include "socket/resolve.h"
#include "socket/system_headers.h"

namespace fdloop {

namespace {

std::wstring Wide(const std::string& text) {
  const int size = static_cast<int>(text.size());
  std::wstring wide(static_cast<size_t>(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0)),
                    L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), size, &wide[0], static_cast<int>(wide.size()));
  return wide;
}

std::string Narrow(const wchar_t* wide) {
  if (wide == nullptr || *wide == L'\0') return "";
  const int size = static_cast<int>(wcslen(wide));
  const int needed = WideCharToMultiByte(CP_UTF8, 0, wide, size, nullptr, 0, nullptr, nullptr);
  std::string text(static_cast<size_t>(needed), '\0');
  WideCharToMultiByte(CP_UTF8, 0, wide, size, &text[0], needed, nullptr, nullptr);
  return text;
}

// A string that lives as long as this, or null for an absent one.
class WideText {
 public:
  explicit WideText(const OptionalText& text) : is_present_(text.is_present), wide_(Wide(text.text)) {}
  const wchar_t* OrNull() const { return is_present_ ? wide_.c_str() : nullptr; }

 private:
  bool is_present_;
  std::wstring wide_;
};

}  // namespace

Answer Resolve(const AddressQuestion& question) {
  Answer answer;
  if (StartWinsock() < 0) {
    answer.error = EAI_FAIL;
    return answer;
  }
  ADDRINFOW hints = {};
  hints.ai_family = question.family;
  hints.ai_socktype = question.type;
  hints.ai_protocol = question.protocol;
  hints.ai_flags = question.flags;
  const WideText host(question.host), service(question.service);
  ADDRINFOW* list = nullptr;
  answer.error = GetAddrInfoW(host.OrNull(), service.OrNull(), &hints, &list);
  if (answer.error != 0) return answer;
  for (const ADDRINFOW* info = list; info != nullptr; info = info->ai_next) {
    answer.addresses.push_back({info->ai_family, info->ai_socktype, info->ai_protocol,
                                Narrow(info->ai_canonname),
                                std::string(reinterpret_cast<const char*>(info->ai_addr), info->ai_addrlen)});
  }
  FreeAddrInfoW(list);
  return answer;
}

Answer Resolve(const NameQuestion& question) {
  Answer answer;
  // Copied, because the bytes of a string need not be aligned as the structure must be.
  sockaddr_storage address = {};
  if (question.address.size() > sizeof address || StartWinsock() < 0) {
    answer.error = EAI_FAMILY;
    return answer;
  }
  memcpy(&address, question.address.data(), question.address.size());
  wchar_t host[NI_MAXHOST] = L"";
  wchar_t service[NI_MAXSERV] = L"";
  answer.error = GetNameInfoW(reinterpret_cast<const sockaddr*>(&address),
                              static_cast<socklen_t>(question.address.size()), host, NI_MAXHOST, service,
                              NI_MAXSERV, question.flags);
  answer.host = Narrow(host);
  answer.service = Narrow(service);
  return answer;
}

// EAI numbers are Winsock's own, but for a few that exist only as names of memory and arguments. The system's
// function for their texts writes them into memory that all threads share.
const char* ResolverErrorMessage(int error) {
  switch (error) {
    case EAI_AGAIN:
      return "Temporary failure in name resolution";
    case EAI_BADFLAGS:
      return "Invalid value of flags";
    case EAI_FAIL:
      return "Non-recoverable failure in name resolution";
    case EAI_FAMILY:
      return "Address family not supported";
    case EAI_MEMORY:
      return "Out of memory";
    case EAI_NONAME:
      return "Name or service not known";
    case EAI_SERVICE:
      return "Service not supported for this type of socket";
    case EAI_SOCKTYPE:
      return "Type of socket not supported";
    default:
      return "Unknown failure in name resolution";
  }
}

}  // namespace fdloop
