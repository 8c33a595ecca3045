/* What a program does with models that rootc compiled, against the installed
 * package alone: two linked, one loaded and unloaded, threads, training, fork,
 * and an allocator of its own. */

#include "first.h"
#include "second.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUIRE(condition)                                                     \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);          \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

enum { THREADS = 8, BATCH = 8 };
extern long own_allocations;

static void *allocate(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
  REQUIRE(memory);
  return memory;
}

static float *noise(int64_t count, float scale) {
  float *values = allocate((size_t)count * sizeof(float));
  uint32_t state = 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    values[i] = ((float)(state >> 8) / (1 << 24) - 0.5f) * scale;
  }
  return values;
}

/* Weights of a model, as before training. */
static float *initial(const rootc_model *model, int statistic) {
  int64_t count = statistic ? model->statistic_count : model->parameter_count;
  float *arena = noise(count, 2);
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor *tensor = &model->tensors[i];
    if (tensor->statistic != statistic)
      continue;
    int64_t size = 1;
    for (int d = 0; d < tensor->rank; ++d)
      size *= tensor->shape[d];
    int ones =
        !strcmp(tensor->role, "scale") || !strcmp(tensor->role, "variance");
    for (int64_t k = 0; k < size; ++k) {
      float *value = arena + tensor->offset + k;
      *value = tensor->fan_in ? *value * sqrtf(6.f / (float)tensor->fan_in) / 2
                              : (float)ones;
    }
  }
  return arena;
}

static rootc_context context_of(const rootc_model *model, int32_t program,
                                void *pool) {
  rootc_context context = {0};
  context.workspace_bytes = (size_t)model->workspace_bytes(program, BATCH);
  context.workspace = allocate(context.workspace_bytes);
  context.pool = pool;
  context.parallel_for = pool ? model->parallel_for : NULL;
  return context;
}

typedef struct Inference {
  const rootc_model *model;
  void *prepared, *pool;
  const float *images;
  float *logits;
} Inference;

static void *infer(void *opaque) {
  Inference *job = opaque;
  rootc_context context = context_of(job->model, ROOTC_INFER, job->pool);
  for (int i = 0; i < 20; ++i)
    REQUIRE(!job->model->infer(&context, BATCH, job->images, job->prepared,
                               job->logits));
  free(context.workspace);
  return NULL;
}

static int64_t image_size(const rootc_model *model) {
  return model->height * model->width * model->channels;
}

/* One thread, without a pool. */
static Inference inference_of(const rootc_model *model) {
  float *parameters = initial(model, 0), *statistics = initial(model, 1);
  Inference job = {model, allocate((size_t)model->prepared_bytes), NULL,
                   noise(BATCH * image_size(model), 2),
                   allocate((size_t)(BATCH * model->classes) * sizeof(float))};
  rootc_context context = context_of(model, ROOTC_PREPARE, NULL);
  REQUIRE(!model->prepare(&context, parameters, statistics, job.prepared));
  free(context.workspace);
  free(parameters);
  free(statistics);
  infer(&job);
  return job;
}

static void release(Inference *job) {
  free(job->prepared);
  free((void *)job->images);
  free(job->logits);
}

static size_t logit_bytes(const rootc_model *model) {
  return (size_t)(BATCH * model->classes) * sizeof(float);
}

static void infer_from_threads(const Inference *expected) {
  void *pool = expected->model->pool_create(3);
  REQUIRE(pool);
  pthread_t threads[THREADS];
  Inference jobs[THREADS];
  size_t bytes = logit_bytes(expected->model);
  for (int i = 0; i < THREADS; ++i) {
    jobs[i] = *expected;
    jobs[i].pool = i % 2 ? pool : NULL;
    jobs[i].logits = allocate(bytes);
    REQUIRE(!pthread_create(&threads[i], NULL, infer, &jobs[i]));
  }
  for (int i = 0; i < THREADS; ++i) {
    REQUIRE(!pthread_join(threads[i], NULL));
    REQUIRE(!memcmp(jobs[i].logits, expected->logits, bytes));
    free(jobs[i].logits);
  }
  expected->model->pool_destroy(pool);
}

