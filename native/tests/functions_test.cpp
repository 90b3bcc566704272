// Activation functions against the C library in long double: value and derivative, and what infinities and NaN give.
#include <functional>
#include <limits>

#include "check.h"

using namespace chainrule;

namespace {

using Function = std::function<long double(long double)>;

struct Case {
    Activation kind;
    double parameter;
    Function value, derivative;
    bool derivative_reads_output;
    double ulps;  // of the value, where it isn't tiny
};

long double sigmoid(long double z) { return 1 / (1 + std::exp(-z)); }
long double softplus(long double z) { return z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z)); }
long double normal(long double z) { return std::erfc(-z / std::sqrt(2.0L)) / 2; }
long double density(long double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.0L)); }

const long double scale = 1.0507009873554804934193349852946L, alpha = 1.6732632423543772848170429916717L;
const long double root = std::sqrt(2 / std::acos(-1.0L));
long double inner(long double z) { return root * (z + 0.044715L * z * z * z); }

const std::vector<Case> cases = {
    {Activation::sigmoid, 0, sigmoid, [](long double z) { return sigmoid(z) * sigmoid(-z); }, true, 3},
    {Activation::tanh, 0, [](long double z) { return std::tanh(z); },
     [](long double z) { return 1 - std::tanh(z) * std::tanh(z); }, true, 3},
    {Activation::relu, 0, [](long double z) { return z > 0 ? z : 0; }, [](long double z) { return z > 0 ? 1 : 0; }, true, 0},
    {Activation::leaky_relu, 0.25, [](long double z) { return z > 0 ? z : z / 4; },
     [](long double z) { return z > 0 ? 1 : 0.25L; }, false, 0},
    {Activation::elu, 0.75, [](long double z) { return z > 0 ? z : 0.75L * std::expm1(z); },
     [](long double z) { return z > 0 ? 1 : 0.75L * std::exp(z); }, false, 3},
    {Activation::selu, 0, [](long double z) { return z > 0 ? scale * z : scale * alpha * std::expm1(z); },
     [](long double z) { return z > 0 ? scale : scale * alpha * std::exp(z); }, false, 4},
    {Activation::gelu, 0, [](long double z) { return z * normal(z); },
     [](long double z) { return normal(z) + z * density(z); }, false, -1},
    {Activation::gelu_tanh, 0, [](long double z) { return z * sigmoid(2 * inner(z)); },
     [](long double z) {
         const long double t = std::tanh(inner(z));
         return (1 + t + z * (1 - t * t) * root * (1 + 3 * 0.044715L * z * z)) / 2;
     }, false, -1},
    {Activation::silu, 0, [](long double z) { return z * sigmoid(z); },
     [](long double z) { return sigmoid(z) * (1 + z * sigmoid(-z)); }, false, 4},
    {Activation::mish, 0, [](long double z) { return z * std::tanh(softplus(z)); },
     [](long double z) {
         const long double t = std::tanh(softplus(z));
         return t + z * sigmoid(z) * (1 - t * t);
     }, false, 5},
    {Activation::softplus, 0, softplus, sigmoid, false, 3},
    {Activation::exponential, 0, [](long double z) { return std::exp(z); }, [](long double z) { return std::exp(z); }, true, 2},
};

template <class T>
void test_case(const Case& c) {
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    const long n = 64 * 1024;
    std::vector<T> z(static_cast<size_t>(n)), h(z.size()), d(z.size(), T(1));
    for (long i = 0; i < n; ++i) z[size_t(i)] = T(-20 + 40 * (double(i) + 0.37) / double(n));
    ActivationCall<T> call{c.kind, T(c.parameter), n, z.data(), n, h.data(), n};
    kernels.activate(call, 0, 1);
    call.in = c.derivative_reads_output ? h.data() : z.data();
    call.out = d.data();
    kernels.activate_backward(call, 0, 1);
    const double unit = double(std::numeric_limits<T>::epsilon());
    for (size_t i = 0; i < z.size(); ++i) {
        const long double value = c.value(z[i]), slope = c.derivative(z[i]);
        if (c.ulps >= 0)
            CHECK(std::fabs(h[i] - value) <= c.ulps * unit * std::fabs(value) + 1e-37L, "function %d at %g: %.17g is not %.17Lg",
                  int(c.kind), double(z[i]), double(h[i]), value);
        CHECK(std::fabs(h[i] - value) <= 4 * unit * (1 + std::fabs(value)), "function %d at %g: %.17g is not %.17Lg", int(c.kind),
              double(z[i]), double(h[i]), value);
        CHECK(std::fabs(d[i] - slope) <= 64 * unit * (1 + std::fabs(slope)), "derivative %d at %g: %.17g is not %.17Lg",
              int(c.kind), double(z[i]), double(d[i]), slope);
    }
}

