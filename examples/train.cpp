// Trains a network inside a program, by the runtime library, without any file
// of images.
//
//   rootc net.mlir -o net.so
//   c++ -std=c++20 train.cpp -o train $(pkg-config --cflags --libs rootc)
//   ./train net.so weights.safetensors

#include <rootc/runtime.h>

#include <cstdio>
#include <numeric>

namespace {

/// Images of one colour each, of which the class is the brightness.
void makeBatch(const rootc::Model &model, int64_t count,
               rootc::FloatArray &images, std::vector<int64_t> &labels) {
  int64_t size = model.imageSize();
  for (int64_t i = 0; i < count; ++i) {
    labels[size_t(i)] = i % model->classes;
    float brightness = 2 * float(labels[size_t(i)]) / float(model->classes) - 1;
    for (int64_t k = 0; k < size; ++k)
      images[size_t(i * size + k)] =
          brightness + 0.1f * float((i * 31 + k * 7) % 11 - 5) / 5;
  }
}

void run(const char *library, const char *file) {
  rootc::Model model = rootc::Model::open(library);
  model.requireTraining();
  auto pool = std::make_shared<rootc::ThreadPool>(model);
  rootc::Session session(model, pool);
  rootc::Weights weights = rootc::Weights::initialise(model, 1);
  rootc::FloatArray gradients(size_t(model->parameter_count)),
      velocity(gradients.size());

  int64_t size = 4 * model->classes;
  rootc::FloatArray images(size_t(size * model.imageSize()));
  std::vector<int64_t> labels(static_cast<size_t>(size)), samples(labels);
  std::iota(samples.begin(), samples.end(), 0);
  makeBatch(model, size, images, labels);
  for (int64_t step = 0; step < 30; ++step) {
    rootc_batch batch = {size,           images.data(), labels.data(),
                         samples.data(), /*seed=*/1,    /*epoch=*/step};
    float loss = session.train(batch, weights, gradients.data());
    session.update(weights, gradients.data(), velocity.data(), 0.05f, 0.9f,
                   5e-4f);
    if (step % 10 == 0)
      std::printf("step %d: loss %.3f\n", int(step), double(loss));
  }
  weights.save(model, file);

  rootc::Prepared prepared(model, weights);
  rootc::FloatArray logits(size_t(size * model->classes));
  session.infer(prepared, size, images.data(), logits.data());
  int64_t right = 0;
  for (int64_t i = 0; i < size; ++i) {
    const float *row = logits.data() + i * model->classes;
    int64_t best = 0;
    for (int64_t c = 1; c < model->classes; ++c)
      best = row[c] > row[best] ? c : best;
    right += best == labels[size_t(i)];
  }
  std::printf("%d of %d images are right\n", int(right), int(size));
}

} // namespace

int main(int count, char **arguments) {
  if (count != 3) {
    std::fprintf(stderr, "train NET.so WEIGHTS.safetensors\n");
    return 1;
  }
  try {
    run(arguments[1], arguments[2]);
    return 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
