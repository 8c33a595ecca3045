// Two models in one program, on one pool of threads.
//
//   rootc a.mlir -o a.a && rootc b.mlir -o b.a
//   c++ -include a.h -include b.h -DFIRST=a_model -DSECOND=b_model
//   two_models.cpp a.a b.a -o two

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

struct Free {
  void operator()(void *data) const { std::free(data); }
};

/// Memory as models want it: at a multiple of 64 bytes.
template <typename T> std::unique_ptr<T[], Free> allocate(size_t count) {
  size_t bytes = (count * sizeof(T) + 64) / 64 * 64;
  return std::unique_ptr<T[], Free>(
      static_cast<T *>(std::aligned_alloc(64, bytes)));
}

int infer(const rootc_model &model, const rootc_model &owner, void *pool) {
  rootc_context context = {};
  context.pool = pool;
  context.parallel_for = owner.parallel_for;
  context.workspace_bytes = model.workspace_bytes(ROOTC_INFER, 1);
  auto workspace = allocate<char>(context.workspace_bytes);
  context.workspace = workspace.get();
  auto parameters = allocate<float>(model.parameter_count);
  auto statistics = allocate<float>(model.statistic_count);
  auto prepared = allocate<char>(model.prepared_bytes);
  std::fill_n(parameters.get(), model.parameter_count, 0.01f);
  std::fill_n(statistics.get(), model.statistic_count, 1.0f);
  std::vector<float> image(model.height * model.width * model.channels, 0.5f);
  std::vector<float> logits(model.classes);
  if (model.prepare(&context, parameters.get(), statistics.get(),
                    prepared.get()) ||
      model.infer(&context, 1, image.data(), prepared.get(), logits.data())) {
    std::fprintf(stderr, "%s: %s\n", model.name, context.error);
    return 1;
  }
  std::printf("%s: class 0: %g\n", model.name, logits[0]);
  return 0;
}

} // namespace

int main() {
  const rootc_model &first = *FIRST(), &second = *SECOND();
  void *pool = first.pool_create(2);
  int failed = infer(first, first, pool) + infer(second, first, pool);
  first.pool_destroy(pool);
  return failed;
}
