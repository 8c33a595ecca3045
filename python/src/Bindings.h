//===- Bindings.h - What Python sees of the runtime -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_PYTHON_BINDINGS_H
#define ROOTC_PYTHON_BINDINGS_H

#include "Arrays.h"
#include "Network.h"

namespace rootc::python {

/// A data set, for one model's images and classes.
class Dataset {
public:
  Dataset(const std::string &folder, const Network &network,
          const std::string &split, double valFraction, uint64_t seed);

  ImageSource &images() const { return *source; }
  const Network &network() const { return of; }
  bool isTraining() const { return training; }
  const std::vector<std::string> &classNames() const { return names; }
  int threadsFor(int asked) const {
    return asked ? asked : source->defaultThreads();
  }
  /// Measured at the first call.
  const Survey &survey();
  /// What could not be read since the last call.
  std::vector<std::string> takeReports() const { return source->takeReports(); }

private:
  const Network &of;
  bool training;
  std::unique_ptr<ImageSource> source;
  std::vector<std::string> names;
  std::mutex mutex; ///< guards what follows
  std::optional<Survey> measured;
};

void bindModel(nb::module_ &module);
void bindData(nb::module_ &module);

} // namespace rootc::python

#endif // ROOTC_PYTHON_BINDINGS_H
