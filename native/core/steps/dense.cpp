// z = x W + b: three matrix products in all, and the optimizer right behind the last where it may.
#include <algorithm>
#include <cmath>

#include "core/executor.h"

namespace chainrule {
namespace {

constexpr long packed_from = 64;   // rows from which packing W panel by panel costs less than it saves
constexpr long row_multiple = 24;  // of every kernel's tile

enum Array { W, b };

template <class T>
void run_product(const Product<T>& product, const Work<T>& work) {
    const Kernels<T>& kernels = work.kernels();
    Team& team = work.team;
    const long panels = (product.columns + kernels.panel_columns - 1) / kernels.panel_columns;
    const double cost = double(product.rows) * double(product.columns) * double(product.depth);
    if (cost < shared_work || (team.size() == 1 && cost < longest_work))
        return kernels.product(product, 0, panels, 0, product.rows, work.scratch(0));
    const double wanted = std::max(team.size() == 1 ? 1.0 : 4.0 * team.size(), cost / longest_work);
    const long groups = long(std::ceil(wanted / double(panels)));
    const long rows = rounded((product.rows + groups - 1) / groups, row_multiple);
    const long row_groups = (product.rows + rows - 1) / rows;
    share_tasks(team, work.stop(), panels * row_groups, [&](long task, int thread) {
        const long panel = task / row_groups, row = task % row_groups * rows;
        kernels.product(product, panel, panel + 1, row, std::min(product.rows, row + rows), work.scratch(thread));
    });
}

template <class T>
void forward(const Work<T>& work) {
    const Matrix<T> x = work.input(), z = work.output();
    Product<T> p;
    p.rows = work.rows();
    p.columns = z.width;
    p.depth = x.width;
    p.a = x.numbers;
    p.a_stride = x.stride;
    p.b = work.array(W);
    p.b_stride = z.width;
    p.b_form = p.rows >= packed_from ? BForm::packed : BForm::unpadded;
    p.out = z.numbers;
    p.out_stride = z.stride;
    p.bias = work.array(b);
    p.relu = work.plan().relu_inside;
    run_product(p, work);
}

// dL/dx = dL/dz W^T
template <class T>
void backward_input(const Work<T>& work) {
    const Matrix<T> d_z = work.d_output(), d_x = work.d_input();
    Product<T> p;
    p.rows = work.rows();
    p.columns = d_x.width;
    p.depth = d_z.width;
    p.a = d_z.numbers;
    p.a_stride = d_z.stride;
    p.b = work.array(W);
    p.b_stride = d_z.width;
    p.b_form = BForm::transposed;
    p.out = d_x.numbers;
    p.out_stride = d_x.stride;
    p.accumulate = !work.plan().first[0];
    if (work.plan().relu_mask) {
        p.relu_mask = work.input().numbers;
        p.relu_mask_stride = d_x.stride;
    }
    run_product(p, work);
}

// The same as (dL/dx)^T = W (dL/dz)^T, turned back at the end.
template <class T>
void backward_input_turned(const Work<T>& work) {
    const Matrix<T> d_z = work.d_output(), d_x = work.d_input(), turned = work.turned();
    Product<T> p;
    p.rows = d_x.width;
    p.columns = work.rows();
    p.depth = d_z.width;
    p.a = work.array(W);
    p.a_stride = d_z.width;
    p.b = d_z.numbers;
    p.b_stride = d_z.stride;
    p.b_form = BForm::transposed;
    p.out = turned.numbers;
    p.out_stride = turned.stride;
    run_product(p, work);
    work.kernels().transpose(turned.numbers, turned.stride, d_x.width, work.rows(), d_x.numbers, d_x.stride,
                             work.plan().relu_mask ? work.input().numbers : nullptr);
}

// The gradient of a band of rows goes into the cache and from there into the optimizer.
template <class T>
void change_weights(const Product<T>& product, const Work<T>& work) {
    const Kernels<T>& kernels = work.kernels();
    const long columns = product.columns, band = Updater<T>::band_rows(columns);
    const long panels = (columns + kernels.panel_columns - 1) / kernels.panel_columns;
    auto change = [&](long task, int thread) {
        const long row = task * band;
        Product<T> part = product;
        part.rows = std::min(band, product.rows - row);
        part.a += row;
        part.out = work.scratch(thread);
        kernels.product(part, 0, panels, 0, part.rows, nullptr);
        work.updater->change_band(work.index, task, work.step().spans[W] + row * columns, part.out, part.rows * columns);
    };
    const long bands = (product.rows + band - 1) / band;
    const double cost = double(product.rows) * double(columns) * double(product.depth);
    if (cost >= shared_work) return work.team.share(bands, change);
    for (long task = 0; task < bands; ++task) change(task, 0);
}

template <class T>
void backward(const Work<T>& work) {
    const StepPlan& plan = work.plan();
    if (plan.wanted[0] && plan.delta_turned) backward_input_turned(work);
    else if (plan.wanted[0]) backward_input(work);
    if (!plan.writes_gradient) return;
    const Matrix<T> x = work.input(), d_z = work.d_output();
    if (T* d_b = work.d_array(b))
        share_columns(work.team, work.stop(), work.rows(), d_z.width, 16, work.kernels().lanes, [&](long begin, long end) {
            work.kernels().column_sums(d_z.numbers, d_z.stride, work.rows(), begin, end, d_b);
        });
    Product<T> p;  // dL/dW = x^T dL/dz
    p.rows = x.width;
    p.columns = d_z.width;
    p.depth = work.rows();
    p.a = x.numbers;
    p.a_stride = x.stride;
    p.a_transposed = true;
    p.b = d_z.numbers;
    p.b_stride = d_z.stride;
    p.out = work.d_array(W);
    p.out_stride = d_z.width;
    p.out_is_padded = false;
    if (work.updater && work.updater->begin_bands(work.index)) change_weights(p, work);
    else run_product(p, work);
}

long multiplications(const Step&, long inputs, long units) { return inputs * units; }

constexpr StepKind row() {
    StepKind kind;
    kind.name = "dense";
    kind.width = Width::free;
    kind.spans = {SpanRule{"W", SpanRule::inputs_by_units}, SpanRule{"b", SpanRule::units, true}};
    kind.is_product = true;
    kind.writes_d_inputs = true;
    kind.multiplications = multiplications;
    kind.float32 = {forward<float>, backward<float>};
    kind.float64 = {forward<double>, backward<double>};
    return kind;
}

}  // namespace

extern const StepKind dense;
const StepKind dense = row();

}  // namespace chainrule
