// resolve.cc: questions to the resolver on detached threads.
#include "socket/resolve.h"

#include <mutex>

#include "base/thread.h"
#include "socket/socket.h"

namespace fdloop {

// Owned by the thread and by the Lookup; the last one to let go deletes it, on whichever thread that is.
struct Lookup::Job {
  bool asks_for_addresses = false;
  AddressQuestion address_question;
  NameQuestion name_question;

  // All below belong to the mutex.
  std::mutex mutex;
  bool is_answered = false;
  Answer answer;
  int wake_end = -1;

  void CloseWakeEnd() {
    if (wake_end >= 0) Close(wake_end);
    wake_end = -1;
  }

  static void Main(void* job);
};

void Lookup::Job::Main(void* data) {
  const std::unique_ptr<std::shared_ptr<Job>> owner(static_cast<std::shared_ptr<Job>*>(data));
  Job& job = **owner;
  Answer answer = job.asks_for_addresses ? Resolve(job.address_question) : Resolve(job.name_question);
  const std::lock_guard<std::mutex> lock(job.mutex);
  job.answer = std::move(answer);
  job.is_answered = true;
  // With the mutex held: whoever finds the answer also finds the descriptor closed.
  if (job.wake_end >= 0) {
    const uint8_t byte = 0;
    Send(job.wake_end, &byte, 1, kDoNotWait);
    job.CloseWakeEnd();
  }
}

Result Lookup::StartThread(std::shared_ptr<Job> job, int wake_fd) {
  const Result copy = Duplicate(wake_fd);
  if (copy < 0) return copy;
  job->wake_end = copy;
  auto owner = std::make_unique<std::shared_ptr<Job>>(job);
  Thread thread;
  const Result started = thread.Start(Job::Main, owner.get());
  if (started < 0) {
    job->CloseWakeEnd();
    return started;
  }
  thread.Detach();
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
  const std::shared_ptr<Job> job = job_;
  const std::lock_guard<std::mutex> lock(job->mutex);
  if (!job->is_answered) return false;
  *answer = std::move(job->answer);
  job_.reset();
  return true;
}

void Lookup::Abandon() {
  if (job_ == nullptr) return;
  {
    const std::lock_guard<std::mutex> lock(job_->mutex);
    job_->CloseWakeEnd();
  }
  job_.reset();
}

}  // namespace fdloop
