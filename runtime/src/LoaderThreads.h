//===- LoaderThreads.h - Threads that read images ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_LOADERTHREADS_H
#define ROOTC_RUNTIME_LOADERTHREADS_H

#include "Support.h"

#include <thread>

namespace rootc {

/// The system starts no more threads.
class TooFewThreads : public Error {
public:
  TooFewThreads(int asked, int started, const std::string &reason);
  int started; ///< as many could be
};

/// Starts `count` threads that run work(), to be joined by the caller. If not
/// all can be started, calls stop(), at which those that run are to end, joins
/// them, and throws TooFewThreads.
std::vector<std::thread> startLoaderThreads(int count,
                                            const std::function<void()> &work,
                                            const std::function<void()> &stop);

} // namespace rootc

#endif // ROOTC_RUNTIME_LOADERTHREADS_H
