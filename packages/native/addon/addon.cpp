// The interface between Node and the kernels. The encoder in TypeScript has checked the programs. They are
// loaded once and stay here, so that a run passes no data.
#include <node_api.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "digest.h"
#include "instruction-sets.h"
#include "on-heap.h"
#include "shared-access.h"
#include "threads.h"

namespace {

// Must equal the number in the loader; incremented when this interface changes.
constexpr int32_t interfaceVersion = 3;

/// An arena with its programs. Lives until Node has released the arena and every function that runs on it.
struct Instance : OnHeap {
  std::atomic<int> holders{0};
  float* arena = nullptr;
  KernelEntry entry = nullptr;
  SoftrlTeam* team = nullptr;
};

struct Program {
  Instance* instance;
  int32_t length;
  int32_t code[1];  // of `length` words
};

void release(Instance* instance) {
  if (instance->holders.fetch_sub(1) != 1) return;
  leaveTeam(instance->team);
  std::free(instance->arena);
  delete instance;
}

/// Zeroed floats, aligned to a cache line, or null.
float* allocate(size_t bytes) {
  constexpr size_t hugePage = size_t{2} << 20;
  const size_t alignment = bytes >= 2 * hugePage ? hugePage : 64;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes > 0 ? bytes : 4) != 0) return nullptr;
#if defined(MADV_HUGEPAGE)
  if (alignment == hugePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  std::memset(memory, 0, bytes > 0 ? bytes : 4);
  return static_cast<float*>(memory);
}

napi_value refuse(napi_env env, const char* message) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, nullptr, message);
  return nullptr;
}

