// Memory that begins at a cache line and is zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace chainrule {

template <class T>
class Aligned {
public:
    explicit Aligned(long count) : block_(std::calloc(size_t(count) + 256 / sizeof(T), sizeof(T))) {
        if (!block_) throw std::bad_alloc();
        const auto address = reinterpret_cast<uintptr_t>(block_.get());
        data_ = reinterpret_cast<T*>((address + 127) / 64 * 64);  // a line to spare at either end
    }

    T* data() { return data_; }
    const T* data() const { return data_; }

private:
    struct Free {
        void operator()(void* block) const { std::free(block); }
    };
    std::unique_ptr<void, Free> block_;
    T* data_ = nullptr;
};

}  // namespace chainrule
