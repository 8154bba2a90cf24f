// Threads that share the parts of a kernel.
#pragma once
#include "team.h"

/// A team of `threads` threads, including the one that calls `share`. Everyone who asks for the same number
/// gets the same team. Returns null when there is not enough memory. Each joinTeam needs a leaveTeam; the
/// last one ends the threads.
SoftrlTeam* joinTeam(int threads);
void leaveTeam(SoftrlTeam* team);

/// Reserves the team for one run; false while another JavaScript thread uses it.
bool takeTeam(SoftrlTeam* team);
void giveTeamBack(SoftrlTeam* team);
