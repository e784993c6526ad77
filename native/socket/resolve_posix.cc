// resolve_posix.cc: getaddrinfo and getnameinfo on detached threads.
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/unique_fd.h"
#include "socket/resolve.h"
#include "socket/socket.h"

namespace fdloop {

// Owned by the thread and by the Lookup; the last one to let go deletes it, on whichever thread that is.
struct Lookup::Job {
  bool asks_for_addresses = false;
  AddressQuestion address_question;
  NameQuestion name_question;

  // All below belong to the mutex.
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  bool is_answered = false;
  Answer answer;
  UniqueFd wake_end;

  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  ~Job() { pthread_mutex_destroy(&mutex); }

  static void* Main(void* job);
};

namespace {

Answer FindAddresses(const AddressQuestion& question) {
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

Answer FindNames(const NameQuestion& question) {
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

}  // namespace

void* Lookup::Job::Main(void* data) {
  const std::unique_ptr<std::shared_ptr<Job>> owner(static_cast<std::shared_ptr<Job>*>(data));
  Job& job = **owner;
  Answer answer = job.asks_for_addresses ? FindAddresses(job.address_question) : FindNames(job.name_question);
  pthread_mutex_lock(&job.mutex);
  job.answer = std::move(answer);
  job.is_answered = true;
  // With the mutex held: whoever finds the answer also finds the descriptor closed.
  if (job.wake_end.IsOpen()) {
    const uint8_t byte = 0;
    Send(job.wake_end.get(), &byte, 1, MSG_DONTWAIT);
    job.wake_end.Reset();
  }
  pthread_mutex_unlock(&job.mutex);
  return nullptr;
}

Result Lookup::StartThread(std::shared_ptr<Job> job, int wake_fd) {
  job->wake_end.Reset(fcntl(wake_fd, F_DUPFD_CLOEXEC, 0));
  if (!job->wake_end.IsOpen()) return LastFailure();
  auto owner = std::make_unique<std::shared_ptr<Job>>(job);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // Signals are the host's: none of them is to be handled on this thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int failure = pthread_create(&thread, &attributes, Job::Main, owner.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (failure != 0) return -failure;
  owner.release();
  job_ = std::move(job);
  return 0;
}

Result Lookup::Start(AddressQuestion question, int wake_fd) {
  auto job = std::make_shared<Job>();
  job->asks_for_addresses = true;
  job->address_question = std::move(question);
  return StartThread(std::move(job), wake_fd);
}

Result Lookup::Start(NameQuestion question, int wake_fd) {
  auto job = std::make_shared<Job>();
  job->name_question = std::move(question);
  return StartThread(std::move(job), wake_fd);
}

bool Lookup::TakeAnswer(Answer* answer) {
  if (job_ == nullptr) return false;
  pthread_mutex_lock(&job_->mutex);
  const bool is_answered = job_->is_answered;
  if (is_answered) *answer = std::move(job_->answer);
  pthread_mutex_unlock(&job_->mutex);
  if (is_answered) job_.reset();
  return is_answered;
}

void Lookup::Abandon() {
  if (job_ == nullptr) return;
  pthread_mutex_lock(&job_->mutex);
  job_->wake_end.Reset();
  pthread_mutex_unlock(&job_->mutex);
  job_.reset();
}

const char* ResolverErrorMessage(int error) { return gai_strerror(error); }

}  // namespace fdloop
