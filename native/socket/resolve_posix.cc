// resolve_posix.cc: getaddrinfo and getnameinfo.
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "socket/resolve.h"

namespace fdloop {

Answer Resolve(const AddressQuestion& question) {
  addrinfo hints = {};
  hints.ai_family = question.family;
  hints.ai_socktype = question.type;
  hints.ai_protocol = question.protocol;
  hints.ai_flags = question.flags;
  addrinfo* list = nullptr;
  Answer answer;
  answer.error = getaddrinfo(question.host.OrNull(), question.service.OrNull(), &hints, &list);
  if (answer.error == EAI_SYSTEM) answer.system_error = errno;
  if (answer.error != 0) return answer;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    answer.addresses.push_back({info->ai_family, info->ai_socktype, info->ai_protocol,
                                info->ai_canonname == nullptr ? "" : info->ai_canonname,
                                std::string(reinterpret_cast<const char*>(info->ai_addr), info->ai_addrlen)});
  }
  freeaddrinfo(list);
  return answer;
}

Answer Resolve(const NameQuestion& question) {
  // Copied, because the bytes of a string need not be aligned as the structure must be.
  sockaddr_storage address = {};
  Answer answer;
  if (question.address.size() > sizeof address) {
    answer.error = EAI_FAMILY;
    return answer;
  }
  memcpy(&address, question.address.data(), question.address.size());
  char host[NI_MAXHOST] = "";
  char service[NI_MAXSERV] = "";
  answer.error = getnameinfo(reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(question.address.size()), host, sizeof host, service,
                             sizeof service, question.flags);
  if (answer.error == EAI_SYSTEM) answer.system_error = errno;
  answer.host = host;
  answer.service = service;
  return answer;
}

const char* ResolverErrorMessage(int error) { return gai_strerror(error); }

}  // namespace fdloop
