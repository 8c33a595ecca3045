//===- WorkerPool.cpp - Processes that answer a line with a line ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/WorkerPool.h"
#include "codegen/Emit/Cleanup.h"
#include "codegen/Emit/ProcessorTime.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

extern char **environ;

namespace rootc::codegen {

namespace {

using Clock = std::chrono::steady_clock;

/// One process: a socket as its standard input and output, memory as its
/// standard error, where no full disk loses it. Killed and reaped with the
/// object.
class Worker {
public:
  ~Worker() { stop(); }
  Worker() = default;
  Worker(const Worker &) = delete;

  std::string start(const std::string &program) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
      return strerror(errno);
    log = memfd_create("rootc-kernel", MFD_CLOEXEC);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (log >= 0)
      posix_spawn_file_actions_adddup2(&actions, log, 2);
    // What this program waits for is not blocked in others.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    std::string name = program;
    char *arguments[] = {name.data(), nullptr};
    int error = posix_spawn(&process, program.c_str(), &actions, &attributes,
                            arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error) {
      process = -1;
      close(ends[0]);
      if (log >= 0)
        close(log);
      return strerror(error);
    }
    socket = ends[0];
    cleanup = addCleanup([id = process] { kill(id, SIGKILL); });
    return "";
  }

  /// False if the process is gone.
  bool send(const std::string &job) {
    std::string line = job + "\n";
    for (size_t sent = 0; sent < line.size();) {
      ssize_t count =
          ::send(socket, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return false;
      sent += count;
    }
    return true;
  }

  /// Appends what has arrived; false at the end.
  bool receive() {
    char bytes[65536];
    ssize_t count = recv(socket, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EINTR)
      return true;
    if (count <= 0)
      return false;
    received.append(bytes, count);
    return true;
  }

  bool takeLine(std::string &line) {
    size_t end = received.find('\n');
    if (end == std::string::npos)
      return false;
    line = received.substr(0, end);
    received.erase(0, end + 1);
    return true;
  }

  /// Ends the process and says how it had ended before, if it had.
  std::string stop() {
    if (process < 0)
      return "";
    // Before the number can be another process's.
    removeCleanup(cleanup);
    std::string how = "it closed its output";
    int status = 0;
    // A process that crashes has closed its socket a moment before it is dead.
    pid_t ended = 0;
    for (int i = 0; i < 100 && ended == 0; ++i) {
      ended = waitpid(process, &status, WNOHANG);
      if (ended == 0) {
        if (!wasBroken)
          break;
        usleep(1000);
      }
    }
    if (ended == process) {
      if (WIFSIGNALED(status))
        how = std::string("it was ended by signal ") +
              std::to_string(WTERMSIG(status)) + " (" +
              strsignal(WTERMSIG(status)) + ")";
      else
        how = "it ended with code " + std::to_string(WEXITSTATUS(status));
    } else {
      kill(process, SIGKILL);
      waitpid(process, &status, 0);
    }
    process = -1;
    close(socket);
    how += lastWords();
    if (log >= 0)
      close(log);
    return how;
  }

  /// A job begins.
  void begin(size_t number) {
    busy = true;
    job = number;
    used = usedBefore = processorSeconds(process, false).value_or(0);
    progressed = looked = Clock::now();
  }

  /// Why the job it has takes too long, "" if it does not.
  std::string overdue(unsigned seconds) {
    if (Clock::now() < deadline(seconds))
      return "";
    looked = Clock::now();
    bool isLong = looked - progressed > std::chrono::seconds(seconds);
    std::string limit = "it took more than " + std::to_string(seconds) + " s";
    std::optional<double> now = processorSeconds(process, true);
    if (!now)
      return isLong ? limit : "";
    if (*now - usedBefore > seconds)
      return limit + " of processor time";
    if (*now == used)
      return isLong ? limit + " and computed nothing meanwhile" : "";
    used = *now;
    progressed = looked;
    return "";
  }

  /// When `overdue` is to be asked again.
  Clock::time_point deadline(unsigned seconds) const {
    double left = std::max(seconds - (used - usedBefore), 0.1);
    return looked + std::chrono::milliseconds(int64_t(left * 1000));
  }

  int socket = -1;
  bool wasBroken = false;
  bool busy = false;
  size_t job = 0;

private:
  std::string lastWords() {
    char bytes[2048];
    off_t size = log < 0 ? 0 : lseek(log, 0, SEEK_END);
    if (size <= 0)
      return "";
    off_t from = size > off_t(sizeof bytes) ? size - sizeof bytes : 0;
    ssize_t count = pread(log, bytes, sizeof bytes, from);
    while (count > 0 && bytes[count - 1] == '\n')
      --count;
    return count > 0 ? "; it wrote: " + std::string(bytes, count) : "";
  }

  pid_t process = -1;
  uint64_t cleanup = 0;
  int log = -1;
  /// Processor time when the job began and when last looked at; when that was,
  /// and when it had last become more.
  double usedBefore = 0, used = 0;
  Clock::time_point looked, progressed;
  std::string received;
};

class Run {
public:
  Run(const WorkerPoolOptions &options, const std::function<WorkerJob()> &next,
      const std::function<void(size_t, WorkerAnswer)> &done)
      : options(options), next(next), done(done),
        workers(std::max(options.workers, 1u)) {}

