#pragma once
/* Places where a test may end, stop or fail the program, and defects it may plant to see whether it
 * would notice. Compiled out of release builds: there both are the constant false.
 *
 *	CALLTAB_FAILPOINT=name:hit:action[,...]   action: kill (SIGKILL), stop (SIGSTOP), fail
 *	CALLTAB_PLANT=n                           the defect of this number is there
 *
 * A failpoint's name is a literal, so that a test finds them all in the source. */
#include <stdbool.h>

#ifdef CALLTAB_FAULTS
/* True: behave as if this had failed. */
bool fault_reached(const char *name);
bool fault_is_planted(unsigned number);
#define FAILPOINT(name) fault_reached(name)
#define PLANTED(number) fault_is_planted(number)
#else
#define FAILPOINT(name) false
#define PLANTED(number) false
#endif
