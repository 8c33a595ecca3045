//===- TensorCores.cu - Convolutions as products of matrices --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Behind Cuda.cpp in what --emit=cuda writes with --precision=tf32 or bf16. A
// kernel says by a struct what it convolves (codegen/TensorCoreSource.h); here
// is how a block of threads does it: it copies a tile of either factor to
// shared memory while it multiplies the tiles before.
//
// Operands are rounded to nearest as they go from shared memory to registers;
// sums are f32. What is summed apart is added in an order that the batch and
// the shape fix.
//
//===----------------------------------------------------------------------===//

#ifdef __CUDACC__
#define ROOTC_UNROLL _Pragma("unroll")

// Fragments of matrices as registers hold them: PTX ISA, "Matrix Fragments for
// mma.m16n8k8" (.tf32) and "... mma.m16n8k16" (.bf16).
__device__ inline void rootc_multiply_tf32(float (&d)[4],
                                           const uint32_t (&a)[4],
                                           const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]),
                 "r"(b[1]));
}
__device__ inline void rootc_multiply_bf16(float (&d)[4],
                                           const uint32_t (&a)[4],
                                           const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]),
                 "r"(b[1]));
}
__device__ inline uint32_t rootc_tf32(float value) {
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return bits;
}
/// `low` in the lower half.
__device__ inline uint32_t rootc_bf16_pair(float low, float high) {
  uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}

/// Copies 1, 2 or 4 floats to shared memory, or writes as many zeros, by the
/// time that rootc_wait_for_copies() returns; addresses are multiples of the
/// size.
template <int Floats>
__device__ inline void rootc_copy(float *to, const float *from, bool exists) {
  const unsigned address = (unsigned)__cvta_generic_to_shared(to);
  const int bytes = exists ? 4 * Floats : 0;
  if (Floats == 4)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address),
                 "l"(from), "r"(bytes)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;" ::"r"(address),
                 "l"(from), "r"(bytes), "n"(4 * Floats)
                 : "memory");
}
/// Of all copies that the thread has begun; others see them behind a barrier.
__device__ inline void rootc_wait_for_copies() {
  asm volatile("cp.async.commit_group;\ncp.async.wait_group 0;" ::: "memory");
}
#else
// The header that takes CUDA's place has these functions.
#define ROOTC_UNROLL
#endif

namespace {

/// Sums of products of a block's tiles: M rows by N columns, K terms at a time,
/// shared by WarpsM by WarpsN warps. The tile of the left factor lies row by
/// row, or term by term (`ByTerms`), that of the right factor term by term.
template <bool Bf16, int M, int N, int K, int WarpsM, int WarpsN, bool ByTerms>
class rootc_tile {
public:
  static constexpr int m = M, n = N, k = K, threads = 32 * WarpsM * WarpsN;
  // With these pitches the loads of a fragment meet no bank of shared memory
  // twice.
  static constexpr int left_pitch =
      ByTerms ? M + (Bf16 ? 4 : 8) : K + (Bf16 ? 8 : 4);
  static constexpr int right_pitch = N + (Bf16 ? 4 : 8);
  static constexpr int left_floats = (ByTerms ? K : M) * left_pitch;
  static constexpr int floats = left_floats + K * right_pitch;
  static constexpr int left_vectors = M * K / 4 / threads;
  static constexpr int right_vectors = N * K / 4 / threads;

  /// Adds the products of two tiles.
  __device__ void add(const float *left, const float *right) {
    constexpr int terms = Bf16 ? 16 : 8;
    ROOTC_UNROLL
    for (int k0 = 0; k0 < K; k0 += terms) {
      uint32_t a[rows][4], b[columns][2];
      ROOTC_UNROLL
      for (int i = 0; i < rows; ++i)
        ROOTC_UNROLL
        for (int r = 0; r < 4; ++r)
          a[i][r] = operand<ByTerms ? left_pitch : 1, ByTerms ? 1 : left_pitch>(
              left, k0 + r / 2 * (terms / 2), row(i, r % 2));
      ROOTC_UNROLL
      for (int j = 0; j < columns; ++j)
        ROOTC_UNROLL
        for (int r = 0; r < 2; ++r)
          b[j][r] = operand<right_pitch, 1>(right, k0 + r * (terms / 2),
                                            column(j) + lane() / 4);
      ROOTC_UNROLL
      for (int i = 0; i < rows; ++i)
        ROOTC_UNROLL
        for (int j = 0; j < columns; ++j)
          if (Bf16)
            rootc_multiply_bf16(sums[i][j], a[i], b[j]);
          else
            rootc_multiply_tf32(sums[i][j], a[i], b[j]);
    }
  }

