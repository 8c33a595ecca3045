//===- OrderProblem.h - Which channel orders cost least ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Values that ops read and write point by point, or channel by channel, share
// one channel order: a class. Each class may have any order; what then has to
// be shuffled, and what grouped convolutions do not gain, is its cost. A dense
// convolution takes any orders and costs nothing, so it ends a class; all else
// that is no convolution needs the standard order.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_ORDERPROBLEM_H
#define ROOTC_TRANSFORMS_ORDERPROBLEM_H

#include "codegen/Kernel.h"
#include "dialect/RootDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <string>

namespace rootc {

/// Whether `op` computes the same in every channel order, its vectors being in
/// the order of its maps.
bool goesAlong(mlir::Operation *op);
/// Of `op`'s operands and results, those with the channels of its maps.
llvm::SmallVector<mlir::Value> valuesAlong(mlir::Operation *op);

/// Costs are multiply-adds, for one image.
class OrderProblem {
public:
  /// The ops of `program`, whose convolutions all have the standard orders.
  /// `pairs`: those that products of bf16 matrices suit want the standard one.
  OrderProblem(root::ProgramOp program, const codegen::TargetInfo &target,
               bool pairs);
  /// Chooses an order for each class: none that one class or the neighbours of
  /// one grouped convolution could change for less cost.
  void solve();

  /// The order of a value's class; 1 where it has none.
  int64_t order(mlir::Value value) const;
  /// Whether a grouped convolution has its groups innermost.
  bool isGroupInnermost(mlir::Operation *conv) const;
  /// Why a grouped convolution whose groups would be faster innermost has them
  /// apart; empty where it has not, or would not be faster.
  std::string whyStandard(mlir::Operation *conv) const;

private:
  struct Class {
    int64_t channels = 0;
    int64_t order = 1;
    bool fixed = false;         ///< made in the standard order
    double shuffleCost = 0;     ///< in other orders: of what needs that one
    std::vector<int64_t> terms; ///< that its order matters to
  };
  struct Port {
    int64_t owner; ///< a class
    mlir::Value value;
  };
  /// A layer's grouped convolutions, forward and backward: their maps are
  /// shuffled into the groups' order, or into the standard one at `loss`. Or a
  /// channel shuffle of `ports[0]` that makes `ports[1]`.
  struct Term {
    llvm::SmallVector<Port> ports;
    int64_t groups = 1;
    double loss = 0;
    bool isShuffle = false;
  };
  /// New orders of classes.
  using Move = llvm::SmallVector<std::pair<int64_t, int64_t>>;

  int64_t root(int64_t index);
  /// The same, shortening no paths.
  int64_t rootOf(int64_t index) const;
  int64_t classOf(mlir::Value value);
  void join(mlir::Operation *op);
  void collect(mlir::Operation *op);
  void readInStandard(mlir::Value value);
  void readAlong(mlir::Value value, int64_t owner);
  template <typename ConvOp>
  void addConvolution(ConvOp op, mlir::Value input, mlir::Value output);

  int64_t groupOrder(const Term &term, const Port &port) const;
  mlir::Operation *needsStandard(int64_t owner) const;
  double shuffleCostTo(const Port &port, int64_t order) const;
  double costInGroups(const Term &term) const;
  double costInStandard(const Term &term) const;
  double cost(const Term &term) const;
  double total() const;

  double costAround(const Move &move) const;
  Move intoGroups(const Term &term) const;
  void apply(Move &move);
  bool improve(Move move);
  bool descend();

  codegen::TargetInfo target;
  bool pairs;
  llvm::DenseMap<mlir::Value, int64_t> indices;
  std::vector<int64_t> parents; ///< union-find over classes
  std::vector<Class> classes;
  std::vector<Term> terms;
  /// By layer, or op, and groups.
  llvm::DenseMap<std::pair<const void *, int64_t>, int64_t> layerTerms;
  llvm::DenseMap<mlir::Operation *, int64_t> termOf;
  llvm::DenseSet<mlir::Value> standard; ///< read in that order
};

} // namespace rootc

#endif // ROOTC_TRANSFORMS_ORDERPROBLEM_H
