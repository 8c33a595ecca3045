//===- Importer.h - What the importers of operators share -------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to this folder. A value of the graph is a constant, or a map that the
// network computes. What ONNX does to maps that a network has no layer for is
// kept with the map until a layer takes it in: the order of its elements
// (View.h), padding, and a factor and a term of each channel.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_IMPORTER_H
#define ROOTC_ONNX_IMPORT_IMPORTER_H

#include "lib/Onnx/Import/Graph.h"
#include "lib/Onnx/Import/Network.h"
#include "lib/Onnx/Import/Node.h"
#include "lib/Onnx/Import/View.h"

#include <array>
#include <functional>
#include <variant>

namespace rootc::importer {

/// scale x + shift; each has one value, or one a channel.
struct Affine {
  std::vector<double> scale = {1}, shift = {0};
  std::string name; ///< of the layer, should it become one

  bool isUniform() const { return scale.size() == 1 && shift.size() == 1; }
};

/// Zeros, or another value, around height and width.
struct Padding {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  double value = 0;
  std::string name; ///< of the layer, should it become one
  bool any() const { return top || left || bottom || right; }
};

struct MeanImage {
  std::vector<double> mean, scale;
};

struct Map {
  int layer = Network::image;
  root::MapShape shape; ///< of the layer's result
  View view;
  std::optional<Affine> affine;
  Padding padding;          ///< applied after `affine`; the view is a map's
  bool nonNegative = false; ///< without `affine`
  bool scaledImage = false; ///< no convolution but of `affine`s so far
  bool sole = false;        ///< no other value is made from the layer's result
  bool flat = false;        ///< the batch of 1 is part of its one dimension

  Map withoutAffine() const;
  /// Whether ONNX sees batch x channels x height x width, in their order.
  bool isStandard() const { return view == mapView(shape); }
  /// ONNX's sizes behind the batch.
  std::vector<int64_t> sizes() const;
};

using Value = std::variant<Constant, Map>;

class Operation;

class Importer {
public:
  Importer(ModelFile &file, const Graph &graph,
           const std::function<void(const std::string &)> &note)
      : file(file), graph(graph), note(note) {}

  /// Makes the network; the result is the layer of the logits.
  /// `height`, `width`: the image's, where the file leaves them open, or 0.
  int run(int64_t height, int64_t width);

  ModelFile &file;
  const Graph &graph;
  const std::function<void(const std::string &)> &note;
  Network network;
  root::MapShape image;
  int64_t batch = 0; ///< 0: any
  /// Channel shuffles that were made, by what they shuffle and groups.
  std::map<std::pair<int, int64_t>, int> shuffles;
  /// A mean image that the graph subtracts from its input, [height, width,
  /// channels], and what it divides by behind that, one a channel. They become
  /// part of the normalisation of pixels: Network::image is the graph's input
  /// less the mean, divided by the scale.
  std::optional<MeanImage> meanImage;

  /// Null if nothing has made it.
  const Value *find(const std::string &name);
  void set(const std::string &name, Value value);
  /// Before memory is taken for so many elements that no initializer stands
  /// for: throws, at the node, where a file of this size asks for absurdly
  /// many.
  void claim(const Node &node, int64_t elements);
  /// A constant with its elements in memory.
  const Constant &filled(const Node &node, const std::string &name);

  /// The nodes of a branch, whose values join the graph's.
  void importBranch(const Operation &op, const ::onnx::GraphProto &branch);

  /// Of a layer whose weights are an input: whether others share them.
  void noteWeights(const Operation &op, int input, const std::string &layer);
  int convolutions = 0, biasedConvolutions = 0, norms = 0;
  /// What is good to know before the network is trained.
  void noteTraining() const;

private:
  Value makeImage(int64_t height, int64_t width);
  void checkSoftmax(const Map &logits);
  /// Imports the nodes that can be; throws what is wrong with the others.
  void importNodes();
  void importNode(Operation op);
  /// The layer of the logits, which the network is to give.
  int finishLogits(Operation &last, int output);

