// Memory that other threads read and write too. Nobody ever finds half of a float.
//
// On x64, whole cache lines are written past the caches. An ordinary store must take the line away from the other core
// first, one line after the other: of 1.5 MB that two cores write in turn, this takes ten times as long.
#pragma once
#include <cstddef>

/// to ← from, where others write to `from`.
void readShared(const float* from, float* to, size_t count);

/// to ← from, where others read or write `to`.
void writeShared(const float* from, float* to, size_t count);

/// to ← to + (after − before), and `after` itself where `to` is `before`.
void addStepToShared(const float* before, const float* after, float* to, size_t count);
