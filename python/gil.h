// The interpreter's lock, released and taken again, by threads that may outlive the interpreter.
//
// A daemon thread is inside a call when Python ends. When it asks for the lock again, Python
// (before 3.14) ends the thread by pthread_exit, which unwinds the stack by force: through
// destructors and loops of OpenMP, that is by std::terminate. Here such a thread sleeps for ever
// instead, as it does in Python 3.14; the process ends without it. To ask whether Python is ending
// would not do: it may begin to end while the thread waits for the lock.
#pragma once

#include <Python.h>
#include <cxxabi.h>
#include <unistd.h>

namespace obliq::python {

/// Calls `work`; does not return when Python ends this thread in it.
template <typename Work>
auto stay_while_python_ends(const Work& work) {
#if defined(__GLIBCXX__)
  try {
    return work();
  } catch (const abi::__forced_unwind&) {
    for (;;) pause();  // to leave this handler would go on with the unwinding
  }
#else
  return work();
#endif
}

/// Whether Python has ended so far that it knows no threads any more, but for the one that ends it:
/// to ask it for the lock would then be to use what is gone.
inline bool python_has_ended() {
  return Py_IsInitialized() == 0 && PyGILState_GetThisThreadState() == nullptr;
}

/// The thread does not hold the lock while this lives.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  ~GilRelease() {
    stay_while_python_ends([this] { PyEval_RestoreThread(state_); });
  }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* state_;
};

/// The thread holds the lock while this lives. Python code that is called meanwhile may give the
/// lock away and ask for it again: call it within stay_while_python_ends.
class GilAcquire {
 public:
  GilAcquire() : state_(stay_while_python_ends(acquired)) {}
  ~GilAcquire() { PyGILState_Release(state_); }
  GilAcquire(const GilAcquire&) = delete;
  GilAcquire& operator=(const GilAcquire&) = delete;

 private:
  static PyGILState_STATE acquired() {
    while (python_has_ended()) pause();
    return PyGILState_Ensure();
  }

  PyGILState_STATE state_;
};

}  // namespace obliq::python
