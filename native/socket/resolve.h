// resolve.h: questions to the system's resolver, each on a thread of its own. The resolver blocks for as long
// as it likes, up to minutes, and cannot be interrupted; so nobody ever waits for such a thread, and what it
// works on belongs to it as much as to whoever asked. How many questions are asked at a time is the caller's
// affair.
#ifndef FDLOOP_SOCKET_RESOLVE_H_
#define FDLOOP_SOCKET_RESOLVE_H_

#include <stddef.h>
#include <stdint.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace fdloop {

// Absent is not the same as empty: an absent host means this machine.
struct OptionalText {
  bool is_present = false;
  std::string text;

  const char* OrNull() const { return is_present ? text.c_str() : nullptr; }
};

// What are the addresses of a host and a service? (getaddrinfo)
struct AddressQuestion {
  OptionalText host;
  OptionalText service;
  int family = 0;
  int type = 0;
  int protocol = 0;
  int flags = 0;
};

// What are the names of an address? (getnameinfo)
struct NameQuestion {
  std::string address;  // The bytes of a sockaddr.
  int flags = 0;
};

struct ResolvedAddress {
  int family;
  int type;
  int protocol;
  std::string canonical_name;
  std::string address;  // The bytes of a sockaddr.
};

struct Answer {
  int error = 0;         // An EAI number of the platform; 0 is success.
  int system_error = 0;  // The errno behind EAI_SYSTEM.
  std::vector<ResolvedAddress> addresses;
  std::string host;
  std::string service;
};

// Asks on this thread. The leaf of a system; Lookup is made of these.
Answer Resolve(const AddressQuestion& question);
Answer Resolve(const NameQuestion& question);

// One question, on a thread of its own: see detached_job.h.
class Lookup {
 public:
  Lookup() = default;
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup() { Abandon(); }

  // Asks. Once the answer is there, one byte is sent to the socket `wake_fd`. May be called once.
  Result Start(AddressQuestion question, int wake_fd);
  Result Start(NameQuestion question, int wake_fd);

  // Whether the answer was there. It is given away once. From then on the duplicate is closed.
  bool TakeAnswer(Answer* answer);

  // The answer is not wanted any more: nobody is woken, and the duplicate is closed now.
  void Abandon();

 private:
  struct Job;

  Result StartThread(std::shared_ptr<Job> job, int wake_fd);

  std::shared_ptr<Job> job_;
};

// The system's text for an EAI number.
const char* ResolverErrorMessage(int error);

}  // namespace fdloop

#endif  // FDLOOP_SOCKET_RESOLVE_H_
