#include "core/plan.h"

#include <algorithm>
#include <stdexcept>

namespace chainrule {
namespace {

bool overlaps(const std::vector<Run>& runs, long begin, long length) {
    if (begin < 0) return false;  // there is no such array
    for (const Run& run : runs)
        if (run.begin < begin + length && begin < run.end) return true;
    return false;
}

// Places that are given back are handed out again.
class Recycler {
public:
    explicit Recycler(long& end) : end_(end) {}

    long take(long size) {
        for (size_t i = 0; i < free_.size(); ++i)
            if (free_[i].size >= size) {
                const long offset = free_[i].offset;
                free_.erase(free_.begin() + long(i));
                return offset;
            }
        const long offset = end_;
        end_ += size;
        return offset;
    }

    void give_back(long offset, long size) { free_.push_back({offset, size}); }

private:
    struct Place {
        long offset, size;
    };
    long& end_;
    std::vector<Place> free_;
};

}  // namespace

Plan::Plan(const Program& program, Mode mode_, const std::vector<Run>& trainable, bool from_heads, long rows_, int lanes,
           int number_bytes)
    : mode(mode_), rows(rows_), lanes_(lanes), number_bytes_(number_bytes) {
    const size_t n = program.widths.size();
    steps.resize(program.steps.size());
    slots.resize(n);
    for (size_t i = 0; i < n; ++i) {
        slots[i].width = program.widths[i];
        slots[i].stride = stride_of(program.widths[i]);
        slots[i].codes = program.holds_codes(int(i));
        if (slots[i].stride > (1L << 40) / std::max(rows, 1L))
            throw std::length_error("a batch of " + std::to_string(rows) + " rows doesn't fit into memory");
    }
    find_needed(program, from_heads);
    find_wanted(program, trainable);
    place_values(program, from_heads);
    if (mode != Mode::inference) place_deltas(program);
    fuse_relu(program);
    choose_turned(program);
    row_numbers = (numbers - batch_numbers) / std::max(rows, 1L);
    for (size_t i = 0; i < steps.size(); ++i) {
        const Step& step = program.steps[i];
        steps[i].forward = steps[i].runs && !step.kind->passes_on(step, mode);
        if (!steps[i].runs) continue;
        const long in = program.widths[size_t(step.inputs[0])], out = program.widths[size_t(step.output)];
        if (step.kind->is_product) largest_panel = std::max({largest_panel, in, out});
        products += double(step.kind->multiplications(step, in, out)) *
                    (1 + steps[i].writes_gradient + (steps[i].backward && steps[i].wanted[0]));
    }
}

// Whole vectors, and an odd number of cache lines where it is long: powers of two crowd into few sets of the cache.
long Plan::stride_of(long width) const {
    const long vectors = (width + lanes_ - 1) / lanes_;
    const long line = 64 / number_bytes_, numbers_wide = vectors * lanes_;
    if (numbers_wide * number_bytes_ < 256) return numbers_wide;
    const long lines = (numbers_wide + line - 1) / line;
    return (lines | 1) * line;
}

long Plan::take(long count) {
    const long offset = numbers;
    numbers += (count + 15) / 16 * 16;
    return offset;
}

void Plan::find_needed(const Program& program, bool from_heads) {
    const size_t n = slots.size();
    std::vector<bool> needed(n, false);
    readers_.assign(n, 0);
    producer_.assign(n, -1);
    auto need = [&](int slot) {
        needed[size_t(slot)] = true;
        ++readers_[size_t(slot)];
    };
    if (from_heads)
        for (const Head& head : program.heads) need(head.slot);
    else
        for (int slot : program.outputs) need(slot);
    for (size_t i = steps.size(); i-- > 0;) {
        const Step& step = program.steps[i];
        producer_[size_t(step.output)] = int(i);
        steps[i].runs = needed[size_t(step.output)];
        steps[i].wanted.assign(step.inputs.size(), false);
        steps[i].first.assign(step.inputs.size(), false);
        if (steps[i].runs)
            for (int slot : step.inputs) need(slot);
    }
}

void Plan::find_wanted(const Program& program, const std::vector<Run>& trainable) {
    const size_t n = slots.size();
    wanted_.assign(n, false);
    contributors_.assign(n, 0);
    if (mode == Mode::inference) return;
    for (size_t i = 0; i < steps.size(); ++i) {
        const Step& step = program.steps[i];
        bool own = false;
        for (size_t k = 0; k < step.spans.size() && step.kind->spans[k].name; ++k) {
            const SpanRule& rule = step.kind->spans[k];
            own = own || (!rule.in_state && overlaps(trainable, step.spans[k], program.span_length(step, rule)));
        }
        bool before = false;
        for (int slot : step.inputs) before = before || wanted_[size_t(slot)];
        wanted_[size_t(step.output)] = own || before;
        steps[i].writes_gradient = own;
    }
    for (const Head& head : program.heads)
        if (wanted_[size_t(head.slot)]) ++contributors_[size_t(head.slot)];
    for (size_t i = steps.size(); i-- > 0;) {
        const Step& step = program.steps[i];
        StepPlan& plan = steps[i];
        plan.backward = plan.runs && contributors_[size_t(step.output)] > 0;
        plan.writes_gradient = plan.writes_gradient && plan.backward;
        if (!plan.backward) continue;
        for (size_t k = 0; k < step.inputs.size(); ++k) {
            const size_t slot = size_t(step.inputs[k]);
            plan.wanted[k] = wanted_[slot];
            if (wanted_[slot]) ++contributors_[slot];
        }
    }
}

void Plan::place_values(const Program& program, bool from_heads) {
    const size_t n = slots.size();
    place_.resize(n);
    for (size_t s = 0; s < n; ++s) place_[s] = int(s);
    std::vector<bool> own(n, false);  // nobody but the next step reads the value, not even on the way back: it may be overwritten
    std::vector<bool> only_products(n, true);
    for (size_t i = 0; i < steps.size(); ++i)
        if (steps[i].runs && !program.steps[i].kind->is_product)
            for (int slot : program.steps[i].inputs) only_products[size_t(slot)] = false;
    for (int slot : from_heads ? std::vector<int>{} : program.outputs) only_products[size_t(slot)] = false;
    for (const Head& head : program.heads) only_products[size_t(head.slot)] = only_products[size_t(head.slot)] && !from_heads;
    for (int slot : program.inputs) slots[size_t(slot)].outside = mode == Mode::inference && only_products[size_t(slot)];

    std::vector<size_t> last_use(n, 0);
    std::vector<bool> kept(n, false);
    for (size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i].runs) continue;
        const Step& step = program.steps[i];
        const size_t in = size_t(step.inputs[0]), out = size_t(step.output);
        const StepKind& kind = *step.kind;
        own[out] = readers_[out] == 1 && !kind.keeps_output(step, mode);
        const bool may_overwrite = own[in] && readers_[in] == 1;
        if (kind.passes_on(step, mode)) {
            place_[out] = place_[in];
            own[out] = own[out] && may_overwrite;
        } else if (may_overwrite && kind.overwrites(step, mode)) {
            place_[out] = place_[in];
        }
    }
    for (size_t i = 0; i < steps.size(); ++i)
        if (steps[i].runs)
            for (int slot : program.steps[i].inputs) last_use[size_t(place_[size_t(slot)])] = i;
    for (int slot : from_heads ? std::vector<int>{} : program.outputs) kept[size_t(place_[size_t(slot)])] = true;
    if (from_heads)
        for (const Head& head : program.heads) kept[size_t(place_[size_t(head.slot)])] = true;

    Recycler recycler(numbers);
    auto place = [&](size_t slot) { slots[slot].value = recycler.take((rows * slots[slot].stride + 15) / 16 * 16); };
    for (int slot : program.inputs)
        if (!slots[size_t(slot)].outside && readers_[size_t(slot)] > 0) place(size_t(slot));
    for (size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i].runs) continue;
        const Step& step = program.steps[i];
        const size_t out = size_t(step.output);
        if (place_[out] == int(out)) place(out);
        else {
            slots[out].value = slots[size_t(place_[out])].value;
            slots[out].stride = slots[size_t(place_[out])].stride;
        }
        const Shape shape{slots[size_t(step.inputs[0])].width, slots[out].width, slots[out].stride};
        const long extra = step.kind->extra(step, mode, rows, shape);
        if (extra > 0) steps[i].extra = take(extra);
        batch_numbers += step.kind->extra(step, mode, 0, shape);
        if (mode != Mode::inference) continue;  // training keeps every value: the memo
        for (size_t k = 0; k < step.inputs.size(); ++k) {
            const size_t shared = size_t(place_[size_t(step.inputs[k])]);
            // Two inputs may be one place: a value, and a copy of it that changed nothing.
            const bool again = std::any_of(step.inputs.begin(), step.inputs.begin() + long(k),
                                           [&](int slot) { return size_t(place_[size_t(slot)]) == shared; });
            if (last_use[shared] == i && !kept[shared] && place_[out] != int(shared) && !slots[shared].outside && !again)
                recycler.give_back(slots[shared].value, (rows * slots[shared].stride + 15) / 16 * 16);
        }
    }
}

