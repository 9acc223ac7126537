// One event as a line; the whole of it on a click. A row that was drawn is not drawn again: 400 of them stand in the list.
import { Component } from 'preact';
import type { ApplianceEvent, Device } from '../model/answers.ts';
import { deviceName } from '../model/device-tree.ts';
import type { FeedRow } from '../model/join-older.ts';
import { instant } from '../model/units.ts';
import { t } from '../strings.ts';

interface RowProps {
  readonly row: FeedRow;
  readonly brief?: boolean;
}

export class EventRow extends Component<RowProps, { readonly open: boolean }> {
  override state = { open: false };

  override shouldComponentUpdate(next: RowProps, state: { readonly open: boolean }): boolean {
    return next.row !== this.props.row || state.open !== this.state.open;
  }

  override render({ row, brief }: RowProps, { open }: { readonly open: boolean }) {
    const { event, notice } = row;
    if (event === null) return <li class="lost">{notice}</li>;
    const what = (
      <>
        <time dateTime={event.time}>{instant(event.time)}</time>
        <span class={`kind ${kindOf(event.type)}`}>
          {brief === true ? t.eventType(event.type) : event.type}
        </span>
        <span class="what">{summary(event)}</span>
      </>
    );
    if (brief === true) return <li>{what}</li>;
    return (
      <li class={open ? 'open' : ''}>
        <button
          type="button"
          class="line"
          aria-expanded={open}
          onClick={() => this.setState({ open: !open })}
        >
          {what}
          <span class="id">{event.id}</span>
        </button>
        {open ? <pre tabIndex={0}>{JSON.stringify(event, null, 2)}</pre> : null}
      </li>
    );
  }
}

/** What the eye sorts by. */
export function kindOf(type: string): 'good' | 'gone' | 'bad' | 'note' {
  if (
    /^security\.|\.(blocked|failed|rejected|lost|gap|suspected|refused)$|^buffer\.(gap|cursor-expired)/.test(
      type,
    )
  )
    return 'bad';
  if (/\.(added|connected|running|restored|installed)$/.test(type)) return 'good';
  if (/\.(removed|stopped)$/.test(type)) return 'gone';
  return 'note';
}

export function summary({ subject, data }: ApplianceEvent): string {
  const device = data.device as Device | null | undefined;
  const words = ['reason', 'why', 'message', 'name']
    .map((key) => data[key])
    .find((value) => typeof value === 'string');
  const port = subject.replace(/^usb\//, '');
  if (device !== null && device !== undefined) {
    const verdict = data.verdict as { readonly reason?: string } | undefined;
    return [port, deviceName(device) ?? t.device.unnamed, verdict?.reason].filter(Boolean).join(' · ');
  }
  const name = typeof data.name === 'string' && data.name !== words ? data.name : null;
  return [name ?? port, words].filter(Boolean).join(' · ');
}