  std::unordered_map<std::string, Value> values;
  std::unordered_map<std::string, int> reads;
  int64_t claimed = 0, filledElements = 0;
  /// Layers by the weights that they read, while these are in memory.
  std::unordered_map<const void *,
                     std::pair<std::weak_ptr<const std::vector<float>>,
                               std::vector<std::string>>>
      weightReaders;
  std::vector<std::string> sharedWeights;
};

/// Values that are one number again and again, as in the files of the onnx
/// package, whose weights are all alike: more than VGG-19 has.
inline constexpr int64_t mostFilled = 150 << 20;

/// One node that is being imported.
class Operation : public Node {
public:
  Operation(Importer &importer, int index)
      : Operation(importer, importer.file.graph().node(index), index) {}
  /// A node of a branch.
  Operation(Importer &importer, const ::onnx::NodeProto &proto, int index)
      : Node(importer.file, proto, index), importer(importer) {}

  Importer &importer;

  //===--- Inputs ---------------------------------------------------------===//

  bool present(int i) const { return !input(i).empty(); }
  /// Throws if nothing makes it.
  const Value &value(int i) const;
  bool isMap(int i) const { return std::holds_alternative<Map>(value(i)); }

  /// A map as it is.
  const Map &map(int i) const;
  /// One without padding, which becomes a layer.
  const Map &unpadded(int i);
  /// One without padding and `affine`.
  Map plain(int i);
  /// Its view is a map's, [[C],[H],[W]]; no `affine`. Padding is left to the
  /// caller, or becomes a layer.
  Map standard(int i, bool withPadding = false);
  /// Makes layers of `affine` and of the padding.
  Map resolve(Map map);
  /// Whether the affine of the image without its mean has become part of the
  /// normalisation of pixels.
  bool absorbIntoPixels(const Map &map, const Affine &affine);
  /// Whether factors and terms, one or one a channel, have become part of the
  /// layer that makes the map: one with weights, whose result nothing else
  /// reads.
  bool absorb(const Map &map, const std::vector<double> &factors,
              const std::vector<double> &terms);

  /// A constant; `what` is what it is for, "the filters".
  const Constant &constant(int i, const char *what) const;
  /// One of real numbers.
  const Constant &reals(int i, const char *what) const;
  /// Whole numbers, a list or one; none that depends on the batch.
  std::vector<int64_t> wholes(int i, const char *what) const;
  /// One number; `fallback` if it is left out.
  double scalar(int i, const char *what, double fallback) const;
  /// From an attribute, or in newer opsets from an input. Nothing if absent.
  std::optional<std::vector<int64_t>> wholesOf(const std::string &attribute,
                                               int input, const char *what);
  /// What a Slice says of one dimension of a value of `rank`.
  struct Cut {
    int64_t axis, start, end, step;
  };
  std::vector<Cut> cuts(int64_t rank);
  /// The elements that a Slice takes of a dimension: `count` ones from `from`
  /// on, `step` apart.
  struct Range {
    int64_t from, step, count;
  };
  Range range(const Cut &cut, int64_t size) const;
  /// The sizes of the parts that a Split makes of a dimension.
  std::vector<int64_t> parts(int64_t size);
  /// A dimension's index, from 0, of `rank` ones with the batch's.
  int64_t axis(int64_t axis, int64_t rank) const;
  /// The same, but it is not the batch's.
  int64_t axisBehindBatch(int64_t axis, int64_t rank) const;

  //===--- Results --------------------------------------------------------===//