template <class T>
void test_limits() {
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    const T infinity = std::numeric_limits<T>::infinity();
    struct Limit {
        Activation kind;
        double below, above;
    };
    const Limit limits[] = {{Activation::sigmoid, 0, 1}, {Activation::tanh, -1, 1}, {Activation::relu, 0, infinity},
                            {Activation::softplus, 0, infinity}, {Activation::exponential, 0, infinity}};
    for (const Limit& limit : limits) {
        std::vector<T> z(16), h(16);
        z[0] = -infinity, z[1] = infinity, z[2] = std::numeric_limits<T>::quiet_NaN(), z[3] = T(-1e30), z[4] = T(1e30);
        kernels.activate({limit.kind, 0, 16, z.data(), 16, h.data(), 16}, 0, 1);
        CHECK(h[0] == T(limit.below) && h[1] == T(limit.above), "function %d at the infinities: %g, %g", int(limit.kind),
              double(h[0]), double(h[1]));
        CHECK(std::isnan(h[2]), "function %d makes %g of NaN", int(limit.kind), double(h[2]));
        CHECK(h[3] == T(limit.below) && !std::isnan(h[4]), "function %d far out: %g, %g", int(limit.kind), double(h[3]), double(h[4]));
    }
    for (const Case& c : cases) {
        std::vector<T> z(16, std::numeric_limits<T>::quiet_NaN()), h(16);
        kernels.activate({c.kind, T(c.parameter), 16, z.data(), 16, h.data(), 16}, 0, 1);
        for (T x : h) CHECK(std::isnan(x), "function %d makes %g of NaN", int(c.kind), double(x));
    }
}

// Logits of +-1000 give finite losses and gradients; NaN is passed on.
template <class T>
void test_cross_entropy() {
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    for (long columns : {2L, 3L, 16L, 17L, 40L}) {
        const long stride = 48, rows = 37;
        std::vector<T> z(size_t(stride * rows)), d(z.size()), loss(64), factor(64, T(1));
        std::vector<int64_t> labels(64);
        for (long r = 0; r < rows; ++r) {
            for (long c = 0; c < columns; ++c) z[size_t(r * stride + c)] = T(((r * 7 + c * 13) % 11 - 5) * (r % 3 ? 0.5 : 200.0));
            for (long c = columns; c < stride; ++c) z[size_t(r * stride + c)] = T(1e9);  // beyond the row's end
            labels[size_t(r)] = r % columns;
        }
        LossCall<T> call;
        call.kind = Loss::cross_entropy_fused;
        call.columns = columns;
        call.output = z.data(), call.output_stride = stride;
        call.labels = labels.data();
        call.row_factor = factor.data(), call.row_loss = loss.data();
        call.gradient = d.data(), call.gradient_stride = stride;
        kernels.loss(call, 0, rows);
        for (long r = 0; r < rows; ++r) {
            long double top = -1e30L, sum = 0;
            const T* row = &z[size_t(r * stride)];
            for (long c = 0; c < columns; ++c) top = std::max(top, (long double)row[c]);
            for (long c = 0; c < columns; ++c) sum += std::exp(row[c] - top);
            const long double expected = std::log(sum) + top - row[labels[size_t(r)]];
            const double bound = 8 * double(std::numeric_limits<T>::epsilon()) * (1 + double(std::fabs(expected)));
            CHECK(std::fabs(loss[size_t(r)] - expected) <= bound, "loss %g is not %Lg", double(loss[size_t(r)]), expected);
            for (long c = 0; c < columns; ++c) {
                const long double slope = std::exp(row[c] - top) / sum - (c == labels[size_t(r)]);
                CHECK(std::fabs(d[size_t(r * stride + c)] - slope) <= bound, "gradient %g is not %Lg",
                      double(d[size_t(r * stride + c)]), slope);
            }
        }
        z[0] = std::numeric_limits<T>::quiet_NaN();
        kernels.loss(call, 0, rows);
        CHECK(std::isnan(loss[0]) && !std::isnan(loss[1]), "NaN must reach its own row's loss, and no other");
    }
}

}  // namespace

int main() {
    on_every_set([](const std::string&) {
        for (const Case& c : cases) {
            test_case<float>(c);
            test_case<double>(c);
        }
        test_limits<float>();
        test_limits<double>();
        test_cross_entropy<float>();
        test_cross_entropy<double>();
    });
}
