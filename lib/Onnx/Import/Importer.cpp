//===- Importer.cpp - From the image to the logits ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"
#include "lib/Onnx/Import/Import.h"

#include <algorithm>
#include <fmt/ranges.h>

using namespace rootc;
using namespace rootc::importer;

const std::map<std::string, Operator> &importer::operators() {
  static const std::map<std::string, Operator> table = {
      {"Add", {foldArithmetic, importAdd}},
      {"And", {foldLogic, nullptr}},
      {"Abs", {foldUnary, nullptr}},
      {"AveragePool", {nullptr, importAveragePool}},
      {"BatchNormalization",
       {foldBatchNormalization, importBatchNormalization}},
      {"Cast", {foldCast, importCast}},
      {"CastLike", {foldCastLike, importCastLike}},
      {"Ceil", {foldUnary, nullptr}},
      {"Celu", {nullptr, importCelu}},
      {"Clip", {foldClip, importClip}},
      {"Concat", {foldConcat, importConcat}},
      {"Constant", {foldConstant, nullptr}},
      {"ConstantOfShape", {foldConstantOfShape, nullptr}},
      {"Conv", {nullptr, importConv}},
      {"ConvTranspose", {nullptr, importConvTranspose}},
      {"DepthToSpace", {nullptr, importDepthToSpace}},
      {"DequantizeLinear", {foldDequantizeLinear, nullptr}},
      {"Div", {foldArithmetic, importDiv}},
      {"Dropout", {foldIdentity, importDropout}},
      {"Elu", {nullptr, importElu}},
      {"Equal", {foldComparison, nullptr}},
      {"Erf", {foldUnary, importErf}},
      {"Exp", {foldUnary, nullptr}},
      {"Expand", {foldExpand, importExpand}},
      {"Flatten", {foldFlatten, importFlatten}},
      {"Floor", {foldUnary, nullptr}},
      {"Gather", {foldGather, importGather}},
      {"Gelu", {nullptr, importGelu}},
      {"Gemm", {foldGemm, importGemm}},
      {"GlobalAveragePool", {nullptr, importGlobalAveragePool}},
      {"GlobalMaxPool", {nullptr, importGlobalMaxPool}},
      {"Greater", {foldComparison, nullptr}},
      {"GreaterOrEqual", {foldComparison, nullptr}},
      {"GroupNormalization", {nullptr, importGroupNormalization}},
      {"HardSigmoid", {foldUnary, importHardSigmoid}},
      {"HardSwish", {foldUnary, importHardSwish}},
      {"Identity", {foldIdentity, importIdentity}},
      {"If", {foldIf, nullptr}},
      {"InstanceNormalization", {nullptr, importInstanceNormalization}},
      {"LRN", {nullptr, importLRN}},
      {"LeakyRelu", {nullptr, importLeakyRelu}},
      {"LayerNormalization", {nullptr, importLayerNormalization}},
      {"Less", {foldComparison, nullptr}},
      {"LessOrEqual", {foldComparison, nullptr}},
      {"Log", {foldUnary, nullptr}},
      {"MatMul", {foldMatMul, importMatMul}},
      {"Max", {foldArithmetic, importMax}},
      {"MaxPool", {nullptr, importMaxPool}},
      {"Min", {foldArithmetic, importMin}},
      {"Mish", {nullptr, importMish}},
      {"Mod", {foldArithmetic, nullptr}},
      {"Mul", {foldArithmetic, importMul}},
      {"Neg", {foldUnary, importNeg}},
      {"Not", {foldNot, nullptr}},
      {"Or", {foldLogic, nullptr}},
      {"PRelu", {nullptr, importPRelu}},
      {"Pad", {foldPad, importPad}},
      {"Pow", {foldArithmetic, importPow}},
      {"Range", {foldRange, nullptr}},
      {"Reciprocal", {foldUnary, importReciprocal}},
      {"ReduceL1", {foldReduction, nullptr}},
      {"ReduceL2", {foldReduction, importReduceL2}},
      {"ReduceMax", {foldReduction, importReduceMax}},
      {"ReduceMean", {foldReduction, importReduceMean}},
      {"ReduceMin", {foldReduction, nullptr}},
      {"ReduceProd", {foldReduction, nullptr}},
      {"ReduceSum", {foldReduction, importReduceSum}},
      {"ReduceSumSquare", {foldReduction, nullptr}},
      {"Relu", {foldUnary, importRelu}},
      {"Reshape", {foldReshape, importReshape}},
      {"Resize", {nullptr, importResize}},
      {"Round", {foldUnary, nullptr}},
      {"Selu", {nullptr, importSelu}},
      {"Shape", {foldShape, importShape}},
      {"Sigmoid", {foldUnary, importSigmoid}},
      {"Sign", {foldUnary, nullptr}},
      {"Size", {foldSize, nullptr}},
      {"Slice", {foldSlice, importSlice}},
      {"Softmax", {nullptr, importSoftmax}},
      {"Softplus", {nullptr, importSoftplus}},
      {"SpaceToDepth", {nullptr, importSpaceToDepth}},
      {"Split", {foldSplit, importSplit}},
      {"Sqrt", {foldUnary, importSqrt}},
      {"Squeeze", {foldSqueeze, importSqueeze}},
      {"Sub", {foldArithmetic, importSub}},
      {"Sum", {foldArithmetic, importSum}},
      {"Swish", {foldUnary, importSwish}},
      {"Tanh", {foldUnary, importTanh}},
      {"Tile", {foldTile, nullptr}},
      {"Transpose", {foldTranspose, importTranspose}},
      {"Unsqueeze", {foldUnsqueeze, importUnsqueeze}},
      {"Upsample", {nullptr, importResize}},
      {"Where", {foldWhere, nullptr}},
      {"Xor", {foldLogic, nullptr}},
  };
  return table;
}

