// By comparison with the library's own types, and for halves with one put together here.
#include "datasets/hdf5_type.h"

#include <hdf5.h>

namespace obliq::datasets {

Hdf5Handle half_type() {
  Hdf5Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(type.id(), 15, 10, 5, 0, 10);
  H5Tset_size(type.id(), 2);
  H5Tset_ebias(type.id(), 15);
  return type;
}

bool is_truth_type(const Hdf5Handle& stored) {
  if (H5Tget_class(stored.id()) != H5T_ENUM || H5Tget_size(stored.id()) != 1 ||
      H5Tget_nmembers(stored.id()) != 2) {
    return false;
  }
  signed char no = -1;
  signed char yes = -1;
  return H5Tenum_valueof(stored.id(), "FALSE", &no) >= 0 &&
         H5Tenum_valueof(stored.id(), "TRUE", &yes) >= 0 && no == 0 && yes == 1;
}

std::optional<NumberType> number_type(const Hdf5Handle& stored) {
  const Hdf5Handle half = half_type();
  const Hdf5Handle swapped_half = half_type();
  H5Tset_order(swapped_half.id(), H5T_ORDER_BE);
  const struct {
    hid_t little;
    hid_t big;
    Element element;
  } known[] = {
      {H5T_IEEE_F32LE, H5T_IEEE_F32BE, Element::f32}, {half.id(), swapped_half.id(), Element::f16},
      {H5T_IEEE_F64LE, H5T_IEEE_F64BE, Element::f64}, {H5T_STD_U8LE, H5T_STD_U8BE, Element::u8},
      {H5T_STD_I8LE, H5T_STD_I8BE, Element::i8},      {H5T_STD_U16LE, H5T_STD_U16BE, Element::u16},
      {H5T_STD_I16LE, H5T_STD_I16BE, Element::i16},   {H5T_STD_U32LE, H5T_STD_U32BE, Element::u32},
      {H5T_STD_I32LE, H5T_STD_I32BE, Element::i32},   {H5T_STD_U64LE, H5T_STD_U64BE, Element::u64},
      {H5T_STD_I64LE, H5T_STD_I64BE, Element::i64}};
  for (const auto& row : known) {
    if (H5Tequal(stored.id(), row.little) > 0 || H5Tequal(stored.id(), row.big) > 0) {
      return NumberType{row.element, {H5Tcopy(row.little), H5Tclose}};
    }
  }
  return std::nullopt;
}

}  // namespace obliq::datasets
