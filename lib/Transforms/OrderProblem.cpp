//===- OrderProblem.cpp - Which channel orders cost least -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/OrderProblem.h"

#include "codegen/Geometry/FilterLayout.h"
#include "codegen/Geometry/Gather.h"
#include "lib/Analysis/ChannelOrder.h"
#include "lib/Transforms/PrimConvShape.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

//===----------------------------------------------------------------------===//
// What an op does with orders
//===----------------------------------------------------------------------===//

bool rootc::goesAlong(Operation *op) {
  // Which elements a dropout drops depends on where they lie.
  return (op->hasTrait<PrimElementwise>() && !isa<PrimDropoutOp>(op)) ||
         isa<PrimBatchNormStatisticsOp, PrimBatchNormBackwardReduceOp,
             PrimLayerNormOp, PrimLayerNormBackwardDataOp,
             PrimLayerNormBackwardReduceOp, PrimChannelSumOp, PrimReduceSumOp,
             PrimChannelMeanOp, PrimChannelMaxOp, PrimResampleOp,
             PrimResampleBackwardOp, PrimMaxPoolOp, PrimMaxPoolWithIndexOp,
             PrimMaxPoolBackwardOp, PrimAveragePoolOp,
             PrimAveragePoolBackwardOp, PrimGlobalAveragePoolOp,
             PrimGlobalAveragePoolBackwardOp, PrimPadOp, PrimReflectPadOp,
             PrimReflectPadBackwardOp>(op);
}

static bool isConvolution(Operation *op) {
  return isa<PrimConv2dOp, PrimConv2dBackwardDataOp,
             PrimConv2dBackwardFilterOp>(op);
}

static int64_t channelsOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

SmallVector<Value> rootc::valuesAlong(Operation *op) {
  SmallVector<Value> values;
  int64_t channels = channelsOf(op->getOperand(0));
  auto add = [&](ValueRange range) {
    for (Value value : range)
      if (channelsOf(value) == channels)
        values.push_back(value);
  };
  add(op->getOperands());
  add(op->getResults());
  return values;
}

//===----------------------------------------------------------------------===//
// Costs, in multiply-adds at a core's peak
//===----------------------------------------------------------------------===//

/// Of reading and writing an element in another order.
static constexpr double elementCost = 48;
/// Of a further call, a vector's shuffle being no more.
static constexpr double callCost = 4000;

static double shuffleCost(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() == 1)
    return callCost;
  double elements = 1;
  for (int64_t size : type.getShape().drop_front())
    elements *= static_cast<double>(size);
  return callCost + elements * elementCost;
}

/// Of shuffling what a grouped convolution reads or writes. No epilogue can
/// join one whose result is shuffled.
static double shuffleCostAt(Value map) {
  return shuffleCost(map) * (isConvolution(map.getDefiningOp()) ? 1.5 : 1);
}

/// What a grouped convolution loses in the standard order for each multiply-add
/// if it writes so many channels of a group. With lanes across these it reaches
/// a fifteenth of the peak where they are few and no power of two, a fourth up
/// to eight, half or more from twelve on; across groups, from a third to almost
/// all.
static double lossInStandard(int64_t channels) {
  if (channels >= 12)
    return channels > 16 && channels % 16 == 0 ? 0.1 : 0.6;
  return llvm::isPowerOf2_64(channels) ? 2.5 : 10;
}

/// What it loses besides, where a sum has few terms: what surrounds it takes
/// longer than the sum.
static double lossOfShortSums(double terms) { return terms < 48 ? 3 : 0; }