  // The tile's sums that a thread has.
  static constexpr int rows = M / WarpsM / 16, columns = N / WarpsN / 8;
  float sums[rows][columns][4] = {};
  /// Where sums[i][.][2 half], and the one behind it, lie.
  __device__ static int row(int i, int half) {
    return warp() / WarpsN * (M / WarpsM) + 16 * i + 8 * half + lane() / 4;
  }
  /// Where sums[.][j][0] and [2] lie.
  __device__ static int first_column(int j) {
    return column(j) + lane() % 4 * 2;
  }

private:
  __device__ static int warp() { return (int)threadIdx.x / 32; }
  __device__ static int lane() { return (int)threadIdx.x % 32; }
  __device__ static int column(int j) {
    return warp() % WarpsN * (N / WarpsN) + 8 * j;
  }
  /// The register of a fragment that begins at the term `k0`.
  template <int TermPitch, int Pitch>
  __device__ static uint32_t operand(const float *tile, int k0, int place) {
    const float *at = tile + place * Pitch +
                      (k0 + lane() % 4 * (Bf16 ? 2 : 1)) * TermPitch;
    return Bf16 ? rootc_bf16_pair(at[0], at[TermPitch]) : rootc_tf32(at[0]);
  }
};

/// A pixel of a map that is written, and where its first tap reads.
struct rootc_pixel {
  int image, y, x;
  bool exists;
};

/// Four floats of a factor that are computed, not copied.
struct rootc_vector {
  float of[4];
};

// A group may be several of the convolution's (`merged`): where one's in
// channels meet another's out channels there are zeros.

/// Forward and backward-data: rows are pixels (of one phase), columns the out
/// channels of a group, terms the in channels of one tap after another.
/// blockIdx: tile of rows, tile of columns, group and phase.
template <typename Of> class rootc_convolution {
  using Tile = typename Of::tile;
  const Of &of;
  float *const shared;
  const int group, phase_y, phase_x;
  int first_y = 0, first_x = 0, taps_y = 0, taps_x = 0;
  rootc_pixel pixels[Tile::left_vectors];
  rootc_vector fetched[Tile::left_vectors];

  static constexpr int phase_height =
      (Of::height + Of::phases_y - 1) / Of::phases_y;
  static constexpr int phase_width =
      (Of::width + Of::phases_x - 1) / Of::phases_x;
  static constexpr int chunks = (Of::ins + Tile::k - 1) / Tile::k;

  __device__ rootc_pixel pixel(int row) const {
    const int index = (int)blockIdx.x * Tile::m + row;
    const int x = index % phase_width * Of::phases_x + phase_x;
    const int y =
        index / phase_width % phase_height * Of::phases_y + phase_y;
    const int image = index / (phase_width * phase_height);
    return {image, y, x, image < of.n && y < Of::height && x < Of::width};
  }

  /// Taps that meet what is read, from a pixel of the phase: every `step`th one
  /// from the first on.
  __device__ static void taps(int phase, int phases, int before, int dilation,
                              int kernel, int step, int &first, int &count) {
    first = 0;
    while (first < kernel &&
           floor_mod(phase + first * dilation - before, phases) != 0)
      ++first;
    count = (kernel - first + step - 1) / step;
  }

  __device__ float *left(int stage) const {
    return shared + stage % 2 * Tile::floats;
  }
  __device__ float *right(int stage) const {
    return left(stage) + Tile::left_floats;
  }
  __device__ static int left_place(int i) {
    const int vector = (int)threadIdx.x + i * Tile::threads;
    return vector / (Tile::k / 4) * Tile::left_pitch +
           vector % (Tile::k / 4) * 4;
  }

  /// Begins to copy the tiles of a stage; what is computed is kept.
  __device__ void fetch(int stage) {
    const int tap = stage / chunks, first_in = stage % chunks * Tile::k;
    const int tap_y = first_y + tap / taps_x * Of::tap_step_y;
    const int tap_x = first_x + tap % taps_x * Of::tap_step_x;
    ROOTC_UNROLL
    for (int i = 0; i < Tile::left_vectors; ++i) {
      const int in =
          first_in + ((int)threadIdx.x + i * Tile::threads) % (Tile::k / 4) * 4;
      const int c = group * Of::ins + in;
      const int y = (pixels[i].y * Of::stride_y + tap_y * Of::dilation_y -
                     Of::before_y) /
                    Of::phases_y;
      const int x = (pixels[i].x * Of::stride_x + tap_x * Of::dilation_x -
                     Of::before_x) /
                    Of::phases_x;
      const bool inside = pixels[i].exists && y >= 0 && y < Of::in_height &&
                          x >= 0 && x < Of::in_width;
      if constexpr (Of::copied) {
        constexpr int floats = Of::ins % 4 == 0 ? 4 : 1;
        ROOTC_UNROLL
        for (int j = 0; j < 4; j += floats) {
          const bool exists = inside && in + j < Of::ins;
          rootc_copy<floats>(
              left(stage) + left_place(i) + j,
              of.map() + (exists ? of.place(c + j, x, y, pixels[i].image) : 0),
              exists);
        }
      } else {
        ROOTC_UNROLL
        for (int j = 0; j < 4; ++j)
          fetched[i].of[j] = inside && in + j < Of::ins
                                 ? of.read(c + j, x, y, pixels[i].image)
                                 : 0.0f;
      }
    }
    constexpr int floats = Of::block % 4 == 0 ? 4 : Of::block % 2 == 0 ? 2 : 1;
    ROOTC_UNROLL
    for (int i = 0; i < Tile::right_vectors * 4 / floats; ++i) {
      const int vector = (int)threadIdx.x + i * Tile::threads;
      const int term = vector % Tile::k, column = vector / Tile::k * floats;
      const int in = first_in + term, out = (int)blockIdx.y * Tile::n + column;
      constexpr int own_ins = Of::ins / Of::merged,
                    own_outs = Of::outs / Of::merged;
      const int own = out / own_outs, block = out % own_outs / Of::block;
      const bool exists = in < Of::ins && out < Of::outs && in / own_ins == own;
      const int place =
          (((((group * Of::merged + own) * Of::blocks + block) * Of::kernel_y +
             tap_y) *
                Of::kernel_x +
            tap_x) *
               own_ins +
           in % own_ins) *
              Of::block +
          out % own_outs % Of::block;
      rootc_copy<floats>(right(stage) + term * Tile::right_pitch + column,
                         of.filter() + (exists ? place : 0), exists);
    }
  }

  /// Stores what fetch() has computed.
  __device__ void keep(int stage) const {
    if constexpr (!Of::copied) {
      ROOTC_UNROLL
      for (int i = 0; i < Tile::left_vectors; ++i)
        ROOTC_UNROLL
        for (int j = 0; j < 4; ++j)
          left(stage)[left_place(i) + j] = fetched[i].of[j];
    }
  }

public:
  __device__ rootc_convolution(const Of &of, float *shared)
      : of(of), shared(shared), group((int)blockIdx.z % Of::groups),
        phase_y((int)blockIdx.z / Of::groups / Of::phase_count_x),
        phase_x((int)blockIdx.z / Of::groups % Of::phase_count_x) {
    taps(phase_y, Of::phases_y, Of::before_y, Of::dilation_y, Of::kernel_y,
         Of::tap_step_y, first_y, taps_y);
    taps(phase_x, Of::phases_x, Of::before_x, Of::dilation_x, Of::kernel_x,
         Of::tap_step_x, first_x, taps_x);
    ROOTC_UNROLL
    for (int i = 0; i < Tile::left_vectors; ++i)
      pixels[i] =
          pixel(((int)threadIdx.x + i * Tile::threads) / (Tile::k / 4));
  }

  __device__ void run() {
    Tile tile;
    const int stages = taps_y * taps_x * chunks;
    if (stages > 0) {
      fetch(0);
      keep(0);
      rootc_wait_for_copies();
      __syncthreads();
    }
    for (int stage = 0; stage < stages; ++stage) {
      const bool more = stage + 1 < stages;
      if (more)
        fetch(stage + 1);
      tile.add(left(stage), right(stage));
      if (more)
        keep(stage + 1);
      rootc_wait_for_copies();
      __syncthreads();
    }
    ROOTC_UNROLL
    for (int i = 0; i < Tile::rows; ++i)
      ROOTC_UNROLL
      for (int half = 0; half < 2; ++half) {
        const rootc_pixel at = pixel(Tile::row(i, half));
        ROOTC_UNROLL
        for (int j = 0; j < Tile::columns; ++j)
          ROOTC_UNROLL
          for (int e = 0; e < 2; ++e) {
            const int out =
                (int)blockIdx.y * Tile::n + Tile::first_column(j) + e;
            if (at.exists && out < Of::outs)
              of.write(group * Of::outs + out, at.x, at.y, at.image,
                       tile.sums[i][j][2 * half + e]);
          }
      }
  }
};

/// Backward-filter: rows are out channels of a group, columns its in channels,
/// at one tap; terms are the pixels of dy, cut into chunks whose sums are kept
/// apart, [chunk][out][tap][in]. blockIdx: tile, tap, group and chunk.
template <typename Of> class rootc_filter_gradient {
  using Tile = typename Of::tile;
  const Of &of;
  float *const shared;
  const int group, chunk, tap, first_out, first_in;
  rootc_vector fetched_dy[Tile::left_vectors], fetched_x[Tile::right_vectors];

  static constexpr int tiles_n = (Of::ins + Tile::n - 1) / Tile::n;

  __device__ float *left(int stage) const {
    return shared + stage % 2 * Tile::floats;
  }
  __device__ float *right(int stage) const {
    return left(stage) + Tile::left_floats;
  }
  /// Of a thread's i-th vector of a tile that is `width` wide: term, column.
  __device__ static int term(int i, int width) {
    return ((int)threadIdx.x + i * Tile::threads) / (width / 4);
  }
  __device__ static int column(int i, int width) {
    return ((int)threadIdx.x + i * Tile::threads) % (width / 4) * 4;
  }

  __device__ rootc_pixel pixel(int stage, int term) const {
    const int index = stage * Tile::k + term;
    const int image = index / (Of::width * Of::height);
    return {image, index / Of::width % Of::height, index % Of::width,
            image < of.n};
  }

  __device__ void fetch(int stage) {
    ROOTC_UNROLL
    for (int i = 0; i < Tile::left_vectors; ++i) {
      const rootc_pixel at = pixel(stage, term(i, Tile::m));
      const int out = first_out + column(i, Tile::m),
                c = group * Of::outs + out;
      if constexpr (Of::dy_copied) {
        constexpr int floats = Of::outs % 4 == 0 ? 4 : 1;
        ROOTC_UNROLL
        for (int j = 0; j < 4; j += floats) {
          const bool exists = at.exists && out + j < Of::outs;
          rootc_copy<floats>(
              left(stage) + term(i, Tile::m) * Tile::left_pitch +
                  column(i, Tile::m) + j,
              of.dy() + (exists ? of.dy_place(c + j, at.x, at.y, at.image) : 0),
              exists);
        }
      } else {
        ROOTC_UNROLL
        for (int j = 0; j < 4; ++j)
          fetched_dy[i].of[j] = at.exists && out + j < Of::outs
                                    ? of.read_dy(c + j, at.x, at.y, at.image)
                                    : 0.0f;
      }
    }
    ROOTC_UNROLL
    for (int i = 0; i < Tile::right_vectors; ++i) {
      const rootc_pixel at = pixel(stage, term(i, Tile::n));
      const int in = first_in + column(i, Tile::n), c = group * Of::ins + in;
      const int y = at.y * Of::stride_y +
                    tap / Of::kernel_x * Of::dilation_y - Of::before_y,
                x = at.x * Of::stride_x +
                    tap % Of::kernel_x * Of::dilation_x - Of::before_x;
      const bool inside = at.exists && y >= 0 && y < Of::in_height && x >= 0 &&
                          x < Of::in_width;
      if constexpr (Of::copied) {
        constexpr int floats = Of::ins % 4 == 0 ? 4 : 1;
        ROOTC_UNROLL
        for (int j = 0; j < 4; j += floats) {
          const bool exists = inside && in + j < Of::ins;
          rootc_copy<floats>(
              right(stage) + term(i, Tile::n) * Tile::right_pitch +
                  column(i, Tile::n) + j,
              of.map() + (exists ? of.place(c + j, x, y, at.image) : 0), exists);
        }
      } else {
        ROOTC_UNROLL
        for (int j = 0; j < 4; ++j)
          fetched_x[i].of[j] = inside && in + j < Of::ins
                                   ? of.read(c + j, x, y, at.image)
                                   : 0.0f;
      }
    }
  }

  __device__ void keep(int stage) const {
    if constexpr (!Of::dy_copied) {
      ROOTC_UNROLL
      for (int i = 0; i < Tile::left_vectors; ++i)
        ROOTC_UNROLL
        for (int j = 0; j < 4; ++j)
          left(stage)[term(i, Tile::m) * Tile::left_pitch +
                      column(i, Tile::m) + j] = fetched_dy[i].of[j];
    }
    if constexpr (!Of::copied) {
      ROOTC_UNROLL
      for (int i = 0; i < Tile::right_vectors; ++i)
        ROOTC_UNROLL
        for (int j = 0; j < 4; ++j)
          right(stage)[term(i, Tile::n) * Tile::right_pitch +
                       column(i, Tile::n) + j] = fetched_x[i].of[j];
    }
  }

public:
  __device__ rootc_filter_gradient(const Of &of, float *shared)
      : of(of), shared(shared), group((int)blockIdx.z % Of::groups),
        chunk((int)blockIdx.z / Of::groups), tap((int)blockIdx.y),
        first_out((int)blockIdx.x / tiles_n * Tile::m),
        first_in((int)blockIdx.x % tiles_n * Tile::n) {}

  /// `stages`: of a chunk.
  __device__ void run(int stages, float *partial) {
    Tile tile;
    const int first = chunk * stages;
    fetch(first);
    keep(first);
    rootc_wait_for_copies();
    __syncthreads();
    for (int stage = first; stage < first + stages; ++stage) {
      const bool more = stage + 1 < first + stages;
      if (more)
        fetch(stage + 1);
      tile.add(left(stage), right(stage));
      if (more)
        keep(stage + 1);
      rootc_wait_for_copies();
      __syncthreads();
    }
    ROOTC_UNROLL
    for (int i = 0; i < Tile::rows; ++i)
      ROOTC_UNROLL
      for (int j = 0; j < Tile::columns; ++j)
        ROOTC_UNROLL
        for (int e = 0; e < 4; ++e) {
          const int out = first_out + Tile::row(i, e / 2),
                    in = first_in + Tile::first_column(j) + e % 2;
          constexpr int own_ins = Of::ins / Of::merged,
                        own_outs = Of::outs / Of::merged;
          if (out < Of::outs && in < Of::ins && out / own_outs == in / own_ins)
            partial[((chunk * Of::groups * Of::outs + group * Of::outs + out) *
                         (Of::kernel_y * Of::kernel_x) +
                     tap) *
                        own_ins +
                    in % own_ins] = tile.sums[i][j][e];
        }
  }
};

} // namespace
