#include "control/agent_json.h"

void agent_json_write(struct json_writer *w, const struct agent_view *agent)
{
	jw_object(w);
	jw_kv_uuid(w, "agentId", &agent->agent_id);
	jw_kv_text(w, "login", agent->login);
	jw_kv_text(w, "name", agent->name);
	jw_kv_text(w, "extension", agent->extension);
	jw_kv_text(w, "state", agent_state_word(agent->state));
	jw_kv_text(w, "nextState", agent_state_word(agent->next_state));
	jw_kv_text(w, "reason", agent->reason);
	jw_kv_time(w, "stateTime", agent->state_at_ms);
	jw_kv_bool(w, "phoneReachable", agent->is_phone_reachable);
	jw_kv_text(w, "audio", audio_mode_word(agent->audio));
	jw_kv_text(w, "audioWindow", agent->audio_window);
	jw_kv_bool(w, "audioUp", agent->is_audio_up);
	jw_object_end(w);
}
