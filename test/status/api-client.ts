// A page's view of the API: keeps the cookie and the session's word, and sends both.
import { ask, type Reply } from './status-fixture.ts';

export interface ApiReply extends Reply {
  readonly json: Readonly<Record<string, unknown>> & { readonly code?: string };
}

export interface ApiClient {
  cookie: string;
  csrf: string;
  /** More headers of everything that is sent. */
  readonly headers: Record<string, string>;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiReply>;
  logIn(name: string, password: string, totp?: string): Promise<ApiReply>;
  claim(code: string, name?: string): Promise<ApiReply>;
}

export const goodPassword = 'correct horse battery';
/** What a user sends besides who gives somebody rights. */
export const owner = { currentPassword: goodPassword } as const;

export function apiClient(port: number): ApiClient {
  const keep = (reply: ApiReply): ApiReply => {
    const [set] = reply.headers['set-cookie'] ?? [];
    if (set !== undefined) client.cookie = set.split(';')[0] ?? '';
    if (typeof reply.json.csrf === 'string') client.csrf = reply.json.csrf;
    return reply;
  };
  const client: ApiClient = {
    cookie: '',
    csrf: '',
    headers: {},
    async call(method, path, body, headers = {}) {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const reply = await ask(port, `/api/v1/${path}`, {
        method,
        headers: {
          ...(client.cookie === '' ? {} : { Cookie: client.cookie }),
          ...(client.csrf === '' ? {} : { 'X-CSRF-Token': client.csrf }),
          ...(text === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) }),
          ...client.headers,
          ...headers,
        },
        ...(text === undefined ? {} : { body: text }),
      });
      const isJson = /json/.test(String(reply.headers['content-type']));
      return { ...reply, json: isJson ? (JSON.parse(reply.body) as ApiReply['json']) : {} };
    },
    logIn: async (name, password, totp) =>
      keep(await client.call('POST', 'session', { name, password, ...(totp === undefined ? {} : { totp }) })),
    claim: async (code, name = 'boss') =>
      keep(await client.call('POST', 'claim', { code, name, password: goodPassword })),
  };
  return client;
}