  void set(int output, Value value);
  /// The affine of a map, with zeros around height and width before its shift:
  /// a layer scale, or a convolution of each channel by itself.
  Map emitAffine(Map map, const Affine &affine, const Padding &padding);
  /// A map with rows and columns more, or less: top, left, bottom, right.
  Map emitPad(Map map, std::array<int64_t, 4> pad, bool reflect);
  /// Adds a layer; throws if the result is too large.
  int emit(Layer layer);
  /// A layer's result as a map.
  Map result(int layer) const;
  /// Replaces each value: the result has the view of `map`.
  Map elementwise(const Map &map, const std::string &op,
                  const std::string &clauses, bool nonNegative);
  /// The name for a layer with parameters, unique: from the weights' name or
  /// the node's, whichever says which layer it is (LayerName.cpp).
  std::string layerName(int weightInput);
  /// See Importer::claim.
  void claim(int64_t elements) { importer.claim(*this, elements); }
};

/// The number as the element type has it, modulo 2 to its bits.
Size wrapped(Size size, int32_t type);

/// "[N,64,7,7]"
std::string describe(const Map &map);

/// "3x5"
std::string pairText(int64_t vertical, int64_t horizontal);

/// A real number as ONNX stores it, in the fewest digits.
std::string numberText(double value);

/// An operator on constants, on maps, or both; null where it has no such form.
using Handler = void (*)(Operation &);
struct Operator {
  Handler onConstants = nullptr, onMaps = nullptr;
};
/// The form on maps takes constants too if an input is a map.
const std::map<std::string, Operator> &operators();

//===--- LayersWithWeights.cpp --------------------------------------------===//
void importConv(Operation &op);
void importGemm(Operation &op);
void importMatMul(Operation &op);
void importBatchNormalization(Operation &op);

//===--- Pools.cpp --------------------------------------------------------===//
void importMaxPool(Operation &op);
void importAveragePool(Operation &op);
void importGlobalAveragePool(Operation &op);
void importGlobalMaxPool(Operation &op);
void importReduceMean(Operation &op);
void importReduceMax(Operation &op);
void importReduceSum(Operation &op);
void importReduceL2(Operation &op);
/// A map of one value a channel, in all places of one of `height` x `width`.
Map expandMap(Operation &op, const Map &map, int64_t height, int64_t width);

/// Of convolutions and pools: kernel, strides, dilations and pads, from a
/// node's attributes, with the padding that waits at its input.
struct Windows {
  root::Window vertical, horizontal;
  /// The clauses that are not the dialect's defaults, `kernel` always.
  std::string clauses() const;
};
Windows readWindows(Operation &op, const Map &input, int64_t kernelHeight,
                    int64_t kernelWidth);
/// Throws if the input with its padding is too large: rules (C9) and (P6).
void checkPadded(Operation &op, const Map &input, const Windows &windows);

//===--- Activations.cpp --------------------------------------------------===//
void importRelu(Operation &op);
void importClip(Operation &op);
void importSigmoid(Operation &op);
void importHardSigmoid(Operation &op);
void importHardSwish(Operation &op);
void importSwish(Operation &op);
void importTanh(Operation &op);
void importLeakyRelu(Operation &op);
void importElu(Operation &op);
void importSelu(Operation &op);
void importCelu(Operation &op);
void importGelu(Operation &op);
void importErf(Operation &op);
void importSoftplus(Operation &op);
void importMish(Operation &op);
void importMin(Operation &op);
void importMax(Operation &op);
void importDropout(Operation &op);

//===--- SmoothPatterns.cpp ----------------------------------------------===//
/// x times what a GELU, a SiLU or a Mish multiplies it with, in steps; nothing
/// if the second input is no such share of the first.
std::optional<Map> multiplyByShare(Operation &op, int input, int share);
/// Of x + k x^3, k; 0 if the second input is no such multiple of the first.
double cubicTerm(Operation &op, int input, int cube);

//===--- ResponseNorm.cpp -------------------------------------------------===//
void importLRN(Operation &op);
void importPow(Operation &op);
/// A step of local response normalisation: zeros around the channels, which are
/// dimension `axis` of the map's view; nothing if they are not.
std::optional<Map> padChannels(Operation &op, const Map &map, size_t axis,
                               int64_t before, int64_t behind);
/// Whether an AveragePool is along the channels, another step, and is done.
bool poolChannels(Operation &op);
/// One over what is surely above 0; nothing of another map.
std::optional<Map> inverseOf(Operation &op, int input);
/// The last step, of a map divided by what its squares made; nothing if they
/// did not.
std::optional<Map> divideByResponse(Operation &op, const Map &map,
                                    const Map &divisor);

/// [out, in / groups, kh, kw] to [out, kh, kw, in / groups].
Values channelsLast(const Values &values, const std::vector<int64_t> &shape);

//===--- Resize.cpp -------------------------------------------------------===//
void importResize(Operation &op);
void importConvTranspose(Operation &op);

//===--- Norms.cpp --------------------------------------------------------===//
void importLayerNormalization(Operation &op);
void importGroupNormalization(Operation &op);
void importInstanceNormalization(Operation &op);
void importSqrt(Operation &op);
void importReciprocal(Operation &op);
/// Steps of a layer norm; nothing where a map is not what the step needs.
/// The map less that mean.
std::optional<Map> subtractMean(Operation &op, const Map &map, const Map &mean);
/// sqrt(variance + epsilon), or one over it.
std::optional<Map> rootOfVariance(Operation &op, const Map &map, bool inverse);
std::optional<Map> inverseOfDeviation(Operation &op, const Map &map);
/// The last step: the map divided by such a root, or times one over it.
std::optional<Map> normalise(Operation &op, const Map &map, const Map &root,
                             bool divides);

//===--- Elementwise.cpp --------------------------------------------------===//
void importAdd(Operation &op);
void importSub(Operation &op);
void importNeg(Operation &op);
void importMul(Operation &op);
void importDiv(Operation &op);
void importSum(Operation &op);
/// A layer of two maps, "add" or "multiply"; `other` may broadcast.
Map combineMaps(Operation &op, const char *name, const Map &map,
                const Map &other);
/// The map times one number, which is put off.
Map scaledBy(Operation &op, Map map, double factor);
void importPRelu(Operation &op);

//===--- Arrangement.cpp --------------------------------------------------===//
void importIdentity(Operation &op);
void importCast(Operation &op);
void importCastLike(Operation &op);
void importReshape(Operation &op);
void importFlatten(Operation &op);
void importSqueeze(Operation &op);
void importUnsqueeze(Operation &op);
void importTranspose(Operation &op);
void importPad(Operation &op);
void importSpaceToDepth(Operation &op);
void importDepthToSpace(Operation &op);
/// A layer space_to_depth, or depth_to_space, whose block fits the map.
Map emitBlocks(Operation &op, const Map &map, int64_t block, bool deepens,
               bool crd);
/// The same where the map's view, made by reshapes and transposes, is such a
/// layer's result.
std::optional<Map> blocksOfView(Operation &op, const Map &map);
void importShape(Operation &op);
void importExpand(Operation &op);

//===--- Channels.cpp -----------------------------------------------------===//
void importConcat(Operation &op);
void importGather(Operation &op);
void importSplit(Operation &op);
void importSlice(Operation &op);
void importSoftmax(Operation &op);
/// A Conv of one dimension, along the channels: efficient channel attention.
void importChannelConv(Operation &op);
/// How many branches a dimension runs through: parts of the channels that lie
/// one after another; nothing if it does something else.
std::optional<int64_t> branchesOf(const Map &map, const Dimension &dimension);
/// The sum of so many branches, a map of the others' channels, of that view.
Map sumOfBranches(Operation &op, const Map &map, int64_t branches,
                  const View &view);

//===--- Folding*.cpp -----------------------------------------------------===//
void foldConstant(Operation &op);
void foldConstantOfShape(Operation &op);
void foldRange(Operation &op);
void foldShape(Operation &op);
/// What `Shape` makes of a value of these sizes: those from `start` to `end`.
void setShape(Operation &op, const std::vector<Size> &sizes);
void foldIdentity(Operation &op);
void foldCast(Operation &op);
void foldCastLike(Operation &op);
void foldReshape(Operation &op);
void foldSqueeze(Operation &op);
void foldUnsqueeze(Operation &op);
void foldTranspose(Operation &op);
void foldConcat(Operation &op);
void foldGather(Operation &op);
void foldSlice(Operation &op);
void foldSplit(Operation &op);
void foldReduction(Operation &op);
void foldArithmetic(Operation &op);
void foldUnary(Operation &op);
void foldComparison(Operation &op);
void foldLogic(Operation &op);
void foldNot(Operation &op);
void foldIf(Operation &op);
void foldClip(Operation &op);
void foldDequantizeLinear(Operation &op);
void foldMatMul(Operation &op);
void foldGemm(Operation &op);
void foldBatchNormalization(Operation &op);
void foldPad(Operation &op);
void foldTile(Operation &op);
void foldFlatten(Operation &op);
void foldWhere(Operation &op);
void foldExpand(Operation &op);
void foldSize(Operation &op);

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_IMPORTER_H
