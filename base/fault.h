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
 *	CALLTAB_FAULT_DISK=file           the journal's disk is as the file says, at any time: below
 *	CALLTAB_PLANT=n                   the defect of this number is there (docs/testing.md)
 *
 * A failpoint's name is a literal, so that a test finds them all in the source. */
#include <stdbool.h>

/* The file of CALLTAB_FAULT_DISK: numbers of 32 bits, the first three the test's, the others
 * counted by the program. */
enum fault_disk_at {
	DISK_ERROR,   /* what `failing` fails with: an errno, 0 = nothing fails */
	DISK_FAILING, /* 1: what takes space, 2: syncs, 3: both */
	DISK_SLOW_MS, /* each sync takes so much longer */
	DISK_FAILED,
	DISK_SLOW_BEGUN,
	DISK_SLOW_ENDED,
	DISK_NUMBERS
};
enum fault_disk_op { DISK_TAKES_SPACE = 1, DISK_SYNCS = 2 };

#ifdef CALLTAB_FAULTS
/* True: behave as if this had failed. */
bool fault_reached(const char *name);
unsigned fault_small(const char *name, unsigned usual);
bool fault_is_planted(unsigned number);
/* True: errno says why. A slow disk is waited for here. */
bool fault_disk(enum fault_disk_op op);
#define FAILPOINT(name)	   fault_reached(name)
#define SMALL(name, usual) fault_small(name, usual)
#define PLANTED(number)	   fault_is_planted(number)
#define DISK_FAULT(op)	   fault_disk(op)
#else
/* A constant would be a statement without effect. */
static inline bool fault_none(void)
{
	return false;
}
#define FAILPOINT(name)	   fault_none()
#define SMALL(name, usual) (usual)
#define PLANTED(number)	   false
#define DISK_FAULT(op)	   fault_none()
#endif
