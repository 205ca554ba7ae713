// From the text of an expression to its tree:
//
//     any      all { or all }
//     all      one { and one }
//     one      not one | ( any ) | question
//     question column                                 of bool
//              operand comparison operand             one of them a column
//              column [not] in ( value { , value } )  or in ? of a list
//              column [not] between value and value
//              column is [not] null
//     operand  column | value
//     value    integer | float | 'text' | timestamp 'text' | true | false | null | ?
//     column   [A-Za-z_][A-Za-z0-9_.]* that is no word, or "any characters", "" for a quote
//     words    and or not in between is null true false, in any case
#pragma once

#include <string>
#include <vector>

#include "index/filter/syntax.h"
#include "obliq/filter.h"

namespace obliq {

/// Throws std::invalid_argument with the place of the fault (filter_fault.h). `params` are the
/// values of the `?`, in their order.
Condition parse_condition(const std::string& text, std::vector<FilterValue> params);

}  // namespace obliq
