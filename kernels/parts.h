// Parts of a kernel that may be computed at the same time.
#pragma once
#include "team.h"
#include "vector.h"

namespace {

typedef SoftrlTeam Team;

/// The team, where this much work is worth sharing; else null.
SOFTRL_INLINE Team* teamFor(Team* team, double operations) {
  return team && operations >= team->leastShared ? team : nullptr;
}

/// part(i, thread) for every i in [0, parts): by the team, or in order here.
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

/// The size of a part when `total` is cut into at most `most` parts, each a multiple of `unit`.
SOFTRL_INLINE Index partSize(Index total, Index most, Index unit) {
  const Index size = (total + most - 1) / most;
  return (size + unit - 1) / unit * unit;
}

SOFTRL_INLINE Index partCount(Index total, Index size) { return (total + size - 1) / size; }

}  // namespace
