//===- Covariance.h - Covariance between two layers' responses --*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inter-layer covariance of Ioannou et al., Deep Roots (CVPR 2017). Every pixel
// of every image is a sample. The two maps are brought to one size, per axis
// that of the larger one, H: pixel y of it shows pixel
//
//   floor((2 y + 1) h / (2 H))
//
// of a map of size h, the one whose centre lies nearest. No map is enlarged:
// a pixel shown several times is a sample of that weight.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_COVARIANCE_H
#define ROOTC_RUNTIME_COVARIANCE_H

#include "Support.h"

#include <Eigen/Core>

namespace rootc {

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

struct MapSize {
  int64_t height = 1, width = 1, channels = 1;
  int64_t pixels() const { return height * width; }
};

/// Covariances over all samples, divided by their number. Channels that are
/// constant, up to float32's rounding, have covariance 0 with everything.
struct Covariance {
  int64_t samples = 0;
  Matrix first, second; ///< of each layer with itself
  Matrix cross;         ///< [channels of first, channels of second]
  std::vector<int64_t> firstConstant, secondConstant; ///< channels
};

/// Sums moments in double precision, about a point near the means, in one pass:
/// memory does not depend on the number of images. What comes out does not
/// depend on threads, nor on how images are cut into batches.
class CovarianceSums {
public:
  CovarianceSums(MapSize first, MapSize second);

  /// Adds `count` images: first and second are [count, height, width,
  /// channels].
  void add(int64_t count, const float *first, const float *second,
           const ThreadPool &pool);
  /// Of at least one image. Throws if a response was infinite or NaN.
  Covariance finish() const;

private:
  struct Side {
    MapSize size;
    Vector shift;   ///< the first image's mean, as float32: exact if constant
    Vector weights; ///< of each pixel: how often it is shown
    Vector roots;   ///< of the weights
    Vector sum;     ///< of the samples less the shift
    Matrix square;  ///< their second moments, upper triangle
  };
  /// `weight` samples show pixel `first` of one map and `second` of the other.
  struct Overlap {
    int64_t first, second;
    double weight;
  };
  struct Image {
    Matrix first, second; ///< [pixels, channels], times the weights' roots
    Matrix folded; ///< the larger map, summed over each pixel of the smaller
  };

  void setShift(Side &side, const float *values);
  void fill(Image &image, const float *first, const float *second) const;
  void addTile(int64_t tile, const std::vector<Image> &images, int64_t count);
  int64_t tiles(const Side &side) const;

  Side first, second;
  std::vector<Overlap> overlaps;
  bool foldFirst; ///< the first map is the larger
  Matrix cross;
  int64_t images = 0;
  std::vector<Image> scratch;
};

/// A symmetric matrix W (ZCA) such that W C W is the identity, but for constant
/// channels and for directions whose variance is at most epsilon times the
/// largest: W takes these to zero.
struct Whitening {
  Matrix matrix;
  int64_t dropped = 0; ///< directions, besides constant channels
  double error = 0;    ///< the largest of |W C W - identity on what is kept|
};
Whitening whiten(const Matrix &covariance, double epsilon);

/// Mean absolute values of a matrix cut into N x N equal blocks: those on the
/// diagonal, and the others.
struct BlockMeans {
  double inside = 0, outside = 0;
  /// inside / outside; nothing with one block, or where outside is 0.
  std::optional<double> ratio;
};
/// `blocks` divides rows and columns.
BlockMeans blockMeans(const Matrix &matrix, int64_t blocks);

} // namespace rootc

#endif // ROOTC_RUNTIME_COVARIANCE_H
