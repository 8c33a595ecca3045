/* Runs a model's inference from plain C, with weights from a file.
 *
 *   rootc models/nin.mlir --root=8 -o nin.a          (makes nin.h too)
 *   cc -include ./nin.h -DMODEL=nin_model infer.c nin.a -lm -pthread -o infer
 *   ./infer weights.safetensors
 *
 * The file is what `rootrun train` or `rootrun init` writes. The image here is
 * grey; a real one is normalised by the file's input.mean and input.scale. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(size_t bytes) {
  return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

/* A file of safetensors: the length of a header, 8 bytes, the header, JSON, and
   the tensors' values. */
typedef struct Weights {
  char *header; /* ends with a zero */
  char *values;
  uint64_t count; /* bytes of values */
} Weights;

static int read_file(const char *name, Weights *weights) {
  FILE *file = fopen(name, "rb");
  unsigned char head[8];
  uint64_t length = 0;
  long size = -1;
  if (file && fseek(file, 0, SEEK_END) == 0)
    size = ftell(file);
  if (size < 8 || fseek(file, 0, SEEK_SET) != 0 ||
      fread(head, 1, 8, file) != 8) {
    if (file)
      fclose(file);
    return 0;
  }
  for (int i = 0; i < 8; ++i)
    length |= (uint64_t)head[i] << (8 * i);
  int good = length <= (uint64_t)size - 8;
  if (good) {
    weights->count = (uint64_t)size - 8 - length;
    weights->header = malloc(length + 1);
    weights->values = malloc(weights->count + 1);
    good = weights->header && weights->values &&
           fread(weights->header, 1, length, file) == length &&
           fread(weights->values, 1, weights->count, file) == weights->count;
    if (weights->header)
      weights->header[good ? length : 0] = 0;
  }
  fclose(file);
  return good;
}

/* Copies a tensor, of which the header says where it lies:
   "conv1.bias":{"dtype":"F32","shape":[8],"data_offsets":[96,128]}. A real
   program has a library that reads JSON. */
static int copy(const Weights *weights, const rootc_tensor *tensor,
                float *arena) {
  const char *offsets_key = "\"data_offsets\"";
  char key[300];
  uint64_t begin, end, bytes = sizeof(float);
  for (int i = 0; i < tensor->rank; ++i)
    bytes *= (uint64_t)tensor->shape[i];
  snprintf(key, sizeof key, "\"%s\"", tensor->name);
  const char *entry = strstr(weights->header, key);
  const char *offsets = entry ? strstr(entry, offsets_key) : NULL;
  if (!offsets ||
      sscanf(offsets + strlen(offsets_key), " : [ %" SCNu64 " , %" SCNu64,
             &begin, &end) != 2 ||
      begin > end || end > weights->count || end - begin != bytes)
    return 0;
  memcpy(arena + tensor->offset, weights->values + begin, bytes);
  return 1;
}

/* Lays a file's tensors out as the model wants them. */
static int read_weights(const rootc_model *model, const char *name,
                        float *parameters, float *statistics) {
  Weights weights = {0};
  int good = read_file(name, &weights);
  if (!good)
    fprintf(stderr, "%s: cannot be read, or is no file of safetensors\n", name);
  for (int64_t i = 0; good && i < model->tensor_count; ++i) {
    const rootc_tensor *tensor = &model->tensors[i];
    good = copy(&weights, tensor, tensor->statistic ? statistics : parameters);
    if (!good)
      fprintf(stderr, "%s: has no '%s' of the model's size\n", name,
              tensor->name);
  }
  free(weights.header);
  free(weights.values);
  return good;
}

int main(int count, char **arguments) {
  const rootc_model *model = MODEL();
  const char *why = model->unsupported();
  if (why || count != 2) {
    fprintf(stderr, "%s\n", why ? why : "give the name of a weights file");
    return 1;
  }
  rootc_context context = {0};
  context.workspace_bytes = model->workspace_bytes(ROOTC_INFER, 1);
  context.workspace = allocate(context.workspace_bytes);
  /* What lies between tensors is read, and must be a number. */
  float *parameters = allocate(model->parameter_count * sizeof(float));
  float *statistics = allocate(model->statistic_count * sizeof(float));
  int64_t pixels = model->height * model->width * model->channels;
  float *image = allocate(pixels * sizeof(float));
  float *logits = allocate(model->classes * sizeof(float));
  void *prepared = allocate(model->prepared_bytes);
  int failed = !context.workspace || !parameters || !statistics || !image ||
               !logits || !prepared;
  if (failed) {
    fprintf(stderr, "memory ran out\n");
  } else {
    memset(parameters, 0, model->parameter_count * sizeof(float));
    memset(statistics, 0, model->statistic_count * sizeof(float));
    for (int64_t i = 0; i < pixels; ++i)
      image[i] = 0.5f;
    failed = !read_weights(model, arguments[1], parameters, statistics);
  }
  if (!failed) {
    failed = model->prepare(&context, parameters, statistics, prepared) ||
             model->infer(&context, 1, image, prepared, logits);
    if (failed)
      fprintf(stderr, "%s\n", context.error);
  }
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
