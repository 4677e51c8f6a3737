-- What an engine said lives on in the conversation that it was folded into; nothing read these rows.
DROP TABLE session_events;
