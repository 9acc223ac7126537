// The names in Redis. Final: other versions of the appliance find their events under them.

/** Stream; the entry's id is the event's id. Fields: `e` the event's JSON, `c` its checksum. */
export const EVENTS = 'aw:events';
/** Hash: consumer -> id up to which it has acknowledged. */
export const CURSORS = 'aw:cursors';
/** Hash: what the pipeline knew when the last event was stored. */
export const STATE = 'aw:state';
/** Hash: consumer -> milliseconds for which it has not read on although it could have. */
export const IDLE = 'aw:idle';
/** Hash: `run` is the start of Redis whose log was made durable last. */
export const SETTLED = 'aw:settled';
