#pragma once
/* Places where a test may end, stop or fail the program, sizes and times it may make small, and
 * defects it may plant to see whether it would notice. Compiled out of release builds: there a
 * place is nothing, a size is what it is, a defect is the constant false.
 *
 *	CALLTAB_FAILPOINT=name:hit:action[,...]
 *		kill   SIGKILL
 *		late   SIGKILL, but only after this thread has stood still for a while
 *		stop   SIGSTOP
 *		fail   behave as if this had failed, for the places that ask
 *	CALLTAB_FAILPOINT_COUNTS=file     how often each was reached is kept there, also when killed
 *	CALLTAB_SMALL=name:number[,...]   instead of the usual size or time
 *	CALLTAB_PLANT=n                   the defect of this number is there (docs/testing.md)
 *
 * A failpoint's name is a literal, so that a test finds them all in the source. */
#include <stdbool.h>

#ifdef CALLTAB_FAULTS
/* True: behave as if this had failed. */
bool fault_reached(const char *name);
unsigned fault_small(const char *name, unsigned usual);
bool fault_is_planted(unsigned number);
#define FAILPOINT(name)	   fault_reached(name)
#define SMALL(name, usual) fault_small(name, usual)
#define PLANTED(number)	   fault_is_planted(number)
#else
/* A constant would be a statement without effect. */
static inline bool fault_none(void)
{
	return false;
}
#define FAILPOINT(name)	   fault_none()
#define SMALL(name, usual) (usual)
#define PLANTED(number)	   false
#endif
