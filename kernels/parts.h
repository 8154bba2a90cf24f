// Parts of a kernel that threads may compute at the same time.
#pragma once
#include "team.h"
#include "vector.h"

namespace {

typedef SoftrlTeam Team;

/// The team if this much work is worth sharing, otherwise null.
SOFTRL_INLINE Team* teamFor(Team* team, double operations) {
  return team && operations >= team->leastShared ? team : nullptr;
}

/// Calls part(i, thread) for every i in [0, parts): on the team, or in order on this thread.
template <class Part>
SOFTRL_INLINE void eachPart(Team* team, Index parts, Part part) {
  if (team) {
    team->share(
        team, static_cast<int>(parts), [](void* context, int i, int thread) { (*static_cast<Part*>(context))(i, thread); },
        &part);
  } else {
    for (Index i = 0; i < parts; i++) part(i, 0);
  }
}

/// The size of a part when `total` is split into at most `most` parts, each a multiple of `unit`.
SOFTRL_INLINE Index partSize(Index total, Index most, Index unit) {
  const Index size = (total + most - 1) / most;
  return (size + unit - 1) / unit * unit;
}

SOFTRL_INLINE Index partCount(Index total, Index size) { return (total + size - 1) / size; }

}  // namespace
