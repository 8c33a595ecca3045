//===- FreezeLayers.cpp - Which layers are not trained --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Frozen.h"
#include "lib/Analysis/LayerGraph.h"
#include "lib/Transforms/Passes.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/GlobPattern.h"

namespace rootc {
#define GEN_PASS_DEF_FREEZELAYERS
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

static StringRef nameOf(Operation &layer) {
  return layer.getAttrOfType<StringAttr>("layer").getValue();
}

namespace {
struct FreezeLayers : rootc::impl::FreezeLayersBase<FreezeLayers> {
  using FreezeLayersBase::FreezeLayersBase;

  void runOnOperation() override {
    SmallVector<Operation *> named;
    for (Operation &op : getOperation().getBody().front())
      if (op.hasAttr("layer"))
        named.push_back(&op);
    for (StringRef item : llvm::split(StringRef(layers), ','))
      if (failed(apply(item, named)))
        return signalPassFailure();
    auto used = usedLayers(getOperation(), /*training=*/true);
    if (llvm::all_of(named, [&](Operation *op) {
          return isFrozen(op) || !used.contains(op);
        })) {
      getOperation().emitError() << "freeze '" << layers
                                 << "' leaves nothing to train; leave at least "
                                    "the classifier out, as in '*,!"
                                 << nameOf(*named.back()) << "'";
      signalPassFailure();
    }
  }

private:
  LogicalResult apply(StringRef item, ArrayRef<Operation *> named) {
    StringRef text = item;
    bool frozen = !text.consume_front("!");
    auto refuse = [&](const Twine &why) -> LogicalResult {
      return getOperation().emitError() << "freeze '" << item << "': " << why;
    };
    if (text.empty())
      return refuse("no pattern of layers' names; give one as in 'conv1' or "
                    "'layer1.*'");
    llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(text);
    if (!pattern)
      return refuse(llvm::toString(pattern.takeError()));
    bool any = false;
    for (Operation *op : named) {
      if (!pattern->match(nameOf(*op)))
        continue;
      any = true;
      if (frozen)
        op->setAttr(frozenAttrName, UnitAttr::get(&getContext()));
      else
        op->removeAttr(frozenAttrName);
    }
    if (any)
      return success();
    return refuse(
        "no layer with weights has such a name; there are " +
        llvm::join(llvm::map_range(
                       named, [](Operation *op) { return nameOf(*op).str(); }),
                   ", "));
  }
};
} // namespace
