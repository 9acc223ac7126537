// What stands at tills, kiosks and machines, and the shapes of known attacks, as interfaces over time. Ids are examples: the guard
// looks at none of them.
import type { DeviceSight } from '../../src/policy/guard/evidence.ts';

export interface GuardCase {
  readonly name: string;
  readonly isAttack: boolean;
  /** Label of the rule that allows it, where a person has named it. */
  readonly label?: string;
  readonly sights: readonly DeviceSight[];
  readonly reportsPerSecond?: number;
}

type Step = readonly [atSeconds: number, id: string, interfaces: string, serial?: string, port?: string];

function sights(...steps: readonly Step[]): readonly DeviceSight[] {
  return steps.map(([atSeconds, id, interfaces, serial = '', port = '1-1']) => {
    const [vendorId = '', productId = ''] = id.split(':');
    return {
      port,
      vendorId,
      productId,
      serial,
      uptimeMs: atSeconds * 1_000,
      interfaces: interfaces.split(' ').map((each) => {
        const [code = 0, subclass = 0, protocol = 0] = each
          .split(':')
          .map((part) => Number.parseInt(part, 16));
        return { class: code, subclass, protocol };
      }),
    };
  });
}

const flapping = (times: number, everySeconds: number, interfaces: string) =>
  sights(
    ...Array.from({ length: times }, (_, index): Step => [index * everySeconds, '046d:c31c', interfaces]),
  );

const ordinary = (
  name: string,
  id: string,
  interfaces: string,
  more: Partial<GuardCase> = {},
): GuardCase => ({
  name,
  isAttack: false,
  sights: sights([0, id, interfaces]),
  ...more,
});
const attack = (name: string, steps: readonly DeviceSight[], more: Partial<GuardCase> = {}): GuardCase => ({
  name,
  isAttack: true,
  sights: steps,
  ...more,
});

