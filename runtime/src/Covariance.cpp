//===- Covariance.cpp - Covariance between two layers' responses ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Covariance.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

using namespace rootc;

namespace {
/// Rows of a moment matrix that one task adds to.
constexpr int64_t tileRows = 32;
/// Doubles that images may take while they are summed.
constexpr int64_t scratchDoubles = int64_t(8) << 20;
/// Variance over mean square of what float32's rounding alone makes.
constexpr double roundingVariance = 1e-13;

/// Along one axis: `count` places show index `first` of one map and `second` of
/// the other.
struct AxisOverlap {
  int64_t first, second, count;
};
} // namespace

static std::vector<AxisOverlap> overlapAxes(int64_t first, int64_t second) {
  std::vector<AxisOverlap> result;
  int64_t size = std::max(first, second);
  for (int64_t place = 0; place < size; ++place) {
    int64_t a = (2 * place + 1) * first / (2 * size);
    int64_t b = (2 * place + 1) * second / (2 * size);
    if (result.empty() || result.back().first != a || result.back().second != b)
      result.push_back({a, b, 0});
    ++result.back().count;
  }
  return result;
}

CovarianceSums::CovarianceSums(MapSize firstSize, MapSize secondSize)
    : foldFirst(firstSize.pixels() >= secondSize.pixels()),
      cross(Matrix::Zero(firstSize.channels, secondSize.channels)) {
  first.size = firstSize;
  second.size = secondSize;
  for (Side *side : {&first, &second}) {
    side->weights = Vector::Zero(side->size.pixels());
    side->sum = Vector::Zero(side->size.channels);
    side->square = Matrix::Zero(side->size.channels, side->size.channels);
  }
  for (AxisOverlap y : overlapAxes(firstSize.height, secondSize.height))
    for (AxisOverlap x : overlapAxes(firstSize.width, secondSize.width)) {
      Overlap overlap = {y.first * firstSize.width + x.first,
                         y.second * secondSize.width + x.second,
                         double(y.count * x.count)};
      first.weights[overlap.first] += overlap.weight;
      second.weights[overlap.second] += overlap.weight;
      overlaps.push_back(overlap);
    }
  for (Side *side : {&first, &second})
    side->roots = side->weights.cwiseSqrt();
}

using FloatMap =
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic,
                                   Eigen::RowMajor>>;

void CovarianceSums::setShift(Side &side, const float *values) {
  FloatMap map(values, side.size.pixels(), side.size.channels);
  Vector mean = map.cast<double>().colwise().mean();
  side.shift = mean.cast<float>().cast<double>();
}

void CovarianceSums::fill(Image &image, const float *firstValues,
                          const float *secondValues) const {
  auto centre = [](const Side &side, const float *values, Matrix &out) {
    FloatMap map(values, side.size.pixels(), side.size.channels);
    out = map.cast<double>().rowwise() - side.shift.transpose();
  };
  centre(first, firstValues, image.first);
  centre(second, secondValues, image.second);
  // Sum of (a - s)(b - t)' over the samples, with the larger map summed over
  // each pixel of the smaller one first.
  const Side &small = foldFirst ? second : first;
  const Matrix &large = foldFirst ? image.first : image.second;
  image.folded.setZero(small.size.pixels(), large.cols());
  for (const Overlap &overlap : overlaps) {
    int64_t from = foldFirst ? overlap.first : overlap.second;
    int64_t to = foldFirst ? overlap.second : overlap.first;
    image.folded.row(to) += overlap.weight * large.row(from);
  }
  for (int64_t pixel = 0; pixel < small.size.pixels(); ++pixel)
    image.folded.row(pixel) /= small.roots[pixel];
  image.first.array().colwise() *= first.roots.array();
  image.second.array().colwise() *= second.roots.array();
}

int64_t CovarianceSums::tiles(const Side &side) const {
  return (side.size.channels + tileRows - 1) / tileRows;
}

/// One task, image after image: the order of the sums is always the same.
void CovarianceSums::addTile(int64_t tile, const std::vector<Image> &filled,
                             int64_t count) {
  auto addSquare = [&](Side &side, Matrix Image::*values) {
    int64_t channels = side.size.channels, begin = tile * tileRows;
    int64_t rows = std::min(tileRows, channels - begin);
    for (int64_t i = 0; i < count; ++i) {
      const Matrix &x = filled[size_t(i)].*values;
      auto own = x.middleCols(begin, rows);
      side.square.block(begin, begin, rows, channels - begin).noalias() +=
          own.transpose() * x.rightCols(channels - begin);
      side.sum.segment(begin, rows).noalias() += own.transpose() * side.roots;
    }
  };
  if (tile < tiles(first))
    return addSquare(first, &Image::first);
  tile -= tiles(first);
  if (tile < tiles(second))
    return addSquare(second, &Image::second);
  tile -= tiles(second);
  int64_t begin = tile * tileRows;
  int64_t rows = std::min(tileRows, first.size.channels - begin);
  for (int64_t i = 0; i < count; ++i) {
    const Image &image = filled[size_t(i)];
    const Matrix &left = foldFirst ? image.folded : image.first;
    const Matrix &right = foldFirst ? image.second : image.folded;
    cross.middleRows(begin, rows).noalias() +=
        left.middleCols(begin, rows).transpose() * right;
  }
}

