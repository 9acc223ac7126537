// What the appliance wrote into the document itself: it stands there before the first answer, and without one.

const data = document.body.dataset;

export const facts = {
  name: data.name ?? '',
  place: data.place ?? '',
  version: data.version ?? '',
  simulated: data.simulated === 'true',
} as const;