void Plan::place_deltas(const Program& program) {
    const size_t n = slots.size();
    delta_place_.resize(n);
    for (size_t s = 0; s < n; ++s) delta_place_[s] = int(s);
    // Backward passes that work in place hand their delta on to the step before.
    for (size_t i = steps.size(); i-- > 0;) {
        const Step& step = program.steps[i];
        if (!steps[i].backward || !step.kind->delta_in_place || !steps[i].wanted[0]) continue;
        const size_t in = size_t(step.inputs[0]);
        if (contributors_[in] == 1) delta_place_[in] = delta_place_[size_t(step.output)];
    }

    Recycler recycler(numbers);
    std::vector<bool> begun(n, false);
    auto begin = [&](size_t slot) {
        const size_t shared = size_t(delta_place_[slot]);
        if (slots[shared].delta < 0) slots[shared].delta = recycler.take((rows * slots[shared].stride + 15) / 16 * 16);
        slots[slot].delta = slots[shared].delta;
        const bool first = !begun[slot];
        begun[slot] = true;
        return first;
    };
    for (const Head& head : program.heads)
        if (wanted_[size_t(head.slot)]) begin(size_t(head.slot));
    for (size_t i = steps.size(); i-- > 0;) {
        const Step& step = program.steps[i];
        if (!steps[i].backward) continue;
        bool handed_on = false;
        for (size_t k = 0; k < step.inputs.size(); ++k) {
            if (!steps[i].wanted[k]) continue;
            steps[i].first[k] = begin(size_t(step.inputs[k]));
            handed_on = handed_on || delta_place_[size_t(step.inputs[k])] == delta_place_[size_t(step.output)];
        }
        const SlotPlan& shared = slots[size_t(delta_place_[size_t(step.output)])];
        if (!handed_on) recycler.give_back(shared.delta, (rows * shared.stride + 15) / 16 * 16);
    }
}

