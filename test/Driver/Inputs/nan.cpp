// Two images, one pixel of the second not a number: so are its logits, and the
// loss of both, and the gradient of the filter.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

static float *floats(int64_t count, float value) {
  auto bytes = static_cast<size_t>(count * 4 + 64) / 64 * 64;
  auto *data = static_cast<float *>(std::aligned_alloc(64, bytes));
  for (size_t i = 0; i < bytes / 4; ++i)
    data[i] = value;
  return data;
}

int main() {
  const rootc_model &model = *nan_model();
  std::vector<float> image(2 * 8 * 8 * 3, 0.5f), logits(6), loss(1);
  image[8 * 8 * 3 + 100] = NAN;
  rootc_context context = {};
  context.workspace_bytes = model.workspace_bytes(ROOTC_TRAIN, 2);
  context.workspace = floats(context.workspace_bytes / 4, 0);
  float *parameters = floats(model.parameter_count, 0.25f),
        *gradients = floats(model.parameter_count, 0),
        *statistics = floats(model.statistic_count, 1),
        *prepared = floats(model.prepared_bytes / 4, 0);
  int64_t labels[] = {0, 1}, samples[] = {0, 1};
  rootc_batch batch = {2, image.data(), labels, samples, 1, 1};
  if (model.prepare(&context, parameters, statistics, prepared) ||
      model.infer(&context, 2, image.data(), prepared, logits.data()) ||
      model.train(&context, &batch, parameters, statistics, gradients,
                  loss.data())) {
    std::printf("%s\n", context.error);
    return 1;
  }
  for (float logit : logits)
    std::printf("logit %d\n", std::isnan(logit));
  std::printf("loss %d, filter %d, mean %d\n", std::isnan(loss[0]),
              std::isnan(gradients[model.tensors[0].offset]),
              std::isnan(statistics[0]));
  return 0;
}
