/* The C interface of obliq, for C99 and for everything that calls C.
 *
 * Handles are opaque. A call that makes one writes it through its last parameter, and the caller
 * frees it with the function that is named like it (obliq_index_free and so on; NULL is fine
 * there). What a call reads (vectors, ids, texts, options) it has read when it returns, but where
 * it says that something must live longer. What it writes goes into buffers of the caller.
 *
 *     status     0 (OBLIQ_OK) or a reason; obliq_last_error() has the message, of this thread. A
 *                call that fails writes no output, but where it says so, and makes no handle.
 *     options    structs that begin with their size. X_init(&o, sizeof o) fills in the defaults;
 *                NULL in the place of options means the defaults. Later versions add fields at the
 *                end: programs that were compiled with an older header go on working, and a newer
 *                struct is taken by an older library while the fields it does not know are zero.
 *     stats      structs that begin with their size, which the caller sets to sizeof.
 *     texts in   UTF-8 with a zero at the end. Lists of texts have `sizes` in bytes, or NULL where
 *                all of them end with a zero.
 *     texts out  (char* out, size_t capacity, size_t* needed): writes the text and a zero. *needed,
 *                where it is not NULL, is what that takes. OBLIQ_TOO_SMALL where capacity is less;
 *                a NULL `out` only asks.
 *     vectors    [n][dim] floats, row by row without gaps, finite. `dim` is what the caller takes
 *                it for; another one than the handle's is refused.
 *     ids        int64, -1 stands for "none".
 *     threads    0: as many as the process may use. No answer depends on it.
 *     time       in seconds; sizes in bytes.
 *
 * Threads: an index, model, quantizer, filter or collection may be used by any number of threads at
 * once, obliq_index_tune beside searches too. Results, columns, params and iterators belong to one
 * thread at a time. Free a handle when no call on it is going on.
 *
 * fork(): a child may search an index that its parent made, on one thread; a collection must be
 * opened anew. Free handles in the process that made them.
 *
 * Callbacks run on the thread of the call, but where they say otherwise. They must return: no
 * longjmp, no C++ exception, and no call on the handle in use.
 *
 * The library prints nothing, ends no process, and installs no handler of signals.
 */
#pragma once

#include "obliq/c/collection.h"
#include "obliq/c/collection_keys.h"
#include "obliq/c/columns.h"
#include "obliq/c/filter.h"
#include "obliq/c/index.h"
#include "obliq/c/model.h"
#include "obliq/c/quantizer.h"
#include "obliq/c/results.h"
#include "obliq/c/status.h"
