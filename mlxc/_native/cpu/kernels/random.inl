// Random numbers by counting and hashing: Threefry with 20 rounds on two words (Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", 2011). Every hash is of a counter and none depends
// on another, so a register does as many at once as it has words, in every instruction set.
#include "random.h"
#include "simd.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

typedef std::uint32_t Words __attribute__((vector_size(sizeof(F))));

inline Words rotated(Words x, int places) {
  return x << places | x >> (32 - places);
}

// The two words of each counter, hashed in place.
inline void hash(const std::uint32_t* key, Words& a, Words& b) {
  constexpr int places[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const std::uint32_t keys[3] = {key[0], key[1], key[0] ^ key[1] ^ 0x1bd11bda};
  a += keys[0];
  b += keys[1];
#pragma GCC unroll 5
  for (unsigned group = 0; group < 5; group++) {
#pragma GCC unroll 4
    for (int round = 0; round < 4; round++) {
      a += b;
      b = rotated(b, places[group % 2][round]) ^ a;
    }
    a += keys[(group + 1) % 3];
    b += keys[(group + 2) % 3] + group + 1;
  }
}

template <Distribution distribution>
inline F number(Words bits) {
  F x = __builtin_convertvector(bits, F) * splat(0x1p-32f);
  x = least(x, splat(0x1.fffffep-1f)); // what was rounded to 1
  return distribution == Distribution::gumbel ? splat(0) - log(splat(0) - log(x)) : x;
}

// Number i of the first half has the first word of the hash of (i, i + half), the one in its place in
// the second half the second word. Of an odd count the middle has the first word of (half, 0).
template <Distribution distribution>
void draw(const std::uint32_t* key, float* y, std::size_t size) {
  constexpr std::size_t block = 1024;
  std::size_t half = size / 2, other = size - half;
  Words places;
  for (int i = 0; i < W; i++) {
    places[i] = static_cast<std::uint32_t>(i);
  }
  parallel_for((half + block - 1) / block, 4, [=](std::size_t begin, std::size_t end) {
    std::size_t first = begin * block;
    each_vector(std::min(end * block, half) - first, [=](std::size_t i, int n) {
      Words a = places + static_cast<std::uint32_t>(first + i);
      Words b = a + static_cast<std::uint32_t>(other);
      hash(key, a, b);
      store_part(y + first + i, number<distribution>(a), n);
      store_part(y + first + i + other, number<distribution>(b), n);
    });
  });
  if (half < other) {
    Words a = {}, b = {};
    a += static_cast<std::uint32_t>(half);
    hash(key, a, b);
    store_part(y + half, number<distribution>(a), 1);
  }
}

} // namespace
} // namespace MLXC_ISA

const Random Random::MLXC_ISA = {
    {MLXC_ISA::draw<Distribution::uniform>, MLXC_ISA::draw<Distribution::gumbel>}};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
