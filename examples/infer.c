/* Runs a model's inference from plain C.
 *
 *   rootc models/nin.mlir --root=8 -o nin.a          (makes nin.h too)
 *   cc -include nin.h -DMODEL=nin_model infer.c nin.a -lm -o infer
 *
 * The weights here are all one hundredth: a real program reads them from a file
 * into the parameter and statistic arenas, as model->tensors lays them out. */

#include <stdio.h>
#include <stdlib.h>

static void *allocate(size_t bytes) {
  return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

static float *filled(int64_t count, float value) {
  float *data = allocate(count * sizeof(float));
  for (int64_t i = 0; data && i < count; ++i)
    data[i] = value;
  return data;
}

int main(void) {
  const rootc_model *model = MODEL();
  const char *why = model->unsupported();
  if (why) {
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  rootc_context context = {0};
  context.workspace_bytes = model->workspace_bytes(ROOTC_INFER, 1);
  context.workspace = allocate(context.workspace_bytes);
  float *parameters = filled(model->parameter_count, 0.01f);
  float *statistics = filled(model->statistic_count, 1.0f);
  float *image = filled(model->height * model->width * model->channels, 0.5f);
  float *logits = filled(model->classes, 0.0f);
  void *prepared = allocate(model->prepared_bytes);
  int failed = model->prepare(&context, parameters, statistics, prepared) ||
               model->infer(&context, 1, image, prepared, logits);
  if (failed)
    fprintf(stderr, "%s\n", context.error);
  for (int64_t i = 0; !failed && i < model->classes; ++i)
    printf("class %lld: %g\n", (long long)i, logits[i]);
  free(prepared);
  free(logits);
  free(image);
  free(statistics);
  free(parameters);
  free(context.workspace);
  return failed;
}
