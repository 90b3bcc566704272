// What the runner asks of an instruction set: a table of functions, one table per set and number type.
// Matrices have rows `stride` apart; those in the arena are padded, so that whole vectors may be read and written.
#pragma once

#include <cstdint>

namespace chainrule {

// How the right-hand side of a product lies in memory.
enum class BForm {
    padded,      // depth x columns, whole vectors readable
    unpadded,    // depth x columns, the last panel may end inside a vector
    packed,      // the same, copied panel by panel first: for matrices that don't fit in the cache
    transposed,  // columns x depth
};

// out[rows, columns] = A[rows, depth] · B[depth, columns], then: + bias, + out, ReLU, ReLU's derivative.
template <class T>
struct Product {
    long rows = 0, columns = 0, depth = 0;
    const T* a = nullptr;
    long a_stride = 0;
    bool a_transposed = false;  // A is stored depth x rows
    const T* b = nullptr;
    long b_stride = 0;
    BForm b_form = BForm::padded;
    T* out = nullptr;
    long out_stride = 0;
    bool out_is_padded = true;
    const T* bias = nullptr;
    bool accumulate = false;
    bool relu = false;
    const T* relu_mask = nullptr;  // keep what stands where this is positive
    long relu_mask_stride = 0;
};

enum class Activation {
    linear, sigmoid, tanh, relu, leaky_relu, elu, selu, gelu, gelu_tanh, silu, mish, softplus, exponential, softmax,
    threshold,
};

// h = f(z), or d = d f' with f' from z or h, whichever the function needs.
template <class T>
struct ActivationCall {
    Activation kind = Activation::linear;
    T parameter = 0;
    long columns = 0;
    const T* in = nullptr;  // forward: z; backward: z or h
    long in_stride = 0;
    T* out = nullptr;  // forward: h; backward: dL/dh, which becomes dL/dz
    long out_stride = 0;
};

enum class Loss {
    squared_error, half_squared_error, absolute_error, huber, quantile, poisson, poisson_fused,
    poisson_deviance, poisson_deviance_fused,
    binary_cross_entropy, binary_cross_entropy_fused, cross_entropy, cross_entropy_fused,
};

// Every row's own loss, and dL/d(output) times the row's factor.
template <class T>
struct LossCall {
    Loss kind = Loss::squared_error;
    T parameter = 0;
    long columns = 0;
    const T* output = nullptr;  // h, or z where fused
    long output_stride = 0;
    const T* target = nullptr;
    long target_stride = 0;
    const int64_t* labels = nullptr;  // in place of `target`, for the fused cross-entropy
    const T* row_factor = nullptr;
    T* row_loss = nullptr;
    T* gradient = nullptr;  // null: losses only
    long gradient_stride = 0;
};

enum class Update { sgd, momentum_torch, momentum_sklearn, adagrad, rmsprop, adam };

// One step of an optimizer, as in optimizers.py; what depends on the step is worked out.
template <class T>
struct UpdateCall {
    Update kind = Update::sgd;
    T* parameters = nullptr;
    T* slots[3] = {nullptr, nullptr, nullptr};
    double l1 = 0, l2 = 0;      // penalties on these parameters: l1 |W| + l2 W^2
    double penalty_factor = 1;  // of their gradient
    T gradient_scale = 1;  // clipping
    T rate = 0;
    T weight_decay = 0;  // added to the gradient
    T shrink = 1;        // the parameters are multiplied by it first
    T momentum = 0;
    T gradient_share = 1;   // of a gradient that enters the velocity (dampening)
    T beta1 = 0, beta2 = 0;    // of the means of gradients and of squares: adam's, rmsprop's
    T share1 = 0, share2 = 0;  // 1 - beta
    T root_factor = 1;       // adam: the root of the mean of squares is multiplied by it
    T epsilon = 0;
    bool nesterov = false, centered = false, amsgrad = false;
};

template <class T>
struct NormCall {
    long rows = 0, columns = 0;
    T epsilon = 0;
    const T* x = nullptr;
    long x_stride = 0;
    T* y = nullptr;  // output; backward: dL/dy, which becomes dL/dx
    long y_stride = 0;
    const T* scale = nullptr;
    const T* shift = nullptr;
    T* mean = nullptr;      // of the batch, or running
    T* variance = nullptr;  // of the batch (biased), or running
    bool fixed_statistics = false;  // mean and variance are the running ones and do not depend on x
    T* scale_gradient = nullptr;
    T* shift_gradient = nullptr;
};

// y = scale x, or d = d scale and the gradient by scale.
template <class T>
struct ScaleCall {
    long rows = 0, columns = 0;
    const T* scale = nullptr;
    const T* x = nullptr;
    long x_stride = 0;
    T* y = nullptr;  // output; backward: dL/dy, which becomes dL/dx
    long y_stride = 0;
    T* scale_gradient = nullptr;  // null: nobody wants it
};

// Numbers between the knots of their inputs: z = sum (1 - share) V + share V', V and V' the rows of two neighbours.
template <class T>
struct PiecesCall {
    long rows = 0, inputs = 0, units = 0;
    const T* weights = nullptr;         // W: what is gained over each bin, bins x units
    T* sums = nullptr;                  // V: what is gained up to each knot, knots x sums_stride
    long sums_stride = 0;
    const T* knots = nullptr;
    const long* first_knot = nullptr;   // of each input, and of one more
    const long* first_bin = nullptr;
    const int32_t* below = nullptr;     // rows x inputs: the lower knot of the bin, or -1
    const T* share = nullptr;           // rows x inputs: how much of the bin lies below the number
    int32_t* order = nullptr;           // memory to sort by: inputs x rows
    int32_t* ends = nullptr;            // and as many as there are knots
    const T* x = nullptr;
    long x_stride = 0;
    T* z = nullptr;                     // output; backward: dL/dz
    long z_stride = 0;
    T* d_weights = nullptr;
    T* d_x = nullptr;
    long d_x_stride = 0;
    bool add_d_x = false;
};

// y = x1 + mix (x2 - x1), or the gradients by what it reads.
template <class T>
struct MixCall {
    long rows = 0, columns = 0;
    const T* mix = nullptr;
    const T* x[2] = {nullptr, nullptr};
    long x_stride[2] = {0, 0};
    T* y = nullptr;  // output; backward: dL/dy
    long y_stride = 0;
    T* d_x[2] = {nullptr, nullptr};  // null: nobody wants it
    long d_stride[2] = {0, 0};
    bool adds[2] = {false, false};  // to what is there
    T* mix_gradient = nullptr;      // null: nobody wants it
};

// What is added up along columns, as differences from a row `origin`: so that no digits are lost.
template <class T>
struct SpreadCall {
    long rows = 0, columns = 0;
    const T* values = nullptr;
    long stride = 0;
    const T* origin = nullptr;
    T* sums = nullptr;
    T* squares = nullptr;
};

struct DropoutCall {
    uint64_t seed = 0;
    uint32_t step = 0, layer = 0, member = 0;
    uint32_t threshold = 0;
    long columns = 0;
    uint64_t first_row = 0;  // of a batch that comes in parts
};

template <class T>
struct Kernels {
    int lanes;
    long panel_columns;

