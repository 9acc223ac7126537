// src/uplink/asyncapi.json as a check of what a broker really carried: topic and payload.
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';

interface Document {
  readonly channels: Readonly<
    Record<
      string,
      { readonly address: string; readonly messages: Readonly<Record<string, { readonly $ref: string }>> }
    >
  >;
}

export interface AsyncApiCheck {
  readonly channels: readonly string[];
  /** The channel that the topic belongs to; null when the document has none. */
  channelOf(topic: string): string | null;
  /** What is wrong with the message; empty when the document describes it. */
  problems(topic: string, payload: string): readonly string[];
}

export function asyncApiCheck(): AsyncApiCheck {
  const file = new URL('../../src/uplink/asyncapi.json', import.meta.url);
  const document = JSON.parse(readFileSync(file, 'utf8')) as Document;
  // Strict about the schemas; the document around them is not one.
  const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true, strictRequired: false });
  ajv.addVocabulary(Object.keys(document));
  ajv.addSchema(document, 'asyncapi');
  const channels = Object.entries(document.channels).map(([name, { address, messages }]) => ({
    name,
    pattern: new RegExp(`^${address.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[A-Za-z0-9._-]+')}$`),
    messages: Object.values(messages).map(({ $ref }) => `asyncapi${$ref}/payload`),
  }));
  const compiled = new Map<string, ValidateFunction>();
  const validatorOf = (ref: string) => {
    const known = compiled.get(ref) ?? ajv.compile({ $ref: ref });
    compiled.set(ref, known);
    return known;
  };
  const find = (topic: string) => channels.find(({ pattern }) => pattern.test(topic));
  return {
    channels: channels.map(({ name }) => name),
    channelOf: (topic) => find(topic)?.name ?? null,
    problems(topic, payload) {
      const channel = find(topic);
      if (channel === undefined) return [`${topic}: the document has no such channel`];
      const message: unknown = JSON.parse(payload);
      return channel.messages.flatMap((ref) => {
        const validate = validatorOf(ref);
        if (validate(message)) return [];
        return (validate.errors ?? []).map((error) => `${topic}${error.instancePath} ${error.message}`);
      });
    },
  };
}
