// Readers and writers made of C callbacks, and the contents of GGUF files.
#pragma once

#include <cstdio>
#include <ios>

#include "handle.h"
#include "mlx/io.h"

namespace mlxc {

// A descriptor with its callbacks as an MLX reader or writer; it calls free once.
template <class Base>
class Channel : public Base {
 public:
  Channel(void* desc, const mlx_io_vtable& calls) : desc_(desc), calls_(calls) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() override {
    if (calls_.free) {
      calls_.free(desc_);
    }
  }

  void* descriptor() const {
    return desc_;
  }
  bool is_open() const override {
    return calls_.is_open(desc_);
  }
  bool good() const override {
    return calls_.good(desc_);
  }
  std::size_t tell() override {
    return calls_.tell(desc_);
  }
  void seek(std::int64_t off, std::ios_base::seekdir way = std::ios_base::beg) override {
    int whence = way == std::ios_base::beg ? SEEK_SET
        : way == std::ios_base::end        ? SEEK_END
                                           : SEEK_CUR;
    calls_.seek(desc_, off, whence);
  }
  std::string label() const override {
    return text(calls_.label(desc_));
  }

 protected:
  void* desc_;
  mlx_io_vtable calls_;
};

class Reader final : public Channel<mx::io::Reader> {
 public:
  using Channel::Channel;
  void read(char* data, std::size_t n) override {
    calls_.read(desc_, data, n);
  }
  void read(char* data, std::size_t n, std::size_t offset) override {
    calls_.read_at_offset(desc_, data, n, offset);
  }
};

class Writer final : public Channel<mx::io::Writer> {
 public:
  using Channel::Channel;
  void write(const char* data, std::size_t n) override {
    calls_.write(desc_, data, n);
  }
};

MLXC_HANDLE(mlx_io_reader, std::shared_ptr<Reader>);
MLXC_HANDLE(mlx_io_writer, std::shared_ptr<Writer>);
MLXC_HANDLE(mlx_io_gguf, mx::GGUFLoad);

} // namespace mlxc