/// Passed over where they are the graph's last node.
static constexpr const char *finalOperators[] = {"LogSoftmax"};

std::vector<std::string> rootc::importableOperators() {
  std::vector<std::string> names(std::begin(finalOperators),
                                 std::end(finalOperators));
  for (const auto &[name, form] : operators())
    names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

const Value *Importer::find(const std::string &name) {
  auto found = values.find(name);
  if (found != values.end())
    return &found->second;
  const ::onnx::TensorProto *tensor = graph.initializer(name);
  if (!tensor)
    return nullptr;
  return &values.emplace(name, file.decode(*tensor)).first->second;
}

void Importer::set(const std::string &name, Value value) {
  values.insert_or_assign(name, std::move(value));
}

void Importer::claim(const Node &node, int64_t elements) {
  // Weights may be stored in 8 or 16 bits, be shared by several layers, and be
  // computed in several steps.
  int64_t limit = 8 * file.bytes() + (1 << 20) + filledElements;
  if (elements > limit - claimed)
    node.fail("the weights and constants up to here have more than {} "
              "elements, too many for a file of {} bytes",
              limit, file.bytes());
  claimed += elements;
}

const Constant &Importer::filled(const Node &node, const std::string &name) {
  Constant &constant = std::get<Constant>(values.at(name));
  if (!constant.fill)
    return constant;
  int64_t count = constant.count();
  if (count > mostFilled - filledElements)
    node.fail("the constants that are one number, up to {}, have more than {} "
              "elements, too many for what is not in the file",
              quote(name), mostFilled);
  filledElements += count;
  constant = Constant::of(constant.shape,
                          std::vector<float>(size_t(count), *constant.fill));
  return constant;
}

//===----------------------------------------------------------------------===//
// The image
//===----------------------------------------------------------------------===//

/// Whether the image is batch x height x width x channels: the graph then
/// begins by transposing it, perhaps behind what keeps its dimensions.
static bool hasChannelsLast(const Graph &graph, const ModelFile &file) {
  static const std::set<std::string> keeps = {
      "Add", "Cast", "Clip", "Concat", "Div",   "Gather", "Identity", "Max",
      "Min", "Mul",  "Neg",  "Pad",    "Shape", "Slice",  "Split",    "Sub"};
  std::set<std::string> images = {graph.image().name()};
  for (int index : graph.order()) {
    const auto &node = file.graph().node(index);
    if (std::none_of(
            node.input().begin(), node.input().end(),
            [&](const std::string &input) { return images.count(input) > 0; }))
      continue;
    if (node.op_type() == "Transpose")
      return Node(file, node, index).integers("perm") ==
             std::vector<int64_t>{0, 3, 1, 2};
    if (!keeps.count(node.op_type()))
      return false;
    if (node.op_type() != "Shape")
      images.insert(node.output().begin(), node.output().end());
  }
  return false;
}

Value Importer::makeImage(int64_t height, int64_t width) {
  const ::onnx::ValueInfoProto &info = graph.image();
  std::string what =
      fmt::format("{}: the image, input {},", file.path(), quote(info.name()));
  const auto &type = info.type().tensor_type();
  switch (type.elem_type()) {
  case ::onnx::TensorProto::FLOAT:
  case ::onnx::TensorProto::DOUBLE:
  case ::onnx::TensorProto::FLOAT16:
  case ::onnx::TensorProto::BFLOAT16:
    break;
  default:
    fail("{} must be a tensor of real numbers; export the model with such an "
         "input",
         what);
  }
  if (!type.has_shape())
    fail("{} has no shape; export the model with one", what);
  if (type.shape().dim_size() != 4)
    fail("{} has {} dimensions; it must have four, batch x channels x height x "
         "width",
         what, type.shape().dim_size());
  std::vector<int64_t> sizes;
  for (const auto &dimension : type.shape().dim())
    sizes.push_back(dimension.has_dim_value() ? dimension.dim_value() : 0);
  batch = std::max<int64_t>(sizes[0], 0);
  bool last = hasChannelsLast(graph, file);
  int64_t &channels = sizes[last ? 3 : 1];
  int64_t *sides[] = {&sizes[last ? 1 : 2], &sizes[last ? 2 : 3]};
  int64_t given[] = {height, width};
  for (int i = 0; i < 2; ++i) {
    const char *side = i ? "width" : "height";
    if (*sides[i] <= 0) {
      if (!given[i])
        fail("{} leaves its {} open; give the size with --image=HxW", what,
             side);
      *sides[i] = given[i];
    } else if (given[i] && given[i] != *sides[i]) {
      fail("--image: {} has the {} {}; leave the flag out, and let rootc "
           "--image change the size",
           what, side, *sides[i]);
    }
  }
  if (channels <= 0)
    fail("{} leaves its channels open; export the model with their number",
         what);
  image = {*sides[0], *sides[1], channels};
  if (!root::elementCount({image.height, image.width, image.channels}))
    fail("{} is {}x{}x{}, more than {} elements", what, image.height,
         image.width, image.channels, root::maxElements);
  Map map;
  map.shape = image;
  map.view = mapView(image);
  map.sole = graph.uses(info.name()) == 1;
  if (last)
    map.view = {map.view[1], map.view[2], map.view[0]};
  return map;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

void Importer::importBranch(const Operation &op,
                            const ::onnx::GraphProto &branch) {
  for (const auto &tensor : branch.initializer()) {
    if (find(tensor.name()))
      op.fail("its branch makes {}, which something else makes too",
              quote(tensor.name()));
    set(tensor.name(), file.decode(tensor));
  }
  for (int i = 0; i < branch.node_size(); ++i) {
    Operation inner(*this, branch.node(i), i);
    for (int j = 0; j < inner.outputs(); ++j)
      if (!inner.output(j).empty() &&
          (find(inner.output(j)) || graph.producer(inner.output(j)) >= 0))
        inner.fail("it makes {}, which something else makes too",
                   quote(inner.output(j)));
    importNode(inner);
  }
}

static bool isSupported(const Node &node) {
  return (node.domain().empty() || node.domain() == "ai.onnx") &&
         operators().count(node.op());
}

namespace {
/// What is wrong with the nodes of a graph, by kinds in order.
class Failures {
public:
  void add(const NodeError &error) {
    anyUnsupported |= error.isUnsupported;
    ++count;
    auto [entry, isNew] = indices.try_emplace(error.kind, kinds.size());
    if (isNew)
      kinds.push_back({error.what(), 0});
    ++kinds[entry->second].second;
  }
  bool any() const { return count > 0; }

  /// The message of one node; of several, a list. `skipped`: nodes that were
  /// not looked at, as they read what these make.
  std::string message(const std::string &path, int64_t skipped) const {
    std::string supported =
        anyUnsupported ? fmt::format("supported are {}",
                                     fmt::join(importableOperators(), ", "))
                       : "";
    if (count == 1)
      return kinds[0].first + (anyUnsupported ? "; " + supported : "");
    std::string text =
        fmt::format("{}: {} nodes cannot be imported:", path, count);
    for (size_t i = 0; i < std::min(kinds.size(), mostKinds); ++i) {
      // The file is named once.
      const auto &[message, times] = kinds[i];
      text += "\n  " + message.substr(path.size() + 2);
      if (times > 1)
        text += fmt::format(" ({} such nodes)", times);
    }
    if (kinds.size() > mostKinds)
      text +=
          fmt::format("\n  ... and {} other kinds", kinds.size() - mostKinds);
    text +=
        fmt::format("\n  in all: {} nodes of {} kinds", count, kinds.size());
    if (skipped > 0)
      text += fmt::format("; not looked at, as they read what these make: {}",
                          skipped);
    return text + (anyUnsupported ? "\n  " + supported : "");
  }

private:
  static constexpr size_t mostKinds = 20;
  std::vector<std::pair<std::string, int64_t>> kinds; ///< message, nodes
  std::unordered_map<std::string, size_t> indices;
  int64_t count = 0;
  bool anyUnsupported = false;
};
} // namespace

void Importer::importNodes() {
  Failures failures;
  std::set<std::string> unknown; // made by what cannot be imported
  int64_t skipped = 0;
  for (int index : graph.order()) {
    Operation op(*this, index);
    bool reads = false;
    for (int i = 0; i < op.inputs(); ++i)
      reads |= unknown.count(op.input(i)) > 0;
    bool failed = reads;
    if (!reads || !isSupported(op)) {
      try {
        importNode(op);
      } catch (const NodeError &error) {
        failures.add(error);
        failed = true;
      }
    } else {
      ++skipped;
    }
    for (int i = 0; failed && i < op.outputs(); ++i)
      if (!op.output(i).empty())
        unknown.insert(op.output(i));
  }
  if (failures.any())
    fail("{}", failures.message(file.path(), skipped));
}

void Importer::importNode(Operation op) {
  if (!isSupported(op)) {
    NodeError error =
        op.error("this operator{} is not supported{}",
                 op.domain().empty() ? "" : " of " + quote(op.domain()),
                 op.op() == "LogSoftmax" ? " but at the end of the graph" : "");
    error.isUnsupported = true;
    throw error;
  }
  bool anyMap = false;
  for (int i = 0; i < op.inputs(); ++i)
    anyMap |= op.present(i) && op.isMap(i);
  const Operator &known = operators().at(op.op());
  Handler handler = anyMap ? known.onMaps : known.onConstants;
  if (!handler)
    op.fail("{}, and this operator is supported for {} only",
            anyMap ? "an input is computed from the image"
                   : "no input is computed from the image",
            anyMap ? "shapes and constants" : "what is");
  handler(op);
  op.checkAttributes();
  for (int i = 0; i < op.outputs(); ++i)
    if (graph.uses(op.output(i)) && !op.output(i).empty() &&
        !values.count(op.output(i)))
      op.fail("its output {} is used, and only the first one is supported",
              quote(op.output(i)));
  // Weights are large: gone after their last reader.
  for (int i = 0; i < op.inputs(); ++i) {
    std::string name = op.input(i);
    if (++reads[name] != graph.uses(name))
      continue;
    auto value = values.find(name);
    if (value != values.end() &&
        std::holds_alternative<Constant>(value->second))
      values.erase(value);
  }
}