void CovarianceSums::add(int64_t count, const float *firstValues,
                         const float *secondValues, const ThreadPool &pool) {
  if (count > 0 && images == 0) {
    setShift(first, firstValues);
    setShift(second, secondValues);
  }
  int64_t firstSize = first.size.pixels() * first.size.channels;
  int64_t secondSize = second.size.pixels() * second.size.channels;
  int64_t step = std::clamp<int64_t>(
      scratchDoubles / (2 * (firstSize + secondSize)), 1, 64);
  for (int64_t begin = 0; begin < count; begin += step) {
    int64_t size = std::min(step, count - begin);
    if (int64_t(scratch.size()) < size)
      scratch.resize(size_t(size));
    pool.forEach(size, [&](int64_t i) {
      fill(scratch[size_t(i)], firstValues + (begin + i) * firstSize,
           secondValues + (begin + i) * secondSize);
    });
    pool.forEach(2 * tiles(first) + tiles(second),
                 [&](int64_t tile) { addTile(tile, scratch, size); });
  }
  images += count;
}

Covariance CovarianceSums::finish() const {
  Covariance result;
  int64_t perImage = std::max(first.size.height, second.size.height) *
                     std::max(first.size.width, second.size.width);
  result.samples = images * perImage;
  double samples = double(result.samples);
  auto own = [&](const Side &side, std::vector<int64_t> &constant) {
    Vector mean = side.sum / samples;
    Matrix full = side.square.selfadjointView<Eigen::Upper>();
    Matrix covariance = full / samples - mean * mean.transpose();
    if (!covariance.allFinite())
      fail("a response is infinite or not a number; the weights diverged in "
           "training, or are damaged");
    for (int64_t i = 0; i < covariance.rows(); ++i) {
      double meanOf = side.shift[i] + mean[i];
      if (covariance(i, i) <=
          roundingVariance * (meanOf * meanOf + covariance(i, i)))
        constant.push_back(i);
    }
    for (int64_t i : constant) {
      covariance.row(i).setZero();
      covariance.col(i).setZero();
    }
    return covariance;
  };
  result.first = own(first, result.firstConstant);
  result.second = own(second, result.secondConstant);
  result.cross = cross / samples -
                 (first.sum / samples) * (second.sum / samples).transpose();
  for (int64_t i : result.firstConstant)
    result.cross.row(i).setZero();
  for (int64_t i : result.secondConstant)
    result.cross.col(i).setZero();
  return result;
}

Whitening rootc::whiten(const Matrix &covariance, double epsilon) {
  std::vector<int64_t> live;
  for (int64_t i = 0; i < covariance.rows(); ++i)
    if (covariance(i, i) > 0)
      live.push_back(i);
  Whitening result;
  result.matrix = Matrix::Zero(covariance.rows(), covariance.cols());
  if (live.empty())
    return result;
  Matrix part = covariance(live, live);
  Eigen::SelfAdjointEigenSolver<Matrix> solver(part);
  if (solver.info() != Eigen::Success)
    fail("the eigenvalues of a covariance matrix of {} channels did not "
         "converge",
         live.size());
  const Vector &values = solver.eigenvalues(); // from the smallest
  double least = epsilon * values[values.size() - 1];
  Vector kept = Vector::Zero(values.size()), scale = kept;
  for (int64_t i = 0; i < values.size(); ++i) {
    if (values[i] <= least) {
      ++result.dropped;
      continue;
    }
    kept[i] = 1;
    scale[i] = 1 / std::sqrt(values[i]);
  }
  const Matrix &vectors = solver.eigenvectors();
  Matrix whitening = vectors * scale.asDiagonal() * vectors.transpose();
  Matrix identity = vectors * kept.asDiagonal() * vectors.transpose();
  result.error =
      (whitening * part * whitening - identity).cwiseAbs().maxCoeff();
  result.matrix(live, live) = whitening;
  return result;
}

BlockMeans rootc::blockMeans(const Matrix &matrix, int64_t blocks) {
  int64_t rows = matrix.rows() / blocks, columns = matrix.cols() / blocks;
  double inside = 0;
  for (int64_t b = 0; b < blocks; ++b)
    inside +=
        matrix.block(b * rows, b * columns, rows, columns).cwiseAbs().sum();
  // Summed apart: a difference would lose small values outside.
  double outside = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    auto band = matrix.middleRows(b * rows, rows).cwiseAbs();
    outside += band.leftCols(b * columns).sum() +
               band.rightCols((blocks - 1 - b) * columns).sum();
  }
  double count = double(rows * columns * blocks);
  BlockMeans result;
  result.inside = inside / count;
  if (blocks > 1)
    result.outside = outside / (count * double(blocks - 1));
  if (result.outside > 0)
    result.ratio = result.inside / result.outside;
  return result;
}