    void (*product)(const Product<T>&, long panel_begin, long panel_end, long row_begin, long row_end, T* scratch);
    void (*column_sums)(const T* matrix, long stride, long rows, long column_begin, long column_end, T* out);
    void (*activate)(const ActivationCall<T>&, long row_begin, long row_end);
    void (*activate_backward)(const ActivationCall<T>&, long row_begin, long row_end);
    void (*loss)(const LossCall<T>&, long row_begin, long row_end);
    // The parameters from `begin` on, as many as there are gradients. Returns their penalty as they are afterwards.
    double (*update)(const UpdateCall<T>&, long begin, const T* gradient, long count);
    // Adds `factor` times the penalty's gradient to `gradient` (unless null) and returns the penalty's value.
    double (*penalty)(const T* parameters, T* gradient, double factor, double l1, double l2, long begin, long end);
    double (*sum_of_squares)(const T* values, long begin, long end);
    // Copies the rows with these numbers, one after the other.
    void (*gather)(const T* from, long width, const int64_t* rows, long count, T* to, long to_stride);
    void (*copy)(const T* from, long from_stride, T* to, long to_stride, long columns, long row_begin, long row_end);
    void (*add)(const T* from, long from_stride, T* to, long to_stride, long columns, long row_begin, long row_end);
    // to[c][r] = from[r][c]; kept where `mask` (laid out like `to`, unless null) is positive.
    void (*transpose)(const T* from, long from_stride, long rows, long columns, T* to, long to_stride, const T* mask);
    void (*multiply)(const T* a, const T* b, T* out, long stride, long columns, long row_begin, long row_end);
    // Dropout's factors, 0 or `kept`.
    void (*keep_factors)(const DropoutCall&, T kept, T* out, long stride, long row_begin, long row_end);
    void (*norm_statistics)(const NormCall<T>&, long column_begin, long column_end);
    void (*norm_forward)(const NormCall<T>&, long row_begin, long row_end);
    void (*norm_backward)(const NormCall<T>&, long column_begin, long column_end);
    void (*scale_forward)(const ScaleCall<T>&, long row_begin, long row_end);
    void (*scale_backward)(const ScaleCall<T>&, long column_begin, long column_end);
    void (*mix_forward)(const MixCall<T>&, long row_begin, long row_end);
    void (*mix_backward)(const MixCall<T>&, long column_begin, long column_end);
    // Steps that the parameters from `begin` on have missed, one after the other; `none` is a gradient of zeros.
    void (*catch_up)(const UpdateCall<T>* steps, long missed, long begin, const T* none, long count);
    void (*pieces_sums)(const PiecesCall<T>&, long input_begin, long input_end);
    void (*pieces_forward)(const PiecesCall<T>&, long row_begin, long row_end);
    void (*pieces_backward)(const PiecesCall<T>&, long row_begin, long row_end);  // by x
    void (*pieces_gradient)(const PiecesCall<T>&, long input_begin, long input_end);
    // What is measured at sampled steps: see simd/vitals.h.
    void (*column_spread)(const SpreadCall<T>&);
    void (*count_flat)(const T* slopes, long stride, long rows, long columns, T least, T* counts);
    double (*squares_of_rows)(const T* x, long x_stride, long inputs, const T* d_z, long d_z_stride, long units, bool bias, long rows);
    double (*squared_distance)(const T* a, const T* b, long begin, long end);
};

// One instruction set. (Files compiled for one include no standard library: its inline functions would be shared.)
struct KernelSet {
    const char* name;
    bool (*runs_here)();
    const Kernels<float>* float32;
    const Kernels<double>* float64;
    void (*random_keys)(uint64_t seed, uint32_t step, uint32_t stream, uint32_t member, uint64_t begin, uint64_t end,
                        uint64_t* out);
};

}  // namespace chainrule