static void train(const rootc_model *model) {
  float *parameters = initial(model, 0), *statistics = initial(model, 1);
  float *velocity = noise(model->parameter_count, 0);
  float *gradients = noise(model->parameter_count, 0);
  float *images = noise(BATCH * image_size(model), 2);
  int64_t labels[BATCH], samples[BATCH];
  for (int i = 0; i < BATCH; ++i) {
    labels[i] = i % model->classes;
    samples[i] = i;
  }
  rootc_batch batch = {BATCH, images, labels, samples, 1, 0};
  void *pool = model->pool_create(2);
  rootc_context context = context_of(model, ROOTC_TRAIN, pool);
  float first = 0, loss = 0;
  for (int step = 0; step < 10; ++step) {
    REQUIRE(!model->train(&context, &batch, parameters, statistics, gradients,
                          &loss));
    REQUIRE(!model->update(&context, model->parameter_count, parameters,
                           gradients, velocity, 0.05f, 0.9f, 0, 0));
    first = step == 0 ? loss : first;
  }
  REQUIRE(isfinite(loss) && loss < first);
  printf("loss %g, after ten steps %g\n", first, loss);
  model->pool_destroy(pool);
  free(context.workspace);
  free(images);
  free(gradients);
  free(velocity);
  free(statistics);
  free(parameters);
}

static void *classify(void *opaque) {
  unsigned char pixels[20 * 31 * 3];
  for (size_t i = 0; i < sizeof pixels; ++i)
    pixels[i] = (unsigned char)(i * 37 % 251);
  for (int i = 0; i < 20; ++i)
    REQUIRE(!second_classify(pixels, 20, 31, 31 * 3, opaque, NULL));
  return NULL;
}

static void classify_from_threads(void) {
  const rootc_model *model = second_model();
  pthread_t threads[THREADS];
  float *probabilities[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    probabilities[i] = allocate((size_t)model->classes * sizeof(float));
    REQUIRE(!pthread_create(&threads[i], NULL, classify, probabilities[i]));
  }
  for (int i = 0; i < THREADS; ++i) {
    REQUIRE(!pthread_join(threads[i], NULL));
    float sum = 0;
    for (int64_t c = 0; c < model->classes; ++c) {
      REQUIRE(probabilities[i][c] == probabilities[0][c]);
      sum += probabilities[i][c];
    }
    REQUIRE(fabsf(sum - 1) < 1e-5f);
  }
  for (int i = 0; i < THREADS; ++i)
    free(probabilities[i]);
}

static void load_and_unload(const char *path) {
  for (int i = 0; i < 100; ++i) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    REQUIRE(library);
    const rootc_model *(*entry)(void) =
        (const rootc_model *(*)(void))dlsym(library, "first_model");
    REQUIRE(entry && !entry()->unsupported());
    Inference job = inference_of(entry());
    job.pool = job.model->pool_create(2);
    infer(&job);
    job.model->pool_destroy(job.pool);
    release(&job);
    REQUIRE(!dlclose(library));
  }
  REQUIRE(!dlopen(path, RTLD_NOW | RTLD_NOLOAD));
}

/* The child has none of its parent's threads: it makes a pool of its own. */
static void fork_and_infer(const Inference *expected) {
  void *pool = expected->model->pool_create(3);
  Inference job = *expected;
  job.pool = pool;
  job.logits = allocate(logit_bytes(expected->model));
  infer(&job);
  fflush(stdout);
  pid_t child = fork();
  REQUIRE(child >= 0);
  job.pool = child ? pool : expected->model->pool_create(3);
  REQUIRE(job.pool);
  memset(job.logits, 0xff, logit_bytes(expected->model));
  infer(&job);
  REQUIRE(!memcmp(job.logits, expected->logits, logit_bytes(expected->model)));
  expected->model->pool_destroy(job.pool);
  free(job.logits);
  if (!child)
    _exit(0);
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  const rootc_model *model = first_model();
  REQUIRE(!model->unsupported());
  Inference expected = inference_of(model);
  for (int64_t i = 0; i < BATCH * model->classes; ++i)
    REQUIRE(isfinite(expected.logits[i]));
  infer_from_threads(&expected);
  train(model);
  long before = own_allocations;
  classify_from_threads();
  REQUIRE(own_allocations > before + THREADS * 20);
  load_and_unload(arguments[1]);
  fork_and_infer(&expected);
  release(&expected);
  printf("all good\n");
  return 0;
}