#define CHECKED(call) \
  if ((call) != napi_ok) return refuse(env, "softrl native: " #call " failed")

napi_value runProgram(napi_env env, napi_callback_info info) {
  void* data;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const Program* program = static_cast<const Program*>(data);
  const Instance* instance = program->instance;
  // If another thread uses the team, run on this thread instead of waiting: the results are the same.
  SoftrlTeam* team = instance->team != nullptr && takeTeam(instance->team) ? instance->team : nullptr;
  instance->entry(program->code, program->length, instance->arena, team);
  if (team != nullptr) giveTeamBack(team);
  return nullptr;
}

void dropProgram(napi_env, void* data, void*) {
  Program* program = static_cast<Program*>(data);
  release(program->instance);
  std::free(program);
}

void dropArena(napi_env, void*, void* hint) { release(static_cast<Instance*>(hint)); }

/// Creates a function that runs these words on the arena of the instance.
napi_value makeRun(napi_env env, Instance* instance, napi_value words) {
  napi_typedarray_type type;
  size_t length;
  void* code;
  CHECKED(napi_get_typedarray_info(env, words, &type, &length, &code, nullptr, nullptr));
  if (type != napi_int32_array || length > INT32_MAX)
    return refuse(env, "softrl native: a program must be an Int32Array");
  Program* program = static_cast<Program*>(std::malloc(sizeof(Program) + length * sizeof(int32_t)));
  if (program == nullptr) return refuse(env, "softrl native: not enough memory");
  program->instance = instance;
  program->length = static_cast<int32_t>(length);
  if (length > 0) std::memcpy(program->code, code, length * sizeof(int32_t));
  napi_value function;
  napi_status status = napi_create_function(env, "run", NAPI_AUTO_LENGTH, runProgram, program, &function);
  if (status == napi_ok) status = napi_add_finalizer(env, function, program, dropProgram, nullptr, nullptr);
  if (status != napi_ok) {
    std::free(program);
    return refuse(env, "softrl native: could not create a function");
  }
  instance->holders++;
  return function;
}

/// instantiate(arenaLength, programs: Int32Array[], instructionSet: index, threads)
///   → [ArrayBuffer | null, ...run functions]; null when there is not enough memory.
napi_value instantiate(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value given[4];
  CHECKED(napi_get_cb_info(env, info, &count, given, nullptr, nullptr));
  int64_t arenaLength;
  int32_t set, threads;
  uint32_t programs;
  CHECKED(napi_get_value_int64(env, given[0], &arenaLength));
  CHECKED(napi_get_array_length(env, given[1], &programs));
  CHECKED(napi_get_value_int32(env, given[2], &set));
  CHECKED(napi_get_value_int32(env, given[3], &threads));
  if (arenaLength < 0 || arenaLength > INT32_MAX)
    return refuse(env, "softrl native: the length of the arena is out of range");
  if (set < 0 || set >= instructionSetCount || !instructionSets[set].supported())
    return refuse(env, "softrl native: this machine does not support the instruction set");

  napi_value result;
  CHECKED(napi_create_array_with_length(env, programs + 1, &result));
  Instance* instance = new Instance;
  const size_t bytes = static_cast<size_t>(arenaLength) * sizeof(float);
  // Node does not accept a larger buffer, and has already called the finaliser when it refuses one.
  const bool fits = bytes < (size_t{1} << 32);
  float* arena = instance == nullptr || !fits ? nullptr : allocate(bytes);
  if (arena == nullptr) {
    delete instance;
    napi_value nothing;
    CHECKED(napi_get_null(env, &nothing));
    CHECKED(napi_set_element(env, result, 0, nothing));
    return result;
  }
  instance->arena = arena;
  instance->entry = instructionSets[set].entry;
  instance->team = joinTeam(threads);
  instance->holders = 1;
  napi_value buffer;
  if (napi_create_external_arraybuffer(env, arena, bytes, dropArena, instance, &buffer) != napi_ok) {
    release(instance);
    return refuse(env, "softrl native: this runtime does not accept external memory");
  }
  CHECKED(napi_set_element(env, result, 0, buffer));
  for (uint32_t i = 0; i < programs; i++) {
    napi_value words;
    CHECKED(napi_get_element(env, given[1], i, &words));
    napi_value function = makeRun(env, instance, words);
    if (function == nullptr) return nullptr;
    CHECKED(napi_set_element(env, result, i + 1, function));
  }
  return result;
}

/// Reads the arguments: `count` arrays of float32, all of the same length.
bool readArrays(napi_env env, napi_callback_info info, size_t count, float** arrays, size_t* length) {
  napi_value given[3];
  size_t passed = count;
  if (napi_get_cb_info(env, info, &passed, given, nullptr, nullptr) != napi_ok) return false;
  for (size_t i = 0; i < count; i++) {
    napi_typedarray_type type;
    size_t size;
    void* data;
    if (napi_get_typedarray_info(env, given[i], &type, &size, &data, nullptr, nullptr) != napi_ok) return false;
    if (type != napi_float32_array || (i > 0 && size != *length)) return false;
    arrays[i] = static_cast<float*>(data);
    *length = size;
  }
  return true;
}

constexpr const char* wrongArrays = "softrl native: expected float32 arrays of the same length";

/// A function (from, to).
template <void (*copy)(const float*, float*, size_t)>
napi_value callCopy(napi_env env, napi_callback_info info) {
  float* arrays[2];
  size_t length;
  if (!readArrays(env, info, 2, arrays, &length)) return refuse(env, wrongArrays);
  copy(arrays[0], arrays[1], length);
  return nullptr;
}

/// addStep(before, after, to)
napi_value callAddStep(napi_env env, napi_callback_info info) {
  float* arrays[3];
  size_t length;
  if (!readArrays(env, info, 3, arrays, &length)) return refuse(env, wrongArrays);
  addStepToShared(arrays[0], arrays[1], arrays[2], length);
  return nullptr;
}

/// { read, write, addStep }
napi_value sharedAccess(napi_env env) {
  napi_value object, function;
  CHECKED(napi_create_object(env, &object));
  CHECKED(napi_create_function(env, "read", NAPI_AUTO_LENGTH, callCopy<readShared>, nullptr, &function));
  CHECKED(napi_set_named_property(env, object, "read", function));
  CHECKED(napi_create_function(env, "write", NAPI_AUTO_LENGTH, callCopy<writeShared>, nullptr, &function));
  CHECKED(napi_set_named_property(env, object, "write", function));
  CHECKED(napi_create_function(env, "addStep", NAPI_AUTO_LENGTH, callAddStep, nullptr, &function));
  CHECKED(napi_set_named_property(env, object, "addStep", function));
  return object;
}

/// The compiled instruction sets, best first: [name, supported here, name, …].
napi_value listInstructionSets(napi_env env) {
  napi_value list;
  CHECKED(napi_create_array(env, &list));
  for (int i = 0; i < instructionSetCount; i++) {
    napi_value name, supported;
    CHECKED(napi_create_string_utf8(env, instructionSets[i].name, NAPI_AUTO_LENGTH, &name));
    CHECKED(napi_get_boolean(env, instructionSets[i].supported(), &supported));
    CHECKED(napi_set_element(env, list, 2 * i, name));
    CHECKED(napi_set_element(env, list, 2 * i + 1, supported));
  }
  return list;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function, version, kernels, access, sets;
  CHECKED(napi_create_function(env, "instantiate", NAPI_AUTO_LENGTH, instantiate, nullptr, &function));
  CHECKED(napi_set_named_property(env, exports, "instantiate", function));
  CHECKED(napi_create_int32(env, interfaceVersion, &version));
  CHECKED(napi_set_named_property(env, exports, "interfaceVersion", version));
  CHECKED(napi_create_string_utf8(env, SOFTRL_KERNELS_DIGEST, NAPI_AUTO_LENGTH, &kernels));
  CHECKED(napi_set_named_property(env, exports, "kernels", kernels));
  access = sharedAccess(env);
  if (access == nullptr) return nullptr;
  CHECKED(napi_set_named_property(env, exports, "sharedAccess", access));
  sets = listInstructionSets(env);
  if (sets == nullptr) return nullptr;
  CHECKED(napi_set_named_property(env, exports, "instructionSets", sets));
  return exports;
}
