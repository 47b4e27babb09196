-- How an agent's own audio is reached (docs/telephony.md, "The agent's audio").

-- migrate:up
alter table agents add column audio_mode varchar(16) not null default 'desk'
	check (audio_mode in ('desk', 'nailed', 'ws', 'webrtc'));

-- migrate:down
alter table agents drop column audio_mode;