/// The same of a whole convolution. A filter's gradient has lanes across either
/// kind of channels.
static double lossInStandard(Operation *conv, const codegen::ConvShape &shape) {
  double products = static_cast<double>(shape.outHeight() * shape.outWidth() *
                                        shape.outChannels * shape.inPerGroup() *
                                        shape.kernel[0] * shape.kernel[1]);
  auto taps = static_cast<double>(shape.kernel[0] * shape.kernel[1]);
  double forward = lossInStandard(shape.outPerGroup()) +
                   lossOfShortSums(taps * double(shape.inPerGroup())),
         data = lossInStandard(shape.inPerGroup()) +
                lossOfShortSums(taps * double(shape.outPerGroup()));
  return products * (isa<PrimConv2dOp>(conv) ? forward
                     : isa<PrimConv2dBackwardDataOp>(conv)
                         ? data
                         : (forward + data) / 2);
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

int64_t OrderProblem::root(int64_t index) {
  while (parents[index] != index)
    index = parents[index] = parents[parents[index]];
  return index;
}

int64_t OrderProblem::rootOf(int64_t index) const {
  while (parents[index] != index)
    index = parents[index];
  return index;
}

int64_t OrderProblem::classOf(Value value) {
  auto [found, isNew] = indices.try_emplace(value, classes.size());
  if (isNew) {
    Operation *op = value.getDefiningOp();
    Class &made = classes.emplace_back();
    made.channels = channelsOf(value);
    made.fixed =
        !goesAlong(op) && !isConvolution(op) && !isa<PrimChannelShuffleOp>(op);
    parents.push_back(found->second);
  }
  return root(found->second);
}

/// Values of one order, the reader's, whatever that is.
void OrderProblem::join(Operation *op) {
  int64_t own = -1;
  for (Value value : valuesAlong(op)) {
    int64_t other = classOf(value);
    if (classes[other].fixed)
      continue;
    if (own >= 0)
      parents[other] = own;
    own = root(other);
  }
}

int64_t OrderProblem::order(Value value) const {
  auto found = indices.find(value);
  if (found == indices.end())
    return 1;
  return classes[rootOf(found->second)].order;
}

OrderProblem::OrderProblem(ProgramOp program, const codegen::TargetInfo &target,
                           bool pairs)
    : target(target), pairs(pairs) {
  Block &body = program.getBody().front();
  for (Operation &op : body)
    if (goesAlong(&op))
      join(&op);
  for (Operation &op : body)
    collect(&op);
  for (auto [index, term] : llvm::enumerate(terms))
    for (const Port &port : term.ports)
      classes[port.owner].terms.push_back(index);
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

/// `value` is read in the standard order.
void OrderProblem::readInStandard(Value value) {
  auto found = indices.find(value);
  if (found == indices.end())
    return;
  Class &own = classes[root(found->second)];
  if (!own.fixed && standard.insert(value).second)
    own.shuffleCost += shuffleCost(value);
}

/// `value` is read in the order of `owner`.
void OrderProblem::readAlong(Value value, int64_t owner) {
  if (classes[classOf(value)].fixed)
    classes[owner].shuffleCost += shuffleCost(value);
}

void OrderProblem::collect(Operation *op) {
  if (auto shuffle = dyn_cast<PrimChannelShuffleOp>(op)) {
    Term &term = terms.emplace_back();
    term.isShuffle = true;
    term.groups = shuffle.getGroups();
    for (Value value : {shuffle.getX(), shuffle.getY()})
      term.ports.push_back({classOf(value), value});
    return;
  }
  if (auto conv = dyn_cast<PrimConv2dOp>(op)) {
    if (conv.getBias())
      readAlong(conv.getBias(), classOf(conv.getY()));
    return addConvolution(conv, conv.getX(), conv.getY());
  }
  if (auto conv = dyn_cast<PrimConv2dBackwardDataOp>(op))
    return addConvolution(conv, conv.getDx(), conv.getDy());
  if (auto conv = dyn_cast<PrimConv2dBackwardFilterOp>(op))
    return addConvolution(conv, conv.getX(), conv.getDy());
  SmallVector<Value> along;
  if (goesAlong(op))
    along = valuesAlong(op);
  for (Value operand : op->getOperands())
    if (!llvm::is_contained(along, operand))
      readInStandard(operand);
  for (Value value : along)
    if (!classes[classOf(value)].fixed) {
      for (Value operand : along)
        readAlong(operand, classOf(value));
      break;
    }
}

/// The three convolutions of a layer share its maps, and one decision.
template <typename ConvOp>
void OrderProblem::addConvolution(ConvOp op, Value input, Value output) {
  if (op.getGroups() == 1)
    return;
  Attribute layer = op->getAttr("layer");
  const void *key = layer ? layer.getAsOpaquePointer() : op.getOperation();
  auto [found, isNew] =
      layerTerms.try_emplace({key, op.getGroups()}, terms.size());
  if (isNew)
    terms.emplace_back();
  termOf[op] = found->second;
  Term &term = terms[found->second];
  codegen::ConvShape shape = convShapeOf(op, channelsOf(input));
  if (codegen::prefersGroupLanes(shape, target) &&
      !(pairs && codegen::fitsPairs(shape, /*backwardData=*/false))) {
    term.groups = op.getGroups();
    term.loss += lossInStandard(op, shape);
  }
  for (Value value : {input, output})
    if (llvm::none_of(term.ports,
                      [&](const Port &port) { return port.value == value; }))
      term.ports.push_back({classOf(value), value});
}

static double shuffles(int64_t channels, int64_t factor) {
  return static_cast<double>(ChannelOrders(channels).shuffles(factor).size());
}

double OrderProblem::shuffleCostTo(const Port &port, int64_t order) const {
  const Class &own = classes[port.owner];
  if (own.order == order)
    return 0;
  ChannelOrders orders(own.channels);
  return shuffles(own.channels, orders.factor(own.order, order)) *
         shuffleCostAt(port.value);
}

double OrderProblem::costInGroups(const Term &term) const {
  double sum = 0;
  for (const Port &port : term.ports)
    sum += shuffleCostTo(port, groupOrder(term, port));
  return sum;
}

double OrderProblem::costInStandard(const Term &term) const {
  double sum = term.loss;
  for (const Port &port : term.ports)
    sum += shuffleCostTo(port, 1);
  return sum;
}

int64_t OrderProblem::groupOrder(const Term &term, const Port &port) const {
  return ChannelOrders(classes[port.owner].channels).ofGroups(term.groups);
}

double OrderProblem::cost(const Term &term) const {
  if (!term.isShuffle)
    return std::min(costInGroups(term), costInStandard(term));
  const Class &from = classes[term.ports[0].owner];
  ChannelOrders orders(from.channels);
  int64_t factor = orders.times(
      orders.factor(from.order, classes[term.ports[1].owner].order),
      term.groups);
  return shuffles(from.channels, factor) * shuffleCost(term.ports[0].value);
}

bool OrderProblem::isGroupInnermost(Operation *conv) const {
  auto found = termOf.find(conv);
  if (found == termOf.end())
    return false;
  const Term &term = terms[found->second];
  return term.groups > 1 && costInGroups(term) < costInStandard(term);
}

/// As a reader knows it.
static StringRef nameOf(Operation *op) {
  return isPrim(op) ? primName(op) : op->getName().stripDialect();
}

/// The first op that needs a map of the class in the standard order; null if
/// none does.
Operation *OrderProblem::needsStandard(int64_t owner) const {
  Operation *first = nullptr;
  auto consider = [&](Operation *op) {
    if (!first || op->isBeforeInBlock(first))
      first = op;
  };
  for (auto [value, index] : indices) {
    if (rootOf(index) != owner)
      continue;
    if (classes[owner].fixed)
      consider(value.getDefiningOp());
    else if (standard.contains(value))
      for (Operation *user : value.getUsers())
        if (!isConvolution(user) && !goesAlong(user) &&
            !isa<PrimChannelShuffleOp>(user))
          consider(user);
  }
  return first;
}

std::string OrderProblem::whyStandard(Operation *conv) const {
  auto found = termOf.find(conv);
  if (found == termOf.end())
    return "";
  const Term &term = terms[found->second];
  if (term.loss == 0 || isGroupInnermost(conv))
    return "";
  Operation *reader = nullptr;
  for (const Port &port : term.ports)
    if (Operation *needs = needsStandard(port.owner))
      reader = needs;
  std::string why;
  if (reader)
    why = "'" + nameOf(reader).str() +
          "' needs its maps in the standard order, and ";
  return why + "to turn them costs more than groups innermost would save";
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

/// What depends on the orders of these classes.
double OrderProblem::costAround(const Move &move) const {
  double sum = 0;
  SmallVector<int64_t> around;
  for (auto [index, order] : move) {
    if (classes[index].order != 1)
      sum += classes[index].shuffleCost;
    llvm::append_range(around, classes[index].terms);
  }
  llvm::sort(around);
  around.erase(llvm::unique(around), around.end());
  for (int64_t term : around)
    sum += cost(terms[term]);
  return sum;
}

void OrderProblem::apply(Move &move) {
  for (auto &[index, order] : move)
    std::swap(classes[index].order, order);
}

bool OrderProblem::improve(Move move) {
  llvm::erase_if(move, [&](auto entry) {
    return classes[entry.first].fixed ||
           classes[entry.first].order == entry.second;
  });
  llvm::sort(move);
  move.erase(
      llvm::unique(move, [](auto a, auto b) { return a.first == b.first; }),
      move.end());
  if (move.empty())
    return false;
  double before = costAround(move);
  apply(move);
  if (costAround(move) < before)
    return true;
  apply(move);
  return false;
}

OrderProblem::Move OrderProblem::intoGroups(const Term &term) const {
  Move move;
  for (const Port &port : term.ports)
    move.push_back({port.owner, groupOrder(term, port)});
  return move;
}

/// One round of all moves; false if none was good.
bool OrderProblem::descend() {
  bool better = false;
  for (const Term &term : terms) {
    if (term.isShuffle) {
      ChannelOrders orders(classes[term.ports[0].owner].channels);
      for (int end : {0, 1}) {
        int64_t other = classes[term.ports[1 - end].owner].order;
        std::optional<int64_t> order =
            end == 0 ? orders.after(other, term.groups)
                     : orders.after(orders.factor(term.groups, 1), other);
        if (order)
          better |= improve({{term.ports[end].owner, *order}});
      }
      continue;
    }
    Move move = intoGroups(term);
    better |= improve(move);
    for (auto entry : move)
      better |= improve({entry});
    for (auto &[index, order] : move)
      order = 1;
    better |= improve(move);
  }
  for (int64_t index = 0, count = classes.size(); index < count; ++index)
    if (parents[index] == index)
      better |= improve({{index, 1}});
  return better;
}

double OrderProblem::total() const {
  double sum = 0;
  for (auto [index, own] : llvm::enumerate(classes))
    if (parents[index] == int64_t(index) && own.order != 1)
      sum += own.shuffleCost;
  for (const Term &term : terms)
    sum += cost(term);
  return sum;
}

void OrderProblem::solve() {
  const int rounds = 20; // of cost that always falls; three or four are usual
  auto settle = [&] {
    for (int round = 0; round < rounds && descend(); ++round)
      ;
  };
  settle();
  double fromStandard = total();
  Move standardResult;
  for (auto [index, own] : llvm::enumerate(classes))
    standardResult.push_back({index, own.order});

  // Once more from where every grouped convolution has its way, the larger
  // ones last.
  std::vector<const Term *> byLoss;
  for (const Term &term : terms)
    if (term.loss > 0)
      byLoss.push_back(&term);
  llvm::stable_sort(
      byLoss, [](const Term *a, const Term *b) { return a->loss < b->loss; });
  for (const Term *term : byLoss)
    for (auto [index, order] : intoGroups(*term))
      if (!classes[index].fixed)
        classes[index].order = order;
  settle();
  if (fromStandard <= total())
    apply(standardResult);
}
