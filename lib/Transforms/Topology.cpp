//===- Topology.cpp - Filter groups by depth or by name -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rules are in the pass's description. They look at the network's graph and
// its maps at the declared image size alone, never at names, so that they hold
// for any network.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

namespace rootc {
#define GEN_PASS_DEF_TOPOLOGY
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

using namespace mlir;
using namespace rootc::root;

namespace {

using ShapeMap = llvm::DenseMap<Value, MapShape>;

/// The convolutions with a kernel larger than 1x1 that are reached from the
/// image only through another convolution.
llvm::DenseSet<Operation *> spatialConvolutions(NetworkOp network) {
  llvm::DenseSet<Operation *> spatial;
  llvm::DenseSet<Value> nearImage = {network.getImageArgument()};
  for (Operation &op : network.getBody().front()) {
    bool near = llvm::any_of(op.getOperands(), [&](Value operand) {
      return nearImage.contains(operand);
    });
    if (auto conv = dyn_cast<Conv2dOp>(op)) {
      if (!near && conv.isSpatial())
        spatial.insert(&op);
    } else if (near) {
      nearImage.insert_range(op.getResults());
    }
  }
  return spatial;
}

/// The stage of each map size among the spatial convolutions, the largest map
/// being stage 0; of two equally large, the one that comes first.
llvm::DenseMap<std::pair<int64_t, int64_t>, int64_t>
stagesBySize(NetworkOp network, const llvm::DenseSet<Operation *> &spatial,
             ShapeMap &shapes) {
  SmallVector<std::pair<int64_t, int64_t>> sizes;
  for (Operation &op : network.getBody().front()) {
    if (!spatial.contains(&op))
      continue;
    MapShape shape = shapes[op.getResult(0)];
    if (!llvm::is_contained(sizes, std::pair(shape.height, shape.width)))
      sizes.emplace_back(shape.height, shape.width);
  }
  llvm::stable_sort(sizes, [](auto a, auto b) {
    return a.first * a.second > b.first * b.second;
  });
  llvm::DenseMap<std::pair<int64_t, int64_t>, int64_t> stages;
  for (auto [stage, size] : llvm::enumerate(sizes))
    stages[size] = stage;
  return stages;
}

/// Whether a dense 1x1 convolution mixes what `value` holds before any other
/// layer with weights does.
bool isMixed(Value value) {
  llvm::SetVector<Value> reached;
  reached.insert(value);
  for (size_t i = 0; i < reached.size(); ++i)
    for (Operation *user : reached[i].getUsers()) {
      if (auto conv = dyn_cast<Conv2dOp>(user)) {
        if (!conv.isSpatial() && conv.getGroups() == 1)
          return true;
      } else if (!isa<LinearOp>(user)) {
        reached.insert_range(user->getResults());
      }
    }
  return false;
}

struct Topology : rootc::impl::TopologyBase<Topology> {
  using TopologyBase::TopologyBase;

  void runOnOperation() override {
    ShapeMap shapes;
    NetworkOp network = getOperation();
    if (failed(network.inferShapes(network.getImageShape(), shapes)))
      return signalPassFailure();
    llvm::DenseSet<Operation *> named;
    if (failed(groupByName(network, shapes, named)) ||
        (root != 0 && failed(groupByStage(network, shapes, named))))
      return signalPassFailure();
    for (auto conv : network.getBody().front().getOps<Conv2dOp>()) {
      if (conv.getGroups() > 1 && !isMixed(conv.getResult()))
        conv.emitRemark() << "\"" << conv.getLayer() << "\" has "
                          << conv.getGroups()
                          << " groups, and no 1x1 convolution mixes them again";
    }
  }

private:
  LogicalResult setGroups(Conv2dOp conv, ShapeMap &shapes, int64_t groups) {
    int64_t channels = shapes[conv.getInput()].channels;
    if (groups < 1 || channels % groups != 0 || conv.getFilters() % groups != 0)
      return conv.emitError()
             << "\"" << conv.getLayer() << "\" cannot have " << groups
             << " groups: they do not divide its " << channels
             << " input channels and " << conv.getFilters()
             << " filters; choose other groups, or mark it 'ungrouped'";
    conv.setGroups(groups);
    return success();
  }

