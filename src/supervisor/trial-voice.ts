// What happens in a trial -> lines for the plugin's author, in which places in the built code are those of his source.
import type { CloudEvent, StoredEvent } from '../contracts/event.ts';
import type { PluginLogLine } from '../contracts/plugin-status.ts';

export interface TrialVoice {
  say(text: string): void;
  /** An event about the plugin. */
  tell(type: string, data: object): void;
  tellEvent(event: StoredEvent): void;
  tellLine(line: PluginLogLine): void;
  tellFacts(facts: object, message: string): void;
  /** From now on: of the build that runs. */
  useSource(toSource: (text: string) => string): void;
}

export function createTrialVoice(print: (line: string) => void): TrialVoice {
  let toSource = (text: string) => text;
  const say = (text: string) => print(toSource(text));
  return {
    say,
    useSource(given) {
      toSource = given;
    },
    tell(type, data) {
      const {
        detail,
        event,
        reason,
        type: about,
        version,
        why,
      } = data as Readonly<Record<string, string | undefined>>;
      const which = event === undefined ? '' : `event ${event} (${about}): `;
      say(`${type}: ${which}${reason ?? detail ?? why ?? `version ${version}`}`);
    },
    tellEvent({ json, type }) {
      const event = JSON.parse(json) as CloudEvent;
      const isOwn = /^plugin\.[^.]+\.[^.]+$/.test(type);
      say(
        `${isOwn ? 'emitted' : 'event'} ${event.id} ${type} ${event.subject}${isOwn ? ` ${JSON.stringify(event.data)}` : ''}`,
      );
    },
    tellLine({ from, level, text }) {
      // What the appliance notes is an event, and was told as one.
      if (from === 'appliance') return;
      say(`${level} ${from === 'output' ? '(output) ' : ''}${text}`);
    },
    tellFacts(facts, message) {
      say(`${message}: ${JSON.stringify(facts)}`);
    },
  };
}
