// What can be asked of the API, as data: the router, the roles and the OpenAPI document all come from it.
import type { Static, TSchema } from 'typebox';
import type { Role } from '../../contracts/api-access.ts';
import type { Caller } from '../access/access.ts';
import type { Answer } from '../answer.ts';

export interface Call<Body = unknown> {
  readonly caller: Caller;
  /** The parts of the path in braces, checked against `params`. */
  readonly params: Readonly<Record<string, string>>;
  /** Checked against `query`. */
  readonly query: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly isTls: boolean;
  /** Ends the session of the cookie. */
  readonly logOut: () => void;
}

export interface ApiAnswer extends Answer {
  /** For the audit, where what the answer says is not enough. null: not worth an entry. */
  readonly audit?: { readonly who?: string; readonly detail: string } | null;
}

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/api/v1/plugins/{name}` */
  readonly path: string;
  readonly summary: string;
  /** true: a page asks for it by itself, which keeps no session alive. */
  readonly isBackground?: boolean;
  /** `public`: everybody. A viewer's reading is everybody's too where `status.public` is `all`. */
  readonly role: 'public' | Role;
  readonly params?: Readonly<Record<string, TSchema>>;
  /** An object of strings; unknown keys are refused. */
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly bodyMaxBytes?: number;
  /** HTTP status -> what comes with it; a string is a content type of its own. */
  readonly answers: Readonly<Record<number, TSchema | string | null>>;
  /** `'stream'`: the live events, which have no end and are served by event-streams.ts. */
  run(call: Call): ApiAnswer | Promise<ApiAnswer> | 'stream';
}

/** An operation whose body has its schema's type. */
export function withBody<B extends TSchema>(
  given: Omit<Operation, 'body' | 'run'> & {
    readonly body: B;
    run(call: Call<Static<B>>): ApiAnswer | Promise<ApiAnswer>;
  },
): Operation {
  return given;
}
