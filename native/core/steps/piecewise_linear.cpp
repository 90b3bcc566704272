// Piecewise-linear functions of numbers: z = sum W_b e_b(x), e_b how much of bin b lies below x. The sums V_b of the rows of W
// below each knot are made once for a batch; then a number is two rows of V.
#include <algorithm>
#include <cmath>

#include "core/executor.h"

namespace chainrule {
namespace {

enum Array { W };
enum List { counts, knots };

const char* list_fault(const Step& step, long inputs) {
    if (long(step.lists[counts].size()) != inputs) return "there must be a number of knots for each input";
    double sum = 0;
    for (const double count : step.lists[counts]) {
        if (!(count >= 0 && count <= 2147483647.0 && count == std::floor(count))) return "a number of knots is out of range";
        sum += count;
    }
    if (sum > 2147483647.0 || sum != double(step.lists[knots].size())) return "there are not as many knots as was said";
    size_t first = 0;
    for (const double count : step.lists[counts]) {
        for (size_t knot = first + 1; knot < first + size_t(count); ++knot) {
            const float width = float(step.lists[knots][knot]) - float(step.lists[knots][knot - 1]);
            if (!(width > 0 && std::isfinite(width))) return "knots must increase";
        }
        first += size_t(count);
    }
    return nullptr;
}

long bins_of(double count) { return std::max(long(count) - 1, 0L); }

long table_rows(const Step& step, long, long) {
    long bins = 0;
    for (const double count : step.lists[counts]) bins += bins_of(count);
    return bins;
}

// The step's own memory: V, the knots in its precision, the first knot and bin of each input; for each number its bin, and
// the rows sorted by it.
template <class T>
struct Memory {
    T *sums, *knots, *share;
    long *first_knot, *first_bin;
    int32_t *below, *order, *ends;
    long numbers = 0;

    Memory(T* begin, const Step& step, long rows, const Shape& shape) {
        const long n = long(step.lists[List::knots].size()), per_long = long(sizeof(long) / sizeof(T));
        auto take = [&](long count) {
            T* taken = begin ? begin + numbers : nullptr;
            numbers += rounded(count, 16);
            return taken;
        };
        sums = take(n * rounded(shape.units, 16));
        knots = take(n);
        first_knot = reinterpret_cast<long*>(take((shape.inputs + 1) * per_long));
        first_bin = reinterpret_cast<long*>(take((shape.inputs + 1) * per_long));
        below = reinterpret_cast<int32_t*>(take(rows * shape.inputs));
        share = take(rows * shape.inputs);
        order = reinterpret_cast<int32_t*>(take(rows * shape.inputs));
        ends = reinterpret_cast<int32_t*>(take(n));
    }
};

long extra(const Step& step, Mode, long rows, const Shape& shape) {
    return std::max(Memory<float>(nullptr, step, rows, shape).numbers, Memory<double>(nullptr, step, rows, shape).numbers);
}

template <class T>
struct Pieces {
    Memory<T> memory;
    PiecesCall<T> call;

    explicit Pieces(const Work<T>& work)
        : memory(work.extra(), work.step(), work.rows(), {work.input().width, work.output().width, 0}) {
        const Matrix<T> x = work.input(), z = work.output();
        call.rows = work.rows();
        call.inputs = x.width;
        call.units = z.width;
        call.weights = work.array(W);
        call.sums = memory.sums;
        call.sums_stride = rounded(z.width, 16);
        call.knots = memory.knots;
        call.first_knot = memory.first_knot;
        call.first_bin = memory.first_bin;
        call.below = memory.below;
        call.share = memory.share;
        call.order = memory.order;
        call.ends = memory.ends;
        call.x = x.numbers;
        call.x_stride = x.stride;
        call.z = z.numbers;
        call.z_stride = z.stride;
    }