  LogicalResult groupByName(NetworkOp network, ShapeMap &shapes,
                            llvm::DenseSet<Operation *> &named) {
    if (groups.empty())
      return success();
    llvm::StringMap<Conv2dOp> convolutions;
    SmallVector<StringRef> names;
    for (auto conv : network.getBody().front().getOps<Conv2dOp>()) {
      convolutions[conv.getLayer()] = conv;
      names.push_back(conv.getLayer());
    }
    for (StringRef item : llvm::split(StringRef(groups), ',')) {
      auto [name, number] = item.rsplit('=');
      int64_t count;
      if (name.empty() || number.getAsInteger(10, count))
        return network.emitError()
               << "groups '" << item << "' is not NAME=GROUPS, as in conv2a=4";
      auto found = convolutions.find(name);
      if (found == convolutions.end())
        return network.emitError()
               << "groups '" << item << "': no convolution is named '" << name
               << "'; there are " << llvm::join(names, ", ");
      if (!named.insert(found->second).second)
        return network.emitError()
               << "groups '" << item << "': '" << name << "' is given twice";
      if (failed(setGroups(found->second, shapes, count)))
        return failure();
    }
    return success();
  }

  LogicalResult groupByStage(NetworkOp network, ShapeMap &shapes,
                             const llvm::DenseSet<Operation *> &named) {
    if (topology != "root" && topology != "tree" && topology != "column")
      return network.emitError()
             << "topology '" << topology << "' is not root, tree or column";
    if (root < 1 || root > maxElements)
      return network.emitError() << plan() << ": the number of groups must be "
                                 << "from 1 to " << maxElements;
    llvm::DenseSet<Operation *> spatial = spatialConvolutions(network);
    auto stages = stagesBySize(network, spatial, shapes);
    bool changed = false, grouped = false;
    for (auto conv : network.getBody().front().getOps<Conv2dOp>()) {
      if (named.contains(conv) || (!spatial.contains(conv) && !conv.getStage()))
        continue;
      if (conv.getUngrouped() || conv.getGroups() != 1) {
        InFlightDiagnostic remark = conv.emitRemark();
        remark << "\"" << conv.getLayer() << "\" is left as it is: ";
        if (conv.getUngrouped())
          remark << "it is marked 'ungrouped'";
        else
          remark << "it has " << conv.getGroups() << " groups already";
        continue;
      }
      MapShape shape = shapes[conv.getResult()];
      int64_t stage = conv.getStage() ? static_cast<int64_t>(*conv.getStage())
                                      : stages.at({shape.height, shape.width});
      int64_t count = groupsAt(stage);
      if (failed(setGroups(conv, shapes, count)))
        return failure();
      changed = true;
      grouped |= count > 1;
    }
    if (grouped)
      return success();
    if (changed && root == 1) {
      network.emitRemark() << plan() << " makes no groups: every convolution "
                           << "has one anyway";
      return success();
    }
    if (changed)
      return network.emitError()
             << plan() << " makes no groups: at the stages of the convolutions "
             << "that it may change, 1 group is left; give a larger number";
    return network.emitError()
           << plan()
           << " changes nothing: it needs a convolution with one group, larger "
              "than 1x1 and behind another convolution, or a clause 'stage'";
  }

  /// "root-8"
  std::string plan() const {
    return topology + "-" + std::to_string(root.getValue());
  }

  int64_t groupsAt(int64_t stage) const {
    if (topology == "root")
      return std::max<int64_t>(1, root >> stage);
    if (topology == "column")
      return root;
    // More than any channel count: refused, as it divides none.
    return stage > 31 ? INT64_MAX : root << stage;
  }
};

} // namespace
