/* How much of everything: enough for every change by default, more when dev/soak says so. Each is an environment variable. */
const amount = (name, usual) => Number(process.env[name] ?? usual)

export const KILLS = amount('CALLTAB_FAULT_KILLS', 150)
export const RESUMES = amount('CALLTAB_FAULT_RESUMES', 20_000)
export const COMMANDS = amount('CALLTAB_FAULT_COMMANDS', 10_000)
export const CUTS = amount('CALLTAB_FAULT_CUTS', 200)
export const OUTAGE_S = amount('CALLTAB_FAULT_OUTAGE_S', 60)
export const SWITCH_CALLS = amount('CALLTAB_FAULT_CALLS', 500)
export const SEED = amount('CALLTAB_FAULT_SEED', Math.floor(Math.random() * 1e9)) // printed and on record: the same again
