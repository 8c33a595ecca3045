//===- BatchFeed.h - Batches brought to a device in time --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_BATCHFEED_H
#define ROOTC_RUNTIME_BATCHFEED_H

#include "Loader.h"
#include "rootc/runtime.h"

namespace rootc {

/// A loader's batches for a model. Where that runs on a device, the images of
/// the batch behind the one handed out go up while the device works on this.
/// The loader outlives it.
class BatchFeed {
public:
  BatchFeed(Model model, Loader &loader)
      : ahead(std::move(model)), loader(loader) {}
  /// As Loader::next, but nothing may be moved out of the batch.
  const Batch *next() {
    const Batch *batch = loader.next();
    if (const Batch *following = loader.ready())
      ahead.begin(following->image);
    return batch;
  }

private:
  ImagesAhead ahead;
  Loader &loader;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_BATCHFEED_H