  std::string run() {
    while (true) {
      bool isWaiting = false;
      if (std::string error = giveAll(isWaiting); !error.empty())
        return error;
      bool isBusy =
          std::any_of(workers.begin(), workers.end(), [](const auto &worker) {
            return worker && worker->busy;
          });
      if (isEnded && !isBusy)
        return "";
      if (!isBusy && !isWaiting)
        continue;
      wait(isWaiting ? Clock::now() + std::chrono::milliseconds(100)
                     : Clock::time_point::max());
    }
  }

private:
  /// Gives jobs to all processes that are free. A job whose process could not
  /// be started waits for another one.
  std::string giveAll(bool &isWaiting) {
    std::string refusal;
    for (size_t i = 0; i < workers.size() && !isEnded && !isWaiting;) {
      if (workers[i] && workers[i]->busy) {
        ++i;
        continue;
      }
      if (job.kind != WorkerJob::Kind::Job)
        job = next();
      isEnded = job.kind == WorkerJob::Kind::None;
      isWaiting = job.kind == WorkerJob::Kind::Later;
      if (job.kind != WorkerJob::Kind::Job)
        break;
      std::string error = give(workers[i]);
      if (error.empty()) {
        job = {};
        continue;
      }
      workers.erase(workers.begin() + i);
      if (workers.empty())
        return error;
      refusal = error;
    }
    if (!refusal.empty() && options.warn)
      options.warn("no more than " + std::to_string(workers.size()) +
                   " processes of " + options.program +
                   " can be started: " + refusal + "; going on with these");
    return "";
  }

  std::string give(std::unique_ptr<Worker> &worker) {
    if (!worker) {
      worker = std::make_unique<Worker>();
      if (std::string error = worker->start(options.program); !error.empty())
        return error;
    }
    worker->begin(job.number);
    if (!worker->send(job.line))
      lose(worker, "");
    return "";
  }

  void finish(Worker &worker, WorkerAnswer answer) {
    worker.busy = false;
    done(worker.job, std::move(answer));
  }

  /// The process is gone, or is to go: its job has failed.
  void lose(std::unique_ptr<Worker> &worker, const std::string &why) {
    worker->wasBroken = why.empty();
    std::string how = worker->stop();
    finish(*worker, {false, why.empty() ? how : why});
    worker.reset();
  }

  void wait(Clock::time_point until) {
    std::vector<pollfd> waiting;
    std::vector<std::unique_ptr<Worker> *> owners;
    for (auto &worker : workers) {
      if (!worker || !worker->busy)
        continue;
      waiting.push_back({worker->socket, POLLIN, 0});
      owners.push_back(&worker);
      until = std::min(until, worker->deadline(options.timeoutSeconds));
    }
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - Clock::now());
    poll(waiting.data(), waiting.size(),
         std::clamp<int64_t>(left.count() + 1, 0, INT_MAX));
    for (size_t i = 0; i < waiting.size(); ++i) {
      std::unique_ptr<Worker> &worker = *owners[i];
      std::string line;
      if (waiting[i].revents && !worker->receive())
        lose(worker, "");
      else if (worker->takeLine(line))
        finish(*worker, {true, std::move(line)});
      else if (std::string why = worker->overdue(options.timeoutSeconds);
               !why.empty())
        lose(worker, why);
    }
  }

  const WorkerPoolOptions &options;
  const std::function<WorkerJob()> &next;
  const std::function<void(size_t, WorkerAnswer)> &done;
  std::vector<std::unique_ptr<Worker>> workers;
  WorkerJob job; ///< the next one, if it is a job
  bool isEnded = false;
};

} // namespace

std::string runJobs(const WorkerPoolOptions &options,
                    const std::function<WorkerJob()> &next,
                    const std::function<void(size_t, WorkerAnswer)> &done) {
  return Run(options, next, done).run();
}

std::string runJob(const WorkerPoolOptions &options, const std::string &line,
                   WorkerAnswer &answer) {
  bool isAsked = false;
  return runJobs(
      options,
      [&]() -> WorkerJob {
        if (std::exchange(isAsked, true))
          return {};
        return {WorkerJob::Kind::Job, 0, line};
      },
      [&](size_t, WorkerAnswer given) { answer = std::move(given); });
}

} // namespace rootc::codegen
