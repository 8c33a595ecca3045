//===- TrainingCost.h - What a training step computes -----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_TRAININGCOST_H
#define ROOTC_DRIVER_TRAININGCOST_H

#include "codegen/Program.h"
#include "lib/Analysis/Cost.h"

namespace rootc {

/// Writes what one training step of `model` computes, layer by layer, and
/// keeps in memory; with `whole`, the same network with nothing frozen, also
/// what freezing saves. Multiply-adds are of convolutions and linear layers,
/// for one image, without biases; bytes are as planned, of `batch` images.
void emitTrainingCost(const codegen::Model &model, const codegen::Model *whole,
                      int64_t batch, CostFormat format, llvm::raw_ostream &out);

} // namespace rootc

#endif // ROOTC_DRIVER_TRAININGCOST_H
