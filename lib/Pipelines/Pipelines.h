//===- Pipelines.h - The passes from a network to kernels -------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_PIPELINES_PIPELINES_H
#define ROOTC_PIPELINES_PIPELINES_H

#include "codegen/Schedules/Source.h"
#include "mlir/Pass/PassManager.h"

#include <string>

namespace rootc {

struct PipelineOptions {
  std::string image; ///< HEIGHTxWIDTH; empty: as the file says
  int64_t root = 0;  ///< groups of the first stage; 0: as the file says
  std::string topology = "root"; ///< root, tree or column
  std::string groups;            ///< NAME=GROUPS,...
  int64_t classes = 0;           ///< 0: as the file says
  std::string freeze;            ///< patterns of layers; empty: none
  bool inferOnly = false;        ///< no training programs
  bool recompute = false;     ///< trade time for the memory of a training step
  bool keepResponses = false; ///< inference stores what a layer's kernel makes
  bool winograd = true;       ///< Winograd's convolution where it is faster
  bool bf16 = false;          ///< maps and packed filters are stored as bf16
  bool matrices = true;       ///< dense convolutions of bf16 by matrix products
  codegen::TargetInfo target;
  codegen::ScheduleSource schedules; ///< before the families' rules
};

/// From a network as written to one with its groups and shapes.
void buildNetworkPipeline(mlir::OpPassManager &passes,
                          const PipelineOptions &options);

/// From there to a planned `root.model` that lib/Translation takes.
void buildModelPipeline(mlir::OpPassManager &passes,
                        const PipelineOptions &options);

/// Both.
void buildPipeline(mlir::OpPassManager &passes, const PipelineOptions &options);

/// Makes `--root-pipeline` known to rootc-opt.
void registerPipelines();

} // namespace rootc

#endif // ROOTC_PIPELINES_PIPELINES_H
