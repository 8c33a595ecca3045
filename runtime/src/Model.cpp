//===- Model.cpp - Load a model -------------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElfNote.h"
#include "LayerGraph.h"
#include "Support.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <dlfcn.h>
#include <exception>
#include <mutex>
#include <sched.h>

using namespace rootc;

struct Model::State {
  std::string path;
  void *library = nullptr;
  const rootc_model *first = nullptr; ///< of the library's
  const rootc_model *table = nullptr; ///< with functions; else null
  int32_t index = 0;                  ///< of the device
  mutable std::mutex mutex;
  mutable rootc_device *device = nullptr; ///< guarded by mutex; null: not open

  ~State() {
    if (device)
      table->device_close(device);
    if (library)
      dlclose(library);
  }
};

/// Whether a response is written by inference, within its memory.
static bool isWithin(const rootc_model &table, const rootc_response &response) {
  auto [height, width, channels] = response.shape;
  auto count = elementCount({height, width, channels});
  if (!response.name || !response.value_of || response.call < 0 ||
      response.call >= table.call_count[ROOTC_INFER] || !count || *count < 1 ||
      response.offset < 0 || response.order < 1 ||
      channels % response.order != 0)
    return false;
  if (response.arena == ROOTC_RESPONSE_LOGITS)
    return response.offset == 0 && *count == table.classes;
  int64_t bytes = table.workspace_bytes(ROOTC_INFER, 1);
  return response.arena == ROOTC_RESPONSE_WORKSPACE &&
         response.offset <= bytes &&
         *count <= (bytes - response.offset) / int64_t(sizeof(float));
}

/// What rootc promises of a table's data; a library that breaks it was damaged,
/// or made by something else.
static const char *findFault(const rootc_model &table) {
  if (!table.name || !table.target || !table.description ||
      (table.tensor_count && !table.tensors))
    return "a name is missing";
  if (table.height < 1 || table.width < 1 || table.channels < 1 ||
      table.classes < 1)
    return "its image size or class count is not positive";
  auto pixels = elementCount({table.height, table.width, table.channels});
  if (!pixels)
    return "its image size overflows";
  if (table.decayed_count < 0 || table.decayed_count > table.parameter_count ||
      table.decayed_count % 16 || table.statistic_count < 0 ||
      table.prepared_bytes < 0)
    return "its arena sizes are inconsistent";
  if (const rootc_weights *own = table.weights)
    if ((table.prepared_bytes && !own->prepared) || !own->mean || !own->scale ||
        (own->mean_count != table.channels && own->mean_count != *pixels))
      return "its weights or their normalisation are missing";
  for (int64_t i = 0; i < table.tensor_count; ++i) {
    const rootc_tensor &tensor = table.tensors[i];
    if (!tensor.name || !tensor.role || tensor.rank < 0 || tensor.rank > 4)
      return "a tensor has no name, or more than 4 dimensions";
    auto count = elementCount({tensor.shape, tensor.shape + tensor.rank});
    int64_t arena =
        tensor.statistic ? table.statistic_count : table.parameter_count;
    if (!count || tensor.offset < 0 || tensor.offset > arena ||
        *count > arena - tensor.offset)
      return "a tensor lies outside of its arena";
  }
  return nullptr;
}

/// What it promises of what its functions compute.
static const char *findFunctionFault(const rootc_model &table) {
  if (!table.workspace_bytes || !table.prepare || !table.infer ||
      !table.pool_create || !table.pool_destroy || !table.parallel_for)
    return "a function is missing";
  if (!table.device_kind || !table.device_count || !table.device_info ||
      !table.device_open || !table.device_close || !table.device_keep ||
      !table.device_drop || !table.device_adopt || !table.device_pin ||
      !table.device_unpin || !table.device_ahead || !table.device_upload ||
      !table.device_download)
    return "a function of its device is missing";
  if (table.has_training && (!table.train || !table.grad || !table.update))
    return "a training function is missing";
  for (int program = 0; program < ROOTC_PROGRAM_COUNT; ++program)
    if (table.call_count[program] < 0 ||
        (table.call_count[program] &&
         (!table.call_labels[program] || !table.call_work[program])))
      return "a program has no labels, or says not what its calls do";
  if (table.response_count < 0 || (table.response_count && !table.responses))
    return "its responses are missing";
  for (int64_t i = 0; i < table.response_count; ++i)
    if (!isWithin(table, table.responses[i]))
      return "a response belongs to no kernel, or lies outside of its memory";
  return nullptr;
}

static void refuseFault(const std::string &path, const char *fault) {
  if (fault)
    fail("{}: its model is damaged: {}; make it again with rootc", path, fault);
}

