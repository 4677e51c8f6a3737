import type { LiveEvent } from "./generated/messages.js";

// Of these a reader may be behind without asking the server again.
const MOST = 1000;

/** The latest events of a meeting, for its readers. All events are on the server, so that few are kept here. */
export class EventLog {
  #events: LiveEvent[] = [];
  #start: number;
  #end: number;

  /** @param after the number of the event before the first. */
  constructor(
    after: number,
    readonly most = MOST,
  ) {
    this.#start = this.#end = after;
  }

  /** The number of the last event. */
  get end(): number {
    return this.#end;
  }

  /** All events after this number are here. */
  get start(): number {
    return this.#start;
  }

  /** Keep an event. Return whether it is new. */
  add(event: LiveEvent): boolean {
    if (event.event_seq <= this.#end) return false;
    this.#end = event.event_seq;
    this.#events.push(event);
    // Half at once: to move the rest at each event would take longer than the event.
    if (this.#events.length > this.most) {
      const gone = this.#events.splice(0, Math.ceil(this.most / 2));
      this.#start = gone.at(-1)?.event_seq ?? this.#start;
    }
    return true;
  }

  /** The first event after a number that is at least `start`; undefined where none has come. */
  following(seen: number): LiveEvent | undefined {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.event_seq ?? 0) > seen) high = middle;
      else low = middle + 1;
    }
    const event = this.#events[low];
    return event && { ...event, left_out: event.event_seq - seen - 1 };
  }
}
