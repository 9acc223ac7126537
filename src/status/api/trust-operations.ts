// The trust document: who may sign plugins, and its hand-over to the next version.
import { Type } from 'typebox';
import type { TrustControl } from '../../contracts/trust-control.ts';
import { jsonAnswer, taggedAnswer } from '../answer.ts';
import { actProblem } from './act-answer.ts';
import { type Operation, withBody } from './operation.ts';
import { type Stamp, stamped } from './stamp.ts';

const closed = { additionalProperties: false } as const;
const Version = Type.Integer({ minimum: 1 });
const DOCUMENT_MAX = 512 * 1024;

export function trustOperations(options: {
  readonly trust: () => TrustControl;
  readonly stamp: () => Stamp;
}): readonly Operation[] {
  const { stamp, trust } = options;
  return [
    {
      method: 'GET',
      path: '/api/v1/trust',
      summary: 'The trust document in force, as it was signed',
      role: 'viewer',
      answers: { 200: stamped({ text: Type.String() }) },
      async run() {
        const found = await trust().inForce();
        return found.ok ? taggedAnswer({ ...stamp(), text: found.text }) : actProblem(found);
      },
    },
    withBody({
      method: 'POST',
      path: '/api/v1/trust',
      summary: 'Hand over to the next version; plugins that are not trusted any more stop before the answer',
      role: 'admin',
      body: Type.Object(
        {
          text: Type.String({ minLength: 1, maxLength: DOCUMENT_MAX, description: 'The signed document.' }),
          first: Type.Optional(Type.Boolean({ description: 'There is none yet, and this is the first.' })),
        },
        closed,
      ),
      bodyMaxBytes: 2 * DOCUMENT_MAX,
      answers: {
        200: Type.Object(
          { version: Version, before: Type.Union([Version, Type.Null()]), isNew: Type.Boolean() },
          closed,
        ),
      },
      async run({ body: { first = false, text } }) {
        const taken = await trust().take(text, { first });
        if (!taken.ok) return actProblem(taken);
        const { before, isNew, version } = taken;
        return {
          ...jsonAnswer(200, { version, before, isNew }),
          audit: { detail: `trust document ${version} is in force` },
        };
      },
    }),
  ];
}
