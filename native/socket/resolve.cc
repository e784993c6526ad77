// resolve.cc: questions to the resolver on detached threads.
#include "socket/resolve.h"

#include "socket/detached_job.h"

namespace fdloop {

struct Lookup::Job final : DetachedJob {
  void Work() override { answer = asks_for_addresses ? Resolve(address_question) : Resolve(name_question); }

  bool asks_for_addresses = false;
  AddressQuestion address_question;
  NameQuestion name_question;
  Answer answer;
};

Result Lookup::StartThread(std::shared_ptr<Job> job, int wake_fd) {
  const Result started = DetachedJob::Start(job, wake_fd);
  if (started >= 0) job_ = std::move(job);
  return started;
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
  if (job_ == nullptr || !job_->IsDone()) return false;
  *answer = std::move(job_->answer);
  job_.reset();
  return true;
}

void Lookup::Abandon() {
  if (job_ != nullptr) job_->Abandon();
  job_.reset();
}

}  // namespace fdloop
