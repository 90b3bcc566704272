// Codes look up rows of a table: an embedding puts them side by side, a sum of embeddings adds them up. The columns' own
// tables stand under each other in W.
#include <algorithm>
#include <cmath>

#include "core/executor.h"
#include "core/prefetch.h"

namespace chainrule {
namespace {

enum Array { W };
enum List { sizes };

double size_of(const Step& step, long column) { return step.lists[sizes][step.lists[sizes].size() == 1 ? 0 : size_t(column)]; }

const char* list_fault(const Step& step, long inputs) {
    const std::vector<double>& list = step.lists[sizes];
    if (list.size() != 1 && long(list.size()) != inputs) return "there must be one size, or one for each column";
    for (const double size : list)
        if (!(size >= 1 && size <= 2147483648.0 && size == std::floor(size))) return "a size is out of range";
    double sum = 0;
    for (long column = 0; column < inputs; ++column) sum += size_of(step, column);
    return sum <= 2147483647.0 ? nullptr : "the table has too many rows";
}

long table_rows(const Step& step, long inputs, long) {
    long rows = 0;
    for (long column = 0; column < inputs; ++column) rows += long(size_of(step, column));
    return rows;
}

// The rows that a batch reads: rows x columns; -1 for a code outside of its column's, which makes zeros and touches no memory.
template <class T>
const int32_t* find_rows(const Work<T>& work) {
    const long columns = work.input().width;
    int32_t* found = reinterpret_cast<int32_t*>(work.extra());
    for (long r = 0; r < work.rows(); ++r) {
        const int32_t* codes = work.codes(r);
        long first = 0;
        for (long k = 0; k < columns; ++k) {
            const long size = long(size_of(work.step(), k));
            found[r * columns + k] = codes[k] >= 0 && codes[k] < size ? int32_t(first + codes[k]) : -1;
            first += size;
        }
    }
    return found;
}

// each(column) for all, side by side: a row of the table belongs to one of them.
template <class T, class F>
void share_lookups(const Work<T>& work, F&& each) {
    const long columns = work.input().width;
    if (work.rows() * columns * work.output().width < shared_numbers) {
        for (long k = 0; k < columns; ++k) each(k);
        return;
    }
    share_tasks(work.team, work.stop(), columns, [&](long k, int) { each(k); });
}

template <class T>
void wake(const Work<T>& work, const int32_t* rows) {
    RestingRows<T>* resting = work.updater ? work.updater->resting(work.index) : nullptr;
    if (!resting) return;
    const long columns = work.input().width;
    share_lookups(work, [&](long k) {
        const int32_t* own = rows + k;
        for (long r = 0; r < work.rows(); ++r, own += columns) {
            if (r + resting->ahead < work.rows() && own[resting->ahead * columns] >= 0) resting->expect(own[resting->ahead * columns]);
            if (*own >= 0) resting->wake(*own);
        }
    });
}

// put(row of the output, column, row of the table or null)
template <class T, class F>
void look_up(const Work<T>& work, long width, F&& put) {
    const long columns = work.input().width;
    const int32_t* rows = find_rows(work);
    wake(work, rows);
    share_rows(work.team, work.stop(), work.rows(), columns * width, [&](long begin, long end) {
        for (long r = begin; r < end; ++r)
            for (long k = 0; k < columns; ++k) {
                const int32_t* row = rows + r * columns + k;
                if (r + 1 < end && row[columns] >= 0) ask_for(work.array(W) + row[columns] * width, width);
                put(r, k, *row < 0 ? nullptr : work.array(W) + *row * width);
            }
    });
}

// Each row of the table gets the deltas of the lookups that read it: in the order of the batch, whoever does it.
template <class T>
void add_up(const Work<T>& work, long width, long step) {
    if (!work.plan().writes_gradient) return;
    const long columns = work.input().width;
    const int32_t* rows = reinterpret_cast<const int32_t*>(work.extra());
    const Matrix<T> delta = work.d_output();
    RestingRows<T>* resting = work.updater ? work.updater->resting(work.index) : nullptr;
    T* gradient = work.d_array(W);
    if (!resting) std::fill_n(gradient, table_rows(work.step(), columns, 0) * width, T(0));
    share_lookups(work, [&](long k) {
        for (long r = 0; r < work.rows(); ++r) {
            const long row = rows[r * columns + k];
            if (row < 0) continue;
            const T* from = delta.row(r) + k * step;
            if (resting) resting->add(k, row, from);
            else work.kernels().add(from, 0, gradient + row * width, 0, width, 0, 1);
        }
    });
}

template <class T>
void side_by_side(const Work<T>& work) {
    const Matrix<T> y = work.output();
    const long width = y.width / work.input().width;
    look_up(work, width, [&](long r, long k, const T* row) {
        T* to = y.row(r) + k * width;
        if (row) work.kernels().copy(row, 0, to, 0, width, 0, 1);
        else std::fill_n(to, width, T(0));
    });
}

template <class T>
void side_by_side_back(const Work<T>& work) {
    const long width = work.output().width / work.input().width;
    add_up(work, width, width);
}

template <class T>
void sum(const Work<T>& work) {
    const Matrix<T> z = work.output();
    look_up(work, z.width, [&](long r, long k, const T* row) {
        if (k == 0) std::fill_n(z.row(r), z.width, T(0));
        if (row) work.kernels().add(row, 0, z.row(r), 0, z.width, 0, 1);
    });
}

template <class T>
void sum_back(const Work<T>& work) {
    add_up(work, work.output().width, 0);
}

long extra(const Step&, Mode, long rows, const Shape& shape) { return rows * shape.inputs; }
long part_of_units(const Step&, long inputs, long units) { return units / inputs; }
long all_units(const Step&, long, long units) { return units; }
long multiplications(const Step&, long inputs, long units) { return inputs * units; }

constexpr StepKind lookup(const char* name) {
    StepKind kind;
    kind.name = name;
    kind.reads_codes = true;
    kind.spans = {SpanRule{"W", SpanRule::table}};
    kind.lists = {ListRule{"sizes"}};
    kind.list_fault = list_fault;
    kind.table_rows = table_rows;
    kind.looks_up = true;
    kind.extra = extra;
    return kind;
}

constexpr StepKind embedding_row() {
    StepKind kind = lookup("embedding");
    kind.width = Width::multiple_of_input;
    kind.table_width = part_of_units;
    kind.float32 = {side_by_side<float>, side_by_side_back<float>};
    kind.float64 = {side_by_side<double>, side_by_side_back<double>};
    return kind;
}

constexpr StepKind embedding_sum_row() {
    StepKind kind = lookup("embedding_sum");
    kind.width = Width::free;
    kind.table_width = all_units;
    kind.multiplications = multiplications;
    kind.float32 = {sum<float>, sum_back<float>};
    kind.float64 = {sum<double>, sum_back<double>};
    return kind;
}

}  // namespace

extern const StepKind embedding, embedding_sum;
const StepKind embedding = embedding_row(), embedding_sum = embedding_sum_row();

}  // namespace chainrule
