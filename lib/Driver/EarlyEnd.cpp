//===- EarlyEnd.cpp - Ends that no destructor sees ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/EarlyEnd.h"
#include "codegen/Emit/Cleanup.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Signals.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <execinfo.h>
#include <new>
#include <pthread.h>
#include <system_error>
#include <unistd.h>

using namespace llvm;

namespace rootc {

namespace {

/// Given back when memory has run out, for what is to be done then.
std::atomic<void *> reserve;
const size_t reserveBytes = 1 << 20;

void write(StringRef text) {
  [[maybe_unused]] ssize_t count =
      ::write(STDERR_FILENO, text.data(), text.size());
}

[[noreturn]] void quit(StringRef reason) {
  write("rootc: error: ");
  write(reason);
  write("\n");
  codegen::runCleanups();
  _exit(1);
}

[[noreturn]] void quitWithoutThread() {
  quit("no thread can be started: memory or the processes that are allowed "
       "(ulimit -v, ulimit -u) have run out");
}

void onFatalError(void *, const char *reason, bool) {
  // LLVM's own threads have no other way to say it.
  if (StringRef(reason).starts_with("pthread_create failed"))
    quitWithoutThread();
  quit(reason);
}

void onBadAlloc(void *, const char *, bool) {
  free(reserve.exchange(nullptr));
  quit("memory ran out");
}

/// In a thread that no CrashRecoveryContext watches.
void onCrash(void *) {
  quit("the compiler crashed; please report it with the network's file");
}

/// LLVM's libraries are compiled without exceptions, the standard library that
/// they use is not.
void onTerminate() {
  try {
    if (std::exception_ptr exception = std::current_exception())
      std::rethrow_exception(exception);
  } catch (const std::bad_alloc &) {
    onBadAlloc(nullptr, nullptr, false);
  } catch (const std::system_error &error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
      quitWithoutThread();
    quit(error.what());
  } catch (...) {
  }
  onCrash(nullptr);
}

/// The signals that end the program, as far as whoever started it lets them.
sigset_t endingSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU}) {
    struct sigaction action;
    if (!sigaction(number, nullptr, &action) && action.sa_handler == SIG_DFL)
      sigaddset(&set, number);
  }
  return set;
}

/// Waits for one of the signals, cleans up and ends by it.
void *watch(void *signals) {
  const sigset_t &set = *static_cast<sigset_t *>(signals);
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  codegen::runCleanups();
  signal(number, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  raise(number);
  return nullptr;
}

/// A handler could not remove folders; a thread can.
void watchSignals() {
  static sigset_t signals = endingSignals();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, watch, &signals) == 0)
    pthread_detach(thread);
  else
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace

void prepareForEarlyEnd() {
  // First, since LLVM's handlers take the same signals.
  watchSignals();
  reserve = malloc(reserveBytes);
  // The C library looks for its unwinder when it first needs it, and aborts if
  // memory has run out by then.
  void *frame;
  backtrace(&frame, 1);
  install_fatal_error_handler(onFatalError);
  install_bad_alloc_error_handler(onBadAlloc);
  std::set_terminate(onTerminate);
  sys::AddSignalHandler(onCrash, nullptr);
}

} // namespace rootc