export const guardCases: readonly GuardCase[] = [
  ordinary('keyboard, typed on by a person', '046d:c31c', '03:01:01 03:00:00', { reportsPerSecond: 24 }),
  ordinary('keyboard of a fast typist', '04d9:1603', '03:01:01 03:00:00', { reportsPerSecond: 32 }),
  ordinary('mouse', '046d:c077', '03:01:02'),
  ordinary('receiver for keyboard and mouse', '046d:c52b', '03:01:01 03:01:02 03:00:00'),
  ordinary('keyboard with card reader', '0c4b:9102', '03:01:01 0b:00:00'),
  ordinary('security key (keyboard, FIDO, smart card)', '1050:0407', '03:01:01 03:00:00 0b:00:00'),
  ordinary('serial adapter FTDI', '0403:6001', 'ff:ff:ff'),
  ordinary('serial adapter, four ports', '0403:6011', 'ff:ff:ff ff:ff:ff ff:ff:ff ff:ff:ff'),
  ordinary('serial adapter Prolific', '067b:2303', 'ff:00:00'),
  ordinary('controller with CDC serial', '2341:0043', '02:02:01 0a:00:00'),
  ordinary('barcode scanner, named', '05e0:1200', '03:01:01', {
    reportsPerSecond: 400,
    label: 'till 3 types-fast',
  }),
  ordinary('barcode scanner as CDC serial', '0c2e:0cc6', '02:02:01 0a:00:00'),
  ordinary('barcode scanner as HID POS', '05e0:1300', '03:00:00'),
  ordinary('barcode scanner, keyboard and CDC', '1a86:5456', '03:01:01 02:02:01 0a:00:00'),
  ordinary('magnetic card reader, named', '0801:0002', '03:01:01', {
    reportsPerSecond: 150,
    label: 'types-fast',
  }),
  ordinary('RFID reader, slow keyboard', '08ff:0009', '03:01:01', { reportsPerSecond: 40 }),
  ordinary('smart card reader', '08e6:3437', '0b:00:00'),
  ordinary('receipt printer', '04b8:0202', '07:01:02'),
  ordinary('label printer with CDC', '0a5f:0166', '07:01:02 02:02:01 0a:00:00'),
  ordinary('multifunction printer (print, scan, storage)', '04b8:089e', 'ff:ff:ff 07:01:02 08:06:50'),
  ordinary('touch screen', '0eef:0001', '03:01:02 03:00:00'),
  ordinary('customer display', '1504:0011', 'ff:00:00'),
  ordinary('scale as HID', '0922:8003', '03:00:00'),
  ordinary('webcam with microphone', '046d:0825', '0e:01:00 0e:02:00 01:01:00 01:02:00'),
  ordinary('headset with buttons', '047f:c012', '01:01:00 01:02:00 03:00:00'),
  ordinary('network adapter ASIX', '0b95:1790', 'ff:ff:00'),
  ordinary('network adapter CDC NCM', '0bda:8153', '02:0d:00 0a:00:01'),
  ordinary('flash drive', '0781:5567', '08:06:50'),
  ordinary('flash drive with UAS', '152d:0578', '08:06:50 08:06:62'),
  ordinary('hub', '05e3:0610', '09:00:00 09:00:01 09:00:02'),
  ordinary('UPS', '0463:ffff', '03:00:00'),
  ordinary('Bluetooth adapter', '0a12:0001', 'e0:01:01'),
  ordinary('modem that switches from its driver disk', '12d1:1446', '08:06:50', {
    sights: sights([0, '12d1:1446', '08:06:50'], [8, '12d1:1506', 'ff:02:01 ff:02:02 02:0e:00 08:06:50']),
  }),
  ordinary('modem that switches twice, named', '19d2:2000', '08:06:50', {
    label: 'mode-switch',
    sights: sights(
      [0, '19d2:2000', '08:06:50'],
      [6, '19d2:1589', 'ff:ff:ff 08:06:50'],
      [14, '19d2:0016', 'ff:ff:ff'],
    ),
  }),
  ordinary('modem that switches twice, not named', '19d2:2000', '08:06:50', {
    sights: sights(
      [0, '19d2:2000', '08:06:50'],
      [6, '19d2:1589', 'ff:ff:ff 08:06:50'],
      [14, '19d2:0016', 'ff:ff:ff'],
    ),
  }),
  ordinary('controller board that enters its boot loader', '2341:8036', '03:01:01 02:02:01 0a:00:00', {
    sights: sights(
      [0, '2341:8036', '03:01:01 02:02:01 0a:00:00'],
      [5, '2341:0036', '02:02:01 0a:00:00'],
      [13, '2341:8036', '03:01:01 02:02:01 0a:00:00'],
    ),
  }),
  ordinary('keyboard kit: firmware over its boot loader disk, under a new id', '239a:80f4', '03:01:01', {
    sights: sights(
      [0, '239a:80f4', '03:01:01 02:02:01 0a:00:00'],
      [5, '239a:00b3', '08:06:50 02:02:01 0a:00:00'],
      [20, '239a:80f6', '03:01:01 02:02:01 0a:00:00'],
    ),
  }),
  ordinary('network adapter, then keyboard of the same maker', '17ef:a387', '02:0d:00 0a:00:01', {
    sights: sights([0, '17ef:a387', '02:0d:00 0a:00:01'], [15, '17ef:6099', '03:01:01 03:00:00']),
  }),
  ordinary('phone: charging, then files, then tethering', '18d1:4ee1', '06:01:01', {
    sights: sights(
      [0, '18d1:4ee1', '06:01:01', 'P1'],
      [20, '18d1:4ee2', '06:01:01 ff:42:01', 'P1'],
      [40, '18d1:4ee3', 'e0:01:03 0a:00:00', 'P1'],
    ),
  }),
  ordinary('firmware update over DFU', '0483:df11', 'fe:01:02', {
    sights: sights(
      [0, '0483:5740', '02:02:01 0a:00:00', 'F1'],
      [3, '0483:df11', 'fe:01:02', 'F1'],
      [30, '0483:5740', '02:02:01 0a:00:00', 'F1'],
    ),
  }),
  ordinary('keyboard on a bad cable', '046d:c31c', '03:01:01', {
    sights: flapping(30, 1.5, '03:01:01 03:00:00'),
  }),
  ordinary('different tools on one front port over a day', '0781:5567', '08:06:50', {
    sights: sights(
      [0, '0781:5567', '08:06:50'],
      [3_600, '046d:c31c', '03:01:01'],
      [9_000, '0403:6001', 'ff:ff:ff'],
      [9_900, '05e0:1200', '03:01:01'],
    ),
  }),
  ordinary('stick, then keyboard, swapped in a hurry', '0781:5567', '08:06:50', {
    sights: sights([0, '0781:5567', '08:06:50'], [12, '046d:c31c', '03:01:01 03:00:00']),
  }),
  ordinary('KVM switch, named (keyboard, mouse, virtual disk)', '0557:2221', '03:01:01 03:01:02 08:06:50', {
    label: 'rack composite',
  }),
  ordinary('KVM switch, not named', '0557:2221', '03:01:01 03:01:02 08:06:50'),

  attack('stick that is also a keyboard', sights([0, '0781:5567', '08:06:50 03:01:01'])),
  attack(
    'stick that is also a keyboard without the boot subclass',
    sights([0, '0781:5567', '08:06:50 03:00:01']),
  ),
  attack('keyboard with a network card (RNDIS)', sights([0, '046d:c31c', '03:01:01 e0:01:03 0a:00:00'])),
  attack('keyboard with a network card (CDC NCM)', sights([0, '05ac:024f', '03:01:01 02:0d:00 0a:00:01'])),
  attack(
    'keyboard, disk and network at once',
    sights([0, '1d6b:0104', '03:01:01 08:06:50 02:06:00 0a:00:00']),
  ),
  attack('keyboard that types 500 keys a second', sights([0, '046d:c31c', '03:01:01']), {
    reportsPerSecond: 1_000,
  }),
  attack('keyboard that types 50 keys a second', sights([0, '046d:c31c', '03:01:01']), {
    reportsPerSecond: 100,
  }),
  attack('keyboard that types as slowly as a person', sights([0, '046d:c31c', '03:01:01']), {
    reportsPerSecond: 25,
  }),
  attack(
    'stick that turns into a keyboard, same ids',
    sights([0, '0781:5567', '08:06:50', 'S1'], [40, '0781:5567', '03:01:01', 'S1']),
  ),
  attack(
    'stick that turns into a keyboard at another port',
    sights([0, '0781:5567', '08:06:50', 'S1'], [400, '0781:5567', '08:06:50 03:01:01', 'S1', '1-2']),
  ),
  attack(
    'stick that turns into a keyboard a day later',
    sights([0, '0781:5567', '08:06:50', 'S1'], [86_400, '0781:5567', '03:01:01', 'S1']),
  ),
  attack(
    'reader that grows a keyboard',
    sights([0, '08e6:3437', '0b:00:00'], [10, '08e6:3437', '0b:00:00 03:01:01']),
  ),
  attack(
    'tries the ids of four vendors within seconds',
    sights(
      [0, '046d:c31c', '08:06:50'],
      [2, '05ac:024f', 'ff:ff:ff'],
      [4, '413c:2107', '03:00:00'],
      [6, '045e:0750', '03:01:01'],
    ),
  ),
  attack(
    'walks through ids of one vendor until a keyboard is let in',
    sights(...Array.from({ length: 8 }, (_, index): Step => [index * 2, `046d:c3${10 + index}`, '03:01:01'])),
  ),
  attack(
    'enumerates 20 times with ever other functions',
    sights(
      ...Array.from(
        { length: 20 },
        (_, index): Step => [index * 2, `046d:c31c`, index % 2 === 0 ? '08:06:50' : '0b:00:00 03:01:01'],
      ),
    ),
  ),
  attack(
    'hides as a modem: disk, then network, then keyboard',
    sights([0, '12d1:1446', '08:06:50'], [5, '12d1:1506', '02:0e:00'], [10, '12d1:1520', '03:01:01']),
  ),
  attack(
    'hides as a modem, and waits two minutes before it is a keyboard',
    sights([0, '12d1:1446', '08:06:50'], [5, '12d1:1506', '02:0e:00'], [125, '12d1:1520', '03:01:01']),
  ),
];
