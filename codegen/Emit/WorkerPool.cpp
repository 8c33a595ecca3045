//===- WorkerPool.cpp - Processes that answer a line with a line ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/WorkerPool.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace rootc::codegen {

namespace {

using Clock = std::chrono::steady_clock;

/// One process: a socket as its standard input and output, a nameless file as
/// its standard error. Killed and reaped with the object.
class Worker {
public:
  ~Worker() { stop(); }
  Worker() = default;
  Worker(const Worker &) = delete;

  std::string start(const std::string &program) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
      return strerror(errno);
    FILE *file = tmpfile();
    if (file) {
      log = fcntl(fileno(file), F_DUPFD_CLOEXEC, 3);
      fclose(file);
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (log >= 0)
      posix_spawn_file_actions_adddup2(&actions, log, 2);
    std::string name = program;
    char *arguments[] = {name.data(), nullptr};
    int error = posix_spawn(&process, program.c_str(), &actions, nullptr,
                            arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (!error) {
      socket = ends[0];
      return "";
    }
    process = -1;
    close(ends[0]);
    if (log >= 0)
      close(log);
    return strerror(error);
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

  int socket = -1;
  bool wasBroken = false;
  bool busy = false;
  size_t job = 0;
  Clock::time_point deadline;

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
  int log = -1;
  std::string received;
};

class Run {
public:
  Run(const std::vector<std::string> &jobs, const WorkerPoolOptions &options,
      const std::function<void(size_t, WorkerAnswer)> &done)
      : jobs(jobs), options(options), done(done) {}

  std::string run() {
    workers.resize(
        std::min<size_t>(std::max(options.workers, 1u), jobs.size()));
    while (finished < jobs.size()) {
      for (size_t i = 0; i < workers.size() && next < jobs.size(); ++i) {
        if (workers[i] && workers[i]->busy)
          continue;
        if (std::string error = give(workers[i]); !error.empty()) {
          workers.erase(workers.begin() + i--);
          if (workers.empty())
            return error;
          refusal = error;
        }
      }
      if (!refusal.empty() && options.warn)
        options.warn("no more than " + std::to_string(workers.size()) +
                     " processes of " + options.program +
                     " can be started: " + refusal + "; going on with these");
      refusal.clear();
      wait();
    }
    return "";
  }

private:
  std::string give(std::unique_ptr<Worker> &worker) {
    if (!worker) {
      worker = std::make_unique<Worker>();
      if (std::string error = worker->start(options.program); !error.empty())
        return error;
    }
    worker->busy = true;
    worker->job = next++;
    worker->deadline =
        Clock::now() + std::chrono::seconds(options.timeoutSeconds);
    if (!worker->send(jobs[worker->job]))
      lose(worker, "");
    return "";
  }

  void finish(Worker &worker, WorkerAnswer answer) {
    worker.busy = false;
    ++finished;
    done(worker.job, std::move(answer));
  }

  /// The process is gone, or is to go: its job has failed.
  void lose(std::unique_ptr<Worker> &worker, const std::string &why) {
    worker->wasBroken = why.empty();
    std::string how = worker->stop();
    finish(*worker, {false, why.empty() ? how : why});
    worker.reset();
  }

  void wait() {
    std::vector<pollfd> waiting;
    std::vector<std::unique_ptr<Worker> *> owners;
    auto soonest = Clock::time_point::max();
    for (auto &worker : workers) {
      if (!worker || !worker->busy)
        continue;
      waiting.push_back({worker->socket, POLLIN, 0});
      owners.push_back(&worker);
      soonest = std::min(soonest, worker->deadline);
    }
    if (waiting.empty())
      return;
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        soonest - Clock::now());
    poll(waiting.data(), waiting.size(),
         std::max<int64_t>(0, left.count() + 1));
    for (size_t i = 0; i < waiting.size(); ++i) {
      std::unique_ptr<Worker> &worker = *owners[i];
      std::string line;
      if (waiting[i].revents && !worker->receive())
        lose(worker, "");
      else if (worker->takeLine(line))
        finish(*worker, {true, std::move(line)});
      else if (Clock::now() > worker->deadline)
        lose(worker, "it took more than " +
                         std::to_string(options.timeoutSeconds) + " s");
    }
  }

  const std::vector<std::string> &jobs;
  const WorkerPoolOptions &options;
  const std::function<void(size_t, WorkerAnswer)> &done;
  std::vector<std::unique_ptr<Worker>> workers;
  size_t next = 0, finished = 0;
  std::string refusal; ///< why a process could not be started
};

} // namespace

std::string runJobs(const std::vector<std::string> &jobs,
                    const WorkerPoolOptions &options,
                    const std::function<void(size_t, WorkerAnswer)> &done) {
  return Run(jobs, options, done).run();
}

} // namespace rootc::codegen
