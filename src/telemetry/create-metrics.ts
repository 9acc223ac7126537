// Every metric of contracts/metrics.ts under its Prometheus name, in a registry of their own.
import * as prom from 'prom-client';
import type { Metrics } from '../contracts/metrics.ts';
import { addMemoryMetrics } from './memory-metrics.ts';
import { metricMakers } from './metric-makers.ts';
import { addProcessMetrics } from './process-metrics.ts';

export interface MetricsRegistry {
  readonly metrics: Metrics;
  /** The exposition text, as a scraper reads it. */
  text(): Promise<string>;
  readonly contentType: string;
  /** Ends the sampling of the event loop. */
  stop(): void;
}

export function createMetrics(
  options: { readonly version?: string; readonly lostLogLines?: () => number } = {},
): MetricsRegistry {
  const registry = new prom.Registry();
  const { counter, gauge, latency } = metricMakers(registry);

  const metrics: Metrics = {
    usb: {
      sourceRecords: counter(
        'usb_source_records_total',
        'Records read from a source of USB changes.',
        'source',
      ),
      sourceUp: gauge('usb_source_up', '1 while the source works, 0 while it is lost.', 'source'),
      malformed: counter(
        'usb_malformed_total',
        'Records or descriptors refused or only partly readable.',
        'code',
      ),
      crossCheckMissed: counter(
        'usb_crosscheck_missed_total',
        'Attach and detach records of the kernel that libusb never reported.',
        'kind',
      ),
      devices: gauge('usb_devices', 'Devices on the bus, root hubs excepted.'),
      portFailures: counter(
        'usb_port_failures_total',
        'What was plugged in and did not become a working device.',
        'code',
      ),
      authorizationDelay: latency(
        'usb_authorization_delay_seconds',
        "Time from the kernel's record of a device until the first verdict was written.",
      ),
    },
    events: {
      made: counter('events_total', 'Events made.', 'type'),
      deduplicated: counter(
        'events_deduplicated_total',
        'Changes that several sources reported, counted once.',
      ),
      folded: counter('events_folded_total', 'Transitions folded into another event.', 'cause'),
    },
    buffer: {
      redisConnected: gauge('redis_connected', '1 while Redis answers.'),
      appended: counter('buffer_appended_events_total', 'Events that Redis acknowledged as stored.'),
      dropped: counter(
        'buffer_dropped_events_total',
        'Events given up before they were delivered.',
        'reason',
      ),
      eventLatency: latency(
        'event_latency_seconds',
        "Time from the kernel's record to Redis's reply that the event is stored.",
      ),
      appendDuration: latency('buffer_append_duration_seconds', 'Time of one append to Redis.'),
      depth: gauge('buffer_depth_events', 'Stored events that the slowest consumer has not acknowledged.'),
      queued: gauge('buffer_queued_events', 'Events in memory that Redis has not acknowledged.'),
      oldestAge: gauge('buffer_oldest_age_seconds', 'Age of the oldest event not yet acknowledged.'),
      bytes: gauge('buffer_bytes', 'Memory that the stored events use in Redis.'),
      spilled: counter('buffer_spilled_events_total', 'Events moved from Redis to the archive.'),
      archived: gauge('buffer_archived_events', 'Events in the archive.'),
      archiveBytes: gauge('buffer_archive_bytes', 'Bytes of the archive on disk.'),
    },
    uplink: {
      connected: gauge('uplink_connected', '1 while the broker is connected.'),
      connects: counter('uplink_connects_total', 'Connections made to the broker.'),
      published: counter('uplink_published_events_total', 'Events that the broker acknowledged.'),
      resent: counter('uplink_resent_events_total', 'Events sent again after a lost connection.'),
      refused: counter('uplink_refused_events_total', 'Events that the broker refused.', 'reason'),
      inboundRefused: counter(
        'uplink_inbound_refused_messages_total',
        'Messages of the broker that came faster than allowed and were not handled.',
      ),
      inFlight: gauge('uplink_in_flight_events', 'Events sent and not yet acknowledged.'),
      ackDuration: latency(
        'uplink_ack_duration_seconds',
        "Time from sending to the broker's acknowledgement.",
      ),
    },
    webhooks: {
      up: gauge('webhook_up', '1 after an accepted request, 0 after a failed one.', 'webhook'),
      delivered: counter('webhook_delivered_events_total', 'Events that the receiver accepted.', 'webhook'),
      failed: counter(
        'webhook_failed_requests_total',
        'Requests that the receiver did not accept.',
        'webhook',
        'reason',
      ),
      skipped: counter('webhook_skipped_events_total', 'Events too large for the receiver.', 'webhook'),
      requestDuration: latency('webhook_request_duration_seconds', 'Time of one request.', 'webhook'),
    },
    plugins: {
      running: gauge('plugins_running', 'Plugins whose process runs.'),
      blocked: gauge('plugins_blocked', 'Plugins that are not started again by themselves.'),
    },
    status: {
      requests: counter('http_requests_total', 'Requests answered by the status server.', 'route', 'code'),
      sseClients: gauge('http_sse_clients', 'Listeners of the live event stream.'),
    },
  };

  const { version = 'unknown', lostLogLines } = options;
  gauge('build_info', 'Always 1; its labels say what runs.', 'version', 'node').set(1, {
    version,
    node: process.versions.node,
  });
  if (lostLogLines !== undefined) {
    new prom.Counter({
      name: 'autoweave_log_lines_lost_total',
      help: 'Log lines that the output did not take.',
      registers: [registry],
      collect() {
        this.reset();
        this.inc(lostLogLines());
      },
    });
  }
  addMemoryMetrics(registry);
  const loop = addProcessMetrics(registry);

  return {
    metrics,
    text: () => registry.metrics(),
    contentType: registry.contentType,
    stop: () => loop.stop(),
  };
}