    void set_up(const Step& step) {
        std::copy(step.lists[knots].begin(), step.lists[knots].end(), memory.knots);
        memory.first_knot[0] = memory.first_bin[0] = 0;
        for (long i = 0; i < call.inputs; ++i) {
            const double count = step.lists[counts][size_t(i)];
            memory.first_knot[i + 1] = memory.first_knot[i] + long(count);
            memory.first_bin[i + 1] = memory.first_bin[i] + bins_of(count);
        }
    }

    // The last knot that isn't above x, but of the inner ones and the first; NaN is a share of NaN.
    void find_bins(long row) {
        for (long i = 0; i < call.inputs; ++i) {
            const long bins = call.first_bin[i + 1] - call.first_bin[i];
            const T *own = call.knots + call.first_knot[i], x = call.x[row * call.x_stride + i];
            long b = 0;
            for (long left = bins; left > 1; left -= left / 2) b += own[b + left / 2] <= x ? left / 2 : 0;
            const long at = row * call.inputs + i;
            memory.below[at] = bins > 0 ? int32_t(call.first_knot[i] + b) : -1;
            if (bins > 0) memory.share[at] = x < own[b] ? T(0) : x >= own[b + 1] ? T(1) : (x - own[b]) / (own[b + 1] - own[b]);
        }
    }
};

// each(input) for all, side by side: bins belong to one of them.
template <class T, class F>
void share_inputs(const Work<T>& work, double cost, F&& each) {
    const long inputs = work.input().width;
    if (cost < double(shared_numbers)) return each(0L, inputs);
    share_tasks(work.team, work.stop(), inputs, [&](long input, int) { each(input, input + 1); });
}

template <class T>
void forward(const Work<T>& work) {
    Pieces<T> pieces(work);
    const PiecesCall<T>& call = pieces.call;
    pieces.set_up(work.step());
    share_inputs(work, double(work.step().lists[knots].size()) * double(call.units),
                 [&](long begin, long end) { work.kernels().pieces_sums(call, begin, end); });
    share_rows(work.team, work.stop(), call.rows, 2 * call.inputs * call.units, [&](long begin, long end) {
        for (long row = begin; row < end; ++row) pieces.find_bins(row);
        work.kernels().pieces_forward(call, begin, end);
    });
}

template <class T>
void backward(const Work<T>& work) {
    PiecesCall<T> call = Pieces<T>(work).call;
    const Matrix<T> delta = work.d_output();
    call.z = delta.numbers;
    call.z_stride = delta.stride;
    if (work.plan().wanted[0]) {
        const Matrix<T> d_x = work.d_input();
        call.d_x = d_x.numbers;
        call.d_x_stride = d_x.stride;
        call.add_d_x = !work.plan().first[0];
        share_rows(work.team, work.stop(), call.rows, call.inputs * call.units,
                   [&](long begin, long end) { work.kernels().pieces_backward(call, begin, end); });
    }
    if (!work.plan().writes_gradient) return;
    call.d_weights = work.d_array(W);
    share_inputs(work, double(call.rows) * double(call.inputs) * double(call.units),
                 [&](long begin, long end) { work.kernels().pieces_gradient(call, begin, end); });
}

long all_units(const Step&, long, long units) { return units; }
long multiplications(const Step&, long inputs, long units) { return 2 * inputs * units; }

constexpr StepKind row() {
    StepKind kind;
    kind.name = "piecewise_linear";
    kind.width = Width::free;
    kind.spans = {SpanRule{"W", SpanRule::table}};
    kind.lists = {ListRule{"counts"}, ListRule{"knots"}};
    kind.list_fault = list_fault;
    kind.table_rows = table_rows;
    kind.table_width = all_units;
    kind.writes_d_inputs = true;
    kind.multiplications = multiplications;
    kind.extra = extra;
    kind.float32 = {forward<float>, backward<float>};
    kind.float64 = {forward<double>, backward<double>};
    return kind;
}

}  // namespace

extern const StepKind piecewise_linear;
const StepKind piecewise_linear = row();

}  // namespace chainrule
