// The package brings no types. What is used of it.
declare module 'multicast-dns' {
  import type { EventEmitter } from 'node:events';

  namespace multicastDns {
    interface Question {
      readonly name: string;
      readonly type: string;
    }
    interface Resource {
      readonly name: string;
      readonly type: string;
      readonly ttl?: number;
      readonly flush?: boolean;
      readonly data: unknown;
    }
    interface Packet {
      readonly questions: readonly Question[];
      readonly answers: readonly Resource[];
      readonly additionals: readonly Resource[];
    }
    interface MulticastDns extends EventEmitter {
      respond(
        answer: { readonly answers: readonly Resource[]; readonly additionals?: readonly Resource[] },
        done?: (error?: Error | null) => void,
      ): void;
      query(questions: readonly Question[]): void;
      destroy(done?: () => void): void;
    }
  }
  function multicastDns(options?: { readonly port?: number }): multicastDns.MulticastDns;
  export = multicastDns;
}
