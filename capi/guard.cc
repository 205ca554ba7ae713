// The last failure of a thread is plain bytes of the thread: keeping it takes no memory, so that it
// can tell that there is none, and nothing of it is left to free when the thread ends.
#include "capi/guard.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "obliq/progress.h"
#include "storage/lock_file.h"

namespace obliq::capi {
namespace {

constexpr std::size_t kCapacity = 4096;

struct Failure {
  std::array<char, kCapacity> text;
  int number;
};

Failure& last_failure() {
  static thread_local Failure failure = {};
  return failure;
}

/// Cut where a character of UTF-8 begins.
obliq_status keep(obliq_status status, std::string_view text, int number = 0) {
  std::size_t size = std::min(text.size(), kCapacity - 1);
  if (size < text.size()) {
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  }
  Failure& failure = last_failure();
  std::memcpy(failure.text.data(), text.data(), size);
  failure.text[size] = '\0';
  failure.number = number;
  return status;
}

}  // namespace

obliq_status failed() noexcept {
  try {
    throw;
  } catch (const StatusError& error) {
    return keep(error.status, error.what());
  } catch (const std::bad_alloc&) {
    return keep(OBLIQ_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error&) {
    return keep(OBLIQ_OUT_OF_MEMORY, "out of memory: more was asked for than there can be");
  } catch (const std::invalid_argument& error) {
    return keep(OBLIQ_INVALID_ARGUMENT, error.what());
  } catch (const Cancelled& error) {
    return keep(OBLIQ_CANCELLED, error.what());
  } catch (const LockHeld& error) {
    return keep(OBLIQ_BUSY, error.what());
  } catch (const std::system_error& error) {
    return keep(OBLIQ_SYSTEM, error.what(), error.code().value());
  } catch (const std::runtime_error& error) {
    return keep(OBLIQ_DAMAGED, error.what());
  } catch (const std::exception& error) {
    return keep(OBLIQ_INTERNAL, error.what());
  } catch (...) {
    return keep(OBLIQ_INTERNAL, "an exception that is no std::exception");
  }
}

}  // namespace obliq::capi

const char* obliq_last_error(void) { return obliq::capi::last_failure().text.data(); }

int obliq_last_errno(void) { return obliq::capi::last_failure().number; }
