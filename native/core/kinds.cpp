#include "core/kinds.h"

#include <stdexcept>

namespace chainrule {

extern const StepKind dense, activation, scale, mix, batch_norm, dropout, one_hot, add, concatenate, flatten, embedding, embedding_sum,
    piecewise_linear;

const StepKind& kind_of(const std::string& name) {
    for (const StepKind* kind :
         {&dense, &activation, &scale, &mix, &batch_norm, &dropout, &one_hot, &add, &concatenate, &flatten, &embedding, &embedding_sum,
          &piecewise_linear})
        if (name == kind->name) return *kind;
    throw std::invalid_argument("there is no layer \"" + name + "\" in the native core");
}

}  // namespace chainrule
