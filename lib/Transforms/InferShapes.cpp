//===- InferShapes.cpp - Types of a network's values ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"

#include "llvm/ADT/DenseMap.h"

namespace rootc {
#define GEN_PASS_DEF_INFERSHAPES
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

using namespace mlir;
using namespace rootc::root;

namespace {

struct InferShapes : rootc::impl::InferShapesBase<InferShapes> {
  using InferShapesBase::InferShapesBase;

  void runOnOperation() override {
    NetworkOp network = getOperation();
    MapShape shape = network.getImageShape();
    if (!image.empty()) {
      auto [height, width] = StringRef(image).split('x');
      if (height.getAsInteger(10, shape.height) ||
          width.getAsInteger(10, shape.width) || shape.height < 1 ||
          shape.width < 1 || shape.height > maxElements ||
          shape.width > maxElements ||
          !elementCount({shape.height, shape.width, shape.channels})) {
        network.emitError()
            << "image size '" << image << "' is not HEIGHTxWIDTH with at most "
            << maxElements << " values, as in 32x32";
        return signalPassFailure();
      }
    }
    llvm::DenseMap<Value, MapShape> shapes;
    if (failed(network.inferShapes(shape, shapes)))
      return signalPassFailure();
    for (auto [value, inferred] : shapes)
      value.setType(ImageType::get(
          &getContext(), {inferred.height, inferred.width, inferred.channels}));
    network.setImage({shape.height, shape.width, shape.channels});
    network.setShaped(true);
  }
};

} // namespace
