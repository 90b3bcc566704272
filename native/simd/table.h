// The table of kernels of one instruction set. Included once by each file in isa/.
#pragma once

#include "simd/losses.h"
#include "simd/mix.h"
#include "simd/passes.h"
#include "simd/philox.h"
#include "simd/pieces.h"
#include "simd/product.h"
#include "simd/scale.h"
#include "simd/updates.h"
#include "simd/vitals.h"

namespace chainrule::CHAINRULE_ISA {

template <class T>
constexpr Kernels<T> table() {
    return {lanes<T>,
            panel_columns<T>,
            product<T>,
            column_sums<T>,
            activate<T>,
            activate_backward<T>,
            loss<T>,
            update<T>,
            penalty<T>,
            sum_of_squares<T>,
            gather<T>,
            copy<T>,
            add<T>,
            transpose_masked<T>,
            multiply<T>,
            keep_factors<T>,
            norm_statistics<T>,
            norm_forward<T>,
            norm_backward<T>,
            scale_forward<T>,
            scale_backward<T>,
            mix_forward<T>,
            mix_backward<T>,
            catch_up<T>,
            pieces_sums<T>,
            pieces_forward<T>,
            pieces_backward<T>,
            pieces_gradient<T>,
            column_spread<T>,
            count_flat<T>,
            squares_of_rows<T>,
            squared_distance<T>};
}

}  // namespace chainrule::CHAINRULE_ISA
