// Threads that share the parts of a kernel.
#pragma once
#include "team.h"

/// A team of so many threads, the caller of `share` among them; all who ask for the same number get the same team.
/// null when there is not enough memory. Each joinTeam wants its leaveTeam; the last one ends the threads.
SoftrlTeam* joinTeam(int threads);
void leaveTeam(SoftrlTeam* team);

/// Takes the team for one run; false while another JavaScript thread has it.
bool takeTeam(SoftrlTeam* team);
void giveTeamBack(SoftrlTeam* team);