static void checkTable(const std::string &path, const rootc_model *table) {
  if (!table)
    fail("{}: its entry returns no model; make it again with rootc", path);
  if (table->abi_version != ROOTC_ABI_VERSION ||
      table->struct_size != sizeof(rootc_model))
    fail("{}: is a model of ABI version {} ({} bytes), and this program was "
         "built for version {} ({} bytes); compile the network again",
         path, table->abi_version, table->struct_size, ROOTC_ABI_VERSION,
         sizeof(rootc_model));
  refuseFault(path, findFault(*table));
  refuseFault(path, findFunctionFault(*table));
}

static void requireCpu(const std::string &path, const rootc_model *table) {
  if (const char *reason = table->unsupported ? table->unsupported() : nullptr)
    fail("{}: cannot run on this machine: {}; compile the network with "
         "--target=host here",
         path, reason);
}

static bool isOfCpu(const rootc_model *table) {
  return std::string_view(table->device_kind) == "cpu";
}

/// Else the first. No driver is loaded where there is no choice.
static const rootc_model *
firstThatHasDevices(const std::vector<const rootc_model *> &tables) {
  if (tables.size() > 1)
    for (const rootc_model *table : tables) {
      rootc_context context = {};
      if (table->device_count(&context) > 0)
        return table;
    }
  return tables.front();
}

/// Of all tables of a library, the one that --device asks for.
static const rootc_model *
chooseTarget(const std::string &path,
             const std::vector<const rootc_model *> &tables,
             const std::string &device, int32_t &index) {
  bool cpu = device == "cpu";
  if (!device.empty() && !cpu) {
    const char *end = device.data() + device.size();
    auto [rest, error] = std::from_chars(device.data(), end, index);
    if (error != std::errc() || rest != end || index < 0)
      fail("--device={}: give cpu, or the number of a device, counted from 0; "
           "'rootrun info' lists them",
           device);
  }
  std::vector<const rootc_model *> fitting;
  for (const rootc_model *table : tables)
    if (isOfCpu(table) == cpu)
      fitting.push_back(table);
  if (!fitting.empty())
    return firstThatHasDevices(fitting);
  if (device.empty())
    return tables.front();
  if (cpu)
    fail("--device=cpu: {} was compiled for {} devices only; compile the "
         "network with --target=host,host-{} for both",
         path, tables.front()->device_kind, tables.front()->device_kind);
  fail("--device={}: {} was compiled for the CPU only; compile the network "
       "with --target=host-cuda, or host-opencl",
       device, path);
}

static std::vector<const rootc_model *> tablesOf(const std::string &path,
                                                 const rootc_model *first) {
  std::vector<const rootc_model *> tables;
  for (const rootc_model *table = first;; table = table->next_target()) {
    checkTable(path, table);
    tables.push_back(table);
    if (!table->next_target)
      return tables;
  }
}

Model Model::open(const std::string &path, const std::string &device) {
  std::string entry = readModelNote(path, readFile(path));
  auto state = std::make_shared<State>();
  state->path = path;
  // Without a slash dlopen would search the system's library path.
  std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  state->library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!state->library)
    fail("{}: cannot be loaded: {}", path, dlerror());
  auto function = reinterpret_cast<const rootc_model *(*)()>(
      dlsym(state->library, entry.c_str()));
  if (!function)
    fail("{}: has no function '{}', which its note names; make it again with "
         "rootc",
         path, entry);
  Model model;
  model.table = state->table =
      chooseTarget(path, tablesOf(path, function()), device, state->index);
  requireCpu(path, model.table);
  state->first = function();
  model.state = state;
  return model;
}

Model Model::adopt(const rootc_model *table) {
  auto state = std::make_shared<State>();
  state->path = table && table->name ? table->name : "model";
  checkTable(state->path, table);
  requireCpu(state->path, table);
  Model model;
  model.table = state->table = state->first = table;
  model.state = state;
  return model;
}

Model Model::describe(const rootc_model *table) {
  auto state = std::make_shared<State>();
  state->path = table->name;
  refuseFault(state->path, findFault(*table));
  Model model;
  model.table = table;
  model.state = state;
  return model;
}

const std::string &Model::path() const { return state->path; }

bool Model::hasDevice() const { return state->table && !isOfCpu(table); }

std::vector<const rootc_model *> Model::targets() const {
  std::vector<const rootc_model *> tables;
  for (const rootc_model *next = state->first; next;
       next = next->next_target ? next->next_target() : nullptr)
    tables.push_back(next);
  return tables;
}

rootc_device *Model::device() const {
  if (!hasDevice())
    return nullptr;
  std::lock_guard lock(state->mutex);
  if (state->device)
    return state->device;
  rootc_context context = {};
  if (table->device_open(&context, state->index) != ROOTC_OK) {
    auto all = targets();
    bool both = std::any_of(all.begin(), all.end(), isOfCpu);
    fail("{}: {}{}", path(), context.error,
         both ? "; --device=cpu runs it on this machine's CPU" : "");
  }
  return state->device = context.device;
}

