#pragma once
/* Every option of the program, once. The parser, the defaults, `calltab config --explain`, the
 * sample file and docs/config.md come from, or are checked against, this table.
 *
 * OPTION(name, kind, default, minimum, maximum, "what it is") - kinds: TEXT, NUMBER
 * (minimum..maximum), SWITCH (on/off), SECRET (a text never shown), LIST (comma separated). File <
 * environment (CALLTAB_NAME) < flag (--name). */

/* clang-format off */
#define SERVER_OPTIONS(OPTION) \
OPTION(listen,          TEXT,   "127.0.0.1:8080", 0, 0, "address and port of everything: pages, REST and tabs; port 0 lets the kernel choose; unix:/path works too") \
OPTION(database,        SECRET, "", 0, 0, "PostgreSQL, as a libpq connection string or URL; of the role that only reads and writes rows") \
OPTION(journal_dir,     TEXT,   "/var/lib/calltab/journal", 0, 0, "folder of the journal: what happens is there before anybody is told; on a disk that keeps what it says it has written, one folder for each gateway") \
OPTION(node,            TEXT,   "n1", 0, 0, "this gateway's name, [a-z0-9]{1,8}; different for each gateway that shares a switch or a database") \
OPTION(origins,         LIST,   "", 0, 0, "pages that may open tabs, as https://host[:port], exactly; empty = the pages served here") \
OPTION(allow_no_origin, SWITCH, "off", 0, 0, "let programs that are no browser (and send no Origin) open tabs") \
OPTION(trusted_proxies, LIST,   "", 0, 0, "addresses of proxies whose X-Forwarded-For is believed; behind a proxy that is not named here all clients count as one") \
OPTION(web_dir,         TEXT,   "", 0, 0, "folder with the agent page and the library; empty = the installed one") \
OPTION(switch,          TEXT,   "sim", 0, 0, "sim = the simulated switch, ari = Asterisk 22") \
OPTION(ari_host,        TEXT,   "127.0.0.1", 0, 0, "Asterisk's HTTP server") \
OPTION(ari_port,        NUMBER, "8088", 1, 65535, "its port") \
OPTION(ari_user,        TEXT,   "calltab", 0, 0, "user of ari.conf") \
OPTION(ari_password,    SECRET, "", 0, 0, "his password; better in a file: ari_password_file") \
OPTION(ari_password_file, TEXT, "", 0, 0, "file with the password in its first line") \
OPTION(ari_app,         TEXT,   "calltab", 0, 0, "name of the Stasis application") \
OPTION(ari_trunk,       TEXT,   "trunk", 0, 0, "PJSIP endpoint of the carrier: PJSIP/<number>@<trunk>") \
OPTION(ari_technology,  TEXT,   "PJSIP", 0, 0, "of the agents' telephones: PJSIP/<extension>") \
OPTION(ari_music,       TEXT,   "", 0, 0, "music-on-hold class; empty = the default one") \
OPTION(ari_calls_per_s, NUMBER, "40", 0, 1000, "calls set up in a second at most; more wait for their turn; 0 = no limit") \
OPTION(sounds_url,      TEXT,   "", 0, 0, "this gateway as Asterisk reaches it to fetch sounds, http://host:port; empty = the address of `listen`, or 127.0.0.1") \
OPTION(sim_ring_ms,     NUMBER, "100", 0, 60000, "simulated switch: until the called party rings") \
OPTION(sim_answer_ms,   NUMBER, "400", 0, 60000, "simulated switch: from ringing to the answer") \
OPTION(sim_calls_per_s, NUMBER, "0", 0, 1000, "simulated switch: as ari_calls_per_s") \
OPTION(caller_number,   TEXT,   "", 0, 0, "number shown to called parties; empty = the trunk's own") \
OPTION(caller_name,     TEXT,   "", 0, 0, "name shown to called parties") \
OPTION(number_region,   TEXT,   "", 0, 0, "country whose way of writing national numbers is followed, two letters of ISO 3166 as GB: they become international (docs/numbers.md); empty = numbers stay as they are given") \
OPTION(preview_s,       NUMBER, "15", 1, 3600, "seconds a record is previewed before it is dialed") \
OPTION(ring_s,          NUMBER, "22", 1, 600, "seconds a called party is rung before it counts as no answer") \
OPTION(offer_s,         NUMBER, "22", 1, 600, "seconds an incoming call is offered to one agent") \
OPTION(wrap_s,          NUMBER, "30", 0, 3600, "seconds of wrap after a call; 0 = until the agent moves on") \
OPTION(command_memory_s, NUMBER, "86400", 0, 604800, "a command's id and answer are remembered this long, over restarts too; 0 = not at all, and a repeated command is carried out again") \
OPTION(max_connections, NUMBER, "20000", 10, 1000000, "open connections at most; also limited by the process's descriptors") \
OPTION(max_calls,       NUMBER, "20000", 1, 1000000, "live calls at most") \
OPTION(ping_s,          NUMBER, "30", 1, 600, "a tab is pinged this often; silent for 2.5 times as long, it is gone") \
OPTION(overload_lag_ms, NUMBER, "50", 10, 100000, "calls wait for the gateway itself for so long: new work is turned away, reports first (docs/operations.md); more on a slow machine") \
OPTION(db_workers,      NUMBER, "4", 1, 64, "connections for reading") \
OPTION(http_threads,    NUMBER, "1", 1, 8, "threads that serve pages and REST") \
OPTION(log_level,       TEXT,   "info", 0, 0, "err, warn, info or debug")
/* clang-format on */

enum option_kind { OPTION_TEXT, OPTION_NUMBER, OPTION_SWITCH, OPTION_SECRET, OPTION_LIST };