void Plan::fuse_relu(const Program& program) {
    for (size_t i = 0; i < steps.size(); ++i) {
        const Step& step = program.steps[i];
        if (!step.kind->has_function || step.function != Activation::relu || !steps[i].runs) continue;
        const size_t z = size_t(step.inputs[0]), h = size_t(step.output);
        const int before = producer_[z];
        if (place_[h] == place_[z] && before >= 0 && program.steps[size_t(before)].kind->is_product) {
            steps[size_t(before)].relu_inside = true;
            steps[i].runs = false;
        }
        if (!steps[i].backward || contributors_[h] != 1 || slots[z].delta != slots[h].delta) continue;
        for (size_t j = i + 1; j < steps.size(); ++j) {
            if (!steps[j].backward || !program.steps[j].kind->is_product) continue;
            if (program.steps[j].inputs[0] != int(h) || !steps[j].wanted[0]) continue;
            steps[j].relu_mask = true;
            steps[i].derivative_done = true;
        }
    }
}

// dL/dx = dL/dz W^T needs one of the two transposed. For small batches that is the delta, and the result once more.
void Plan::choose_turned(const Program& program) {
    long widest = 0;
    for (size_t i = 0; i < steps.size(); ++i) {
        const Step& step = program.steps[i];
        if (!step.kind->is_product || !steps[i].backward || !steps[i].wanted[0] || !steps[i].first[0]) continue;
        const double in = double(slots[size_t(step.inputs[0])].width), out = double(slots[size_t(step.output)].width);
        const double batch = double(rows), whole = double((rows + lanes_ - 1) / lanes_ * lanes_);
        // In cycles: a number costs about a quarter to transpose, a vector of products half a cycle.
        const double turn_weights = in * out / 4 + batch * in * out / lanes_ / 2;
        const double turn_delta = whole * (in + out) / 4 + whole * in * out / lanes_ / 2;
        steps[i].delta_turned = turn_delta < turn_weights;
        if (steps[i].delta_turned) widest = std::max(widest, slots[size_t(step.inputs[0])].width);
    }
    if (widest == 0) return;
    turned_stride = stride_of(rows);
    turned = take(widest * turned_stride);
}

}  // namespace chainrule
