//===- FakeModel.h - A model written by hand --------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_RUNTIME_FAKEMODEL_H
#define ROOTC_TEST_RUNTIME_FAKEMODEL_H

#include "rootc/model.h"

/// Softmax regression on 32 x 32 x 3 images with 10 classes.
extern "C" const rootc_model *fake_model();

#endif // ROOTC_TEST_RUNTIME_FAKEMODEL_H
