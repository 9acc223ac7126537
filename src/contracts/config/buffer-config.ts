// How events are stored, and within which bounds. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed, Path, Secret } from './config-types.ts';

export const BufferConfig = Type.Object(
  {
    redisSocket: Path('Unix socket of the Redis that holds the events.', '/run/redis/redis.sock'),
    username: Type.Optional(
      Type.String({ minLength: 1, description: 'Redis ACL user; left out: the default user.' }),
    ),
    password: Secret('Of the Redis ACL user.'),
    fsync: Type.Union([Type.Literal('always'), Type.Literal('everysec')], {
      default: 'always',
      description:
        'always: an acknowledged event survives a power cut. everysec: spares flash; a power cut may lose the last two seconds. The image starts Redis with it.',
    }),
    memoryQueueEvents: Type.Integer({
      minimum: 100,
      default: 50_000,
      description:
        'Events kept in memory while Redis is away, 64 MB of them at most; the oldest beyond it become a buffer.gap.',
    }),
    batchEvents: Type.Integer({
      minimum: 1,
      maximum: 5_000,
      default: 256,
      description: 'Most events in one transaction.',
    }),
    keepEvents: Type.Integer({
      minimum: 0,
      default: 1_000,
      description: 'Acknowledged events kept for the page and for Last-Event-ID.',
    }),
    memoryMaxBytes: Type.Integer({
      minimum: 1_048_576,
      default: 67_108_864,
      description:
        "Memory that events may take in Redis; older ones move to the archive. Well below Redis's maxmemory.",
    }),
    archiveMaxBytes: Type.Integer({
      minimum: 0,
      default: 4_294_967_296,
      description:
        'Most bytes of the archive on disk (about 80 bytes an event); beyond them events are given up, the least important and oldest first, and a buffer.gap says which.',
    }),
    archiveKeepFreeBytes: Type.Integer({
      minimum: 0,
      default: 268_435_456,
      description:
        'The archive leaves so much of its disk free, at most a tenth of it, and gives events up for it in the same order.',
    }),
    maxAgeHours: Type.Integer({
      minimum: 0,
      default: 0,
      description:
        'Events that are surely older are given up with a buffer.gap, and those before them; 0: no limit. An age is proved by the uptime of this boot or by a clock that was synchronized then and is now.',
    }),
    maxEvents: Type.Integer({
      minimum: 0,
      default: 0,
      description:
        'Most stored events, give or take a segment; beyond it as beyond archiveMaxBytes; 0: no limit.',
    }),
    consumerIdleHours: Type.Integer({
      minimum: 0,
      default: 168,
      description:
        'A plugin or webhook that has not read on for so long although there is something to read loses its place; 0: never.',
    }),
    commandTimeoutMs: Type.Integer({
      minimum: 100,
      default: 5_000,
      description: 'A Redis that has not answered for so long counts as away.',
    }),
  },
  closed,
);
export type BufferConfig = Static<typeof BufferConfig>;
