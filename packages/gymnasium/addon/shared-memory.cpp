// Memory shared by this process and its Python children: an unnamed file, so that nothing is left behind however
// either side ends.
#include <node_api.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

napi_value refuse(napi_env env, const char* what) {
  char message[256];
  std::snprintf(message, sizeof message, "%s: %s", what, std::strerror(errno));
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

#define CHECKED(call) \
  if ((call) != napi_ok) return (napi_throw_error(env, nullptr, "softrl shared memory: " #call " failed"), nullptr)

int openNameless() {
#if defined(__linux__)
  return memfd_create("softrl", MFD_CLOEXEC);
#else
  char name[32];
  std::snprintf(name, sizeof name, "/softrl-%d", static_cast<int>(getpid()));
  const int file = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
  if (file >= 0) {
    shm_unlink(name);
    fcntl(file, F_SETFD, FD_CLOEXEC);
  }
  return file;
#endif
}

void unmap(napi_env, void* data, void* hint) { munmap(data, static_cast<size_t>(reinterpret_cast<uintptr_t>(hint))); }

/// openFile() opens an empty file in memory and returns its descriptor.
napi_value openFile(napi_env env, napi_callback_info) {
  const int file = openNameless();
  if (file < 0) return refuse(env, "could not create shared memory");
  napi_value result;
  CHECKED(napi_create_int32(env, file, &result));
  return result;
}

/// closeFile(descriptor) closes the file; existing mappings stay valid.
napi_value closeFile(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value given[1];
  int32_t file;
  CHECKED(napi_get_cb_info(env, info, &count, given, nullptr, nullptr));
  CHECKED(napi_get_value_int32(env, given[0], &file));
  close(file);
  return nullptr;
}

/// map(descriptor, bytes) resizes the file, filled with zeros, and returns it as an ArrayBuffer.
napi_value map(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value given[2];
  int32_t file;
  int64_t bytes;
  CHECKED(napi_get_cb_info(env, info, &count, given, nullptr, nullptr));
  CHECKED(napi_get_value_int32(env, given[0], &file));
  CHECKED(napi_get_value_int64(env, given[1], &bytes));
  if (bytes <= 0 || ftruncate(file, bytes) != 0) return refuse(env, "could not resize shared memory");
  void* memory = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) return refuse(env, "could not map shared memory");
  napi_value buffer;
  void* hint = reinterpret_cast<void*>(static_cast<uintptr_t>(bytes));
  if (napi_create_external_arraybuffer(env, memory, static_cast<size_t>(bytes), unmap, hint, &buffer) != napi_ok) {
    munmap(memory, static_cast<size_t>(bytes));
    napi_throw_error(env, nullptr, "this runtime does not support external memory");
    return nullptr;
  }
  return buffer;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  CHECKED(napi_create_function(env, "openFile", NAPI_AUTO_LENGTH, openFile, nullptr, &function));
  CHECKED(napi_set_named_property(env, exports, "openFile", function));
  CHECKED(napi_create_function(env, "closeFile", NAPI_AUTO_LENGTH, closeFile, nullptr, &function));
  CHECKED(napi_set_named_property(env, exports, "closeFile", function));
  CHECKED(napi_create_function(env, "map", NAPI_AUTO_LENGTH, map, nullptr, &function));
  CHECKED(napi_set_named_property(env, exports, "map", function));
  return exports;
}