int64_t Model::imageSize() const {
  return table->height * table->width * table->channels;
}

bool Model::canTrain() const {
  return table->has_training && table->classes > 1;
}

void Model::requireTraining() const {
  if (!table->has_training)
    fail("{}: was compiled for inference only; compile the network without "
         "--mode=infer",
         path());
  if (!canTrain())
    fail("{}: has one class, and softmax over one class is always 1: there is "
         "nothing to learn; give the network a class for each answer, "
         "classes(2) for yes and no",
         path());
}

/// Why a model stores no response of a layer, to be followed by a remedy.
static std::string whyNoResponse(const Model &model, const std::string &layer) {
  LayerGraph graph(model);
  if (!graph.find(layer))
    return "has no layer of that name";
  // The kernel that computes it stores the response of a layer behind it.
  std::vector<std::string> readers = graph.readers(layer);
  while (readers.size() == 1) {
    for (int64_t i = 0; i < model->response_count; ++i)
      if (model->responses[i].name == readers[0]) {
        int64_t first = i;
        while (first > 0 &&
               model->responses[first - 1].call == model->responses[i].call)
          --first;
        return fmt::format("computes it within another layer's kernel, which "
                           "stores the response of '{}'{}",
                           model->responses[first].name,
                           graph.find(layer)->op == "conv2d"
                               ? " (rootc --keep-responses keeps it)"
                               : "");
      }
    readers = graph.readers(readers[0]);
  }
  return "does not store it in inference";
}

const rootc_response &Model::response(const std::string &layer) const {
  for (int64_t i = 0; i < table->response_count; ++i)
    if (table->responses[i].name == layer)
      return table->responses[i];
  constexpr int64_t most = 40;
  std::string names;
  for (int64_t i = 0; i < std::min(table->response_count, most); ++i)
    names += (i ? ", " : "") + std::string(table->responses[i].name);
  if (table->response_count > most)
    names += fmt::format(" and {} more ('rootrun info' lists them)",
                         table->response_count - most);
  fail("no response of layer '{}' can be read: {} {}; those that can be read: "
       "{}",
       layer, path(), whyNoResponse(*this, layer), names);
}

int rootc::defaultThreads() {
  if (const char *text = std::getenv("ROOTC_THREADS")) {
    char *end = nullptr;
    long count = std::strtol(text, &end, 10);
    if (end == text || *end || count < 1 || count > 1024)
      fail("ROOTC_THREADS is '{}'; set it to a number from 1 to 1024", text);
    return int(count);
  }
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return 1;
}

/// The largest pool that can be made, where one of `tooMany` threads cannot.
static int largestPool(const Model &model, int tooMany) {
  int possible = 1; // the caller alone
  while (tooMany - possible > 1) {
    int middle = possible + (tooMany - possible) / 2;
    void *pool = model->pool_create(middle);
    (pool ? possible : tooMany) = middle;
    if (pool)
      model->pool_destroy(pool);
  }
  return possible;
}

ThreadPool::ThreadPool(Model model, int threads)
    : model(std::move(model)), count(threads > 0 ? threads : defaultThreads()),
      run(this->model->parallel_for) {
  pool = this->model->pool_create(count);
  if (!pool && count == 1)
    fail("memory ran out");
  if (!pool)
    fail("{} threads cannot be started, only {}; ask for fewer with --threads "
         "or ROOTC_THREADS, or raise the limit on processes (ulimit -u) or on "
         "memory (ulimit -v)",
         count, largestPool(this->model, count));
}

ThreadPool::ThreadPool(Model model, rootc_parallel_for run, void *pool,
                       int threads)
    : model(std::move(model)), count(threads), run(run), pool(pool),
      owned(false) {}

ThreadPool::~ThreadPool() {
  if (owned)
    model->pool_destroy(pool);
}

void ThreadPool::forEach(int64_t count,
                         const std::function<void(int64_t)> &task) const {
  struct State {
    const std::function<void(int64_t)> &task;
    std::mutex mutex;
    std::exception_ptr failure;
  } state{task, {}, nullptr};
  // No exception may pass through the pool.
  run(
      pool,
      [](void *opaque, int64_t index) -> int {
        auto &state = *static_cast<State *>(opaque);
        try {
          state.task(index);
          return ROOTC_OK;
        } catch (...) {
          std::lock_guard lock(state.mutex);
          if (!state.failure)
            state.failure = std::current_exception();
          return ROOTC_ERROR_MEMORY;
        }
      },
      &state, count);
  if (state.failure)
    std::rethrow_exception(state.failure);
}
